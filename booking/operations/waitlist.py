"""The waitlist: joining and leaving it, and the exclusive offers by which a time that came free finds its person.

Whoever joins wants times of which none is free at that moment; those that are free are shown to them instead. So
whatever fits later has come free since, and nobody has to note what was released when.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.utils.crypto import get_random_string

from booking import notices, notices_waitlist, openings, queries, screening, times
from booking.models import (
    TRANSITIONS,
    Actor,
    Appointment,
    BookingRules,
    Contact,
    Hold,
    Occupancy,
    Offer,
    OfferOption,
    Resource,
    Status,
    VisitType,
    WaitlistEntry,
)
from booking.operations import taking
from booking.operations.changes import lock_open_change, take_back_change
from booking.operations.errors import AlreadyWaiting, OfferEnded, TimeFree, TimeTaken
from booking.operations.history import By, lock, record, set_status
from booking.operations.requests import (
    REFERENCE_LETTERS,
    Details,
    lock_contacts,
    new_patient,
    new_reference,
)

QUIET_FROM, QUIET_TO = 21, 8  # hours of the clinic's clock between which nobody is written to
SOONEST: Final = timedelta(hours=1)  # nearer than this, a mail comes too late to be of use
SHARE: Final = 4  # an offer stands for a quarter of the time until the visit, if that is less than usual
SHOWN: Final = 6  # free times, to whoever need not wait

State = WaitlistEntry.State
_CANCELLABLE: Final = [status for status in Status if (status, Status.CANCELLED) in TRANSITIONS]


@dataclass(frozen=True, slots=True)
class Wishes:
    """Days of the week (Monday is 0), parts of the day, the last day; with `practitioner` None, anyone."""

    practitioner: Resource | None
    weekdays: Sequence[int]
    parts: Sequence[str]
    until: date


def join_waitlist(
    *,
    visit_type: VisitType,
    wishes: Wishes,
    details: Details,
    idempotency_key: UUID,
    now: datetime,
    hold: Hold | None = None,
) -> WaitlistEntry:
    """A person wants to be told when a time that fits their wishes comes free.

    What `hold` keeps for this visitor counts as free. The same key again returns the entry that it made.

    :raises TimeFree: if such a time is free now.
    :raises AlreadyWaiting: if the address or phone number waits for this visit type already.
    :raises Busy: if a lock was not to be had in time.
    """
    with taking.change():
        contacts = lock_contacts(email=details.email, phone=details.phone)
        if made_before := WaitlistEntry.objects.filter(idempotency_key=idempotency_key).first():
            return made_before
        entry = _new_entry(visit_type, wishes, idempotency_key, now)
        entry.language = details.language
        entry.new_patient = details.new_patient
        entry.consent_version, entry.screening_version = details.consent_version, screening.VERSION
        _refuse_needless(entry, contacts, now, hold)
        entry.patient = new_patient(details, now)
        _enter(entry, contacts, now)
    return entry


def wait_for_earlier(
    *, appointment: Appointment, wishes: Wishes, idempotency_key: UUID, now: datetime
) -> WaitlistEntry:
    """A patient with a visit wants to be told when a time before it comes free; taking that one cancels this one.

    The same key again returns the entry that it made.

    :raises TimeFree: if such a time is free now.
    :raises AlreadyWaiting: if the address or phone number waits for this visit type already.
    :raises PermissionDenied: if the visit can no longer be replaced, or there is no address to write to.
    :raises Busy: if a lock was not to be had in time.
    """
    patient = appointment.patient
    with taking.change():
        contacts = lock_contacts(email=patient.email, phone=patient.phone)
        if made_before := WaitlistEntry.objects.filter(idempotency_key=idempotency_key).first():
            return made_before
        locked = lock(appointment)
        if not can_be_replaced(locked, now=now):
            raise PermissionDenied
        entry = _new_entry(locked.visit_type, wishes, idempotency_key, now)
        entry.replaces, entry.patient = locked, locked.patient
        entry.language, entry.new_patient = locked.language, locked.new_patient
        entry.consent_version, entry.screening_version = locked.consent_version, locked.screening_version
        _refuse_needless(entry, contacts, now)
        _enter(entry, contacts, now)
    return entry


def can_be_replaced(appointment: Appointment, *, now: datetime) -> bool:
    """Whether waiting for an earlier time still makes sense: the visit is to come, no call is due, and mail arrives."""
    return (
        appointment.can_be_cancelled
        and appointment.starts_at > now
        and appointment.status != Status.PROPOSED
        and not appointment.waits_for_call
        and appointment.kept is None
        and bool(appointment.patient.email)
    )


def leave_waitlist(*, entry: WaitlistEntry, by: User | None, now: datetime) -> WaitlistEntry:
    """Staff or, with `by` None, the person take the entry off the list; what was offered is free again.

    Nothing happens to an entry that waits no longer. Staff's removal also ends the links in its mails.

    :raises Busy: if a lock was not to be had in time.
    """
    with taking.change():
        locked = _lock_entry(entry)
        if not locked.is_waiting:
            return locked
        if offer := _unanswered(locked):
            _close(offer, Offer.Answer.DECLINED)
        locked.removed_by = by
        locked.link_generation += 1 if by else 0
        _end(locked, State.REMOVED if by else State.LEFT, now)
    return locked


def take_offer(*, entry: WaitlistEntry, starts_at: datetime, now: datetime) -> Appointment:
    """The person takes the time that is offered: it is booked, and the visit it replaces is cancelled.

    Taking it again returns the same appointment.

    :raises OfferEnded: if this time is not offered to them any more.
    :raises TimeTaken: if it was let go in this very moment.
    :raises Busy: if a lock was not to be had in time.
    """
    with taking.change():
        locked = _lock_entry(entry)
        replaced = lock(locked.replaces) if locked.replaces else None
        change = lock_open_change(replaced) if replaced else None
        option = _option_at(locked, starts_at)
        if locked.booked and option and option.offer.answer == Offer.Answer.TAKEN:
            return locked.booked
        if option is None or option.offer.has_ended(now):
            raise OfferEnded
        taking.lock_resources(locked.visit_type, [option.practitioner], now=now)
        if not option.occupancies.exists():
            raise OfferEnded
        appointment = _book(locked, option, replaced, now)
        option.offer.answer = Offer.Answer.TAKEN
        option.offer.save(update_fields=["answer"])
        locked.booked = appointment
        _end(locked, State.BOOKED, now)
        if replaced and replaced.can_be_cancelled:
            was_booked = replaced.is_booked
            set_status(
                replaced,
                Status.CANCELLED,
                By(Actor.PATIENT, now),
                reason=f"replaced by {appointment.reference}",
            )
            notices.cancelled(replaced, was_booked=was_booked, now=now)
            take_back_change(change, now=now)
        notices.confirmed(appointment, now=now)
        notices_waitlist.tell_staff_of_booking(appointment, replaced=replaced, now=now)
    return appointment


def decline_offer(*, entry: WaitlistEntry, starts_at: datetime, now: datetime) -> WaitlistEntry:
    """The person does not want the time that is offered; they stay on the list, and the next one is asked.

    Declining it again does nothing.

    :raises OfferEnded: if this time is not offered to them any more.
    :raises Busy: if a lock was not to be had in time.
    """
    with taking.change():
        locked = _lock_entry(entry)
        option = _option_at(locked, starts_at)
        if option and option.offer.answer == Offer.Answer.DECLINED:
            return locked
        if option is None or option.offer.has_ended(now):
            raise OfferEnded
        _close(option.offer, Offer.Answer.DECLINED)
    return locked


def offer_released_time(*, now: datetime) -> int:
    """Offers what came free to whoever has waited longest for it, one time to a person; returns how many offers.

    First it ends the offers that nobody answered and the entries whose last day is over. Safe to run at any time,
    in any number of processes at once: what one of them offers was free when its own round began, so that nobody
    gets a time that came free after somebody before them was passed over. At night nothing is offered.

    :raises Busy: if a lock was not to be had in time; what was offered before stays offered.
    """
    _end_lapsed(now)
    if is_quiet(now):
        return 0
    _end_hopeless(now)
    rules = BookingRules.current()
    waiting = list(WaitlistEntry.objects.waiting().with_people().prefetch_related("offers__options"))
    free = {
        visit_type: _free(
            visit_type, [entry for entry in waiting if entry.visit_type == visit_type], rules, now
        )
        for visit_type in VisitType.objects.bookable().filter(
            pk__in={entry.visit_type_id for entry in waiting}
        )
    }
    made = 0
    for entry in waiting:
        found = free.get(entry.visit_type)
        wanted = _wanted(entry, found, now) if found else []
        made += bool(wanted) and _offer(entry, wanted, rules, now)
    return made


def is_quiet(now: datetime) -> bool:
    """Whether it is night at the clinic."""
    return not QUIET_TO <= times.local(now).hour < QUIET_FROM


def _new_entry(visit_type: VisitType, wishes: Wishes, key: UUID, now: datetime) -> WaitlistEntry:
    """Unsaved."""
    return WaitlistEntry(
        reference=f"WL-{get_random_string(6, REFERENCE_LETTERS)}",
        visit_type=visit_type,
        practitioner=wishes.practitioner,
        weekdays=sorted(wishes.weekdays),
        parts=list(wishes.parts),
        wanted_until=wishes.until,
        consented_at=now,
        joined_at=now,
        idempotency_key=key,
    )


def _refuse_needless(
    entry: WaitlistEntry, contacts: Sequence[Contact], now: datetime, hold: Hold | None = None
) -> None:
    found = _free(entry.visit_type, [entry], BookingRules.current(), now, but=hold)
    if free_now := _wanted(entry, found, now):
        raise TimeFree(free_now[:SHOWN])
    if WaitlistEntry.objects.waiting().filter(contacts__in=contacts, visit_type=entry.visit_type).exists():
        raise AlreadyWaiting


def _enter(entry: WaitlistEntry, contacts: Sequence[Contact], now: datetime) -> None:
    entry.save()
    entry.contacts.set(contacts)
    notices_waitlist.joined(entry, now=now)


def _free(
    visit_type: VisitType,
    entries: Sequence[WaitlistEntry],
    rules: BookingRules,
    now: datetime,
    but: Hold | None = None,
) -> openings.Openings:
    """What can be booked online until the last day on which any of them would come."""
    today = times.local_day(now)
    last_on = min(max(entry.wanted_until for entry in entries), today + rules.horizon)
    return queries.find_openings(visit_type, first_on=today, last_on=last_on, rules=rules, now=now, but=but)


def _wanted(entry: WaitlistEntry, found: openings.Openings, now: datetime) -> list[datetime]:
    """The starts that the person would take, soonest first; not on a day of which they refused a time before.

    Nobody is asked again and again about one free morning, a quarter of an hour later each time.
    """
    if entry.replaces and not can_be_replaced(entry.replaces, now=now):
        return []
    offers = entry.offers.all() if entry.pk else []
    if any(not offer.answer for offer in offers):
        return []
    refused = {times.local_day(option.starts_at) for offer in offers for option in offer.options.all()}
    starts = map(times.from_epoch, found.starts(entry.practitioner_id))
    return [
        start
        for start in starts
        if start >= now + SOONEST and entry.suits(start) and start.date() not in refused
    ]


def _offer(entry: WaitlistEntry, wanted: Sequence[datetime], rules: BookingRules, now: datetime) -> bool:
    """The first of these times that is still free, held for this person alone; False if none is."""
    try:
        with taking.change():
            locked = _lock_entry(entry)
            if not locked.is_waiting:
                return False
            taking.lock_resources(locked.visit_type, [locked.practitioner], now=now)
            found = _free(locked.visit_type, [locked], rules, now)
            still_free = set(_wanted(locked, found, now))
            for start in wanted:
                opening = found.at(int(start.timestamp()), locked.practitioner_id)
                if start in still_free and opening and opening.practitioner:
                    _make_offer(locked, taking.Taken(opening, locked.visit_type), rules, now)
                    return True
    except TimeTaken:
        return False
    return False


def _make_offer(entry: WaitlistEntry, taken: taking.Taken, rules: BookingRules, now: datetime) -> None:
    starts_at = taken.fields["starts_at"]
    ends = now + min(rules.waitlist_open_for, (starts_at - now) / SHARE)
    offer = Offer.objects.create(entry=entry, offered_at=now, expires_at=ends)
    option = OfferOption.objects.create(offer=offer, **taken.fields)
    taking.occupy(option, taken)
    notices_waitlist.time_offered(entry, option=option, now=now)


def _book(
    entry: WaitlistEntry, option: OfferOption, replaced: Appointment | None, now: datetime
) -> Appointment:
    """What was offered, as a booked visit; without health answers of their own, staff see that they are to be asked."""
    unasked = {screening.UNNAMED: "not_sure"}
    appointment = Appointment.objects.create(
        reference=new_reference(),
        status=Status.BOOKED,
        visit_type=entry.visit_type,
        anyone=entry.practitioner_id is None,
        patient=entry.patient,
        language=entry.language,
        new_patient=entry.new_patient,
        precautions=replaced.precautions if replaced else unasked,
        screening_version=entry.screening_version,
        note=replaced.note if replaced else "",
        consent_version=entry.consent_version,
        consented_at=entry.consented_at,
        requested_at=now,
        practitioner_id=option.practitioner_id,
        room_id=option.room_id,
        starts_at=option.starts_at,
        ends_at=option.ends_at,
    )
    appointment.contacts.set(entry.contacts.all())
    taking.hand_over(option, appointment)
    record(appointment, "", By(Actor.PATIENT, now), reason=f"waitlist {entry.reference}")
    return appointment


def _end_lapsed(now: datetime) -> None:
    """Ends the offers that nobody answered; each in a transaction of its own."""
    lapsed = WaitlistEntry.objects.waiting().filter(offers__answer="", offers__expires_at__lte=now)
    for entry in lapsed.distinct():
        with taking.change():
            locked = _lock_entry(entry)
            offer = _unanswered(locked)
            if offer and offer.has_ended(now):
                _close(offer, Offer.Answer.LAPSED)
                notices_waitlist.offer_ended(locked, option=offer.options.get(), now=now)


def _end_hopeless(now: datetime) -> None:
    """Ends the entries that no time can suit any more, unless one is offered just now."""
    is_over = Q(wanted_until__lt=times.local_day(now)) | Q(replaces__starts_at__lte=now)
    cannot_be_replaced = Q(replaces__isnull=False) & ~Q(replaces__status__in=_CANCELLABLE)
    hopeless = WaitlistEntry.objects.waiting().filter(is_over | cannot_be_replaced)
    for entry in hopeless:
        with taking.change():
            locked = _lock_entry(entry)
            if hopeless.filter(pk=locked.pk).exists() and _unanswered(locked) is None:
                _end(locked, State.ENDED, now)
                notices_waitlist.wait_ended(locked, now=now)


def _lock_entry(entry: WaitlistEntry) -> WaitlistEntry:
    """The entry's row, locked, as it is now.

    Nothing is joined: PostgreSQL reads joined rows as they were before it waited for the lock.
    """
    return WaitlistEntry.objects.select_for_update(no_key=True).get(pk=entry.pk)


def _unanswered(entry: WaitlistEntry) -> Offer | None:
    return entry.offers.filter(answer="").first()


def _option_at(entry: WaitlistEntry, starts_at: datetime) -> OfferOption | None:
    """What was offered for this start; it never comes twice to one person."""
    return (
        OfferOption.objects.select_related("offer", "practitioner")
        .filter(offer__entry=entry, starts_at=starts_at)
        .first()
    )


def _close(offer: Offer, answer: Offer.Answer) -> None:
    """The offer ends without a visit, and its time is free again."""
    offer.answer = answer
    offer.save(update_fields=["answer"])
    Occupancy.objects.filter(option__offer=offer).delete()


def _end(entry: WaitlistEntry, state: WaitlistEntry.State, now: datetime) -> None:
    entry.state, entry.ended_at = state, now
    entry.save(update_fields=["state", "ended_at", "removed_by", "link_generation", "booked"])
