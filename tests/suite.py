"""Runs the whole suite: SQLite always, PostgreSQL and the browser where they are, saying loudly what was skipped.

`REQUIRE_ALL=1` (as CI sets it) makes a missing database or browser a failure.
"""

import argparse
import os
import shutil
import subprocess
import sys

from tests import postgresql

SKIPPED = "\n" + "!" * 88 + "\n!!  SKIPPED: {what}\n" + "!" * 88 + "\n"
COVERAGE = ["-m", "coverage", "run", "--parallel-mode"]


def pytest(*arguments: str, coverage: bool) -> int:
    command = [sys.executable, *(COVERAGE if coverage else []), "-m", "pytest", *arguments]
    print("\n$", " ".join(["python", *command[1:]]), flush=True)
    return subprocess.call(command)


def missing() -> list[str]:
    return [
        what
        for what, found in {
            "PostgreSQL tests: the server binaries are not installed (Debian: postgresql)": postgresql.binaries(),
            "browser tests: Chromium is not installed (Debian: chromium)": shutil.which("chromium"),
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
    failed = pytest("tests", "--ignore=tests/browser", coverage=coverage)
    if postgresql.binaries():
        failed |= pytest("-p", "tests.postgresql", "tests", "--ignore=tests/browser", coverage=coverage)
    if shutil.which("chromium"):
        failed |= pytest("tests/browser", coverage=coverage)
    failed |= report(coverage=coverage)
    for what in skipped:
        print(SKIPPED.format(what=what), flush=True)
    return int(bool(failed) or (bool(skipped) and os.environ.get("REQUIRE_ALL") == "1"))


if __name__ == "__main__":
    sys.exit(main())
