"""What an appointment's page says of it, and what may still be done with it, by its status and the clock."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from booking.models import Actor, Appointment, BookingRules, Offer, Status, StatusChange

PAST: Final = "past"  # booked, and its time has come
CHANGED: Final = "changed"  # cancelled, because the one that the patient wanted instead is booked

# A headline, and what it means for the patient.
STANDING: Final[dict[str, tuple[Promise, Promise]]] = {
    Status.PENDING: (_("Request sent"), _("It is not booked yet. We check it and answer you by e-mail.")),
    Status.PROPOSED: (
        _("Other times offered"),
        _("We cannot give you that time. Take one of the times below, or ask for another."),
    ),
    Status.BOOKED: (_("Confirmed"), _("Your visit is booked.")),
    PAST: (_("This visit has passed"), _("It can no longer be moved or cancelled here.")),
    Status.ARRIVED: (_("You are here"), _("Please take a seat.")),
    Status.FULFILLED: (_("Visit completed"), _("Thank you for coming.")),
    Status.CANCELLED: (
        _("Cancelled"),
        _("This visit will not take place. If you still want one, ask for another time or call us."),
    ),
    CHANGED: (_("Changed"), _("Another visit has taken the place of this one.")),
    Status.DECLINED: (_("We cannot offer this time"), _("You can ask for another time, or call us.")),
    Status.EXPIRED: (
        _("This request has ended"),
        _("It was not answered in time, and the time is no longer kept. Ask for another time, or call us."),
    ),
    Status.NOSHOW: (_("Visit missed"), _("Call us if you would like another time.")),
}
OPEN: Final = (Status.PENDING, Status.PROPOSED, Status.BOOKED)  # something can still be done

_HAPPENED: Final[dict[str, Promise]] = {
    Status.PENDING: _("Requested"),
    Status.PROPOSED: _("Other times offered"),
    Status.BOOKED: _("Confirmed"),
    Status.CANCELLED: _("Cancelled"),
    Status.DECLINED: _("Declined"),
    Status.EXPIRED: _("Ended without an answer"),
}
_BY: Final[dict[str, Promise]] = {Actor.PATIENT: _("by you"), Actor.STAFF: _("by the clinic")}


@dataclass(frozen=True, slots=True)
class Standing:
    """`free_until` is when cancelling stops being free of charge; `is_free` says that it still is.

    `change` is what was asked for in place of this booked visit, `kept` the booked visit that this would replace, and
    `successor` what took the place of this one.
    """

    state: str
    offer: Offer | None
    change: Appointment | None
    kept: Appointment | None
    successor: Appointment | None
    free_until: datetime
    is_free: bool

    @property
    def headline(self) -> Promise:
        return STANDING[self.state][0]

    @property
    def meaning(self) -> Promise:
        return STANDING[self.state][1]

    @property
    def is_pending(self) -> bool:
        return self.state == Status.PENDING

    @property
    def is_proposed(self) -> bool:
        return self.state == Status.PROPOSED

    @property
    def is_booked(self) -> bool:
        return self.state == Status.BOOKED

    @property
    def is_declined(self) -> bool:
        return self.state == Status.DECLINED

    @property
    def may_cancel(self) -> bool:
        return self.state in OPEN

    @property
    def may_move(self) -> bool:
        """A late move would be a late cancellation that costs nothing: those are settled by phone."""
        return self.may_cancel and (self.is_free or not self.is_booked) and self.change is None

    @property
    def is_too_late_to_move(self) -> bool:
        return self.is_booked and not self.is_free

    @property
    def is_off(self) -> bool:
        """It will not take place: a calendar that has it should be told."""
        return self.state in {Status.CANCELLED, CHANGED, Status.DECLINED, Status.EXPIRED}


def standing_of(appointment: Appointment, *, now: datetime) -> Standing:
    """How it stands at this moment: what has run out counts as ended, though the clock has not ended it yet."""
    offer = appointment.offers.first() if appointment.status == Status.PROPOSED else None
    state = appointment.status
    if _has_run_out(appointment, offer, now=now):
        state = Status.EXPIRED
    elif state == Status.BOOKED and appointment.starts_at <= now:
        state = PAST
    successor = appointment.successor
    free_until = appointment.starts_at - timedelta(hours=BookingRules.current().cancellation_hours)
    return Standing(
        CHANGED if successor else state,
        offer,
        change=appointment.open_change,
        kept=appointment.kept,
        successor=successor,
        free_until=free_until,
        is_free=now <= free_until,
    )


def state_of(appointment: Appointment, *, now: datetime) -> str:
    """The state alone, without a query: what staff offered instead counts as offered though it may have run out."""
    if appointment.is_pending and _has_run_out(appointment, None, now=now):
        return Status.EXPIRED
    return PAST if appointment.is_booked and appointment.starts_at <= now else appointment.status


def _has_run_out(appointment: Appointment, offer: Offer | None, *, now: datetime) -> bool:
    if appointment.status == Status.PROPOSED:
        return offer is None or offer.has_ended(now)
    return bool(appointment.is_pending and appointment.answer_by and appointment.answer_by <= now)


def happened(change: StatusChange) -> tuple[Promise, datetime, Promise | None] | None:
    """What the patient reads of one row of history: what, when and who; None of what is the desk's own."""
    what: Promise | None = None
    if change.reason.startswith("moved to "):
        what = _("Changed for another visit")
    elif change.from_status == change.to_status:
        what = _("Moved") if change.reason.startswith(("moved", "overlap")) else None
    elif change.from_status in {"", *OPEN}:
        what = _HAPPENED.get(change.to_status)
    return (what, change.at, _BY.get(change.actor)) if what else None
