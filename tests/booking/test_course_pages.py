"""The way to a course in the browser's eyes, and its private page."""

import re
from dataclasses import replace
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar
from pytest_django import DjangoAssertNumQueries

from booking import drafts, links, times
from booking.models import Appointment, Course, Occupancy, Offer, Status, VisitType
from clinic import limits
from clinic.models import QueuedMail
from clinic.redaction import redacted
from tests.booking.factories import make_clinic, wall
from tests.booking.test_course_operations import answer, offer, request, visits_of
from tests.booking.test_operations import ask, somebody
from tests.booking.test_patient_way import TYPED, body, key_on, pass_gate
from tests.booking.test_private_page import database

pytestmark = pytest.mark.django_db

HERE_BEFORE = TYPED | {"new_patient": "returning"}


@pytest.fixture
def visit_type() -> VisitType:
    return make_clinic(slug="follow-up", as_course=True, practitioners=2, rooms=2)


@pytest.fixture
def patient(client: Client) -> Client:
    pass_gate(client)
    return client


def wishes(**changed: Any) -> dict[str, Any]:
    return {
        "a_week": 2,
        "weeks": 4,
        "then_a_week": 1,
        "then_weeks": 4,
        "days_between": 1,
        "weekdays": list(range(7)),
        "part": "any",
        "tolerance": "day",
        "practitioner": "anyone",
        "first_on": wall(0).date().isoformat(),
    } | changed


def dates(client: Client, **changed: Any) -> Any:
    return client.get("/book/follow-up/course/dates/", wishes(**changed))


def onward(response: Any, page: str = "details") -> str:
    """The address of the next page, as the page links to it."""
    found = re.search(rf'href="(/book/follow-up/course/{page}/\?[^"]+)"', response.content.decode())
    assert found, "the page leads on"
    return unescape(found[1])


def fill_in(client: Client, address: str, **changed: Any) -> Any:
    """Both pages of questions; returns the check page."""
    health = client.post(address, HERE_BEFORE | changed)
    assert health.status_code == 302, body(health)
    check = client.post(health.headers["Location"], HERE_BEFORE)
    assert check.status_code == 302
    return check.headers["Location"]


def visitor(course: Course) -> Client:
    client = Client()
    assert client.get(f"/courses/open/{links.course_token(course)}/").status_code == 302
    return client


def page_of(course: Course, page: str = "course_page") -> str:
    return reverse(f"booking:{page}", args=[course.reference])


def test_a_course_of_twelve_visits_is_requested_in_one_go(patient: Client, visit_type: VisitType) -> None:
    page = dates(patient)
    assert "12 visits, all as you asked" in body(page)
    check = fill_in(patient, onward(page))
    shown = patient.get(check)
    assert body(shown).count("10:00") + body(shown).count("9:00 am") >= 12
    sent = patient.post(check, {"consent": "on", "key": key_on(shown)})

    course = Course.objects.get()
    assert (sent.status_code, sent.headers["Location"]) == (302, page_of(course))
    assert Appointment.objects.filter(course=course, status=Status.PENDING).count() == 12
    assert sorted(QueuedMail.objects.values_list("kind", flat=True)) == ["course_received", "course_request"]
    assert "<h1>Request sent</h1>" in body(patient.get(page_of(course)))
    again = patient.post(check, {"consent": "on", "key": key_on(shown)})
    assert again.headers["Location"] == page_of(course)
    assert Course.objects.count() == 1


def test_the_pattern_page_suggests_what_is_usual(patient: Client, visit_type: VisitType) -> None:
    page = body(patient.get("/book/follow-up/course/"))
    assert "<h1>Plan a course of visits</h1>" in page
    assert page.count('<option value="4" selected>') == 2
    assert '/book/follow-up/course/"' in body(patient.get("/book/follow-up/"))


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"weeks": 9}, "weeks"),
        ({"weeks": 1, "a_week": 1, "then_a_week": "", "then_weeks": ""}, "weeks"),
        ({"then_weeks": ""}, "then_weeks"),
        ({"a_week": 3, "days_between": 2, "weeks": 1}, None),
        ({"weekdays": []}, "weekdays"),
        ({"weekdays": [9]}, "weekdays"),
        ({"first_on": "yesterday"}, "first_on"),
        ({"first_on": "1999-01-01"}, "first_on"),
        ({"first_on": "2999-01-01"}, "first_on"),
        ({"practitioner": "nobody"}, "practitioner"),
        ({"part": "<script>"}, "part"),
        ({"tolerance": ""}, "tolerance"),
        ({"a_week": "\x00"}, "a_week"),
    ],
)
def test_what_does_not_fit_is_said_at_its_field(
    patient: Client, visit_type: VisitType, changed: dict[str, Any], field: str | None
) -> None:
    page = dates(patient, **changed)
    assert page.status_code == 200
    errors = set(page.context["form"].errors) if "form" in page.context else set()
    assert errors == ({field} if field else set())


def test_a_course_too_long_for_what_can_be_booked_now_says_where_it_would_end(
    patient: Client, visit_type: VisitType
) -> None:
    page = body(dates(patient, first_on=wall(0, days_ahead=60).date().isoformat()))
    assert "The course would end on" in page


def test_one_date_is_swapped_by_a_plain_form(patient: Client, visit_type: VisitType) -> None:
    page = dates(patient, a_week=1, weeks=2, then_a_week="", then_weeks="")
    swap = onward(page, "swap")
    offered = patient.get(swap)
    values = re.findall(r'name="to" id="[^"]+" value="([^"]+)"', offered.content.decode())
    assert values
    swapped = patient.get(f"{swap}&to={values[0].replace('+', '%2B')}")
    assert swapped.status_code == 302
    after = patient.get(swapped.headers["Location"])
    assert times.moment(times.parse_start(values[0])) in after.content.decode()
    nonsense = patient.get(f"{swap}&to=nonsense")
    assert (nonsense.status_code, patient.get(f"{swap}&visit=99").status_code) == (200, 302)


def test_a_time_taken_meanwhile_is_named_and_nothing_is_sent(patient: Client, visit_type: VisitType) -> None:
    page = dates(patient, practitioner=visit_type.practitioners.order_by("pk")[0].slug)
    check = fill_in(patient, onward(page))
    shown = patient.get(check)
    start = page.context["choice"].starts[3]
    ask(visit_type, start, practitioner=visit_type.practitioners.order_by("pk")[0], details=somebody())
    refused = patient.post(check, {"consent": "on", "key": key_on(shown)})
    told = body(patient.get(refused.headers["Location"]))
    assert "Some times are no longer free" in told
    assert f"<li>{times.moment(start)}</li>".replace(times.NBSP, " ") in told
    assert "Continue with these dates" not in told
    assert not Course.objects.exists()
    assert patient.get(check).status_code == 200, "the answers are kept"


def test_a_program_that_fills_in_every_box_sends_nothing(patient: Client, visit_type: VisitType) -> None:
    check = fill_in(patient, onward(dates(patient)))
    form = {"consent": "on", "key": key_on(patient.get(check))}
    assert patient.post(check, form | {"website": "http://evil.example"}).status_code == 422
    assert not Course.objects.exists()
    assert patient.post(check, form).status_code == 302


def test_requests_for_courses_are_limited_as_all_requests_are(
    patient: Client, visit_type: VisitType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SEND", replace(limits.SEND, from_one_address=0))
    check = fill_in(patient, onward(dates(patient)))
    assert patient.post(check, {"consent": "on", "key": key_on(patient.get(check))}).status_code == 429
    assert not Course.objects.exists()


def test_the_practitioner_who_fits_best_comes_first(patient: Client, visit_type: VisitType) -> None:
    first, second = visit_type.practitioners.order_by("pk")
    first.working_hours.filter(weekday__lt=6).delete()
    page = dates(patient, days_between=0)
    assert page.context["choice"].practitioner == second
    assert [other.practitioner for other in page.context["others"]] == [first]


def test_somebody_new_is_asked_to_come_for_a_first_visit(patient: Client, visit_type: VisitType) -> None:
    page = patient.post(onward(dates(patient)), HERE_BEFORE | {"new_patient": "new"})
    assert list(page.context["form"].errors) == ["new_patient"]
    assert "after a first visit" in body(page)


def test_who_must_be_called_first_calls(client: Client, visit_type: VisitType) -> None:
    client.post("/book/", {"gate": "emergency", "applies": "no"})
    client.post("/book/", {"gate": "urgent", "checked": "1"})
    assert "Please call us to plan a course" in body(client.get("/book/follow-up/course/"))


def test_the_gate_stands_before_every_page_and_other_visit_types_have_no_course(
    client: Client, visit_type: VisitType
) -> None:
    for page in ("", "dates/", "swap/", "details/", "health/", "check/"):
        answer_ = client.get(f"/book/follow-up/course/{page}")
        assert (answer_.status_code, answer_.headers["Location"][:12]) == (302, "/book/?next=")
    pass_gate(client)
    make_clinic(slug="first-visit")
    assert client.get("/book/first-visit/course/").status_code == 404
    for page in ("swap/", "details/", "health/", "check/"):
        assert client.get(f"/book/follow-up/course/{page}").headers["Location"] == "/book/follow-up/course/"


@pytest.mark.parametrize(("weeks", "then_weeks"), [(1, 1), (4, 4)])
def test_the_page_of_dates_asks_as_often_whatever_it_shows(
    patient: Client,
    visit_type: VisitType,
    django_assert_num_queries: DjangoAssertNumQueries,
    weeks: int,
    then_weeks: int,
) -> None:
    with django_assert_num_queries(9):
        dates(patient, weeks=weeks, then_weeks=then_weeks)


# --- The private page -------------------------------------------------------------------------------------------


def test_the_link_opens_the_course_and_each_of_its_visits_and_nothing_else(visit_type: VisitType) -> None:
    course, other = request(visit_type), ask(visit_type, wall(15), details=somebody())
    client = visitor(course)
    page = body(client.get(page_of(course)))
    for visit in visits_of(course):
        own = reverse("booking:appointment", args=[visit.reference])
        assert f'href="{own}"' in page
        assert page_of(course) in body(client.get(own))
        assert Client().get(own).status_code == 404
    assert client.get(reverse("booking:appointment", args=[other.reference])).status_code == 404
    assert Client().get(page_of(course)).status_code == 404
    visit_link = Client()
    visit_link.get(f"/appointments/open/{links.token(visits_of(course)[0])}/")
    assert visit_link.get(page_of(course)).status_code == 404


def test_links_that_open_nothing_look_alike(visit_type: VisitType) -> None:
    course, client = request(visit_type), Client()
    token = links.course_token(course)
    Course.objects.update(link_generation=2)
    answers = {
        (response.status_code, response.content)
        for response in (
            client.get(f"/courses/open/{text}/")
            for text in (token, "nonsense", links.token(visits_of(course)[0]), f"{token}x")
        )
    }
    assert len(answers) == 1
    assert next(iter(answers))[0] == 404
    assert redacted(f"GET /courses/open/{token}/") == "GET /courses/open/…/"


def test_a_new_generation_ends_what_a_session_has_opened(visit_type: VisitType) -> None:
    course = request(visit_type)
    client = visitor(course)
    Course.objects.update(link_generation=2)
    own = reverse("booking:appointment", args=[visits_of(course)[0].reference])
    assert (client.get(page_of(course)).status_code, client.get(own).status_code) == (404, 404)


def test_looking_and_fetching_every_link_twice_changes_nothing(visit_type: VisitType) -> None:
    planned = offer(visit_type)
    asked = request(visit_type, hour=12)
    found = [
        address
        for mail in QueuedMail.objects.all()
        for address in re.findall(r"https?://[^/\s\"<]+(/[^\s\"<]*)", mail.text + mail.html)
    ]
    before = database()
    for address in [*found, *found]:
        Client().get(address)
    for course in (planned, asked):
        client = visitor(course)
        for page in ("course_page", "course_calendar", "cancel_course"):
            client.get(page_of(course, page))
        assert client.get(page_of(course, "accept_course")).status_code == 405
        assert client.get(page_of(course, "decline_course")).status_code == 405
    assert database() == before


def test_the_calendar_has_every_visit_once(visit_type: VisitType) -> None:
    course = request(visit_type)
    answer(course, (0, 2))
    calendar = Calendar.from_ical(visitor(course).get(page_of(course, "course_calendar")).content)
    assert (calendar["METHOD"], sorted(str(event["STATUS"]) for event in calendar.events)) == (
        "PUBLISH",
        ["CANCELLED", "CONFIRMED", "CONFIRMED"],
    )
    assert len({str(event["UID"]) for event in calendar.events}) == 3


def test_the_whole_course_is_called_off_by_one_post(visit_type: VisitType) -> None:
    course = request(visit_type)
    client = visitor(course)
    asked = client.get(page_of(course, "cancel_course"))
    assert "Take this request back?" in body(asked)
    form = {"version": 3, "key": uuid4()}
    assert client.post(page_of(course, "cancel_course"), form).status_code == 302
    assert client.post(page_of(course, "cancel_course"), form).status_code == 302
    assert Occupancy.objects.count() == 0
    assert "These visits will not take place" in body(client.get(page_of(course)))
    assert client.get(page_of(course, "cancel_course")).status_code == 409
    assert client.post(page_of(course, "cancel_course"), {"version": "x"}).status_code == 409


def test_a_planned_course_is_taken_on_its_page(visit_type: VisitType) -> None:
    taken = offer(visit_type)
    client = visitor(taken)
    assert "We have planned these visits for you" in body(client.get(page_of(taken)))
    assert client.post(page_of(taken, "accept_course")).status_code == 302
    assert "Your visits are confirmed" in body(client.get(page_of(taken)))


def test_a_planned_course_that_does_not_suit_is_refused_on_its_page(visit_type: VisitType) -> None:
    refused = offer(visit_type)
    client = visitor(refused)
    assert client.post(page_of(refused, "decline_course")).status_code == 302
    assert "These visits are not booked" in body(client.get(page_of(refused)))
    assert client.post(page_of(refused, "accept_course")).status_code == 409
    assert Offer.objects.get(course=refused).answer == Offer.Answer.DECLINED


def test_moving_one_visit_warns_if_it_breaks_the_pattern_and_lets_it_through(visit_type: VisitType) -> None:
    course = request(visit_type, (2, 5, 9), now=timezone.now())
    answer(course)
    client, visit = visitor(course), visits_of(course)[1]
    move = reverse("booking:move", args=[visit.reference])

    def warned(days_ahead: int) -> bool:
        start = times.write_start(wall(11, days_ahead=days_ahead))
        return "This leaves the pattern of your course" in body(client.get(move, {"start": start}))

    assert [warned(day) for day in (6, 8, 3, 12)] == [False, True, True, True]
    form = {"version": 2, "key": uuid4(), "start": times.write_start(wall(11, days_ahead=8))}
    assert client.post(move, form).status_code == 302
    visit.refresh_from_db()
    assert visit.starts_at == wall(11, days_ahead=8)


@pytest.mark.parametrize("days", [(2,), (2, 5, 9, 12, 16)])
def test_the_page_of_a_course_asks_as_often_whatever_it_shows(
    visit_type: VisitType, django_assert_num_queries: DjangoAssertNumQueries, days: tuple[int, ...]
) -> None:
    course = request(visit_type, days)
    client = visitor(course)
    with django_assert_num_queries(6):
        client.get(page_of(course))


def test_more_visits_than_a_session_remembers_links_are_seen_by_the_one_of_their_course(
    visit_type: VisitType,
) -> None:
    course = request(visit_type, tuple(range(2, 18)))
    client = visitor(course)
    for visit in visits_of(course):
        assert client.get(reverse("booking:appointment", args=[visit.reference])).status_code == 200
    assert list(drafts.courses_opened(client.session)) == [course.reference]


@pytest.mark.parametrize("typed", ["{}", "co {}", "CO{}"])
def test_a_lost_link_to_a_course_goes_to_the_address_on_file(visit_type: VisitType, typed: str) -> None:
    course = request(visit_type)
    reference = typed.format(course.reference if typed == "{}" else course.reference.removeprefix("CO-"))
    for email, sent in (("stranger@example.com", 0), ("Parisa@example.com", 1), ("parisa@example.com", 1)):
        Client().post("/appointments/lost/", {"email": email, "reference": reference})
        assert QueuedMail.objects.filter(kind="course_link", to="parisa@example.com").count() == sent
    assert QueuedMail.objects.filter(kind="course_link").count() == 1
