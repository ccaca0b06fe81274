"""Runs `check --deploy` under a made-up production environment and fails on any warning."""

import os
import subprocess
import sys

PRODUCTION = {
    "PRODUCTION": "true",
    "SECRET_KEY": "k" * 20 + "0123456789abcdefghijklmnopqrstuvwxyz" + "ABCDEFGHIJKLMNOP",
    "ALLOWED_HOSTS": "clinic.example",
    "SITE_URL": "https://clinic.example",
    "DATABASE_URL": "postgres://clinic@db.invalid/clinic",
    "EMAIL_URL": "smtp+tls://clinic@mail.invalid:587",
    "DEFAULT_FROM_EMAIL": "Clinic <desk@clinic.example>",
    "STAFF_EMAIL": "desk@clinic.example",
    "CLINIC_PHONE": "905-555-0100",
    "CLINIC_ADDRESS": "1 Example Street, Richmond Hill, Ontario",
    "CLINIC_PRIVACY_CONTACT": "the clinic's privacy contact",
}


def run(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """`manage.py check --deploy` in `environment` and nothing of ours besides."""
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        env={"PATH": os.environ["PATH"]} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


if __name__ == "__main__":
    done = run(PRODUCTION)
    print(done.stdout + done.stderr)
    sys.exit(done.returncode)
