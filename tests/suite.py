"""Runs the whole suite: SQLite always, PostgreSQL and the browser where they are, saying loudly what was skipped.

`REQUIRE_ALL=1` (as CI sets it) makes a missing database or browser a failure.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import postgresql

SKIPPED = "\n" + "!" * 88 + "\n!!  SKIPPED: {what}\n" + "!" * 88 + "\n"
COVERAGE = ["-m", "coverage", "run", "--parallel-mode"]


def pytest(*arguments: str, coverage: bool) -> list[str]:
    """The command of one run."""
    return [sys.executable, *(COVERAGE if coverage else []), "-m", "pytest", *arguments]


def run(*commands: list[str]) -> int:
    """Runs all at once, one for each core; what the first says is seen as it comes, what the others said, after it."""
    others = [(command, tempfile.NamedTemporaryFile()) for command in commands[1:]]  # noqa: SIM115 (read below)
    started = [
        (subprocess.Popen(command, stdout=said, stderr=said), command, said) for command, said in others
    ]
    failed = _run(commands[0])
    for process, command, said in started:
        failed |= process.wait()
        _announce(command)
        print(Path(said.name).read_text(errors="replace"), flush=True)
    return failed


def _run(command: list[str]) -> int:
    _announce(command)
    return subprocess.call(command)


def _announce(command: list[str]) -> None:
    print("\n$", " ".join(["python", *command[1:]]), flush=True)


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
    return subprocess.call([*run, "report", "--include=*.py", "--fail-under=90"])


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
    tests = [pytest("tests", "--ignore=tests/browser", coverage=coverage)]
    if postgresql.binaries():
        tests.append(pytest("-p", "tests.postgresql", "tests", "--ignore=tests/browser", coverage=False))
    failed = run(*tests)
    if shutil.which("chromium"):
        failed |= run(pytest("tests/browser", coverage=False))
    failed |= report(coverage=coverage)
    for what in skipped:
        print(SKIPPED.format(what=what), flush=True)
    return int(bool(failed) or (bool(skipped) and os.environ.get("REQUIRE_ALL") == "1"))


if __name__ == "__main__":
    sys.exit(main())
