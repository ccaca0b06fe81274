"""A course is asked for, answered, offered, taken and called off as one; its visits are appointments like any other."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from icalendar import Calendar
from pytest_django import DjangoAssertNumQueries

from booking import courses, operations, times
from booking.models import (
    Actor,
    Appointment,
    Course,
    DeclineReason,
    Occupancy,
    Offer,
    Patient,
    Status,
    StatusChange,
    VisitType,
)
from booking.operations import (
    AlreadyDecided,
    CallBackFirst,
    CourseChanged,
    Expired,
    NoAddress,
    OfferEnded,
    Plan,
    SomeTaken,
    TimeTaken,
    TooManyPending,
)
from booking.operations.courses import version_of
from clinic.models import QueuedMail
from tests.booking.factories import make_appointment, make_clinic, make_patient, wall
from tests.booking.test_operations import PARISA, ask, somebody, staff
from tests.booking.test_races import all_at_once, overlaps

pytestmark = pytest.mark.django_db

NOW = timezone.now()
DAYS = (2, 5, 9)  # ahead of today


def plan(visit_type: VisitType, days: Sequence[int] = DAYS, hour: int = 10) -> Plan:
    return Plan(
        visit_type=visit_type,
        practitioner=visit_type.practitioners.order_by("pk")[0],
        pattern=courses.Pattern((courses.Stage(2, 1), courses.Stage(1, 1))),
        first_on=times.local_day(wall(0)),
        starts=tuple(wall(hour, days_ahead=day) for day in days),
    )


def request(visit_type: VisitType, days: Sequence[int] = DAYS, **facts: Any) -> Course:
    given: dict[str, Any] = {"details": PARISA, "idempotency_key": uuid4(), "now": NOW}
    return operations.request_course(plan=plan(visit_type, days, facts.pop("hour", 10)), **given | facts)


def visits_of(course: Course) -> list[Appointment]:
    return list(course.appointments.with_people().order_by("starts_at"))


def stands(course: Course) -> list[str]:
    return [visit.status for visit in visits_of(course)]


def kinds() -> list[str]:
    return list(QueuedMail.objects.order_by("pk").values_list("kind", flat=True))


def answer(course: Course, confirmed: Sequence[int] = (0, 1, 2), **facts: Any) -> list[Appointment]:
    """Confirms the visits of these numbers."""
    visits = visits_of(course)
    given: dict[str, Any] = {
        "version": version_of(visits),
        "confirmed": [visits[number].pk for number in confirmed],
        "reason": DeclineReason.AWAY,
        "now": NOW,
    }
    by = facts.pop("by", None) or User.objects.get_or_create(username="desk")[0]
    return operations.answer_course(course=course, by=by, **given | facts)


def offer(visit_type: VisitType, **facts: Any) -> Course:
    after = make_appointment(
        visit_type,
        starts_at=wall(15),
        status=Status.BOOKED,
        precautions={"blood": "yes"},
        language="fa",
        **facts,
    )
    by = User.objects.get_or_create(username="desk")[0]
    return operations.plan_course(
        appointment=after, plan=plan(visit_type), by=by, idempotency_key=uuid4(), now=NOW
    )


class TestARequest:
    def test_all_its_visits_wait_for_an_answer_and_hold_their_times(self) -> None:
        visit_type = make_clinic()

        course = request(visit_type)

        visits = visits_of(course)
        assert [(visit.status, visit.starts_at) for visit in visits] == [
            (Status.PENDING, wall(10, days_ahead=day)) for day in DAYS
        ]
        assert {(visit.patient, visit.language, visit.precautions["blood"]) for visit in visits} == {
            (course.patient, "fa", "yes")
        }
        assert len({visit.reference for visit in visits} | {course.reference}) == 4
        assert {visit.answer_by for visit in visits} == {NOW + timedelta(hours=24)}
        assert Occupancy.objects.count() == 6
        assert [
            (change.version, change.from_status, change.to_status, change.actor)
            for change in StatusChange.objects.all()
        ] == [(1, "", Status.PENDING, Actor.PATIENT)] * 3
        with pytest.raises(TimeTaken):
            ask(visit_type, wall(10, days_ahead=5), details=somebody())

    def test_its_pattern_is_kept(self) -> None:
        course = Course.objects.get(pk=request(make_clinic()).pk)
        assert (course.pattern, course.first_on) == (
            courses.Pattern((courses.Stage(2, 1), courses.Stage(1, 1))),
            times.local_day(wall(0)),
        )

    def test_it_is_told_in_one_mail_to_the_patient_and_one_to_the_desk(self) -> None:
        course = request(make_clinic())
        assert list(QueuedMail.objects.order_by("pk").values_list("kind", "to", "about")) == [
            ("course_received", "parisa@example.com", course.reference),
            ("course_request", "desk@clinic.invalid", course.reference),
        ]
        received = QueuedMail.objects.get(kind="course_received")
        for day in DAYS:
            assert received.text.count(times.moment(wall(10, days_ahead=day))) == 1

    def test_one_taken_time_takes_none_and_says_which(self) -> None:
        visit_type = make_clinic()
        ask(visit_type, wall(10, 15, days_ahead=5), details=somebody())
        before = (Appointment.objects.count(), Patient.objects.count(), QueuedMail.objects.count())

        with pytest.raises(SomeTaken) as refused:
            request(visit_type)

        assert refused.value.starts == [wall(10, days_ahead=5)]
        assert (Appointment.objects.count(), Patient.objects.count(), QueuedMail.objects.count()) == before
        assert not Course.objects.exists()

    def test_the_same_form_twice_is_one_course(self) -> None:
        visit_type, key = make_clinic(), uuid4()
        first = request(visit_type, idempotency_key=key)
        assert request(visit_type, idempotency_key=key) == first
        assert (Appointment.objects.count(), QueuedMail.objects.count()) == (3, 2)

    def test_a_waiting_course_counts_as_one_of_two_requests(self) -> None:
        visit_type = make_clinic()
        request(visit_type)
        ask(visit_type, wall(14))
        with pytest.raises(TooManyPending):
            ask(visit_type, wall(16))
        with pytest.raises(TooManyPending):
            request(visit_type, hour=12)

    def test_what_the_visitor_held_is_free_for_the_course(self) -> None:
        visit_type, visitor = make_clinic(), uuid4()
        operations.hold_time(
            visitor=visitor, visit_type=visit_type, starts_at=wall(10), practitioner=None, now=NOW
        )
        assert stands(request(visit_type, visitor=visitor)) == [Status.PENDING] * 3
        assert Occupancy.objects.count() == 6

    def test_two_visits_on_one_day_or_too_many_are_no_course(self) -> None:
        visit_type = make_clinic()
        for days in ((), (2, 2), tuple(range(2, 19))):
            with pytest.raises(ValueError, match="one to sixteen"):
                plan(visit_type, days)

    def test_its_number_of_queries_does_not_grow_with_its_visits(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        visit_type = make_clinic()
        for days, hour in (((2,), 10), (tuple(range(2, 18)), 12)):
            fresh = VisitType.objects.get(pk=visit_type.pk)
            with django_assert_num_queries(27 if connection.vendor == "sqlite" else 28):  # the lock timeout
                request(fresh, days, hour=hour, details=somebody())


class TestTheAnswer:
    def test_all_are_confirmed_with_one_mail_and_one_file_of_all_events(self) -> None:
        course = request(make_clinic())
        assert len(answer(course)) == 3
        assert stands(course) == [Status.BOOKED] * 3
        assert kinds() == ["course_received", "course_request", "course_answered"]
        mail = QueuedMail.objects.get(kind="course_answered")
        calendar = Calendar.from_ical(mail.calendar)
        assert (calendar["METHOD"], mail.calendar_method) == ("PUBLISH", "PUBLISH")
        assert sorted(
            (str(event["UID"]), event["STATUS"], event["SEQUENCE"]) for event in calendar.events
        ) == sorted((f"{visit.reference}@clinic.invalid", "CONFIRMED", 1) for visit in visits_of(course))
        assert QueuedMail.objects.get(kind="course_request").withdrawn_at == NOW

    def test_the_others_are_declined_with_the_reason(self) -> None:
        course = request(make_clinic())
        answer(course, (0, 2))
        assert stands(course) == [Status.BOOKED, Status.DECLINED, Status.BOOKED]
        mail = QueuedMail.objects.get(kind="course_answered")
        assert str(DeclineReason.AWAY.label) in mail.text
        assert (
            mail.text.index(times.moment(wall(10, days_ahead=9)))
            < mail.text.index("We are sorry")
            < mail.text.index(times.moment(wall(10, days_ahead=5)))
        )
        assert Occupancy.objects.count() == 4

    def test_none_confirmed_declines_the_course(self) -> None:
        course = request(make_clinic())
        assert answer(course, ()) == []
        assert (stands(course), Occupancy.objects.count()) == ([Status.DECLINED] * 3, 0)
        mail = QueuedMail.objects.get(kind="course_answered")
        assert (mail.subject, mail.calendar) == ("We cannot offer the visits you asked for", "")

    def test_visits_are_not_declined_without_a_reason(self) -> None:
        course = request(make_clinic())
        with pytest.raises(ValueError, match="for a reason"):
            answer(course, (0,), reason=None)
        assert stands(course) == [Status.PENDING] * 3

    def test_of_two_answers_the_first_stands(self) -> None:
        course = request(make_clinic())
        seen = version_of(visits_of(course))
        answer(course)
        with pytest.raises(CourseChanged):
            answer(course, (), version=seen)
        assert stands(course) == [Status.BOOKED] * 3

    def test_a_visit_that_changed_meanwhile_refuses_the_answer(self) -> None:
        course = request(make_clinic())
        first, seen = visits_of(course)[0], version_of(visits_of(course))
        operations.cancel_appointment(appointment=first, version=1, by=None, now=NOW)
        with pytest.raises(CourseChanged):
            answer(course, (1, 2), version=seen)
        answer(course, (1, 2))
        assert stands(course) == [Status.CANCELLED, Status.BOOKED, Status.BOOKED]

    def test_a_stranger_to_the_course_is_not_confirmed_with_it(self) -> None:
        visit_type = make_clinic()
        course, other = request(visit_type), ask(visit_type, wall(14), details=somebody())
        with pytest.raises(CourseChanged):
            operations.answer_course(
                course=course, version=3, confirmed=[other.pk], reason=None, by=staff(), now=NOW
            )

    def test_the_call_comes_first(self) -> None:
        course = request(make_clinic(), details=replace(PARISA, call_back=True))
        with pytest.raises(CallBackFirst):
            answer(course)

    def test_nobody_answers_in_time_and_the_course_ends_with_one_mail(self) -> None:
        course = request(make_clinic())
        late = NOW + timedelta(hours=24)
        assert operations.expire_overdue(now=late - timedelta(seconds=1)) == Expired(0, 0, 0)
        assert operations.expire_overdue(now=late) == Expired(1, 0, 0)
        assert operations.expire_overdue(now=late) == Expired(0, 0, 0)
        assert (stands(course), Occupancy.objects.count()) == ([Status.EXPIRED] * 3, 0)
        assert kinds() == ["course_received", "course_request", "course_expired"]


class TestCallingItOff:
    def cancel(self, course: Course, **facts: Any) -> list[Appointment]:
        given: dict[str, Any] = {"version": version_of(visits_of(course)), "by": None, "now": NOW}
        return operations.cancel_course(course=course, **given | facts)

    def test_a_request_within_three_minutes_is_taken_back_without_a_word_to_the_desk(self) -> None:
        course = request(make_clinic())
        self.cancel(course)
        assert stands(course) == [Status.CANCELLED] * 3
        left = QueuedMail.objects.filter(withdrawn_at=None)
        assert [(mail.kind, mail.calendar) for mail in left] == [("course_cancelled", "")]

    def test_booked_visits_leave_the_calendar_and_the_desk_is_told(self) -> None:
        course = request(make_clinic())
        answer(course)
        self.cancel(course)
        assert kinds()[3:] == ["course_cancelled", "course_cancelled_by_patient"]
        calendar = Calendar.from_ical(QueuedMail.objects.get(kind="course_cancelled").calendar)
        assert (calendar["METHOD"], {str(event["STATUS"]) for event in calendar.events}) == (
            "PUBLISH",
            {"CANCELLED"},
        )
        assert Occupancy.objects.count() == 0

    def test_visits_that_are_over_stay(self) -> None:
        course = request(make_clinic())
        answer(course)
        self.cancel(course, now=wall(12, days_ahead=2))
        assert stands(course) == [Status.BOOKED, Status.CANCELLED, Status.CANCELLED]

    def test_the_same_form_twice_cancels_once(self) -> None:
        course, key = request(make_clinic()), uuid4()
        self.cancel(course, idempotency_key=key)
        assert self.cancel(course, idempotency_key=key) == []
        with pytest.raises(CourseChanged):
            self.cancel(course, idempotency_key=uuid4())
        assert kinds().count("course_cancelled") == 1


class TestAPlan:
    def test_its_times_are_held_and_the_patient_is_offered_them(self) -> None:
        visit_type = make_clinic()
        course = offer(visit_type)
        assert (course.appointments.count(), course.offer.options.count()) == (0, 3)
        assert course.offer.expires_at == NOW + timedelta(hours=24)
        assert kinds() == ["course_offered"]
        with pytest.raises(TimeTaken):
            ask(visit_type, wall(10, days_ahead=5), details=somebody())

    def test_taking_it_books_every_visit_once(self) -> None:
        course = offer(make_clinic())
        visits = operations.accept_course(course=course, now=NOW)
        again = operations.accept_course(course=course, now=NOW)
        assert [visit.starts_at for visit in visits] == [wall(10, days_ahead=day) for day in DAYS]
        assert [visit.pk for visit in again] == [visit.pk for visit in visits]
        assert stands(course) == [Status.BOOKED] * 3
        assert {(visit.new_patient, visit.language) for visit in visits} == {(False, "fa")}
        assert {tuple(visit.precautions) for visit in visits} == {("blood",)}
        assert Occupancy.objects.filter(appointment__course=course).count() == 6
        assert kinds() == ["course_offered", "course_answered", "course_accepted"]

    def test_past_its_end_it_is_no_longer_to_be_had(self) -> None:
        visit_type = make_clinic()
        course = offer(visit_type)
        late = course.offer.expires_at
        with pytest.raises(OfferEnded):
            operations.accept_course(course=course, now=late)
        assert operations.expire_overdue(now=late) == Expired(0, 1, 0)
        assert operations.expire_overdue(now=late) == Expired(0, 0, 0)
        assert kinds() == ["course_offered", "course_offer_ended"]
        ask(visit_type, wall(10, days_ahead=5), details=somebody())

    def test_refused_its_times_are_free_again(self) -> None:
        visit_type = make_clinic()
        course = offer(visit_type)
        assert operations.end_course_offer(course=course, answer=Offer.Answer.DECLINED, by=None, now=NOW)
        assert not operations.end_course_offer(course=course, answer=Offer.Answer.DECLINED, by=None, now=NOW)
        assert kinds() == ["course_offered", "course_declined_by_patient"]
        with pytest.raises(OfferEnded):
            operations.accept_course(course=course, now=NOW)
        ask(visit_type, wall(10, days_ahead=5), details=somebody())

    def test_the_desk_reads_which_visits_the_patient_declined(self) -> None:
        course = offer(make_clinic())
        operations.end_course_offer(course=course, answer=Offer.Answer.DECLINED, by=None, now=NOW)
        mail = QueuedMail.objects.get(kind="course_declined_by_patient")
        assert (mail.to, mail.about, mail.subject) == (
            "desk@clinic.invalid",
            course.reference,
            f"Course of 3 visits declined by the patient: {course.reference}",
        )
        assert [times.moment(wall(10, days_ahead=day)) in mail.text for day in DAYS] == [True] * 3

    def test_the_desk_is_not_written_to_about_what_it_took_back_itself(self) -> None:
        course = offer(make_clinic())
        desk = User.objects.get(username="desk")
        assert operations.end_course_offer(course=course, answer=Offer.Answer.DECLINED, by=desk, now=NOW)
        assert kinds() == ["course_offered"]

    def test_somebody_without_an_address_is_offered_nothing(self) -> None:
        with pytest.raises(NoAddress):
            offer(make_clinic(), patient=make_patient(email=""))

    def test_a_course_that_was_asked_for_is_not_taken(self) -> None:
        with pytest.raises(OfferEnded):
            operations.accept_course(course=request(make_clinic()), now=NOW)


def test_no_mail_of_a_course_carries_a_health_answer_a_note_or_a_phone_number() -> None:
    told = replace(PARISA, phone="416-555-7777", note="canary-note", precautions={"blood": "yes"})
    course = request(make_clinic(), details=told)
    answer(course, (0, 2))
    operations.cancel_course(course=course, version=version_of(visits_of(course)), by=None, now=NOW)
    offer(make_clinic())
    written = "".join(
        f"{mail.subject}{mail.text}{mail.html}{mail.calendar}" for mail in QueuedMail.objects.all()
    )
    assert [word for word in ("7777", "canary", "blood", "Bleeding", "Parisa") if word in written] == []


class TestOneOfItsVisits:
    def test_it_is_confirmed_moved_and_cancelled_like_any_other(self) -> None:
        course, by = request(make_clinic()), staff()
        first = visits_of(course)[0]
        operations.confirm_appointment(appointment=first, version=1, by=by, now=NOW)
        operations.move_appointment(
            appointment=first, version=2, starts_at=wall(14), by=None, idempotency_key=uuid4(), now=NOW
        )
        operations.cancel_appointment(appointment=first, version=3, by=None, now=NOW)
        with pytest.raises(AlreadyDecided):
            operations.cancel_appointment(appointment=first, version=4, by=None, now=NOW)
        assert stands(course) == [Status.CANCELLED, Status.PENDING, Status.PENDING]

    def test_each_is_reminded_of(self) -> None:
        course = request(make_clinic())
        answer(course, now=NOW - timedelta(days=3))
        first = visits_of(course)[0]
        operations.remind(now=first.starts_at - timedelta(hours=47))
        assert (
            QueuedMail.objects.filter(kind="reminder").values_list("about", flat=True).get()
            == first.reference
        )

    def test_a_new_link_to_it_is_a_new_link_to_the_course(self) -> None:
        course, by = request(make_clinic()), staff()
        operations.replace_link(appointment=visits_of(course)[0], version=1, by=by, now=NOW)
        course.refresh_from_db()
        assert (course.link_generation, kinds()[-1]) == (2, "course_link")


@pytest.mark.django_db(transaction=True)
class TestManyAtOnce:
    def test_of_courses_that_share_one_time_one_is_taken(self) -> None:
        visit_type = make_clinic()

        ended = all_at_once(
            12, lambda number: request(visit_type, (2, 5 + number % 3 * 4, 30 + number), details=somebody())
        )

        assert ended == {"done": 1, "SomeTaken": 11}
        assert (Course.objects.count(), Appointment.objects.count(), overlaps()) == (1, 3, 0)

    def test_a_course_and_single_requests_take_no_time_twice(self) -> None:
        visit_type = make_clinic()

        def act(number: int) -> None:
            if number % 2:
                ask(visit_type, wall(10, 15, days_ahead=5), details=somebody())
            else:
                request(visit_type, details=somebody())

        ended = all_at_once(12, act)

        assert (ended["done"], sum(ended.values()), overlaps()) == (1, 12, 0)
        assert set(ended) <= {"done", "SomeTaken", "TimeTaken"}

    def test_taken_twice_at_once_it_is_booked_once(self) -> None:
        course = offer(make_clinic())
        ended = all_at_once(8, lambda _: operations.accept_course(course=course, now=NOW))
        assert (ended, course.appointments.count(), overlaps()) == ({"done": 8}, 3, 0)
        assert kinds().count("course_answered") == 1

    def test_of_an_answer_and_a_cancellation_at_once_one_is_made(self) -> None:
        course = request(make_clinic())
        by = User.objects.create_user("desk")
        pks = [visit.pk for visit in visits_of(course)]

        def act(number: int) -> None:
            if number % 2:
                operations.cancel_course(course=course, version=3, by=None, now=NOW)
            else:
                operations.answer_course(course=course, version=3, confirmed=pks, reason=None, by=by, now=NOW)

        ended = all_at_once(8, act)
        assert ended == {"done": 1, "CourseChanged": 7}
        assert len(set(stands(course))) == 1
