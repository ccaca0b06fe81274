"""How long a sign-in at the desk lasts, and what counts as somebody sitting there.

Patients' sessions are not looked at: only pages of the desk ask.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

IDLE: Final = timedelta(minutes=30)
LONGEST: Final = timedelta(hours=12)
NOTED_EVERY: Final = timedelta(minutes=1)  # so that reading a list does not write the session for each page

_BEGAN, _ACTIVE = "desk_began", "desk_active"  # seconds since 1970
_MARK: Final = "is_no_activity"

View = TypeVar("View", bound=Callable[..., Any])


def no_activity(view: View) -> View:
    """Marks a view that a page asks by itself, such as a refresh: it does not keep a sign-in alive."""
    setattr(view, _MARK, True)
    return view


def is_activity(view: Callable[..., Any]) -> bool:
    return not getattr(view, _MARK, False)


@receiver(user_logged_in)
def begin(sender: Any, request: HttpRequest, **kwargs: Any) -> None:
    """Django has changed the session's key by now."""
    request.session[_BEGAN] = request.session[_ACTIVE] = timezone.now().timestamp()


def is_over(request: HttpRequest, *, now: datetime) -> bool:
    """Whether a signed-in session was idle or has lasted for too long."""
    began: float = request.session.get(_BEGAN, 0)
    active: float = request.session.get(_ACTIVE, 0)
    at = now.timestamp()
    return at - began > LONGEST.total_seconds() or at - active > IDLE.total_seconds()


def note_activity(request: HttpRequest, *, now: datetime) -> None:
    if now.timestamp() - request.session[_ACTIVE] > NOTED_EVERY.total_seconds():
        request.session[_ACTIVE] = now.timestamp()
