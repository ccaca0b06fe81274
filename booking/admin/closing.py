"""What staff decide about the visits that a closure or changed hours hit: all shown first, then done one by one."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID, uuid4, uuid5

from django.contrib.admin import ModelAdmin
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from booking import displaced, times
from booking.admin.decisions import DECIDE
from booking.admin.picks import read_pick, write_pick
from booking.admin.seen import EVERY_PATIENT
from booking.models import Appointment, Closure, DeclineReason, Hold, OfferNote, Resource
from booking.operations import (
    AlreadyDecided,
    Busy,
    CallBackFirst,
    OfferedTime,
    TimeTaken,
    cancel_appointment,
    decline_appointment,
    keep_appointment,
    move_appointment,
    offer_other_times,
    release_holds,
)
from clinic import audit
from clinic.models import Act

MOST_AT_ONCE: Final = 60  # visits on one page; the next ones are shown when these are done
CONFIRMED: Final = (
    "_confirmed"  # the button that does it; names with a low line before them are the page's own
)
SET_ALL: Final = "_all"
_OF_THE_PAGE: Final = re.compile(r"_confirmed|_all|_key|csrfmiddlewaretoken|(?:choice|version|hold)-\d+")
_CHOICE: Final = re.compile(r"(choice|hold)-(\d{1,18})")
_PLACES: Final = re.compile("<!-- (?:lines|finished) -->")  # for what is not known when the page begins


@dataclass(frozen=True, slots=True)
class Remedy:
    """One thing to do with a visit; `value` is what the form sends: the act, then the times that it needs."""

    value: str
    says: str

    @property
    def act(self) -> str:
        return self.value.partition(" ")[0]


@dataclass(frozen=True, slots=True)
class Line:
    appointment: Appointment
    choices: list[Remedy]
    chosen: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What the form says of one visit, as staff saw it in `version`."""

    pk: int
    value: str
    version: int


def ask_about(
    desk: "ModelAdmin[Any]",
    request: HttpRequest,
    hits: displaced.Hits,
    *,
    title: str,
    what: str,
    back: str,
    closures: Sequence[Closure] = (),
) -> TemplateResponse:
    """The page that shows all that is hit before anything is changed; what was typed on the page before goes along.

    Everything is read here, so that a change that was only tried can be taken back before the page is written.
    """
    now = timezone.now()
    may_decide = request.user.has_perms([DECIDE, EVERY_PATIENT])
    all_to = request.POST.get(SET_ALL, "")
    context = desk.admin_site.each_context(request) | {
        "title": title,
        "opts": desk.opts,
        "what": what,
        "back": back,
        "may_decide": may_decide,
        "lines": _lines(hits.appointments[:MOST_AT_ONCE], closures, all_to=all_to, now=now),
        "more": max(len(hits.appointments) - MOST_AT_ONCE, 0),
        "holds": hits.holds,
        "offered": hits.offered,
        "typed": [
            (name, value)
            for name, values in request.POST.lists()
            for value in values
            if not _OF_THE_PAGE.fullmatch(name)
        ],
        "key": uuid4(),
        "audit": audit.Shown(Act.LIST, [one.patient_id for one in hits.appointments[:MOST_AT_ONCE]]),
    }
    return TemplateResponse(request, "admin/booking/closure/hit.html", context)


def decide(
    desk: "ModelAdmin[Any]", request: HttpRequest, *, title: str, reason: DeclineReason
) -> HttpResponse:
    """Does what was chosen, visit by visit, each in a transaction of its own, and tells of each as it is done.

    Whatever stops it, the visits so far are done and the others as they were; the same form again goes on where it
    stopped.
    """
    may_decide = request.user.has_perms([DECIDE, EVERY_PATIENT])
    decisions = _decisions(request.POST) if may_decide else []
    holds = _holds_to_free(request.POST) if may_decide else []
    try:
        key = UUID(request.POST.get("_key", ""))
    except ValueError:
        key = uuid4()
    context = desk.admin_site.each_context(request) | {
        "title": title,
        "opts": desk.opts,
        "count": len(decisions),
    }
    page = render_to_string("admin/booking/closure/working.html", context, request)
    before, between, after = _PLACES.split(page)
    by = cast("User", request.user)  # admin_view lets nobody else in

    def written() -> Iterator[str]:
        yield before
        if holds:
            with suppress(Busy):  # they run out by themselves within minutes
                release_holds(holds=Hold.objects.filter(pk__in=holds))
        for line in _carried_out(decisions, by=by, key=key, reason=reason):
            yield render_to_string("admin/booking/closure/done.html", line)
        yield between
        left = displaced.to_decide(now=timezone.now()).appointments
        yield render_to_string(
            "admin/booking/closure/finished.html", {"left": len(left), "may_decide": may_decide}
        )
        yield after

    # The admin's hooks are typed for whole responses, and hand on whatever they are given.
    return cast("HttpResponse", StreamingHttpResponse(written()))


def why(resource: Resource | None) -> DeclineReason:
    """What the patient reads of a closure or of changed hours."""
    is_person = resource is not None and resource.kind == Resource.Kind.PRACTITIONER
    return DeclineReason.AWAY if is_person else DeclineReason.TIME_GONE


def in_words(closure: Closure) -> str:
    """Whom it is about, from when to when."""
    return _("%(what)s: closed from %(begin)s to %(end)s.") % {
        "what": closure,
        "begin": times.moment(closure.starts_at),
        "end": times.moment(closure.ends_at),
    }


def _lines(
    appointments: Sequence[Appointment], closures: Sequence[Closure], *, all_to: str, now: datetime
) -> list[Line]:
    to_come = [one for one in appointments if one.can_be_moved and one.starts_at > now]
    found = displaced.other_times(to_come, closures=closures, now=now)
    return [
        Line(one, choices, _chosen(choices, all_to, is_to_come=one.starts_at > now))
        for one in appointments
        for choices in [_choices(one, found.get(one.pk, []))]
    ]


def _choices(appointment: Appointment, other_times: Sequence[OfferedTime]) -> list[Remedy]:
    choices = [Remedy("keep", _("Keep it: somebody is there for it"))]
    if other_times and appointment.is_pending and not appointment.waits_for_call:
        offered = " ".join(write_pick(time.starts_at, time.practitioner) for time in other_times)
        says = "; ".join(_in_words(time, appointment) for time in other_times)
        choices.append(Remedy(f"offer {offered}", _("Offer other times: %(times)s") % {"times": says}))
    else:
        choices += [
            Remedy(
                f"move {write_pick(time.starts_at, time.practitioner)}",
                _("Move it: %(time)s") % {"time": _in_words(time, appointment)},
            )
            for time in other_times
        ]
    if appointment.can_be_cancelled:
        choices.append(
            Remedy("cancel", _("Decline it") if appointment.is_pending else _("Cancel it, with our apology"))
        )
    return choices


def _chosen(choices: Sequence[Remedy], all_to: str, *, is_to_come: bool) -> str:
    """The value that is chosen at first: another time where there is one, unless staff set all to something else."""
    wanted = {"keep": ["keep"], "cancel": ["cancel"]}.get(all_to)
    if wanted is None:
        wanted = ["move", "offer", "cancel"] if is_to_come else []
    values = [choice.value for act in wanted for choice in choices if choice.act == act]
    return next(iter(values), "keep")


def _in_words(time: OfferedTime, appointment: Appointment) -> str:
    """The practitioner is named where it would be another one."""
    when = times.moment(time.starts_at)
    return when if time.practitioner == appointment.practitioner else f"{when}, {time.practitioner}"


def _decisions(posted: QueryDict) -> list[Decision]:
    found = []
    for name in posted:
        match = _CHOICE.fullmatch(name)
        if match and match[1] == "choice":
            version = posted.get(f"version-{match[2]}", "")
            known = version.isascii() and version.isdecimal() and len(version) < 10  # noqa: PLR2004 (fits a column)
            found.append(Decision(int(match[2]), posted.get(name, ""), int(version) if known else 0))
    return found[:MOST_AT_ONCE]


def _holds_to_free(posted: QueryDict) -> list[int]:
    matches = [_CHOICE.fullmatch(name) for name in posted if posted[name] == "free"]
    return [int(match[2]) for match in matches if match and match[1] == "hold"][:MOST_AT_ONCE]


def _carried_out(
    decisions: Sequence[Decision], *, by: User, key: UUID, reason: DeclineReason
) -> Iterator[dict[str, Any]]:
    """What became of each visit, as the template of a line takes it."""
    appointments = Appointment.objects.with_people().in_bulk([decision.pk for decision in decisions])
    practitioners = {person.slug: person for person in Resource.objects.practitioners().active()}
    known = [decision for decision in decisions if decision.pk in appointments]
    for number, decision in enumerate(known, start=1):
        appointment = appointments[decision.pk]
        try:
            done = _carry_out(decision, appointment, practitioners, by=by, key=key, reason=reason)
            says, is_done = _became(done, decision), True
        except AlreadyDecided as error:
            says = _("It has changed since you looked: it is now %(status)s. Nothing was done.") % {
                "status": error.appointment.get_status_display()
            }
            is_done = False
        except TimeTaken:
            says, is_done = _("The other time has just been taken. Nothing was done."), False
        except CallBackFirst:
            says, is_done = _("Call the patient first. Nothing was done."), False
        except Busy:
            says, is_done = _("The books were busy for a moment. Nothing was done."), False
        except ValueError:
            says, is_done = _("Nothing that can be done was chosen. Nothing was done."), False
        if is_done:
            with suppress(Busy):  # it is done, and its history says by whom
                audit.record(
                    by=by,
                    act=Act.CHANGE,
                    kind="appointment",
                    subject=appointment.pk,
                    people=[appointment.patient_id],
                    now=timezone.now(),
                )
        yield {
            "number": number,
            "count": len(known),
            "appointment": appointment,
            "says": says,
            "is_done": is_done,
            "must_call": is_done and decision.value != "keep" and not appointment.patient.email,
        }


def _carry_out(
    decision: Decision,
    appointment: Appointment,
    practitioners: dict[str, Resource],
    *,
    by: User,
    key: UUID,
    reason: DeclineReason,
) -> Appointment:
    """:raises ValueError: if the form names no act, or a time that cannot be read."""
    act, _space, written = decision.value.partition(" ")
    facts: dict[str, Any] = {
        "appointment": appointment,
        "version": decision.version,
        "by": by,
        "now": timezone.now(),
    }
    keyed = facts | {"idempotency_key": uuid5(key, f"{decision.pk} {decision.value}")}
    if act in {"move", "offer"}:
        offered = [read_pick(text, practitioners) for text in written.split(" ")]
        if act == "offer":
            note = OfferNote.AWAY if reason == DeclineReason.AWAY else OfferNote.SORRY
            return _offer(offered=offered, note=note, **keyed)
        [to] = offered
        return move_appointment(starts_at=to.starts_at, practitioner=to.practitioner, **keyed)
    if decision.value == "keep":
        return keep_appointment(**keyed)
    if decision.value != "cancel":
        raise ValueError(decision.value)
    if appointment.is_pending:
        return decline_appointment(**facts, reason=reason)
    return cancel_appointment(**keyed, reason=reason)


def _offer(*, appointment: Appointment, **facts: Any) -> Appointment:
    offer_other_times(appointment=appointment, **facts)
    return appointment


def _became(done: Appointment, decision: Decision) -> str:
    act = decision.value.partition(" ")[0]
    if act == "keep":
        return _("kept")
    if act == "move":
        return _("moved to %(when)s, %(practitioner)s") % {
            "when": times.moment(done.starts_at),
            "practitioner": done.practitioner,
        }
    return _("other times offered") if act == "offer" else done.get_status_display()
