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
COVERAGE = ["-m", "coverage", "run", "--parallel-mode"]
# Thousands of hostile requests: what they look for does not depend on the database.
HOSTILE = ["tests/booking/test_hostile_text.py", "tests/site/test_fuzz.py"]
# A tool reads the pages, which are the same from every database; before the browser, under which none is asked.
VALID_HTML = "tests/site/test_valid_html.py"
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
    "tests/site/test_routes.py",
    *HOSTILE,
]


def pytest(*arguments: str, coverage: bool) -> list[str]:
    """The command of one run."""
    return [sys.executable, *(COVERAGE if coverage else []), "-m", "pytest", *arguments]


def run(*queues: list[list[str]]) -> int:
    """Runs the queues at once, one for each core, each one after the other.

    What the first queue says is seen as it comes, what the others said, after it.
    """
    with ThreadPoolExecutor() as cores:
        others = [cores.submit(_run_quietly, queue) for queue in queues[1:]]
        failed = [_run(command) for command in queues[0]]
        for other in others:
            for command, status, said in other.result():
                _announce(command)
                print(said, flush=True)
                failed.append(status)
    return int(any(failed))


def _run(command: list[str]) -> int:
    _announce(command)
    return subprocess.call(command)


def _run_quietly(queue: list[list[str]]) -> list[tuple[list[str], int, str]]:
    """Each command, its exit status and what it said; with a data folder, and so a test database, of their own."""
    done = []
    with tempfile.TemporaryDirectory(prefix="clinic-tests-") as folder:
        for command in queue:
            ran = subprocess.run(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=os.environ | {"DATA_DIR": folder, "TEMPLATE_DEBUG": "0"},
                check=False,
            )
            done.append((command, ran.returncode, ran.stdout.decode(errors="replace")))
    return done


def _announce(command: list[str]) -> None:
    print("\n$", " ".join(["python", *command[1:]]), flush=True)


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


def report(*, coverage: bool) -> int:
    """Branch coverage of the Python code is a gate; the lines of templates are only told."""
    if not coverage:
        return 0
    run = [sys.executable, "-m", "coverage"]
    subprocess.check_call([*run, "combine", "--quiet"])
    print("\nTemplates, for information:", flush=True)
    subprocess.call([*run, "report", "--include=templates/*"])
    print("\nPython, a gate:", flush=True)
    return subprocess.call([*run, "report", "--include=*.py", "--fail-under=96"])


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "--coverage", action="store_true", help="measure branch coverage and hold it to its gate"
    )
    coverage = options.parse_args().coverage
    skipped = missing()
    if coverage:
        os.environ["TEMPLATE_DEBUG"] = "1"
        subprocess.check_call([sys.executable, "-m", "coverage", "erase"])
    apart = UNMEASURED if coverage else []
    first = [
        pytest(
            "tests",
            *(f"--ignore={path}" for path in ["tests/browser", VALID_HTML, *apart]),
            coverage=coverage,
        ),
        *([pytest(*apart, coverage=False)] if apart else []),
    ]
    second = []
    if postgresql.binaries():
        elsewhere = [f"--ignore={path}" for path in ["tests/browser", VALID_HTML, *HOSTILE]]
        second.append(pytest("-p", "tests.postgresql", "tests", *elsewhere, coverage=False))
    browser = ["tests/browser"] if shutil.which("chromium") else []
    second.append(pytest(VALID_HTML, *browser, coverage=False))
    failed = run(first, second)
    failed |= report(coverage=coverage)
    for what in skipped:
        print(SKIPPED.format(what=what), flush=True)
    return int(bool(failed) or (bool(skipped) and os.environ.get("REQUIRE_ALL") == "1"))


if __name__ == "__main__":
    sys.exit(main())
