"""What becomes of many who ask for one time at once, each a process of its own as web workers are."""

import multiprocessing
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from multiprocessing.synchronize import Barrier
from statistics import median
from time import perf_counter
from typing import Any
from uuid import uuid4

from django.db import connections
from django.utils import timezone

from booking import operations
from booking.models import Appointment, VisitType
from tests.bench.surroundings import say
from tests.bench.table import Row, ms, percentile, seconds_of
from tests.booking.factories import make_clinic, wall

PEOPLE = 64
ROUNDS = 20
AT_MOST = 2.0  # seconds, p99
GIVE_UP_AFTER = 120  # seconds in one round

Ended = tuple[str, float]


def measure(*, database: str, quick: bool) -> list[Row]:
    rounds = 3 if quick else ROUNDS
    visit_type = make_clinic(practitioners=1, rooms=1)
    starts = [wall(10, days_ahead=days) for days in range(2, 2 + rounds)]
    alone = median(seconds_of(partial(_ask, visit_type, at)) for at in _afternoons(rounds))
    before = Appointment.objects.count()
    say(f"{database}: {PEOPLE} processes ask for one time, {rounds} rounds")
    ended = _race(visit_type, starts)
    outcomes = Counter(name for name, _ in ended)
    seconds = [second for _, second in ended]
    p99 = percentile(seconds, 0.99)
    booked = Appointment.objects.count() - before
    fair = {"booked": rounds, "TimeTaken": rounds * (PEOPLE - 1)}
    told = ", ".join(f"{name} {number:,}" for name, number in sorted(outcomes.items()))
    return [
        Row(
            f"{PEOPLE} ask for one time, {rounds} rounds: outcomes",
            database,
            f"{told}; {booked} in the table",
            "",
            "one each round, all others told",
            outcomes == fair and booked == rounds,
        ),
        Row(
            f"{PEOPLE} ask for one time, {rounds} rounds: p99",
            database,
            f"{ms(p99)} (p50 {ms(median(seconds))}, most {ms(max(seconds))})",
            f"one alone: {ms(alone)}",
            f"< {AT_MOST:.0f} s",
            p99 < AT_MOST,
        ),
    ]


def _afternoons(rounds: int) -> list[datetime]:
    return [wall(15, days_ahead=days) for days in range(2, 2 + rounds)]


def _ask(visit_type: VisitType, starts_at: datetime) -> None:
    somebody = uuid4().hex
    operations.request_appointment(
        visit_type=visit_type,
        starts_at=starts_at,
        practitioner=None,
        details=operations.Details(
            name="Parisa Karimi",
            email=f"{somebody}@example.com",
            phone="",
            language="fa",
            new_patient=True,
            precautions={},
            note="",
            consent_version="1",
            wants_articles=False,
        ),
        idempotency_key=uuid4(),
        now=timezone.now(),
    )


def _race(visit_type: VisitType, starts: Sequence[datetime]) -> list[Ended]:
    connections.close_all()  # a connection must not be shared across a fork
    fork = multiprocessing.get_context("fork")
    gate, answers = fork.Barrier(PEOPLE), fork.SimpleQueue()
    people = [
        fork.Process(target=_take_part, args=[visit_type, starts, gate, answers], daemon=True)
        for _ in range(PEOPLE)
    ]
    for person in people:
        person.start()
    ended: list[Ended] = [one for _ in people for one in answers.get()]
    for person in people:
        person.join()
    return ended


def _take_part(visit_type: VisitType, starts: Sequence[datetime], gate: Barrier, answers: Any) -> None:
    """One who asks for each start at the moment when all others do."""
    ended: list[Ended] = []
    try:
        connections["default"].ensure_connection()
        for starts_at in starts:
            gate.wait(GIVE_UP_AFTER)
            began = perf_counter()
            try:
                _ask(visit_type, starts_at)
                outcome = "booked"
            except Exception as error:  # noqa: BLE001 (whatever it is, it is counted and shown)
                outcome = type(error).__name__
            ended.append((outcome, perf_counter() - began))
    finally:
        answers.put(ended)
        connections.close_all()
