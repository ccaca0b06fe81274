"""Fills a clinic to measure: its people and rooms, a calendar half taken, and any number of past visits."""

# ruff: noqa: S608 (what is put into statements are numbers and times of our own)

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, time, timedelta
from itertools import count
from random import Random
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from booking import openings, queries, times
from booking.constraints import NoOverlap
from booking.models import Appointment, Occupancy, Resource, Status, VisitType
from tests.booking import factories

SLUG: Final = "first-visit"
OPENS: Final = time(9)
OPEN_FOR: Final = 10 * 60 * 60  # seconds
ABREAST: Final = 3  # past visits that stand side by side, with as many practitioners and rooms
PAST_FROM: Final = 10_000_000  # past visits bear numbers from here on, away from all others


def make_clinic(practitioners: int) -> VisitType:
    """Four rooms to three practitioners, open every day; the visit has a rest that may stretch."""
    people = [factories.make_practitioner() for _ in range(practitioners)]
    for person in people:
        factories.make_hours(person, opens=OPENS, closes=time(OPENS.hour + OPEN_FOR // 3600))
    for _ in range(practitioners * 4 // 3):
        factories.make_room()
    return factories.make_visit_type(
        slug=SLUG,
        practitioners=people,
        phases=[
            factories.phase(30),
            factories.phase(15),
            factories.phase(20, needs_practitioner=False, may_stretch_by=10),
            factories.phase(5),
            factories.phase(10, needs_practitioner=False, with_patient=False),
        ],
    )


def fill_half(visit_type: VisitType, days: Sequence[date]) -> None:
    """Takes half of the practitioners' hours on each of these days, the same way in every run."""
    phases = queries.phases_of(visit_type)
    weekdays = [list(_half_a_day(visit_type, phases, seed=weekday)) for weekday in range(7)]
    patient, now, number = factories.make_patient(), timezone.now(), count(1)
    appointments, occupancies = [], []
    for day in days:
        opens_at = times.epoch(day, OPENS)
        for opening in weekdays[day.weekday()]:
            assert opening.practitioner, "the visit needs a practitioner"
            spans = openings.spans(opening, phases)
            appointment = Appointment(
                reference=f"RH-F{next(number)}",
                status=Status.BOOKED,
                visit_type=visit_type,
                practitioner_id=opening.practitioner,
                room_id=opening.room,
                starts_at=times.from_epoch(opens_at + opening.starts_at),
                ends_at=times.from_epoch(opens_at + max(span.ends_at for span in spans)),
                patient=patient,
                new_patient=False,
                requested_at=now,
            )
            appointments.append(appointment)
            occupancies += [
                Occupancy(
                    appointment=appointment,
                    resource_id=span.resource,
                    starts_at=times.from_epoch(opens_at + span.starts_at),
                    ends_at=times.from_epoch(opens_at + span.ends_at),
                )
                for span in spans
            ]
    with transaction.atomic():
        Appointment.objects.bulk_create(appointments, batch_size=500)
        Occupancy.objects.bulk_create(occupancies, batch_size=500)


def _half_a_day(
    visit_type: VisitType, phases: Sequence[openings.Phase], *, seed: int
) -> Iterator[openings.Opening]:
    """Visits that touch where they can, until half of the hours are taken; times count from the day's opening."""
    random = Random(seed)  # noqa: S311 (repeatable is the point)
    practitioners = list(visit_type.practitioners.values_list("pk", flat=True))
    rooms = list(Resource.objects.rooms().values_list("pk", flat=True))
    taken: dict[int, list[openings.Interval]] = defaultdict(list)
    left = len(practitioners) * OPEN_FOR // 2
    while left > 0:
        found = openings.find_openings(
            phases=phases,
            practitioners={id_: openings.Calendar([(0, OPEN_FOR)], taken[id_]) for id_ in practitioners},
            rooms={id_: openings.Calendar([(0, OPEN_FOR)], taken[id_]) for id_ in rooms},
            window=(0, OPEN_FOR),
            earliest=0,
            latest=OPEN_FOR,
        )
        opening = found.at(random.choice(found.touching() or found.starts()))
        assert opening, "a start has an opening"
        for span in openings.spans(opening, phases):
            taken[span.resource].append((span.starts_at, span.ends_at))
            if span.resource in practitioners:
                left -= span.ends_at - span.starts_at
        yield opening


def loosen() -> None:
    """Lets the temporary database load millions of rows in a minute.

    On PostgreSQL the overlap constraint goes: to write its index over three million rows takes many minutes. On
    SQLite it stays.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous = OFF")
            cursor.execute("PRAGMA cache_size = -200000")
            return
        cursor.execute("SET session_replication_role = replica")
    [no_overlap] = [row for row in Occupancy._meta.constraints if isinstance(row, NoOverlap)]  # noqa: SLF001
    with connection.schema_editor() as editor:
        editor.remove_constraint(Occupancy, no_overlap)


def _make_model(visit_type: VisitType) -> Appointment:
    """A visit that is over, of which every past one is a copy at another time."""
    now = timezone.now()
    return Appointment.objects.create(
        pk=PAST_FROM - 1,  # below all of its copies, which the next batch goes on from
        reference="RH-MODEL",
        status=Status.ARRIVED,
        visit_type=visit_type,
        practitioner=visit_type.practitioners.order_by("pk")[0],
        room=Resource.objects.rooms().order_by("pk")[0],
        starts_at=now - timedelta(hours=1),
        ends_at=now,
        patient=factories.make_patient(),
        new_patient=False,
        requested_at=now,
    )


def add_past(visit_type: VisitType, *, first: int, end: int) -> None:
    """Past visits number `first` to `end` - 1, counted back from last midnight: around the clock, three at a time.

    Each takes an hour and three occupancies: the practitioner at its begin and end, the room all along.
    """
    practitioner, room = (
        kind.order_by("pk").values_list("pk", flat=True)[0]
        for kind in (Resource.objects.practitioners(), Resource.objects.rooms())
    )
    midnight = times.midnight_after(timezone.now()) - timedelta(days=1)

    def after(minutes: int) -> str:
        hours = f"(n / {ABREAST} + 1)"
        if connection.vendor == "sqlite":
            shift = f"'-' || {hours} || ' hours', '+{minutes} minutes'"
            return f"strftime('%Y-%m-%d %H:%M:%S', '{midnight:%Y-%m-%d %H:%M:%S}', {shift})"
        return f"timestamptz '{midnight.isoformat()}' - {hours} * interval '1 hour' + interval '{minutes} minutes'"

    numbers = (
        f"WITH RECURSIVE past(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM past WHERE n + 1 < {end}) "
    )
    occupancies = " UNION ALL ".join(
        f"SELECT 0, {after(begins)}, {after(ends)}, {PAST_FROM} + n, {resource} + n % {ABREAST} FROM past"
        for resource, begins, ends in ((practitioner, 0, 20), (practitioner, 40, 45), (room, 0, 55))
    )
    own = {
        "id": f"{PAST_FROM} + n",
        "starts_at": after(0),
        "ends_at": after(45),
        "requested_at": after(0),
        "reference": "'RH-' || n",
        "practitioner_id": f"{practitioner} + n % {ABREAST}",
        "room_id": f"{room} + n % {ABREAST}",
    }
    columns = [field.column for field in Appointment._meta.local_concrete_fields if field.column]  # noqa: SLF001
    values = ", ".join(own.get(column, f"model.{column}") for column in columns)
    with transaction.atomic(), connection.cursor() as cursor:
        model = _make_model(visit_type)
        cursor.execute(
            f"INSERT INTO booking_appointment ({', '.join(columns)}) {numbers}"
            f"SELECT {values} FROM past, booking_appointment model WHERE model.id = {model.pk} ORDER BY n DESC"
        )
        model.delete()
        cursor.execute(
            "INSERT INTO booking_occupancy (lane, starts_at, ends_at, appointment_id, resource_id)"
            f" {numbers}{occupancies} ORDER BY 2"
        )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # as autovacuum does within minutes
            cursor.execute("VACUUM ANALYZE booking_appointment")
            cursor.execute("VACUUM ANALYZE booking_occupancy")
