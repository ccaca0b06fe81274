"""Sends mail, reminds, ends what nobody answered, offers what came free and erases what is past its time, on and on."""

import signal
import threading
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any

from django.contrib.sessions.backends.db import SessionStore
from django.core.management.base import BaseCommand, CommandParser
from django.db import InterfaceError, OperationalError, close_old_connections
from django.utils import timezone

from booking.operations import (
    Busy,
    Expired,
    Outdated,
    Reminded,
    erase_outdated,
    expire_overdue,
    offer_released_time,
    remind,
)
from clinic import limits, mail
from content.remarks import erase_old_remarks

LOOK_EVERY = 2.0  # seconds between two looks into the queue
TIDY_EVERY = 15  # looks between two rounds of tidying, which is half a minute
ERASE_EVERY = 1800  # looks between two rounds of erasing, which is an hour
AT_ONCE = 100  # messages in one look, so that a long queue does not keep the rest waiting


class Command(BaseCommand):
    help = "Sends mail, reminds, ends what nobody answered, offers what came free and erases what is over."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="do one round and report it")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        stop = threading.Event()
        if once:
            reminded, expired, offered = self.remind(), self.tidy(), self.offer()
            erased, remarks = self.erase()
            sent = mail.deliver_due(now=timezone.now())
            self.stdout.write(
                f"{sent} mails sent; {reminded.visits} visits and {reminded.offers} offers reminded of;"
                f" {expired.requests} requests and {expired.offers} offers ended, {expired.holds} holds erased;"
                f" {offered} times offered from the waitlist; {erased.people} people, {erased.requests} requests,"
                f" {erased.mails} messages and {remarks} remarks past their time erased"
            )
            return

        def ask_to_stop(signum: int, frame: FrameType | None) -> None:
            stop.set()  # the message in hand is finished first

        signal.signal(signal.SIGTERM, ask_to_stop)
        signal.signal(signal.SIGINT, ask_to_stop)
        self.stdout.write("The mail worker is ready.")
        look = 0
        while not stop.is_set():
            self.attempt(lambda: self.send(stop))
            if look % TIDY_EVERY == 0:
                self.attempt(self.remind)
                self.attempt(self.tidy)
                self.attempt(self.offer)
            if look % ERASE_EVERY == 0:
                self.attempt(self.erase)
            close_old_connections()
            look += 1
            stop.wait(LOOK_EVERY)
        self.stdout.write("The mail worker has stopped.")

    def attempt(self, duty: Callable[[], object]) -> None:
        """Does one duty; a fault in it is told and does not keep the worker from the others, or from the next time."""
        try:
            duty()
        except (
            OperationalError,
            InterfaceError,
            Busy,
        ) as error:  # the database is away or busy: its rows wait
            self.stderr.write(f"The database did not answer ({type(error).__name__}); trying again.")
        except Exception as error:  # noqa: BLE001 (a worker that falls sends nobody anything)
            where = traceback.extract_tb(error.__traceback__)[-1]
            # Never its text, which may quote an address.
            self.stderr.write(f"{type(error).__name__} at {where.filename}:{where.lineno}; trying again.")

    def send(self, stop: threading.Event) -> None:
        """One message at a time, each by the clock of its own moment, as a slow server makes a look long.

        After the first that does not leave, the rest waits for the next look: a silent server costs one timeout.
        """
        for _ in range(AT_ONCE):
            if stop.is_set() or not mail.deliver_due(now=timezone.now(), limit=1):
                return

    def remind(self) -> Reminded:
        return remind(now=timezone.now())

    def tidy(self) -> Expired:
        """Ends what is overdue, erases ended sessions with what was typed in them, and counts that are over."""
        now = timezone.now()
        SessionStore.clear_expired()
        limits.erase_ended(now=now)
        return expire_overdue(now=now)

    def erase(self) -> tuple[Outdated, int]:
        """Erases what is past the time for which it is kept, of patients and of what readers wrote."""
        now = timezone.now()
        return erase_outdated(now=now), erase_old_remarks(now=now)

    def offer(self) -> int:
        """Offers what came free, by what was ended just now or otherwise, to those who wait."""
        return offer_released_time(now=timezone.now())
