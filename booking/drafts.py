"""What the server's session keeps of one visitor, from the safety gate to their appointments, and for how long."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase

from booking import screening
from booking.models.courses import COURSE
from booking.screening import Gate

KEPT_FOR: Final = timedelta(hours=1)
REMEMBERED: Final = 20  # requests; whoever sends more in an hour has the mails

_GATE, _DRAFT, _SENT, _VISITOR = "safety_gate", "draft", "sent", "visitor"
_OPENED = "opened"

Answers = dict[str, Any]


def pass_gate(session: SessionBase, gate: Gate, *, call_back: bool = False) -> None:
    """Notes that no sign of this gate stops the way, and which version was asked.

    The emergency gate comes first: passing it begins anew. `call_back` says that the clinic calls before it confirms.
    """
    session[_GATE] = {"version": screening.VERSION, "passed": gate.name, "call_back": call_back}
    _end_with_the_hour(session)


def forget_gates(session: SessionBase) -> None:
    session.pop(_GATE, None)


def has_passed(session: SessionBase, gate: Gate) -> bool:
    """Whether this gate is passed, in the version that is asked now; whoever passed the urgent one passed both."""
    noted = session.get(_GATE, {})
    names = [each.name for each in screening.GATES]
    return noted.get("version") == screening.VERSION and names.index(gate.name) <= names.index(
        noted["passed"]
    )


def needs_call_back(session: SessionBase) -> bool:
    """Whether the clinic calls before it confirms what is asked for on this way."""
    return bool(session.get(_GATE, {}).get("call_back"))


def visitor(session: SessionBase) -> UUID | None:
    """The number under which this session holds a time, if it ever held one."""
    number = session.get(_VISITOR)
    return UUID(number) if number else None


def new_visitor(session: SessionBase) -> UUID:
    """The same, given where there is none yet."""
    number: str = session.setdefault(_VISITOR, str(uuid4()))
    _end_with_the_hour(session)
    return UUID(number)


def keep(session: SessionBase, typed: Answers, *, now: datetime) -> None:
    """Keeps what was typed, beside what was typed on other pages, until it is sent or the hour is over."""
    kept = (answers(session, now=now) or {}) | typed
    session[_DRAFT] = {
        "id": str(uuid4()),
        "version": screening.VERSION,
        "answers": kept,
        "until": (now + KEPT_FOR).timestamp(),
    }
    _end_with_the_hour(session)


def answers(session: SessionBase, *, now: datetime) -> Answers | None:
    """What was typed, or None; what is past its hour, or answers older questions, is erased here and now."""
    draft = session.get(_DRAFT)
    if draft is None:
        return None
    if now.timestamp() >= draft["until"] or draft.get("version") != screening.VERSION:
        erase(session)
        return None
    kept: Answers = draft["answers"]
    return kept


def kept_at(session: SessionBase) -> datetime:
    """When what is kept was typed. The draft must exist."""
    return datetime.fromtimestamp(session[_DRAFT]["until"], tz=UTC) - KEPT_FOR


def erase(session: SessionBase) -> None:
    session.pop(_DRAFT, None)


def key_of(session: SessionBase, asked_for: str) -> UUID:
    """The idempotency key of what is kept together with what is asked for.

    It changes when either does, so that the page which was checked is the one that is sent. The draft must exist.
    """
    draft = session[_DRAFT]
    return uuid5(UUID(draft["id"]), asked_for + json.dumps(draft["answers"], sort_keys=True))


def note_sent(session: SessionBase, *, key: UUID, reference: str) -> None:
    """Erases what was typed and remembers the request that it became."""
    erase(session)
    sent = session.get(_SENT, {}) | {str(key): reference}
    session[_SENT] = dict(list(sent.items())[-REMEMBERED:])
    note_opened(session, reference=reference, generation=1)


def sent_with(session: SessionBase, key: str) -> str | None:
    """The reference of the request that was sent with this key from this session."""
    reference: str | None = session.get(_SENT, {}).get(key)
    return reference


def note_opened(session: SessionBase, *, reference: str, generation: int) -> None:
    """Lets this session see this one appointment, until its link has another generation."""
    opened = session.get(_OPENED, {})
    opened.pop(reference, None)
    session[_OPENED] = dict(list((opened | {reference: generation}).items())[-REMEMBERED:])
    _end_with_the_hour(session)


def generation_opened(session: SessionBase, reference: str) -> int | None:
    """The generation of the link by which this session came to the appointment, if it did."""
    generation: int | None = session.get(_OPENED, {}).get(reference)
    return generation


def courses_opened(session: SessionBase) -> dict[str, int]:
    """The courses that this session came to, each with the generation of its link."""
    return {
        reference: generation
        for reference, generation in session.get(_OPENED, {}).items()
        if reference.startswith(COURSE)
    }


def references_opened(session: SessionBase) -> list[str]:
    """All that this session may have a link to; whether a link still holds is asked when it is followed."""
    return list(session.get(_OPENED, {}))


def _end_with_the_hour(session: SessionBase) -> None:
    """Staff who are signed in keep their own session's length."""
    if SESSION_KEY not in session:
        session.set_expiry(int(KEPT_FOR.total_seconds()))
