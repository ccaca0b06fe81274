"""A course of treatment: asked for by a patient or planned by staff, and answered, taken and called off as one.

Its visits are appointments like any other: each has its own occupancies, history, private link and reminders.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import prefetch_related_objects
from django.utils.crypto import get_random_string

from booking import courses, notices_courses, queries, screening, times
from booking.models import (
    Actor,
    Appointment,
    BookingRules,
    Contact,
    Course,
    CourseStage,
    DeclineReason,
    Occupancy,
    Offer,
    OfferOption,
    Patient,
    Resource,
    Status,
    StatusChange,
    VisitType,
)
from booking.models.courses import COURSE
from booking.operations import taking
from booking.operations.errors import CallBackFirst, CourseChanged, NoAddress, OfferEnded, SomeTaken
from booking.operations.history import By, done_before, set_status, staff_or_patient
from booking.operations.holds import drop_holds
from booking.operations.requests import (
    REFERENCE_LETTERS,
    Details,
    lock_contacts,
    new_patient,
    new_reference,
    refuse_too_many,
)

MOST_VISITS: Final = 16


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for or offered: the pattern from its first day, and the times, each on a day of its own."""

    visit_type: VisitType
    practitioner: Resource
    pattern: courses.Pattern
    first_on: date
    starts: tuple[datetime, ...]

    def __post_init__(self) -> None:
        """:raises ValueError: if there is no time, too many, or two on one day."""
        days = {times.local_day(start) for start in self.starts}
        if not 1 <= len(days) == len(self.starts) <= MOST_VISITS:
            raise ValueError("A course has one to sixteen visits, each on another day")


def request_course(
    *, plan: Plan, details: Details, idempotency_key: UUID, now: datetime, visitor: UUID | None = None
) -> Course:
    """A patient asks for all visits of a course: all times are taken, or none.

    What `visitor` held is free again. The same key again returns the course that it made, and does nothing.

    :raises SomeTaken: if a time is no longer free or can no longer be booked online; it says which.
    :raises TooManyPending: if the address or phone number has two requests waiting; a course counts once.
    :raises Busy: if a lock was not to be had in time.
    """
    rules = BookingRules.current()
    with taking.change():
        contacts = lock_contacts(email=details.email, phone=details.phone)
        taking.lock_resources(plan.visit_type, [plan.practitioner], now=now)
        if made_before := _made_before(idempotency_key):
            return made_before
        refuse_too_many(contacts)
        drop_holds(visitor)
        taken = _look_again(plan, rules=rules, now=now)
        course = _create(plan, patient=new_patient(details, now), key=idempotency_key, now=now)
        visits = _visits(
            course,
            taken,
            contacts,
            By(Actor.PATIENT, now),
            status=Status.PENDING,
            language=details.language,
            reminders=details.reminders,
            new_patient=details.new_patient,
            precautions=details.precautions,
            screening_version=screening.VERSION,
            call_back=details.call_back,
            note=details.note,
            consent_version=details.consent_version,
            consented_at=now,
            answer_by=queries.answer_by(min(plan.starts), rules=rules, now=now),
        )
        taking.occupy_all(zip(visits, taken, strict=True))
        notices_courses.received(course, visits=visits, now=now)
        notices_courses.tell_staff_of_request(course, visits=visits, now=now)
    return course


def answer_course(
    *,
    course: Course,
    version: int,
    confirmed: Collection[int],
    reason: DeclineReason | None,
    by: User,
    now: datetime,
) -> list[Appointment]:
    """Staff confirm all, some or none of the visits that wait, by key; the others are declined for `reason`.

    Returns those confirmed. `version` as `version_of` gives it.

    :raises CourseChanged: if a visit has changed since, or none of them waits for an answer.
    :raises CallBackFirst: if the patient must be called before.
    :raises ValueError: if a visit is to be declined without a reason.
    """
    staff = By(Actor.STAFF, now, by)
    with taking.change():
        visits = _lock(course)
        waiting = [visit for visit in visits if visit.is_pending]
        if (
            version_of(visits) != version
            or not waiting
            or not {visit.pk for visit in waiting} >= set(confirmed)
        ):
            raise CourseChanged
        yes = [visit for visit in waiting if visit.pk in confirmed]
        no = [visit for visit in waiting if visit.pk not in confirmed]
        if no and reason is None:
            raise ValueError("Visits are declined for a reason")
        for visit in yes:
            set_status(visit, Status.BOOKED, staff)
        for visit in no:
            set_status(visit, Status.DECLINED, staff, reason=reason or "")
        notices_courses.withdraw_request(course, now=now)
        notices_courses.answered(course, confirmed=yes, declined=no, reason=reason if no else None, now=now)
    return yes


def cancel_course(
    *, course: Course, version: int, by: User | None, now: datetime, idempotency_key: UUID | None = None
) -> list[Appointment]:
    """Staff or, with `by` None, the patient call off every visit that is still to come; returns those.

    A request that nobody at the clinic has been written to about is taken back without a word to them. The same
    key again does nothing.

    :raises CourseChanged: if a visit has changed since `version`, or none is left to cancel.
    """
    with taking.change():
        visits = _lock(course)
        if idempotency_key and done_before(idempotency_key):
            return []
        ahead = still_to_come(visits, now=now)
        if version_of(visits) != version or not ahead:
            raise CourseChanged
        was_booked = any(visit.is_booked for visit in ahead)
        unread = notices_courses.withdraw_request(course, now=now)
        if not was_booked:
            notices_courses.withdraw_receipt(course, now=now)
        for number, visit in enumerate(ahead):
            key = None if number else idempotency_key
            set_status(visit, Status.CANCELLED, staff_or_patient(by, now, key))
        notices_courses.cancelled(course, visits=ahead, was_booked=was_booked, now=now)
        if by is None and not unread:
            notices_courses.tell_staff_of_cancellation(course, visits=ahead, now=now)
    return ahead


def plan_course(
    *, appointment: Appointment, plan: Plan, by: User, idempotency_key: UUID, now: datetime
) -> Course:
    """Staff plan the further visits of an appointment's patient and offer them; every time is held.

    The offer ends when the rules say, or when the first visit begins. The same key again returns the same course.

    :raises SomeTaken: if a time is not free; then nothing is offered.
    :raises NoAddress: if the patient has no e-mail address.
    :raises CallBackFirst: if the patient must be called before.
    :raises Busy: if a lock was not to be had in time.
    """
    if not appointment.patient.email:
        raise NoAddress
    if appointment.waits_for_call:
        raise CallBackFirst
    with taking.change():
        taking.lock_resources(plan.visit_type, [plan.practitioner], now=now)
        if made_before := _made_before(idempotency_key):
            return made_before
        taken = _look_again(plan, rules=BookingRules(**taking.AT_THE_DESK), now=now)
        course = _create(
            plan, patient=appointment.patient, key=idempotency_key, now=now, after=appointment, by=by
        )
        ends = min(now + BookingRules.current().offer_open_for, *plan.starts)
        offer = Offer.objects.create(course=course, by=by, offered_at=now, expires_at=ends)
        options = OfferOption.objects.bulk_create(OfferOption(offer=offer, **place.fields) for place in taken)
        taking.occupy_all(zip(options, taken, strict=True))
        notices_courses.offered(course, options=options, until=ends, now=now)
    return course


def accept_course(*, course: Course, now: datetime) -> list[Appointment]:
    """The patient takes the planned visits, all of them: they are booked. Taking them again does nothing.

    :raises OfferEnded: if the offer has run out, or the course was not offered.
    :raises Busy: if a lock was not to be had in time.
    """
    with taking.change():
        offer = lock_offer(course)
        if offer.answer == Offer.Answer.TAKEN:
            return list(course.appointments.with_people().order_by("starts_at"))
        after = course.planned_after
        if after is None or offer.has_ended(now):
            raise OfferEnded
        taking.lock_resources(course.visit_type, [course.practitioner], now=now)
        options = list(offer.options.select_related("practitioner", "room"))
        held = Occupancy.objects.filter(option__in=options).values("option").distinct().count()
        if held != len(options):
            raise OfferEnded
        visits = _visits(
            course,
            options,
            list(after.contacts.all()),
            By(Actor.PATIENT, now),
            status=Status.BOOKED,
            language=after.language,
            reminders=after.reminders,
            new_patient=False,
            precautions=after.precautions,
            screening_version=after.screening_version,
            note=after.note,
            consent_version=after.consent_version,
            consented_at=after.consented_at,
        )
        for option, visit in zip(options, visits, strict=True):
            taking.hand_over(option, visit)
        offer.answer = Offer.Answer.TAKEN
        offer.save(update_fields=["answer"])
        notices_courses.withdraw_warning(course, now=now)
        notices_courses.answered(course, confirmed=visits, declined=[], reason=None, now=now)
        notices_courses.tell_staff_of_acceptance(course, visits=visits, now=now)
    return visits


def end_course_offer(*, course: Course, answer: Offer.Answer, by: User | None, now: datetime) -> bool:
    """Staff take the planned visits back or, with `by` None, the patient declines them or the clock ends them.

    Their times are free again, and staff are told if the patient declined them. False if there is nothing to end:
    it was answered before or, for the clock, has not run out.

    :raises OfferEnded: if the course was not offered.
    """
    with taking.change():
        offer = lock_offer(course)
        if offer.answer or (answer == Offer.Answer.LAPSED and offer.expires_at > now):
            return False
        offer.answer = answer
        offer.save(update_fields=["answer"])
        options = list(offer.options.all())
        Occupancy.objects.filter(option__in=options).delete()
        notices_courses.withdraw_warning(course, now=now)
        if answer == Offer.Answer.LAPSED:
            notices_courses.offer_ended(course, options=options, now=now)
        elif by is None:
            notices_courses.tell_staff_of_refusal(course, options=options, now=now)
    return True


def expire_course(*, course: Course, now: datetime) -> bool:
    """Ends the visits of a request that nobody answered in time, with one message; False if there are none."""
    with taking.change():
        overdue = [
            visit
            for visit in _lock(course)
            if visit.is_pending and visit.answer_by is not None and visit.answer_by <= now
        ]
        for visit in overdue:
            set_status(visit, Status.EXPIRED, By(Actor.CLOCK, now))
        if overdue:
            notices_courses.expired(course, visits=overdue, now=now)
    return bool(overdue)


def version_of(visits: Collection[Appointment]) -> int:
    """One number for all visits of a course: it grows with each change of any of them."""
    return sum(visit.version for visit in visits)


def still_to_come(visits: Collection[Appointment], *, now: datetime) -> list[Appointment]:
    """Those that can still be called off."""
    return [visit for visit in visits if visit.can_be_cancelled and visit.starts_at > now]


def _made_before(key: UUID) -> Course | None:
    return Course.objects.with_people().filter(idempotency_key=key).first()


def _lock(course: Course) -> list[Appointment]:
    """The rows of all visits, locked by key, as they are now and in the order of their times."""
    rows = course.appointments.select_for_update(of=("self",), no_key=True).with_people().order_by("pk")
    return sorted(rows, key=lambda visit: (visit.starts_at, visit.pk))


def lock_offer(course: Course) -> Offer:
    """Under the lock of the course's row, which two answers of one patient compete for.

    :raises OfferEnded: if the course was not offered.
    """
    Course.objects.select_for_update(no_key=True).get(pk=course.pk)
    offer = Offer.objects.filter(course=course).first()
    if offer is None:
        raise OfferEnded
    return offer


def _look_again(plan: Plan, *, rules: BookingRules, now: datetime) -> list[taking.Taken]:
    """Every time as it stands under the locks, in one search: visits on different days take nothing from each other.

    :raises SomeTaken: if one of them is not free.
    """
    prefetch_related_objects([plan.visit_type], "phases")
    days = [times.local_day(start) for start in plan.starts]
    found = queries.find_openings(
        plan.visit_type, first_on=min(days), last_on=max(days), rules=rules, now=now
    )
    there = {start: found.at(int(start.timestamp()), plan.practitioner.pk) for start in sorted(plan.starts)}
    if gone := [start for start, opening in there.items() if opening is None]:
        raise SomeTaken(gone)
    return [taking.Taken(opening, plan.visit_type) for opening in there.values() if opening]


def _create(
    plan: Plan,
    *,
    patient: Patient,
    key: UUID,
    now: datetime,
    after: Appointment | None = None,
    by: User | None = None,
) -> Course:
    pattern = plan.pattern
    course = Course.objects.create(
        reference=f"{COURSE}{get_random_string(6, REFERENCE_LETTERS)}",
        patient=patient,
        visit_type=plan.visit_type,
        practitioner=plan.practitioner,
        first_on=plan.first_on,
        days_between=pattern.days_between,
        weekdays=sorted(pattern.weekdays),
        from_hour=pattern.hours[0],
        to_hour=pattern.hours[1],
        days_off=pattern.days_off,
        any_hour=pattern.any_hour,
        planned_after=after,
        planned_by=by,
        created_at=now,
        idempotency_key=key,
    )
    CourseStage.objects.bulk_create(
        CourseStage(course=course, position=position, visits_a_week=stage.visits_a_week, weeks=stage.weeks)
        for position, stage in enumerate(pattern.stages, start=1)
    )
    return course


def _visits(
    course: Course,
    places: Sequence[taking.Taken | OfferOption],
    contacts: Sequence[Contact],
    by: By,
    **facts: Any,
) -> list[Appointment]:
    """The appointments of a course, each with its first row of history; as many statements for one as for many."""
    visits = Appointment.objects.bulk_create(
        Appointment(
            reference=new_reference(),
            course=course,
            visit_type=course.visit_type,
            patient=course.patient,
            requested_at=by.at,
            **_place(place),
            **facts,
        )
        for place in places
    )
    for visit in visits:
        visit.practitioner = course.practitioner  # what a message names is at hand
    linked = Appointment.contacts.through
    linked.objects.bulk_create(
        linked(appointment=visit, contact=contact) for visit in visits for contact in contacts
    )
    StatusChange.objects.bulk_create(
        StatusChange(appointment=visit, version=1, to_status=visit.status, at=by.at, actor=by.actor)
        for visit in visits
    )
    return visits


def _place(place: taking.Taken | OfferOption) -> dict[str, Any]:
    if isinstance(place, taking.Taken):
        return place.fields
    return {name: getattr(place, name) for name in ("practitioner_id", "room_id", "starts_at", "ends_at")}
