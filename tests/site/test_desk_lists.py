"""Every list of the desk asks the database as often for thirty rows as for one."""

from datetime import date, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from booking import times
from booking.models import (
    Actor,
    CalendarFeed,
    CheckIn,
    Course,
    ExtraHours,
    Hold,
    Occupancy,
    Offer,
    OfferOption,
    Patient,
    PatientMerge,
    Phase,
    Status,
    StatusChange,
    VisitType,
    WaitlistEntry,
    WorkingHours,
)
from clinic import audit
from clinic.models import Act, AuditedPerson, QueuedMail
from clinic.roles import OWNERS, make_roles
from content import editing
from content.history import Revision
from content.remarks import note_remark
from tests.booking.factories import (
    make_appointment,
    make_clinic,
    make_closure,
    make_patient,
    make_room,
    phase,
    wall,
)
from tests.booking.test_desk import signed_in
from tests.content.factories import make_article, make_reference

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

VISITS, PATIENTS = "/admin/booking/appointment/", "/admin/booking/patient/"
TRAIL = "/admin/clinic/auditrow/"
MANY = 30
A_ROW = 25  # characters of HTML, at the least
LISTS: dict[str, int] = {
    "/admin/": 33,
    "/admin/?by=room": 33,
    "/admin/today/": 29,
    f"{VISITS}": 12,
    f"{VISITS}?q=Parisa": 12,
    f"{VISITS}calendar/?on={{day}}": 17,
    f"{VISITS}calendar/?by=room&on={{day}}": 17,
    f"{VISITS}calendar/?view=week&on={{day}}": 17,
    f"{VISITS}calendar/?view=week&by=room&on={{day}}": 17,
    f"{VISITS}calendar/events/": 15,
    f"{VISITS}book/?patient={{patient}}": 16,
    f"{VISITS}day-sheet/": 10,
    f"{VISITS}day-sheet/?by=room": 10,
    f"{VISITS}{{visit}}/change/": 16,
    f"{VISITS}{{visit}}/history/": 13,
    f"{VISITS}{{visit}}/overlap/": 13,
    f"{VISITS}{{visit}}/care-plan/": 14,
    "/admin/booking/course/": 10,
    "/admin/booking/course/{course}/change/": 14,
    "/admin/booking/hold/": 8,
    "/admin/booking/closure/": 9,
    "/admin/booking/closure/add/": 7,
    "/admin/booking/closure/visits/": 21,
    f"{PATIENTS}": 10,
    f"{PATIENTS}?q=Parisa": 10,
    f"{PATIENTS}duplicates/": 9,
    f"{PATIENTS}merge/?one={{patient}}&other={{other}}": 20,
    f"{PATIENTS}{{patient}}/change/": 21,
    f"{PATIENTS}{{patient}}/history/": 13,
    f"{PATIENTS}{{patient}}/rights/": 15,
    "/admin/booking/resource/": 9,
    "/admin/booking/resource/feed/": 8,
    "/admin/booking/resource/{practitioner}/change/": 10,
    "/admin/booking/visittype/": 10,
    "/admin/booking/visittype/add/": 7,
    "/admin/booking/visittype/{visit_type}/change/": 11,
    "/admin/booking/waitlistentry/": 13,
    "/admin/clinic/queuedmail/": 11,
    f"{TRAIL}": 10,
    f"{TRAIL}?patient={{other}}": 13,
    f"{TRAIL}?staff={{mei}}": 11,
    f"{TRAIL}{{row}}/change/": 9,
    "/admin/content/article/": 9,
    "/admin/content/article/?review=due": 9,
    "/admin/content/article/add/": 8,
    "/admin/content/article/{article}/change/": 12,
    "/admin/content/article/{article}/history/": 9,
    "/admin/content/article/{article}/revisions/": 8,
    "/admin/content/remark/": 9,
    "/admin/auth/group/": 9,
    "/admin/auth/user/": 11,
    "/admin/auth/user/{mei}/change/": 11,
    "/admin/reports/": 20,
}


class Clinic:
    """So many rows of every kind and, of each kind that owns others, one row that owns as many."""

    def __init__(self) -> None:
        make_roles()
        self.owner = User.objects.create_user("owner", password="pw", is_staff=True)
        self.owner.groups.set(Group.objects.filter(name=OWNERS))
        self.mei = User.objects.create_user("mei", is_staff=True)
        self.visit_type, self.room = make_clinic(rooms=0, phases=[phase(5)]), make_room()
        self.practitioner = self.visit_type.practitioners.get()
        self.patient = make_patient("Parisa Karimi", email="parisa@example.com", phone="416-555-0188")
        self.visit = make_appointment(
            self.visit_type, starts_at=wall(9, days_ahead=0), patient=self.patient, status=Status.BOOKED
        )
        self.other = make_patient("Parisa Karimi", phone="905-555-0100")
        self.course = self.make_course(self.patient, self.visit_type)
        self.entry = self.make_entry(self.patient, self.visit_type)
        self.row = audit.record(by=self.mei, act=Act.LIST, kind="patient", now=timezone.now())
        self.article = make_article()
        self.many_phases = VisitType.objects.create(name="Long visit", slug="many-phases")
        make_closure(wall(0, days_ahead=3), wall(23, days_ahead=3), self.practitioner)
        self.rows = 0

    def grow(self, rows: int) -> None:
        for number in range(self.rows, rows):
            self.add_people(number)
            self.add_to_one(number)
            self.add_to_the_roof(number)
        self.rows = rows

    def add_people(self, number: int) -> None:
        """Somebody who waits for an answer, comes today, was offered another time, and joined the waitlist."""
        now, visit_type, room = timezone.now(), make_clinic(rooms=0), make_room()
        patient = make_patient("Parisa Karimi", email="parisa@example.com", phone=f"905-555-{number:04}")
        facts: dict[str, Any] = {"patient": patient, "room": room}
        make_appointment(visit_type, starts_at=wall(10), **facts)
        make_appointment(visit_type, starts_at=wall(11, days_ahead=0), status=Status.BOOKED, **facts)
        proposed = make_appointment(visit_type, starts_at=wall(12), status=Status.PROPOSED, **facts)
        soon = now + timedelta(hours=1)
        offer = Offer.objects.create(appointment=proposed, by=self.mei, offered_at=now, expires_at=soon)
        time_of = {"practitioner": visit_type.practitioners.get(), "room": room}
        held = {"visit_type": visit_type, "anyone": False, "expires_at": soon}
        # What is kept for somebody stands on Today's strips, and in the calendar of another day.
        for days_ahead in (0, 2):
            hours = [wall(hour, days_ahead=days_ahead) for hour in (13, 14, 15)]
            first, then = ({"starts_at": hours[at], "ends_at": hours[at + 1]} for at in (0, 1))
            option = OfferOption.objects.create(offer=offer, **first, **time_of)
            hold = Hold.objects.create(visitor=uuid4(), **then, **time_of, **held)
            for resource in time_of.values():
                Occupancy.objects.create(resource=resource, option=option, **first)
                Occupancy.objects.create(resource=resource, hold=hold, **then)
        make_closure(wall(9, days_ahead=9), wall(10, days_ahead=9), time_of["practitioner"])
        self.make_course(patient, visit_type)
        lapsed = {"offered_at": now, "expires_at": now, "answer": Offer.Answer.LAPSED}
        entry = self.make_entry(patient, visit_type)
        for owner in (entry, self.entry):
            offer = Offer.objects.create(entry=owner, **lapsed)
            OfferOption.objects.create(offer=offer, starts_at=wall(17), ends_at=wall(18), **time_of)
        account = User.objects.create_user(f"practitioner{number}", is_staff=True)
        feed = {"user": account, "token_hash": str(number), "made_at": now}
        CalendarFeed.objects.create(practitioner=time_of["practitioner"], **feed)

    def add_to_one(self, number: int) -> None:
        """More of one person, one visit, one course, one practitioner and one visit type."""
        now, on = timezone.now(), timedelta(minutes=5 * number)
        theirs: dict[str, Any] = {"patient": self.patient, "room": self.room}
        make_appointment(self.visit_type, starts_at=wall(9) + on, course=self.course, **theirs)
        make_appointment(
            self.visit_type, starts_at=wall(9, days_ahead=3) + on, status=Status.BOOKED, **theirs
        )
        past = make_appointment(
            self.visit_type,
            starts_at=wall(9, days_ahead=-7) + on,
            status=Status.FULFILLED,
            precautions={"blood": "yes"},
            **theirs,
        )
        CheckIn.objects.create(
            appointment=past, pain_now=3, pain_last_week=4, enjoyment=5, activity=6, answered_at=now
        )
        change = {
            "from_status": Status.BOOKED,
            "to_status": Status.BOOKED,
            "actor": Actor.STAFF,
            "by": self.mei,
        }
        StatusChange.objects.create(appointment=self.visit, version=number + 2, at=now, **change)
        merged = make_patient("Parisa K")
        PatientMerge.objects.create(
            kept=self.patient, merged=merged, moved={}, filled=[], merged_at=now, merged_by=self.mei
        )
        day = date(2026, 1, 1) + timedelta(days=number)
        hours = {"practitioner": self.practitioner, "opens": time(9), "closes": time(10)}
        WorkingHours.objects.create(weekday=0, valid_from=day, valid_until=day, **hours)
        ExtraHours.objects.create(day=day, **hours)
        Phase.objects.create(visit_type=self.many_phases, position=number + 1, name="Rest", minutes=5)

    def add_to_the_roof(self, number: int) -> None:
        """Mail, rows of the trail, pages of the site and what readers say of them, accounts."""
        now = timezone.now()
        for about in (self.visit.reference, self.course.reference):
            QueuedMail.objects.create(
                kind="confirmed",
                about=about,
                to="parisa@example.com",
                subject="Confirmed",
                text="Confirmed.",
                html="<p>Confirmed.</p>",
                message_id=f"<{about}.{number}@clinic.invalid>",
                created_at=now,
                send_at=now,
                parked_at=now,
            )
        for people in ([self.patient.pk], [self.patient.pk, self.other.pk]):
            audit.record(by=self.mei, act=Act.LIST, kind="patient", people=people, now=now)
        AuditedPerson.objects.create(row=self.row, person=make_patient().pk)
        make_article(review_due_on=times.local_day(now), reviewed_on=date(2026, 1, 1))
        make_reference(self.article, number + 1)
        self.article.title = f"Title {number}"
        editing.record_revision(article=self.article, act=Revision.Act.SAVED, by=self.mei, now=now)
        note_remark(page=f"/visit/{number}", text="Wrong", email="", now=now)
        group = Group.objects.create(name=f"Group {number}")
        self.mei.groups.add(group)
        for changed in (self.visit, self.patient, self.article):
            LogEntry.objects.log_actions(
                self.mei.pk, [changed], CHANGE, change_message=f"Change {number}", single_object=True
            )

    def make_course(self, patient: Patient, visit_type: VisitType) -> Course:
        return Course.objects.create(
            reference=f"CO-T{Course.objects.count():05}",
            patient=patient,
            visit_type=visit_type,
            practitioner=visit_type.practitioners.get(),
            first_on=wall(0).date(),
            days_between=1,
            weekdays=[0],
            from_hour=9,
            to_hour=10,
            days_off=1,
            any_hour=False,
            created_at=timezone.now(),
            idempotency_key=uuid4(),
        )

    def make_entry(self, patient: Patient, visit_type: VisitType) -> WaitlistEntry:
        return WaitlistEntry.objects.create(
            reference=f"WL-T{WaitlistEntry.objects.count():05}",
            patient=patient,
            visit_type=visit_type,
            practitioner=visit_type.practitioners.get(),
            weekdays=[0],
            parts=WaitlistEntry.Part.values,
            wanted_until=wall(0).date(),
            language="en",
            new_patient=True,
            consented_at=timezone.now(),
            joined_at=timezone.now(),
            idempotency_key=uuid4(),
        )

    def address(self, written: str) -> str:
        keys = {
            "day": wall(0).date(),
            "patient": self.patient.pk,
            "other": self.other.pk,
            "visit": self.visit.pk,
            "course": self.course.pk,
            "entry": self.entry.pk,
            "practitioner": self.practitioner.pk,
            "visit_type": self.many_phases.pk,
            "row": self.row.pk,
            "article": self.article.pk,
            "mei": self.mei.pk,
        }
        return written.format(**keys)


def test_every_list_of_the_desk_asks_as_often_for_thirty_rows_as_for_one() -> None:
    clinic = Clinic()
    owner = signed_in(clinic.owner)
    session = owner.session
    session["desk_active"] += 3600  # else a page in every minute would also note that somebody is there
    session.save()
    ContentType.objects.get_for_models(*apps.get_models())  # each is asked for once in a program's life
    lengths: dict[str, int] = {}
    for rows in (1, MANY):
        clinic.grow(rows)
        asked = {}
        for written in LISTS:
            with CaptureQueriesContext(connection) as queries:
                page = owner.get(clinic.address(written))
            assert page.status_code == 200
            asked[written] = len(queries)
            lengths[written] = len(page.content) - lengths.get(written, 0)
        assert asked == LISTS
    assert {written: more for written, more in lengths.items() if more < (MANY - 1) * A_ROW} == {}
