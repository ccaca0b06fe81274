"""What patients say of their pain before a visit, and who sees it where."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from booking import operations
from booking.models import SCALES, Appointment, CheckIn, Status
from booking.operations import HowItIs, NotAskedNow
from clinic.models import QueuedMail
from tests.booking.factories import make_appointment, make_clinic, make_patient, wall
from tests.booking.test_course_operations import answer as answer_course
from tests.booking.test_course_operations import request
from tests.booking.test_private_page import body, booked, page_of, visitor

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.ignore_template_errors,
]  # the desk's own pages print what may be unset

NOW = timezone.now()
TYPED = {"pain_now": "7", "pain_last_week": "6", "enjoyment": "5", "activity": "4"}
HOW_IT_IS = HowItIs(pain_now=7, pain_last_week=6, enjoyment=5, activity=4)
PAGE = "check_in"


def tomorrow(**facts: Any) -> Appointment:
    return booked(starts_at=wall(10, days_ahead=1), **facts)


def answer(appointment: Appointment, now: datetime, answers: HowItIs = HOW_IT_IS) -> CheckIn:
    return operations.answer_check_in(appointment=appointment, answers=answers, now=now)


class TestAnswering:
    def test_from_two_days_before_until_the_visit_starts(self) -> None:
        appointment = booked()
        opens, starts = appointment.starts_at - timedelta(hours=48), appointment.starts_at
        second = timedelta(seconds=1)
        for now, is_asked in (
            (opens - second, False),
            (opens, True),
            (starts - second, True),
            (starts, False),
        ):
            assert operations.is_asked(appointment, now=now) is is_asked
            if is_asked:
                assert answer(appointment, now).answered_at == now
            else:
                with pytest.raises(NotAskedNow):
                    answer(appointment, now)

    @pytest.mark.parametrize("status", [status for status in Status if status != Status.BOOKED])
    def test_only_before_a_booked_visit(self, status: Status) -> None:
        appointment = make_appointment(make_clinic(), status=status)
        with pytest.raises(NotAskedNow):
            answer(appointment, appointment.starts_at - timedelta(hours=1))

    def test_answered_again_there_is_still_one_answer_and_the_visit_is_unchanged(self) -> None:
        appointment = tomorrow()
        answer(appointment, NOW)
        answer(appointment, NOW, HowItIs(1, 2, 3, 4))
        assert list(CheckIn.objects.values_list("appointment", *SCALES)) == [(appointment.pk, 1, 2, 3, 4)]
        now_at = Appointment.objects.get()
        assert (now_at.version, now_at.changes.count()) == (1, 1)

    def test_the_peg_score_is_the_mean_of_its_three_answers(self) -> None:
        assert answer(tomorrow(), NOW).peg == 5.0

    @pytest.mark.parametrize("scale", SCALES)
    def test_the_database_refuses_what_is_not_on_the_scale(self, scale: str) -> None:
        check_in = answer(tomorrow(), NOW)
        with pytest.raises(IntegrityError), transaction.atomic():
            CheckIn.objects.filter(pk=check_in.pk).update(**{scale: 11})


class TestThePage:
    def test_four_numbers_are_chosen_and_the_line_is_shown(self) -> None:
        appointment = tomorrow()
        client = visitor(appointment)
        assert "Answer the questions" in body(client.get(page_of(appointment)))
        asked = body(client.get(page_of(appointment, PAGE)))
        assert re.findall(r'type="radio" name="(\w+)" value="10"', asked) == list(SCALES)
        assert "They are never put into an e-mail." in asked

        answered = client.post(page_of(appointment, PAGE), TYPED)

        assert answered["Location"] == f"{page_of(appointment)}#how-it-is"
        page = body(client.get(page_of(appointment)))
        assert "Change my answers" in page
        assert re.findall(r"<td>([^<]*)</td>", page[page.index("plot-table") :])[:2] == ["7", "5.0"]
        again = body(client.get(page_of(appointment, PAGE)))
        assert re.findall(r'name="(\w+)" value="(\d+)"[^>]* checked', again) == list(TYPED.items())

    @pytest.mark.parametrize("typed", ["", "11", "-1", "5.5", "x", "\x00"])
    def test_what_is_no_number_of_the_scale_is_asked_for_again_and_the_rest_kept(self, typed: str) -> None:
        appointment = tomorrow()
        answered = visitor(appointment).post(page_of(appointment, PAGE), TYPED | {"enjoyment": typed})
        page = body(answered)
        assert (answered.status_code, CheckIn.objects.count()) == (200, 0)
        assert (
            page.count("Choose how much pain interfered with your enjoyment of life, from 0 to 10") == 2
        )  # in the summary and at the question
        assert re.findall(r'name="(\w+)" value="(\d+)"[^>]* checked', page) == [
            (name, value) for name, value in TYPED.items() if name != "enjoyment"
        ]

    def test_too_early_it_is_said_and_not_offered(self) -> None:
        appointment = booked(starts_at=timezone.now() + timedelta(hours=49))
        client = visitor(appointment)
        assert "How it goes" not in body(client.get(page_of(appointment)))
        for response in (
            client.get(page_of(appointment, PAGE)),
            client.post(page_of(appointment, PAGE), TYPED),
        ):
            assert (response.status_code, "can be answered from 2 days before" in body(response)) == (
                409,
                True,
            )
        assert not CheckIn.objects.exists()

    def test_only_whoever_has_the_link_comes_there(self, client: Client) -> None:
        appointment = tomorrow()
        assert client.get(page_of(appointment, PAGE)).status_code == 404
        assert client.post(page_of(appointment, PAGE), TYPED).status_code == 404

    def test_the_line_runs_over_the_visits_of_one_patient_and_shows_nobody_elses(self) -> None:
        visit_type, patient = make_clinic(), make_patient()
        visits = []
        for days, owner in ((20, patient), (13, make_patient()), (6, patient)):
            past = NOW - timedelta(days=days)
            visits.append(booked(visit_type, starts_at=past, patient=owner))
            answer(visits[-1], past - timedelta(hours=1), HowItIs(days // 2, 1, 1, 1))
        page = body(visitor(visits[2]).get(page_of(visits[2])))
        assert re.findall(r"<td>([^<]*)</td>", page[page.index("plot-table") :]) == ["10", "1.0", "3", "1.0"]
        assert page.count("<polyline") == 2

    def test_the_line_of_a_visit_of_a_course_runs_over_the_course_alone(self) -> None:
        visit_type = make_clinic()
        course = request(visit_type)
        visits = answer_course(course)
        before = booked(visit_type, starts_at=NOW - timedelta(days=6), patient=visits[0].patient)
        for pain, visit in enumerate([before, *visits[:2]]):
            answer(visit, visit.starts_at - timedelta(hours=1), HowItIs(pain, pain, pain, pain))
        assert [row.pain_now for row in CheckIn.objects.along_with(visits[1])] == [1, 2]
        assert [row.pain_now for row in CheckIn.objects.along_with(before)] == [0, 1, 2]

    def test_the_answers_are_in_no_mail_address_or_calendar(self) -> None:
        appointment = tomorrow()
        client = visitor(appointment)
        client.post(page_of(appointment, PAGE), TYPED)
        CheckIn.objects.update(pain_now=9)
        before = body(client.get(page_of(appointment, "calendar")))
        CheckIn.objects.update(pain_now=1)
        stamp = r"DTSTAMP:\w+"
        after = body(client.get(page_of(appointment, "calendar")))
        assert re.sub(stamp, "", before) == re.sub(stamp, "", after)
        assert not QueuedMail.objects.exists()

    def test_the_desk_sees_the_same_line(self, client: Client) -> None:
        client.force_login(User.objects.create_superuser("owner"))
        appointment = tomorrow()
        desk = f"/admin/booking/appointment/{appointment.pk}/change/"
        assert "Pain before each visit" not in body(client.get(desk))
        answer(appointment, NOW)
        page = body(client.get(desk))
        assert "Pain before each visit" in page
        assert re.findall(r"<td>([^<]*)</td>", page[page.index("plot-table") :])[:2] == ["7", "5.0"]
