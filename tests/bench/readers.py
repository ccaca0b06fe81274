"""How many times per second an article is sent, beside a bare Django view that sends the same bytes."""

import re
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

from tests.bench.surroundings import Run, Server, say, served
from tests.bench.table import Row, times_as
from tests.bench.walks import AT_LEAST, CLIENTS, per_second

ROUNDS = 8
REQUESTS = 500  # of a round; with all rounds fewer than a worker answers before gunicorn starts it anew
HEADERS = {"Accept-Encoding": "br"}
LENGTH = re.compile(rb"Content-Length: (\d+)")


def measure(run: Run, database: str) -> list[Row]:
    environment = run.environment(database)
    article: str = run.inside("reading", environment)
    page = Path(environment["DATA_DIR"]) / "page"
    with served(environment) as ours:
        page.write_bytes(_body(ours, article))
        with served(environment | {"BARE_PAGE": str(page)}, bare=True) as theirs:
            if _body(theirs, "/page/") != page.read_bytes():
                raise RuntimeError("The bare site sends other bytes")
            say(f"{database}: {CLIENTS} clients read {article}")
            requests = REQUESTS // 4 if run.quick else REQUESTS
            rounds = [
                (_reads(ours, article, requests), _reads(theirs, "/page/", requests)) for _ in range(ROUNDS)
            ]
    kept, bare = (max(figures) for figures in zip(*rounds, strict=True))
    return [
        Row(
            f"Article requests per second, {CLIENTS} clients",
            database,
            f"{kept:,.0f}/s",
            f"bare view, same bytes: {bare:,.0f}/s; {times_as(kept / bare)}",
            f"≥ {AT_LEAST}×",
            kept / bare >= AT_LEAST,
        )
    ]


def _body(server: Server, path: str) -> bytes:
    """What the server sends, in the encoding it is sent in."""
    link = HTTPConnection("127.0.0.1", server.port, timeout=60)
    link.request("GET", path, headers=HEADERS)
    answer = link.getresponse()
    body = answer.read()
    link.close()
    if (answer.status, answer.headers["Content-Encoding"]) != (200, "br"):
        raise RuntimeError(f"GET {path} answers {answer.status} in {answer.headers['Content-Encoding']}")
    return body


def _reads(server: Server, path: str, requests: int) -> float:
    """Requests per second with all clients at work."""
    reads, _ = per_second(server, iter([partial(_read, path=path)] * requests))
    return reads


def _read(link: HTTPConnection, path: str) -> None:
    """One request on the open connection, by hand: what the clients spend is taken from the server's two cores.

    :raises RuntimeError: if the answer is not the whole page.
    """
    if link.sock is None:
        link.connect()
    link.sock.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: br\r\n\r\n".encode())
    answer = b""
    while not _is_whole(answer):
        more = link.sock.recv(65_536)
        if not more:
            raise RuntimeError(f"GET {path} breaks off: {answer[:200]!r}")
        answer += more
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"GET {path} answers {answer[:200]!r}")


def _is_whole(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    length = LENGTH.search(head)
    return length is not None and len(body) == int(length[1])
