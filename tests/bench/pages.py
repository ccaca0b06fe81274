"""How long the page of openings, and holding a time, take as the calendar's past and the clinic grow."""

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any
from uuid import uuid4
from wsgiref.util import setup_testing_defaults

from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from booking import drafts, operations, queries, screening, times
from booking.models import BookingRules, VisitType
from tests.bench import rows
from tests.bench.surroundings import say
from tests.bench.table import Row, best_median, ms, times_as
from tests.emptying import every_table_can_be_emptied

PAST = (0, 1_000, 10_000, 100_000, 1_000_000)
PRACTITIONERS = (30, 10, 3)  # three last: the past is put behind them
FLAT = 1.2  # times what it takes without a past


def measure(*, database: str, quick: bool) -> list[Row]:
    call_command("collectstatic", interactive=False, verbosity=0)
    application = get_wsgi_application()

    def told(act: Callable[[], object]) -> tuple[float, str]:
        with CaptureQueriesContext(connection) as sent:
            act()
            asked = len(sent)  # counted here: the next request empties the log
        seconds = best_median(act, groups=3 if quick else 5, repeats=5 if quick else 15)
        return seconds, f"{ms(seconds)}, {asked} queries"

    measured: list[Row] = []
    today = times.local_day(timezone.now())
    for practitioners in PRACTITIONERS:
        say(f"{database}: the page of openings with {practitioners} practitioners")
        with every_table_can_be_emptied():
            call_command("flush", interactive=False, verbosity=0)
        visit_type = rows.make_clinic(practitioners)
        rows.fill_half(visit_type, times.days(today, today + timedelta(days=90)))
        _, figure = told(_looking_at_the_page(application))
        measured.insert(0, Row(f"Page of openings, {practitioners} practitioners", database, figure, ""))

    rows.loosen()
    acts = {
        "Page of openings": _looking_at_the_page(application),
        "A time held and given back": _holding_a_time(visit_type),
    }
    without: dict[str, float] = {}
    before = 0
    for past in PAST[:-1] if quick else PAST:
        say(f"{database}: {past:,} past appointments")
        if past:
            rows.add_past(visit_type, first=before, end=past)
        before = past
        for name, act in acts.items():
            seconds, figure = told(act)
            reference = without.setdefault(name, seconds)
            ratio = seconds / reference
            what = f"{name}, {past:,} past appointments"
            compared = f"{ms(reference)}; {times_as(ratio)}"
            measured.append(
                Row(what, database, figure, compared, f"≤ {FLAT}×", ratio <= FLAT)
                if past
                else Row(what, database, figure, "")
            )
    return measured


def _holding_a_time(visit_type: VisitType) -> Callable[[], None]:
    """The first free time held and given back, as the page of openings and its form do it."""
    now, rules = timezone.now(), BookingRules()
    [starts_at, *_] = queries.next_starts(visit_type, practitioner=None, rules=rules, now=now)
    visitor = uuid4()

    def hold() -> None:
        operations.hold_time(
            visitor=visitor, visit_type=visit_type, starts_at=starts_at, practitioner=None, now=now
        )
        operations.release_hold(visitor=visitor)

    return hold


def _looking_at_the_page(application: Any) -> Callable[[], bytes]:
    """One GET through the whole stack, as gunicorn would hand it over, by somebody who has passed the gates."""
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    drafts.pass_gate(session, screening.URGENT)
    session.save()
    asked: dict[str, Any] = {
        "PATH_INFO": f"/book/{rows.SLUG}/",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_COOKIE": f"{settings.SESSION_COOKIE_NAME}={session.session_key}",
    }
    setup_testing_defaults(asked)

    def look() -> bytes:
        statuses: list[str] = []
        answer = application(dict(asked), lambda status, _: statuses.append(status))
        body = b"".join(answer)
        answer.close()
        if statuses != ["200 OK"] or b'name="start"' not in body:
            raise RuntimeError(f"The page of openings answers {statuses} or shows no times")
        return body

    return look
