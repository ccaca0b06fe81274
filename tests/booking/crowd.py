"""A crowd of clients, each a process with a connection of its own, all let go together."""

import time
from collections import Counter
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from types import TracebackType
from typing import Self

from django.db import connection, connections

PATIENCE = 120  # seconds for a round; only something that hangs takes longer

_forking = get_context("fork")

Act = Callable[..., object]


class Crowd:
    """`with Crowd(64) as crowd:` forks once; each `all_at_once` is one round of the same processes.

    They see what is committed, and code as it was when they were forked.
    """

    def __init__(self, people: int) -> None:
        self.people = people

    def __enter__(self) -> Self:
        connections.close_all()  # a connection that two processes write to is nobody's
        gate = _forking.Barrier(self.people)
        self._lines: list[Connection] = []
        self._clients = []
        for number in range(self.people):
            ours, theirs = _forking.Pipe()
            client = _forking.Process(target=_wait_for_rounds, args=[number, theirs, gate], daemon=True)
            client.start()
            theirs.close()
            self._lines.append(ours)
            self._clients.append(client)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for line, client in zip(self._lines, self._clients, strict=True):
            if error:
                client.kill()
            else:
                line.send(None)
            client.join()
            line.close()

    def all_at_once(self, act: Act, *facts: object) -> Counter[str]:
        """Every client does `act(number, *facts)` in the same moment; counts how they ended, by the error's name.

        `act` is a function of a module.

        :raises TimeoutError: if one of them does not come back.
        """
        until = time.monotonic() + PATIENCE
        for line in self._lines:
            line.send((act, facts))
        answers: list[str] = []
        for line in self._lines:
            if not line.poll(max(0, until - time.monotonic())):
                raise TimeoutError(f"{len(answers)} of {self.people} came back: {Counter(answers)}")
            answers.append(line.recv())
        return Counter(answers)


def _wait_for_rounds(number: int, line: Connection, gate: Barrier) -> None:
    while task := line.recv():
        act, facts = task
        connection.ensure_connection()
        gate.wait(PATIENCE)
        ended = "done"
        try:
            act(number, *facts)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is counted and compared)
            ended = type(error).__name__
        line.send(ended)
