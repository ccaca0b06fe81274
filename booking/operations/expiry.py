"""Ends what nobody answered in time; safe to run at any time, in any number of processes at once."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max

from booking import notices
from booking.models import Actor, Appointment, Course, Hold, Offer, Status
from booking.operations import taking
from booking.operations.courses import end_course_offer, expire_course
from booking.operations.errors import AlreadyDecided
from booking.operations.history import By, expect, lock, set_status


@dataclass(frozen=True, slots=True)
class Expired:
    requests: int
    offers: int
    holds: int


def expire_overdue(*, now: datetime) -> Expired:
    """Ends requests past their promised answer and offers past their end, and erases holds that ran out.

    A course is one request or one offer, however many visits it has.

    Nothing waits for this to be right: an expired hold or offer is of no effect from its last second on.

    :raises Busy: if a lock was not to be had in time; what was ended before stays ended.
    """
    overdue = Appointment.objects.filter(status=Status.PENDING, answer_by__lte=now)
    requests = overdue.filter(course=None)
    requested_courses = Course.objects.with_people().filter(pk__in=overdue.values("course")).order_by("pk")
    offered_courses = (
        Course.objects.with_people().filter(offer__answer="", offer__expires_at__lte=now).order_by("pk")
    )
    offers = (
        Appointment.objects.filter(status=Status.PROPOSED)
        .annotate(open_until=Max("offers__expires_at"))
        .filter(open_until__lte=now)
    )
    ended_requests = sum(_expire(appointment, now) for appointment in requests.order_by("pk"))
    ended_requests += sum(expire_course(course=course, now=now) for course in requested_courses)
    ended_offers = sum(_expire(appointment, now) for appointment in offers.order_by("pk"))
    ended_offers += sum(
        end_course_offer(course=course, answer=Offer.Answer.LAPSED, by=None, now=now)
        for course in offered_courses
    )
    with taking.change():
        holds = Hold.objects.expired(now)
        ended_holds = holds.count()
        holds.delete()
    return Expired(ended_requests, ended_offers, ended_holds)


def _expire(appointment: Appointment, now: datetime) -> bool:
    """One appointment, one transaction; whoever comes second finds it changed and leaves it."""
    try:
        with taking.change():
            locked = lock(appointment)
            expect(locked, appointment.version)
            set_status(locked, Status.EXPIRED, By(Actor.CLOCK, now))
            notices.expired(locked, now=now)
    except AlreadyDecided:
        return False
    return True
