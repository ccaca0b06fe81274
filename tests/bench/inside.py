"""Runs one measurement in a process of its own, with Django set up on the database that the environment names."""

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import django


def measurements() -> dict[str, Callable[..., Any]]:
    from tests.bench import (  # noqa: PLC0415 (they need Django to be set up)
        calendar,
        course,
        finder,
        pages,
        race,
        reading,
        visits,
    )

    return {
        "calendar": calendar.measure,
        "course": course.measure,
        "finder": finder.measure,
        "pages": pages.measure,
        "race": race.measure,
        "reading": reading.prepare,
        "visits": visits.prepare,
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("name")
    options.add_argument("answer", type=Path, help="the file that the answer is written to, as JSON")
    options.add_argument("--quick", action="store_true")
    given = options.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.settings"
    django.setup()
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    database = "SQLite" if connection.vendor == "sqlite" else "PostgreSQL"
    answer = measurements()[given.name](database=database, quick=given.quick)
    given.answer.write_text(json.dumps(answer, default=asdict))


if __name__ == "__main__":
    main()
