"""How long a full week of the desk's calendar takes: the page in words, and what the script draws."""

from datetime import datetime, timedelta
from itertools import count

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from booking import times
from booking.models import Resource, Status, VisitType
from tests.bench.surroundings import say
from tests.bench.table import Row, best_median, ms
from tests.booking import factories

PRACTITIONERS, VISITS_A_DAY, DAYS = 10, 12, 7
SUNDAY = datetime(2027, 2, 28, tzinfo=times.ZONE)  # with which the calendar's weeks begin
AT_MOST = 0.1  # seconds
ADDRESS = "/admin/booking/appointment/calendar/"


def measure(*, database: str, quick: bool) -> list[Row]:
    call_command("collectstatic", interactive=False, verbosity=0)
    say(f"{database}: a week of {PRACTITIONERS} practitioners with {VISITS_A_DAY} visits a day")
    _fill()
    desk = _signed_in()
    measured = []
    for what, address in {"in words": ADDRESS, "for the grid": f"{ADDRESS}events/"}.items():
        asked = f"{address}?view=week&on={SUNDAY:%Y-%m-%d}"

        def look(asked: str = asked) -> bytes:
            response = desk.get(asked)
            if response.status_code != 200 or b"Patient 1" not in response.content:
                raise RuntimeError(f"The calendar answers {response.status_code}, or shows no visits")
            return response.content

        with CaptureQueriesContext(connection) as sent:
            look()
            queries = len(sent)  # counted here: the next request empties the log
        seconds = best_median(look, groups=3 if quick else 5, repeats=5 if quick else 15)
        measured.append(
            Row(
                f"A week's calendar {what}, {PRACTITIONERS} × {VISITS_A_DAY} visits a day",
                database,
                f"{ms(seconds)}, {queries} queries",
                "",
                f"≤ {ms(AT_MOST)}",
                seconds <= AT_MOST,
            )
        )
    return measured


def _fill() -> None:
    """Chains of visits, each beginning in the rest of the one before; three rooms to a practitioner."""
    people = [factories.make_practitioner() for _ in range(PRACTITIONERS)]
    visit_type = factories.make_visit_type(
        practitioners=people,
        phases=[
            factories.phase(20, name="Needles in"),
            factories.phase(20, name="Rest", needs_practitioner=False, may_stretch_by=10),
            factories.phase(5, name="Needles out"),
            factories.phase(10, name="Turnover", needs_practitioner=False, with_patient=False),
        ],
    )
    number = count(1)
    for person in people:
        factories.make_hours(person)
        rooms = [factories.make_room() for _ in range(2)]
        for day in range(DAYS):
            for visit in range(VISITS_A_DAY):
                _make(visit_type, person, rooms[visit % 2], day, visit, next(number))
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # as autovacuum does within minutes
            cursor.execute("ANALYZE")


def _make(visit_type: VisitType, person: Resource, room: Resource, day: int, visit: int, number: int) -> None:
    factories.make_appointment(
        visit_type,
        starts_at=SUNDAY + timedelta(days=day, minutes=9 * 60 + visit * 45),
        practitioner=person,
        room=room,
        status=Status.BOOKED,
        patient=factories.make_patient(f"Patient {number}"),
    )


def _signed_in() -> Client:
    """Somebody at the desk, under the name that needs no second factor outside production."""
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(User.objects.create_superuser("desk"))
    return client
