"""Runs the whole suite: SQLite always, PostgreSQL and the browser where they are, saying loudly what was skipped.

`REQUIRE_ALL=1` (as CI sets it) makes a missing database, browser or Node.js a failure.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from tests import node, postgresql

SKIPPED = "\n" + "!" * 88 + "\n!!  SKIPPED: {what}\n" + "!" * 88 + "\n"
CORES = 2
COVERAGE = ["-m", "coverage", "run", "--parallel-mode"]
# Thousands of hostile requests: what they look for does not depend on the database.
HOSTILE = ["tests/booking/test_hostile_text.py", "tests/site/test_fuzz.py"]
# What a page or a mail says does not depend on the database; that its questions are ones which PostgreSQL answers, the
# table of routes shows, address by address.
PAGES = [
    "tests/booking/test_calendar.py",
    "tests/booking/test_canaries.py",
    "tests/booking/test_capacity.py",
    "tests/booking/test_course_desk.py",
    "tests/booking/test_course_pages.py",
    "tests/booking/test_day_sheet.py",
    "tests/booking/test_desk.py",
    "tests/booking/test_desk_audit.py",
    "tests/booking/test_desk_other_times.py",
    "tests/booking/test_messages.py",
    "tests/booking/test_own_calendar.py",
    "tests/booking/test_patient_record.py",
    "tests/booking/test_patient_way.py",
    "tests/booking/test_private_page.py",
    "tests/booking/test_scanners.py",
    "tests/booking/test_screening.py",
    "tests/content/test_evidence.py",
    "tests/content/test_guides.py",
    "tests/content/test_machines.py",
    "tests/content/test_pages.py",
    "tests/content/test_points.py",
    "tests/content/test_texts.py",
    "tests/site/test_commands.py",
    "tests/site/test_desk_lists.py",
    "tests/site/test_desk_look.py",
    "tests/site/test_public_pages.py",
    "tests/site/test_roles.py",
    "tests/site/test_second_factor.py",
    "tests/site/test_sign_in.py",
    "tests/site/test_visit.py",
    "tests/site/test_weight.py",
]
# A tool reads the pages, which are the same from every database; before the browser, under which none is asked.
VALID_HTML = "tests/site/test_valid_html.py"
# It measures speed, and with it whatever else the machine does: it comes last and alone.
LIGHTHOUSE = "tests/browser/test_lighthouse.py"
# These go through the same lines again and again, or in processes of their own: to measure them would only take time.
UNMEASURED = [
    "tests/bench",
    "tests/booking/test_any_order.py",
    "tests/booking/test_canaries.py",
    "tests/booking/test_clock_changes.py",
    "tests/booking/test_faults.py",
    "tests/booking/test_in_between.py",
    "tests/booking/test_many_processes.py",
    "tests/booking/test_no_overlap.py",
    "tests/booking/test_races.py",
    "tests/booking/test_scanners.py",
    "tests/booking/test_two_web_hosts.py",
    "tests/content/test_machines.py",
    "tests/site/test_desk_lists.py",
    "tests/site/test_desk_look.py",
    "tests/site/test_roles.py",
    "tests/site/test_weight.py",
    *HOSTILE,
]
# Every address once: enough to tell which lines of templates are reached, which takes long to measure.
ROUTES = "tests/site/test_routes.py"
OF_TEMPLATES = "--rcfile=tests/templates.coveragerc"
TEMPLATES = [
    *["/usr/bin/env", "TEMPLATE_DEBUG=1", sys.executable, "-m", "coverage", "run", OF_TEMPLATES],
    *["-m", "pytest", ROUTES],
]


def pytest(*arguments: str, coverage: bool) -> list[str]:
    """The command of one run."""
    return [sys.executable, *(COVERAGE if coverage else []), "-m", "pytest", *arguments]


def run(*commands: list[str]) -> int:
    """Runs the commands in this order, as many at once as the tests have cores, and says whether any failed.

    What the first says is seen as it comes, what the others said, after it.
    """
    with ThreadPoolExecutor(CORES) as cores:
        first = cores.submit(_run, commands[0])
        others = [cores.submit(_run_quietly, command) for command in commands[1:]]
        failed = first.result() != 0
        for command, other in zip(commands[1:], others, strict=True):
            status, said = other.result()
            _announce(command)
            print(said, flush=True)
            failed |= status != 0
    return int(failed)


def _run(command: list[str]) -> int:
    _announce(command)
    return subprocess.call(command)


def _run_quietly(command: list[str]) -> tuple[int, str]:
    """Its exit status and what it said; with a data folder, and so a test database, of its own."""
    with tempfile.TemporaryDirectory(prefix="clinic-tests-") as folder:
        ran = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | {"DATA_DIR": folder},
            check=False,
        )
    return ran.returncode, ran.stdout.decode(errors="replace")


def _announce(command: list[str]) -> None:
    print("\n$", " ".join(command), flush=True)


def missing() -> list[str]:
    return [
        what
        for what, found in {
            "PostgreSQL tests: the server binaries are not installed (Debian: postgresql)": postgresql.binaries(),
            "browser tests: Chromium is not installed (Debian: chromium)": shutil.which("chromium"),
            f"valid HTML and Lighthouse: {node.MISSING}": node.found(),
        }.items()
        if not found
    ]


def report() -> int:
    """Branch coverage of the Python code is a gate; the lines of templates are only told."""
    run = [sys.executable, "-m", "coverage"]
    print("\nTemplates, for information: lines that the table of routes comes by.", flush=True)
    subprocess.call([*run, "report", OF_TEMPLATES])
    print("\nPython, a gate:", flush=True)
    subprocess.check_call([*run, "combine", "--quiet"])
    return subprocess.call([*run, "report", "--fail-under=96"])


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "--coverage", action="store_true", help="measure branch coverage and hold it to its gate"
    )
    coverage = options.parse_args().coverage
    skipped = missing()
    if coverage:
        subprocess.check_call([sys.executable, "-m", "coverage", "erase"])
    apart = [*UNMEASURED, ROUTES] if coverage else []
    ignored = (f"--ignore={path}" for path in ["tests/browser", VALID_HTML, *apart])
    browser = ["tests/browser", f"--ignore={LIGHTHOUSE}"] if shutil.which("chromium") else []
    # The longest first, so that the cores end at about the same time.
    commands = [pytest("tests", *ignored, coverage=coverage), pytest(VALID_HTML, *browser, coverage=False)]
    if coverage:
        commands.append(pytest(*UNMEASURED, coverage=False))
    if postgresql.binaries():
        elsewhere = (f"--ignore={path}" for path in ["tests/browser", VALID_HTML, *HOSTILE, *PAGES])
        commands.append(pytest("-p", "tests.postgresql", "tests", *elsewhere, coverage=False))
    if coverage:
        commands.append(TEMPLATES)
    failed = run(*commands)
    if browser:
        failed |= run(pytest(LIGHTHOUSE, coverage=False))
    if coverage:
        failed |= report()
    for what in skipped:
        print(SKIPPED.format(what=what), flush=True)
    return int(bool(failed) or (bool(skipped) and os.environ.get("REQUIRE_ALL") == "1"))


if __name__ == "__main__":
    sys.exit(main())
