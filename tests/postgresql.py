"""Starts a private PostgreSQL cluster from the installed binaries for one test run: `pytest -p tests.postgresql`.

The socket lies in a temporary folder and nothing listens on the network. `initdb` refuses root, so as root the
cluster belongs to the user postgres.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest


def binaries() -> Path | None:
    """The folder of the newest installed server, or None."""
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]), reverse=True
    )
    found = str(installed[0]) if installed else shutil.which("initdb")
    return Path(found).resolve().parent if found else None


class Cluster:
    """One throwaway server; its data is not safe from a crash, which is the point."""

    def __init__(self) -> None:
        folder = binaries()
        if folder is None:
            raise RuntimeError("PostgreSQL's server binaries are not installed")
        self.binaries = folder
        self.root = Path(tempfile.mkdtemp(prefix="clinic-pg-"))
        self.as_user: list[str] = []
        if os.geteuid() == 0:
            shutil.chown(self.root, "postgres", "postgres")
            self.as_user = ["runuser", "-u", "postgres", "--"]
        self.data = self.root / "data"

    @property
    def url(self) -> str:
        return f"postgres://postgres@/postgres?host={self.root}"

    def start(self) -> None:
        self._run("initdb", "-D", self.data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
        options = (
            f"-c listen_addresses='' -c unix_socket_directories='{self.root}' -c fsync=off"
            " -c synchronous_commit=off -c full_page_writes=off -c max_connections=200"
        )
        self._run("pg_ctl", "-D", self.data, "-w", "-l", self.root / "log", "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self.data, "-w", "-m", "immediate", "stop")
        shutil.rmtree(self.root, ignore_errors=True)

    def _run(self, name: str, *arguments: str | Path) -> None:
        subprocess.run(
            [*self.as_user, self.binaries / name, *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.root,
        )


_cluster: Cluster | None = None


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Runs before Django reads its settings, so that they find this cluster."""
    global _cluster  # noqa: PLW0603 (one cluster a run)
    _cluster = Cluster()
    _cluster.start()
    os.environ["DATABASE_URL"] = _cluster.url


def pytest_report_header() -> str:
    return "database: PostgreSQL, a private cluster"


def pytest_unconfigure() -> None:
    if _cluster is not None:
        _cluster.stop()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What never asks a database need not be run on a second one."""
    asks = [
        item
        for item in items
        if item.get_closest_marker("django_db") or "db" in getattr(item, "fixturenames", ())
    ]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(asks)])
    items[:] = asks
