"""Two records of one person are found, compared, merged, and parted again if that was wrong."""

from datetime import date
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from booking.admin.duplicates import likely_duplicates
from booking.models import Appointment, Course, Patient, PatientMerge, Status, WaitlistEntry
from booking.operations import MergedAlready, book_appointment, merge_patients, undo_merge
from booking.operations.merges import BELONGS
from tests.booking.factories import (
    make_appointment,
    make_clinic,
    make_patient,
    make_practitioner,
    make_room,
    make_visit_type,
    wall,
)
from tests.booking.test_course_operations import request as request_course
from tests.booking.test_desk import make_staff, said, signed_in, with_a_reason
from tests.booking.test_races import all_at_once
from tests.booking.test_waitlist import join

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

DUPLICATES = "/admin/booking/patient/duplicates/"
MERGE = "/admin/booking/patient/merge/"
NOW = timezone.now()


@pytest.fixture
def mei() -> User:
    return make_staff(
        "mei", "merge_patient", "view_patient", "view_appointment", "view_course", "view_waitlistentry"
    )


@pytest.fixture
def desk(mei: User) -> Client:
    return signed_in(mei)


def record_page(patient: Patient) -> str:
    return f"/admin/booking/patient/{patient.pk}/change/"


def with_everything(patient: Patient) -> Patient:
    """A visit, a course with its visits, and a place on the waitlist."""
    visit_type = make_clinic()
    make_appointment(visit_type, patient=patient, status=Status.BOOKED, room=make_room())
    course = request_course(visit_type, hour=13)
    entry = join(make_visit_type(practitioners=[make_practitioner()]), now=timezone.now())
    for rows in (
        course.appointments,
        Course.objects.filter(pk=course.pk),
        WaitlistEntry.objects.filter(pk=entry.pk),
    ):
        rows.update(patient=patient)
    return patient


def belongings(patient: Patient) -> list[set[int]]:
    return [
        set(model.objects.filter(patient=patient).values_list("pk", flat=True)) for model in BELONGS.values()
    ]


def merge(keep: Patient, other: Patient, by: User) -> PatientMerge:
    return merge_patients(keep=keep, other=other, by=by, now=NOW)


class TestMerging:
    def test_everything_of_the_other_belongs_to_the_one_that_is_kept(self, mei: User) -> None:
        old, new = with_everything(make_patient("Parisa K")), with_everything(make_patient("Parisa Karimi"))
        both = [one | other for one, other in zip(belongings(old), belongings(new), strict=True)]
        assert [len(keys) for keys in both] == [2, 2, 8]
        merge(new, old, mei)
        assert (belongings(new), belongings(old)) == (both, [set(), set(), set()])
        assert list(Patient.objects.current().filter(pk__in=[old.pk, new.pk])) == [new]

    def test_undone_everything_is_as_it_was_and_what_is_new_stays(self, mei: User) -> None:
        old, new = with_everything(make_patient("Parisa K")), with_everything(make_patient("Parisa Karimi"))
        before = belongings(old), belongings(new)
        merged = merge(new, old, mei)
        later = make_appointment(patient=new, starts_at=wall(18))
        undo_merge(merge=merged, by=mei, now=NOW)
        assert belongings(old) == before[0]
        before[1][2].add(later.pk)
        assert belongings(new) == before[1]
        assert Patient.objects.current().filter(pk__in=[old.pk, new.pk]).count() == 2

    def test_the_record_that_is_kept_takes_what_it_lacks_and_gives_it_back(self, mei: User) -> None:
        born = date(2014, 3, 27)
        old = make_patient("Parisa K", email="old@example.com", phone="416-555-0188", date_of_birth=born)
        new = make_patient("Parisa Karimi", email="", phone="416-555-0199")
        merged = merge(new, old, mei)
        new.refresh_from_db()
        assert (new.name, new.email, new.phone, new.date_of_birth) == (
            "Parisa Karimi",
            "old@example.com",
            "416-555-0199",
            born,
        )
        Patient.objects.filter(pk=new.pk).update(email="corrected@example.com")
        undo_merge(merge=merged, by=mei, now=NOW)
        new.refresh_from_db()
        assert (new.email, new.phone, new.date_of_birth) == ("corrected@example.com", "416-555-0199", None)

    def test_undoing_twice_is_undoing_once(self, mei: User) -> None:
        old, new = make_appointment().patient, make_patient()
        merged = merge(new, old, mei)
        undo_merge(merge=merged, by=mei, now=NOW)
        Appointment.objects.update(patient=new)
        assert undo_merge(merge=merged, by=mei, now=NOW).undone_at == NOW
        assert Appointment.objects.get().patient == new

    def test_nobody_is_merged_twice_into_themselves_or_into_who_is_gone(self, mei: User) -> None:
        one, two, three = (make_patient() for _ in range(3))
        merge(one, two, mei)
        for keep, other in ((three, two), (two, three), (one, one)):
            with pytest.raises(MergedAlready):
                merge(keep, other, mei)
        assert PatientMerge.objects.count() == 1

    def test_of_merges_upon_each_other_the_last_is_undone_first(self, mei: User) -> None:
        one, two, three = (make_appointment(starts_at=wall(hour)).patient for hour in (9, 12, 15))
        first = merge(two, one, mei)
        second = merge(three, two, mei)
        with pytest.raises(MergedAlready):
            undo_merge(merge=first, by=mei, now=NOW)
        assert three.appointments.count() == 3
        undo_merge(merge=second, by=mei, now=NOW)
        undo_merge(merge=first, by=mei, now=NOW)
        assert [person.appointments.count() for person in (one, two, three)] == [1, 1, 1]

    def test_a_visit_booked_for_who_was_merged_meanwhile_is_of_the_one_that_is_kept(self, mei: User) -> None:
        old, new, visit_type = make_patient(), make_patient(), make_clinic()
        merge(new, old, mei)
        booked = book_appointment(
            visit_type=visit_type,
            starts_at=wall(10),
            practitioner=visit_type.practitioners.get(),
            patient=old,
            by=mei,
            idempotency_key=uuid4(),
            now=NOW,
        )
        assert booked.patient == new

    def test_whatever_names_a_patient_is_moved(self) -> None:
        """A new kind of row that belongs to patients fails here: it has to come along, or to be named."""
        naming = {
            relation.get_accessor_name()
            for relation in Patient._meta.related_objects  # noqa: SLF001 (Django's documented name)
            if relation.related_model is not PatientMerge
        }
        assert naming == set(BELONGS)

    def test_the_database_keeps_a_record_from_being_in_two_people(self, mei: User) -> None:
        one, two, three = (make_patient() for _ in range(3))
        facts: dict[str, Any] = {"moved": {}, "filled": [], "merged_at": NOW, "merged_by": mei}
        PatientMerge.objects.create(kept=one, merged=two, **facts)
        for kept, merged in ((three, two), (three, three)):
            with pytest.raises(IntegrityError), transaction.atomic():
                PatientMerge.objects.create(kept=kept, merged=merged, **facts)


@pytest.mark.django_db(transaction=True)
def test_of_eight_who_merge_the_same_two_at_once_one_does_and_no_visit_is_left_behind() -> None:
    """While visits are booked for both."""
    by, visit_type = make_staff("mei"), make_clinic(rooms=1)
    one, other = make_patient(), make_patient()

    def act(number: int) -> object:
        if number < 8:
            return merge(*((one, other) if number % 2 else (other, one)), by)
        return book_appointment(
            visit_type=visit_type,
            starts_at=wall(number + 2),
            practitioner=visit_type.practitioners.get(),
            patient=one if number % 2 else other,
            by=by,
            idempotency_key=uuid4(),
            now=NOW,
        )

    assert all_at_once(12, act) == {"done": 5, "MergedAlready": 7}
    assert {visit.patient_id for visit in Appointment.objects.all()} == {PatientMerge.objects.get().kept_id}
    assert Appointment.objects.count() == 4


class TestWhoMayStandTwice:
    def test_same_mail_phone_or_name_and_birthday_is_pointed_out_the_same_name_first(self) -> None:
        born = date(2014, 3, 27)
        parisa = make_patient("Parisa Karimi", email="p@example.com", phone="+1 416 555 0188")
        reza = make_patient("Reza Karimi", email="P@example.com")
        again = make_patient("parisa  karimi", email="p@example.com", phone="(416) 555-0188")
        child = make_patient("Li Na", email="", date_of_birth=born)
        same_child = make_patient("Li Na", email="", date_of_birth=born)
        make_patient("Parisa Karimi", email="", phone="")  # a name alone says nothing
        found = likely_duplicates(Patient.objects.all())
        assert [
            (pair.one, pair.other, list(map(str, pair.reasons)), pair.is_same_name) for pair in found
        ] == [
            (child, same_child, ["same name and date of birth"], True),
            (parisa, again, ["same e-mail", "same phone"], True),
            (parisa, reza, ["same e-mail"], False),
        ]

    def test_father_and_son_of_one_name_are_a_family(self) -> None:
        make_patient("Li Wei", email="li@example.com", date_of_birth=date(2010, 1, 2))
        make_patient("Li Wei", email="li@example.com", date_of_birth=date(2012, 1, 2))
        assert [pair.is_same_name for pair in likely_duplicates(Patient.objects.all())] == [False]

    def test_the_list_takes_the_same_queries_for_one_pair_and_for_thirty(self, desk: Client) -> None:
        for pairs in (1, 30):
            while Patient.objects.count() < 2 * pairs:
                for _ in range(2):
                    make_patient(email=f"patient{Patient.objects.count() // 2}@example.com")
            with CaptureQueriesContext(connection) as asked:
                answer = desk.get(DUPLICATES)
            assert (len(answer.context["same"]), len(asked)) == (pairs, 8)


class TestAtTheDesk:
    def test_both_are_compared_one_is_kept_and_the_merge_is_undone_on_its_page(self, desk: Client) -> None:
        old = make_patient("Parisa K", email="p@example.com", phone="416-555-0188")
        new = make_patient("Parisa Karimi", email="p@example.com", phone="416-555-0199")
        make_appointment(patient=old, status=Status.FULFILLED, starts_at=wall(9, days_ahead=-7))
        listed = unescape(desk.get(DUPLICATES).content.decode())
        address = f"{MERGE}?one={old.pk}&other={new.pk}"
        assert f'href="{address}"' in listed
        page = desk.get(address).content.decode()
        assert page.count("differs") == 4
        assert f'id="keep-{new.pk}" checked' in page

        answer = desk.post(address, {"keep": new.pk})

        assert answer["Location"] == record_page(new)
        assert said(answer) == ["Merged. 1 visit came to this record; it can be undone below."]
        assert [person.name for person in desk.get("/admin/booking/patient/").context["cl"].queryset] == [
            "Parisa Karimi"
        ]
        page = desk.get(record_page(new)).content.decode()
        undo = f"{MERGE}{PatientMerge.objects.get().pk}/undo/"
        assert f'action="{undo}"' in page
        answer = desk.post(undo)
        assert said(answer) == ["They are two again: Parisa Karimi and Parisa K."]
        assert old.appointments.count() == 1

    def test_a_record_points_out_who_may_be_the_same_person(self, desk: Client) -> None:
        one, other = (make_patient(name, email="p@example.com") for name in ("Parisa K", "Parisa Karimi"))
        page = unescape(with_a_reason(desk, one).get(record_page(one)).content.decode())
        assert f'href="{MERGE}?one={one.pk}&other={other.pk}"' in page

    def test_any_other_record_can_be_looked_for(self, desk: Client) -> None:
        one, other = make_patient("Parisa K"), make_patient("Parisa Karimi")
        page = desk.post(f"{MERGE}?one={one.pk}", {"q": "parisa"}).content.decode()
        assert f'href="?one={one.pk}&amp;other={other.pk}"' in page
        assert (
            page.count("<b><bdi>Parisa K") == 2
        )  # the one that was asked for in the question, the other found
        nobody = desk.post(f"{MERGE}?one={one.pk}", {"q": "nobody"}).content.decode()
        assert "Nobody else is known by this." in nobody

    def test_who_comes_second_is_told_and_nothing_is_changed(self, desk: Client, mei: User) -> None:
        one, two, three = (make_patient(email="p@example.com") for _ in range(3))
        merge(one, two, mei)
        answer = desk.post(f"{MERGE}?one={two.pk}&other={three.pk}", {"keep": two.pk})
        assert answer.status_code == 200  # only one of them is still there: who is the other?
        first = PatientMerge.objects.get()
        merge(three, one, mei)
        answer = desk.post(f"{MERGE}{first.pk}/undo/")
        assert said(answer) == ["One of the two was merged with somebody meanwhile; nothing was changed."]
        assert PatientMerge.objects.standing().count() == 2

    @pytest.mark.parametrize("keep", [{}, {"keep": "x"}, {"keep": "0"}])
    def test_without_a_choice_nothing_is_merged(self, desk: Client, keep: dict[str, str]) -> None:
        one, other = make_patient(), make_patient()
        page = desk.post(f"{MERGE}?one={one.pk}&other={other.pk}", keep).content.decode()
        assert "<title>Error: Are these one person?" in page
        assert PatientMerge.objects.count() == 0

    def test_only_who_may_merge_does(self) -> None:
        one, other = make_patient(email="p@example.com"), make_patient(email="p@example.com")
        viewer = signed_in(make_staff("viewer", "view_patient", "change_patient"))
        address = f"{MERGE}?one={one.pk}&other={other.pk}"
        assert [viewer.get(DUPLICATES).status_code, viewer.get(address).status_code] == [403, 403]
        assert viewer.post(address, {"keep": one.pk}).status_code == 403
        assert viewer.post(f"{MERGE}1/undo/").status_code == 403
        assert "merge" not in viewer.get(record_page(one)).content.decode().lower()
