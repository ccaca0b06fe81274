"""Takes away who somebody was, when they ask for it or when the time for which records are kept is over."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from booking import records, times
from booking.models import (
    Appointment,
    AppointmentQuerySet,
    CheckIn,
    Course,
    Patient,
    Status,
    StatusChange,
    WaitlistEntry,
)
from booking.operations import taking
from booking.operations.errors import NotOver
from clinic import audit, mail
from clinic.models import Act

REQUESTS_KEPT: Final = timedelta(
    days=90
)  # requests that never became a visit, after the last that happened to them
MAIL_TEXTS_KEPT: Final = timedelta(
    days=30
)  # what messages said; that they were sent, when and to whom stays longer

_OF_A_PERSON: Final = ("name", "email", "phone", "date_of_birth", "marketing_consented_at")
_OF_HEALTH: Final = ("note", "precautions")


@dataclass(frozen=True, slots=True)
class Outdated:
    """How many people, requests of others and messages were past their time."""

    people: int
    requests: int
    mails: int


def erase_patient(*, patient: Patient, by: User | None, now: datetime) -> date | None:
    """Takes away everything that tells who this person was; with `by` None, because the time is over.

    When visits were, what became of them and who saw it stays, of nobody in particular. Of a record that must still be
    kept, only what is no part of it is erased, and the day until which it is kept is returned.

    :raises NotOver: if something of theirs is still to come or unanswered.
    :raises Busy: if a lock was not to be had in time.
    """
    with taking.change():
        # Unlike other locks FOR UPDATE: a visit that is booked for them at this moment refers to this row.
        locked = Patient.objects.select_for_update().get(pk=patient.pk)
        if left := records.not_over(locked, now=now):
            raise NotOver(left)
        until = records.kept_until(locked)
        is_kept = until is not None and until > times.local_day(now)
        people = records.same_person(locked)
        erase = _erase_what_is_no_record if is_kept else _erase_everything
        [fields, *_] = [erase(one, now) for one in people]
        audit.record(
            by=by,
            act=Act.ERASE,
            kind="patient",
            subject=locked.pk,
            people=[one.pk for one in people],
            fields=fields,
            now=now,
        )
    return until if is_kept else None


def erase_outdated(*, now: datetime) -> Outdated:
    """Erases whatever is past its time; safe to run at any time, in any number of processes at once.

    :raises Busy: if a lock was not to be had in time; what was erased before stays erased.
    """
    people = sum(_erase_outdated(patient, now) for patient in _past_their_time(now))
    with taking.change():
        requests = list(_unconfirmed(now).values_list("pk", "patient"))
        if requests:
            Appointment.objects.filter(pk__in=[pk for pk, _ in requests]).update(note="", precautions={})
            concerned = [patient for _, patient in requests]
            audit.record(
                by=None, act=Act.ERASE, kind="appointment", people=concerned, fields=_OF_HEALTH, now=now
            )
    with taking.change():
        abouts = mail.erase_texts(written_before=now - MAIL_TEXTS_KEPT, now=now)
        if abouts:
            concerned = records.people_about(abouts)
            audit.record(
                by=None, act=Act.ERASE, kind="queuedmail", people=concerned, fields=mail.TEXTS, now=now
            )
    return Outdated(people, len(requests), len(abouts))


def _erase_everything(patient: Patient, now: datetime) -> list[str]:
    """Also what other tables hold of the name, and every link that was sent; returns the names of the fields."""
    visits = Appointment.objects.filter(patient=patient)
    entries = WaitlistEntry.objects.filter(patient=patient)
    mail.erase(about=records.references_of(patient), now=now)
    visits.update(note="", precautions={}, link_generation=F("link_generation") + 1)
    entries.update(link_generation=F("link_generation") + 1)
    Course.objects.filter(patient=patient).update(link_generation=F("link_generation") + 1)
    Appointment.contacts.through.objects.filter(appointment__in=visits).delete()
    WaitlistEntry.contacts.through.objects.filter(waitlistentry__in=entries).delete()
    CheckIn.objects.filter(appointment__in=visits).delete()
    LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Patient), object_id=str(patient.pk)
    ).update(object_repr="")
    patient.name = patient.email = patient.phone = ""
    patient.date_of_birth = patient.marketing_consented_at = None
    patient.save(update_fields=_OF_A_PERSON)
    return [*_OF_A_PERSON, *_OF_HEALTH, "check_in", *mail.TEXTS]


def _erase_what_is_no_record(patient: Patient, now: datetime) -> list[str]:
    """Requests that never became a visit, what messages said, and the wish to be sent articles."""
    _never_confirmed().filter(patient=patient).update(note="", precautions={})
    mail.erase_texts(written_before=now, about=records.references_of(patient), now=now)
    patient.marketing_consented_at = None
    patient.save(update_fields=["marketing_consented_at"])
    return ["marketing_consented_at", *_OF_HEALTH, *mail.TEXTS]


def _erase_outdated(patient: Patient, now: datetime) -> bool:
    until = records.kept_until(patient)
    if until and until > times.local_day(now):
        return False
    try:
        erase_patient(patient=patient, by=None, now=now)
    except NotOver:
        return False
    return True


def _past_their_time(now: datetime) -> QuerySet[Patient]:
    """Who has had no confirmed visit in all these years, and nothing else lately; their age is not asked for here.

    Records that were merged go with the one that they were merged into.
    """
    lately, this_patient = now - REQUESTS_KEPT, OuterRef("pk")
    years_ago = records.years_after(times.local_day(now), -records.YEARS_KEPT)
    in_these_years = times.midnight(years_ago)
    reasons_to_keep = [
        Appointment.objects.filter(
            patient=this_patient,
            ends_at__gte=in_these_years,
            changes__to_status__in=records.TOOK_PLACE_OR_WAS_TO,
        ),
        StatusChange.objects.filter(appointment__patient=this_patient, at__gte=lately),
        WaitlistEntry.objects.filter(Q(ended_at=None) | Q(ended_at__gte=lately), patient=this_patient),
        Course.objects.filter(patient=this_patient, created_at__gte=lately),
    ]
    candidates = Patient.objects.current().exclude(name="").filter(created_at__lt=lately)
    for reason in reasons_to_keep:
        candidates = candidates.exclude(Exists(reason))
    return candidates.order_by("pk")


def _unconfirmed(now: datetime) -> AppointmentQuerySet:
    """Requests that ended long ago without a visit, of people whose record stays."""
    lately = StatusChange.objects.filter(appointment=OuterRef("pk"), at__gte=now - REQUESTS_KEPT)
    return _never_confirmed().exclude(Exists(lately)).exclude(note="", precautions={})


def _never_confirmed() -> AppointmentQuerySet:
    confirmed = StatusChange.objects.filter(
        appointment=OuterRef("pk"), to_status__in=records.TOOK_PLACE_OR_WAS_TO
    )
    ended = Appointment.objects.filter(status__in=[Status.DECLINED, Status.EXPIRED, Status.CANCELLED])
    return ended.exclude(Exists(confirmed)).order_by("pk")
