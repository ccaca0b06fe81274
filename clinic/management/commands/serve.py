"""Runs the web server and the worker side by side, and stops both together."""

import signal
import subprocess
import sys
import time
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

LOOK_EVERY = 0.3  # seconds
STOP_WITHIN = 15.0  # seconds, after which a child is killed


class Command(BaseCommand):
    help = "Serves the site with gunicorn and sends its mail, until Ctrl-C or SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        stopping = False

        def ask_to_stop(signum: int, frame: FrameType | None) -> None:
            nonlocal stopping
            stopping = True

        signal.signal(signal.SIGTERM, ask_to_stop)
        signal.signal(signal.SIGINT, ask_to_stop)
        self.stdout.write(f"Serving on {settings.SITE_URL}; mails go to {_mail_goes_to()}.")
        # A session of their own: Ctrl-C reaches only this process, which then stops both in order.
        children = {
            name: subprocess.Popen(  # noqa: S603 (our own two commands)
                [sys.executable, "-u", *arguments],  # a log read from a file or pipe is not late
                cwd=settings.BASE_DIR,
                start_new_session=True,
            )
            for name, arguments in {
                "the web server": ["-m", "gunicorn", "--config", "clinic/gunicorn_conf.py", "clinic.wsgi"],
                "the mail worker": ["manage.py", "worker"],
            }.items()
        }
        while not stopping and all(child.poll() is None for child in children.values()):
            time.sleep(LOOK_EVERY)
        fallen = [name for name, child in children.items() if child.poll() is not None and not stopping]
        for child in children.values():
            child.terminate()
        for child in children.values():
            try:
                child.wait(STOP_WITHIN)
            except subprocess.TimeoutExpired:
                child.kill()
        if fallen:
            raise CommandError(f"{' and '.join(fallen)} ended by itself; everything is stopped.")
        self.stdout.write("Stopped.")


def _mail_goes_to() -> str:
    return getattr(settings, "EMAIL_FILE_PATH", None) or f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
