"""One mail of every kind, brought about as people do it."""

from django.contrib.auth.models import User
from django.utils import timezone

from booking import notices, notices_courses, operations
from booking.models import Appointment, Course, DeclineReason, Offer, Resource
from booking.operations import Details
from booking.operations.courses import expire_course, version_of
from tests.booking import test_course_operations as courses
from tests.booking.factories import make_clinic, make_patient, make_room, wall
from tests.booking.test_moves_and_offers import move, offer
from tests.booking.test_operations import ask
from tests.booking.test_waitlist import go_round, join, offered, take


def write_every_mail(details: Details) -> list[Appointment]:
    """The appointments that they are about, all of them of a patient who typed these details.

    The desk signs with the first account there is, or with a new one.
    """
    visit_type, now = make_clinic(), timezone.now()
    by = User.objects.first() or User.objects.create_user("reception")

    def request(hour: int) -> Appointment:
        return ask(visit_type, wall(hour, days_ahead=5), details=details)

    def confirm(appointment: Appointment) -> Appointment:
        return operations.confirm_appointment(
            appointment=appointment, version=appointment.version, by=by, now=now
        )

    cancelled = confirm(request(9))
    operations.send_link_again(email=details.email, reference=cancelled.reference, now=now)
    operations.cancel_appointment(appointment=cancelled, version=cancelled.version, by=None, now=now)

    declined = request(10)
    operations.decline_appointment(appointment=declined, version=1, reason=DeclineReason.AWAY, by=by, now=now)

    moved = move(confirm(request(11)), wall(12, days_ahead=5))
    notices.reminder(moved, free_until=None, key="reminder", now=now)

    expired, offered_others = request(14), request(16)
    operations.expire_overdue(now=offer(expired, wall(15, days_ahead=5), by=by).expires_at)
    made = offer(offered_others, wall(17, days_ahead=5), by=by)
    notices.offer_ending(
        offered_others, options=list(made.options.all()), until=made.expires_at, key="ending", now=now
    )

    _write_every_mail_of_courses(details, by)

    waited_for, _, kept = offered(details=details)
    join(waited_for)
    go_round(kept.expires_at)
    go_round(wall(9, days_ahead=4))
    _, entry, _ = offered(details=details)
    return [cancelled, declined, moved, expired, offered_others, take(entry)]


def _write_every_mail_of_courses(details: Details, by: User) -> None:
    """Courses asked for, answered, called off, forgotten, planned and taken; each in a clinic of its own."""

    def asked() -> Course:
        Resource.objects.rooms().update(is_active=False)  # those of the clinics before
        return courses.request(make_clinic(), details=details)

    def planned() -> Course:
        return courses.offer(
            make_clinic(rooms=0), room=make_room(), patient=make_patient(email=details.email)
        )

    now = timezone.now()
    called_off = asked()
    courses.answer(called_off, (0, 2), by=by)
    operations.send_link_again(email=details.email, reference=called_off.reference, now=now)
    version = version_of(courses.visits_of(called_off))
    operations.cancel_course(course=called_off, version=version, by=None, now=now)
    forgotten = asked()
    expire_course(course=forgotten, now=courses.visits_of(forgotten)[0].answer_by or now)
    operations.accept_course(course=planned(), now=now)
    open_still = planned()
    until, options = open_still.offer.expires_at, list(open_still.offer.options.all())
    notices_courses.offer_ending(open_still, options=options, until=until, key="course", now=now)
    not_taken = planned()
    until = not_taken.offer.expires_at
    operations.end_course_offer(course=not_taken, answer=Offer.Answer.LAPSED, by=None, now=until)
    operations.end_course_offer(course=planned(), answer=Offer.Answer.DECLINED, by=None, now=now)
