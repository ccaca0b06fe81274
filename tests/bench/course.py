"""How long it takes to ask for a course of twelve visits: dates, both pages of questions, check, send."""

from statistics import median
from time import perf_counter

from django.core.management import call_command
from django.test import Client

from booking.models import Course
from tests.bench.surroundings import say
from tests.bench.table import Row, ms
from tests.booking import factories
from tests.booking.test_course_pages import dates, fill_in, onward
from tests.booking.test_patient_way import key_on, pass_gate

VISITS, AT_MOST = 12, 2.0  # seconds


def measure(*, database: str, quick: bool) -> list[Row]:
    call_command("collectstatic", interactive=False, verbosity=0)
    say(f"{database}: a course of {VISITS} visits")
    factories.make_clinic(slug="follow-up", as_course=True, practitioners=3, rooms=4)
    seconds = median([_ask(number) for number in range(3 if quick else 7)])
    return [
        Row(
            f"A course of {VISITS} visits is asked for: its 3 pages and 3 forms",
            database,
            ms(seconds),
            "",
            f"≤ {AT_MOST:.0f} s",
            seconds <= AT_MOST,
        )
    ]


def _ask(number: int) -> float:
    """Seconds that one more patient's course takes."""
    client = Client(headers={"host": "127.0.0.1"})
    pass_gate(client)
    began = perf_counter()
    check = fill_in(client, onward(dates(client)), email=f"patient{number}@example.com", phone="")
    shown = client.get(check)
    sent = client.post(check, {"consent": "on", "key": key_on(shown)})
    took = perf_counter() - began
    visits = Course.objects.latest("pk").appointments.count()
    if sent.status_code != 302 or (Course.objects.count(), visits) != (number + 1, VISITS):
        raise RuntimeError(f"The course is answered with {sent.status_code} and has {visits} visits")
    return took
