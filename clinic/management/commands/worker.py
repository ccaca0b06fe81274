"""Sends the mail that is due, ends what nobody answered, offers what came free and erases what is over, until told
to stop.
"""

import signal
import threading
from types import FrameType
from typing import Any

from django.contrib.sessions.backends.db import SessionStore
from django.core.management.base import BaseCommand, CommandParser
from django.db import OperationalError, close_old_connections
from django.utils import timezone

from booking.operations import Busy, Expired, expire_overdue, offer_released_time
from clinic import mail

LOOK_EVERY = 2.0  # seconds between two looks into the queue
TIDY_EVERY = 15  # looks between two rounds of tidying, which is half a minute


class Command(BaseCommand):
    help = "Sends queued mail, ends overdue requests and erases ended sessions until SIGTERM or Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="do one round and report it")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        if once:
            sent, expired, offered = self.send(), self.tidy(), self.offer()
            self.stdout.write(
                f"{sent} mails sent; {expired.requests} requests and {expired.offers} offers ended,"
                f" {expired.holds} holds erased; {offered} times offered from the waitlist"
            )
            return
        stop = threading.Event()

        def ask_to_stop(signum: int, frame: FrameType | None) -> None:
            stop.set()  # the message in hand is finished first

        signal.signal(signal.SIGTERM, ask_to_stop)
        signal.signal(signal.SIGINT, ask_to_stop)
        self.stdout.write("The mail worker is ready.")
        look = 0
        while not stop.is_set():
            try:
                self.send()
                if look % TIDY_EVERY == 0:
                    self.tidy()
                    self.offer()
            except (OperationalError, Busy) as error:  # the database is away or busy: its rows wait
                self.stderr.write(f"The database did not answer ({type(error).__name__}); trying again.")
            close_old_connections()
            look += 1
            stop.wait(LOOK_EVERY)
        self.stdout.write("The mail worker has stopped.")

    def send(self) -> int:
        return mail.deliver_due(now=timezone.now())

    def tidy(self) -> Expired:
        """Ends what is overdue and erases ended sessions, with what was typed in them."""
        SessionStore.clear_expired()
        return expire_overdue(now=timezone.now())

    def offer(self) -> int:
        """Offers what came free, by what was ended just now or otherwise, to those who wait."""
        return offer_released_time(now=timezone.now())
