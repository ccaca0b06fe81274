"""The temporary folders, databases and servers of one run, and that nothing of them is left behind."""

# ruff: noqa: T201 (progress is printed)

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

from tests import postgresql

BASE: Final = Path(__file__).resolve().parents[2]
PORTS: Final = range(8200, 8216)
STARTS_WITHIN: Final = 30  # seconds; more is a fault, not a slow start
STOPS_WITHIN: Final = 15
LOOK_EVERY: Final = 0.005

_number = count(1)

Environment = dict[str, str]


class DurableCluster(postgresql.Cluster):
    """A private PostgreSQL that writes to disk what it acknowledges, as in production."""

    def start(self) -> None:
        self._run("initdb", "-D", self.data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
        options = (
            f"-c listen_addresses='' -c unix_socket_directories='{self.root}' -c max_connections=200"
            " -c max_wal_size=4GB"
        )
        self._run("pg_ctl", "-D", self.data, "-w", "-l", self.root / "log", "-o", options, "start")

    def create_database(self) -> str:
        """An empty database of its own; gives its URL."""
        name = f"bench{next(_number)}"
        self._run("createdb", "-h", self.root, "-U", "postgres", name)
        return self.url.replace("/postgres?", f"/{name}?")


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the command: its folder, its PostgreSQL if there is one, and whether it should be quick."""

    folder: Path
    cluster: DurableCluster | None
    quick: bool

    @property
    def databases(self) -> list[str]:
        return ["SQLite", "PostgreSQL"] if self.cluster else ["SQLite"]

    def environment(self, database: str) -> Environment:
        """That of a process with an empty database, and a data folder, of its own."""
        folder = self.folder / f"data-{next(_number)}"
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        url = self.cluster.create_database() if self.cluster and database == "PostgreSQL" else ""
        return kept | {
            "DATA_DIR": str(folder),
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "tests.bench.settings",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def inside(self, name: str, environment: Environment) -> Any:
        """The answer of the measurement of this name, from a process with Django and this database."""
        answer = self.folder / f"answer-{next(_number)}.json"
        quick = ["--quick"] if self.quick else []
        command = [sys.executable, "-m", "tests.bench.inside", name, str(answer), *quick]
        subprocess.run(command, env=environment, cwd=BASE, check=True)
        return json.loads(answer.read_text())


@contextmanager
def run(*, quick: bool) -> Iterator[Run]:
    """Everything temporary, ended and erased afterwards however the run ends."""
    with tempfile.TemporaryDirectory(prefix="clinic-bench-") as folder:
        cluster = DurableCluster() if postgresql.binaries() else None
        try:
            if cluster:
                cluster.start()
            yield Run(Path(folder), cluster, quick)
        finally:
            if cluster:
                cluster.stop()


@dataclass(frozen=True, slots=True)
class Server:
    """gunicorn as the site runs it; `seconds_to_answer` counts from its start to its first answer."""

    port: int
    master: int
    seconds_to_answer: float

    def workers_memory(self) -> float:
        """Resident megabytes of its largest worker."""
        children = Path(f"/proc/{self.master}/task/{self.master}/children").read_text().split()
        statuses = [Path(f"/proc/{pid}/status").read_text().splitlines() for pid in children]
        resident = [int(line.split()[1]) for lines in statuses for line in lines if line.startswith("VmRSS:")]
        return max(resident) / 1024


@contextmanager
def served(environment: Environment, *, bare: bool = False, workers: int = 2) -> Iterator[Server]:
    """gunicorn with the site's own configuration, until the block ends.

    :raises RuntimeError: if it does not answer.
    """
    port = _free_port()
    environment = environment | {"BIND": f"127.0.0.1:{port}", "WEB_CONCURRENCY": str(workers)}
    if bare:
        environment["BARE_SITE"] = "yes"
    log = Path(environment["DATA_DIR"]) / f"gunicorn-{port}.log"
    with log.open("w") as output:
        began = time.perf_counter()
        gunicorn = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--config", "clinic/gunicorn_conf.py", "clinic.wsgi"],
            cwd=BASE,
            env=environment,
            stdout=output,
            stderr=output,
        )
        try:
            while not _answers(port):
                if gunicorn.poll() is not None or time.perf_counter() - began > STARTS_WITHIN:
                    raise RuntimeError(f"gunicorn does not answer:\n{log.read_text()[-2000:]}")
                time.sleep(LOOK_EVERY)
            yield Server(port, gunicorn.pid, time.perf_counter() - began)
        finally:
            gunicorn.terminate()
            try:
                gunicorn.wait(STOPS_WITHIN)
            except subprocess.TimeoutExpired:
                gunicorn.kill()
                gunicorn.wait()


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=STARTS_WITHIN) as link:
            link.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            return link.recv(12) == b"HTTP/1.1 200"
    except ConnectionError:
        return False


def _free_port() -> int:
    for port in PORTS:
        with closing(socket.socket()) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if trial.connect_ex(("127.0.0.1", port)):
                return port
    raise RuntimeError(f"No free port from {PORTS.start} to {PORTS.stop - 1}")


def say(text: str) -> None:
    """Progress, beside the answer."""
    print(f"{time.strftime('%H:%M:%S', time.gmtime())}  {text}", file=sys.stderr, flush=True)
