"""What the server's session keeps of one visitor, from the safety gate to their appointments, and for how long."""

import json
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase

from booking import screening

KEPT_FOR: Final = timedelta(hours=1)
REMEMBERED: Final = 20  # requests; whoever sends more in an hour has the mails

_GATE, _DRAFT, _SENT, _VISITOR = "safety_gate", "draft", "sent", "visitor"
_OPENED = "opened"

Answers = dict[str, Any]


def pass_gate(session: SessionBase) -> None:
    """Notes that none of the emergency signs applied, and which version of them was asked."""
    session[_GATE] = {"version": screening.VERSION}
    _end_with_the_hour(session)


def forget_gate(session: SessionBase) -> None:
    session.pop(_GATE, None)


def has_passed_gate(session: SessionBase) -> bool:
    return bool(session.get(_GATE) == {"version": screening.VERSION})


def visitor(session: SessionBase) -> UUID | None:
    """The number under which this session holds a time, if it ever held one."""
    number = session.get(_VISITOR)
    return UUID(number) if number else None


def new_visitor(session: SessionBase) -> UUID:
    """The same, given where there is none yet."""
    number: str = session.setdefault(_VISITOR, str(uuid4()))
    _end_with_the_hour(session)
    return UUID(number)


def keep(session: SessionBase, answers: Answers, *, now: datetime) -> None:
    """Keeps what was typed until it is sent or the hour is over."""
    session[_DRAFT] = {"id": str(uuid4()), "answers": answers, "until": (now + KEPT_FOR).timestamp()}
    _end_with_the_hour(session)


def answers(session: SessionBase, *, now: datetime) -> Answers | None:
    """What was typed, or None; what is past its hour is erased here and now."""
    draft = session.get(_DRAFT)
    if draft is None:
        return None
    if now.timestamp() >= draft["until"]:
        erase(session)
        return None
    kept: Answers = draft["answers"]
    return kept


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


def _end_with_the_hour(session: SessionBase) -> None:
    """Staff who are signed in keep their own session's length."""
    if SESSION_KEY not in session:
        session.set_expiry(int(KEPT_FOR.total_seconds()))
