"""Sends the mail that is due and erases what has ended, until told to stop."""

import signal
import threading
from types import FrameType
from typing import Any

from django.contrib.sessions.backends.db import SessionStore
from django.core.management.base import BaseCommand, CommandParser
from django.db import OperationalError, close_old_connections
from django.utils import timezone

from clinic import mail

LOOK_EVERY = 2.0  # seconds between two looks into the queue
ERASE_EVERY = 150  # looks between two sweeps of ended sessions, which is five minutes


class Command(BaseCommand):
    help = "Sends queued mail and erases ended sessions until SIGTERM or Ctrl-C; --once does one round."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="do one round and report it")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        if once:
            sent = self.work(erase=True)
            self.stdout.write(f"{sent} sent")
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
                self.work(erase=look % ERASE_EVERY == 0)
            except OperationalError as error:  # the database is away or busy: its rows wait
                self.stderr.write(f"The database did not answer ({type(error).__name__}); trying again.")
            close_old_connections()
            look += 1
            stop.wait(LOOK_EVERY)
        self.stdout.write("The mail worker has stopped.")

    def work(self, *, erase: bool) -> int:
        if erase:
            SessionStore.clear_expired()
        return mail.deliver_due(now=timezone.now())
