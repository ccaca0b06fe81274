"""Measures speed, prints one table and writes docs/performance.md: `make bench`.

A run with --quick or --only prints its table and writes nothing.
"""

# ruff: noqa: T201 (a command speaks by printing)

import argparse
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from sqlite3 import sqlite_version
from time import perf_counter
from typing import Any, Final, NoReturn

from tests import postgresql
from tests.bench import readers, walks
from tests.bench.surroundings import BASE, Run, run, say
from tests.bench.table import Part, Row, page

PAGE: Final = BASE / "docs" / "performance.md"
SKIPPED: Final = "\n" + "!" * 88 + "\n!!  SKIPPED: {what}\n" + "!" * 88 + "\n"
BUSY: Final = 0.7  # processes that want to run
NO_POSTGRESQL: Final = "every PostgreSQL line: the server binaries are not installed (Debian: postgresql)"

Measure = Callable[[Run, str], list[Row]]


def inside(name: str) -> Measure:
    """A measurement that runs in a process of its own with Django."""

    def measure(run: Run, database: str) -> list[Row]:
        return [Row(**row) for row in run.inside(name, run.environment(database))]

    return measure


MEANINGS: Final = {
    "finder": """
        Three practitioners and four rooms, open ten hours every day, half of the practitioners' hours taken;
        a visit of five phases with a rest that may stretch. The search begins with plain values and ends with
        all starts. Brute force is the twin that the tests hold the search to, on the same input; both must
        find the same. The queries are the very statements that feed the search, sent bare and fetched.
    """,
    "pages": """
        One GET of the page where a time is chosen, through the WSGI application with all middleware,
        templates and a session, for the whole horizon of 90 days. Then a time is held and given back: the
        locks, the second look and the writing that every change of the calendar begins with. The reference of
        both is the same without a past. A past visit has three occupancies: a million of them are three
        million rows. On PostgreSQL these lines are measured with the overlap constraint taken off, because
        its index over three million rows takes many minutes to write.
    """,
    "calendar": """
        One GET of the desk's calendar for a week of 10 practitioners with 12 visits a day each, signed in and
        through all middleware: the page that says everything in words, and the JSON that the grid is drawn from.
    """,
    "course": """
        A patient asks for twelve visits in one go, through the WSGI application with all middleware: the dates are
        found and shown, both pages of questions are sent, the check page is shown, and the request is sent. The median
        of seven patients, each of whom finds the times of those before taken.
    """,
    "forms": """
        Under the site's own gunicorn configuration (2 workers of 8 threads), the clients on the same machine.
        A patient goes all the way with a new session each time: both lists of the safety gate, time (which is held),
        details, health, check, send. That is six POSTs and two GETs, and the time of all eight counts. The bare site
        has no middleware, session or template, and its one view inserts one row. Compared are HTTP requests per second.
        Every request for a visit ends in the table, with its history and two mails.
    """,
    "reading": """
        The longest starter article, kept ready and compressed with Brotli, as every view after the first is.
        The bare site has no middleware, and its one view returns the same bytes from memory. Both run at once
        under the site's own gunicorn configuration and are asked by turns; the best round of each counts.
    """,
    "race": """
        Processes, each with its own connection, ask for the same time at the same moment, in a clinic of one
        practitioner and one room. All of them wait for one lock, so the last one's time is everybody's work.
    """,
    "starts": """
        From the start of gunicorn to its first complete answer, the median; and the resident memory of one
        worker that has answered all requests, from the home page to the page of openings.
    """,
}
PARTS: Final[dict[str, tuple[str, Measure]]] = {
    "finder": ("Openings", inside("finder")),
    "pages": ("A long past", inside("pages")),
    "calendar": ("The desk's calendar", inside("calendar")),
    "course": ("A course of visits", inside("course")),
    "forms": ("A patient's way", walks.measure_forms),
    "reading": ("Reading an article", readers.measure),
    "race": ("One time, many people", inside("race")),
    "starts": ("Start and memory", walks.measure_starts),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller sizes, for trying")
    parser.add_argument("--only", choices=PARTS, help="one measurement alone")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _end)
    skipped = [] if postgresql.binaries() else [NO_POSTGRESQL]
    for what in skipped:
        print(SKIPPED.format(what=what), file=sys.stderr)
    began, circumstances, parts = perf_counter(), _circumstances(), []
    with run(quick=options.quick) as temporary:
        for name, (title, measure) in PARTS.items():
            if options.only in (None, name):
                say(f"{title} …")
                rows = [row for database in temporary.databases for row in measure(temporary, database)]
                parts.append(Part(title, " ".join(MEANINGS[name].split()), rows))
    circumstances.append(("Time taken", f"{perf_counter() - began:,.0f} s"))
    text = page(parts, circumstances=circumstances, skipped=skipped)
    print(text)
    if options.quick or options.only:
        print(f"{PAGE.relative_to(BASE)} stays as it is: this was not a whole run.")
    else:
        PAGE.write_text(text)
    for what in skipped:
        print(SKIPPED.format(what=what), file=sys.stderr)


def _circumstances() -> list[tuple[str, str]]:
    """The machine, the versions, the date, and how busy the machine was already."""
    load = os.getloadavg()[0]
    busy = " (busy with other work: these figures are worse than they need be)" if load > BUSY else ""
    cores, processor = len(os.sched_getaffinity(0)), _first("/proc/cpuinfo", "model name")
    memory = int(_first("/proc/meminfo", "MemTotal").split()[0]) / 2**20
    versions = {
        "Python": platform.python_version(),
        "Django": version("Django"),
        "SQLite": sqlite_version,
        "PostgreSQL": _postgresql(),
        "gunicorn": version("gunicorn"),
    }
    return [
        ("Date", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"),
        ("Machine", ", ".join([f"{cores} cores", processor, f"{memory:.0f} GB memory", platform.system()])),
        ("Versions", ", ".join(f"{name} {number}" for name, number in versions.items())),
        ("Load of the machine before", f"{load:.1f}{busy}"),
    ]


def _first(path: str, name: str) -> str:
    lines = Path(path).read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "unknown")


def _postgresql() -> str:
    folder = postgresql.binaries()
    if folder is None:
        return "not installed"
    told = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True)
    return told.stdout.split()[2]


def _end(*_: Any) -> NoReturn:
    """Ends as Ctrl-C does, so that everything temporary is erased."""
    raise SystemExit(1)


if __name__ == "__main__":
    main()
