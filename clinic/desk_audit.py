"""What the desk writes down of each page that names a patient, and which records it opens only for a reason."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from booking import records
from booking.models import Appointment, Course, Patient, WaitlistEntry
from clinic import audit
from clinic.choices import is_key
from clinic.models import Act, QueuedMail

# Whose rows a page of the desk shows, by the column that names the patient or, in mail, what it is about.
COLUMNS: Final[dict[type[Model], str]] = {
    Patient: "id",
    Appointment: "patient_id",
    Course: "patient_id",
    WaitlistEntry: "patient_id",
    QueuedMail: "about",
}
# The pages that are a record. Those of an act, such as moving a visit, say by themselves what they are opened for.
RECORDS: Final = ("change", "history", "rights")
WRITE_THEIR_OWN: Final = ("reason", "erase")


@dataclass(frozen=True, slots=True)
class Page:
    """An address of the desk that is about such rows: `booking_appointment_cancel` of one, or their list."""

    model: type[Model]
    name: str
    key: str

    @classmethod
    def of(cls, request: HttpRequest) -> "Page | None":
        match = request.resolver_match
        for model in COLUMNS:
            prefix = f"{model._meta.app_label}_{model._meta.model_name}_"  # noqa: SLF001 (as Django's admin reads it)
            if match and match.url_name and match.url_name.startswith(prefix):
                key = str(match.kwargs.get("object_id", match.kwargs.get("pk", "")))
                return cls(model, match.url_name.removeprefix(prefix), key if is_key(key) else "")
        return None

    @property
    def kind(self) -> str:
        kind = str(self.model._meta.model_name)  # noqa: SLF001
        return kind if self.name in ("change", "changelist") else f"{kind} {self.name}"

    @property
    def is_record(self) -> bool:
        return self.name in RECORDS and self.model is not QueuedMail

    def row(self) -> dict[str, Any]:
        """The columns of its one row as they are now; none if there is no such row."""
        rows = self.model._base_manager.filter(pk=self.key).values() if self.key else []  # noqa: SLF001
        return next(iter(rows), {})

    def people(self, named: Iterable[Any]) -> list[int]:
        """The patients behind the values of the column."""
        return records.people_about(named) if self.model is QueuedMail else list(named)


def audited(
    view: Callable[..., HttpResponse], request: HttpRequest, *args: Any, **kwargs: Any
) -> HttpResponse:
    """Answers as the view does, with one row in the trail if that showed or changed something of a patient.

    Whoever opens one record that has nothing to do with today is asked for the reason, once in a session. The row is
    written before anything is sent, so that nothing is seen that was not written down.
    """
    page, by, now = Page.of(request), cast("User", request.user), timezone.now()
    before = page.row() if page else {}
    column = COLUMNS[page.model] if page else ""
    people = page.people([before[column]]) if page and before else []
    try:
        response = view(request, *args, **kwargs)
    except (PermissionDenied, Http404) as refusal:
        if isinstance(refusal, Http404) and not before:
            raise  # there is no such row
        key = page.key if page else ""
        audit.record(by=by, act=Act.DENIED, kind=_kind(page, request), subject=key, people=people, now=now)
        raise
    if shown := _shown(page, response):
        audit.record(by=by, act=shown.act, kind=_kind(page, request), people=shown.people, now=now)
    if page is None or not page.key or page.name in WRITE_THEIR_OWN:
        return response
    after = page.row() if request.method == "POST" else before
    changed = [name for name, value in before.items() if after.get(name) != value]
    done = Act.CHANGE if changed else _act(page, request, response)
    if done is None or not before:
        return response
    reason = audit.reason_given(request.session, people[0]) if people else ""
    if reason is None and done == Act.CHANGE:
        audit.remember_reason(request.session, people[0], "")
    elif (
        reason is None
        and page.is_record
        and request.method != "POST"
        and not records.is_at_hand(people[0], now=now)
    ):
        asks = reverse("admin:booking_patient_reason", args=people)
        return HttpResponseRedirect(f"{asks}?{urlencode({'next': request.get_full_path()})}")
    audit.record(
        by=by,
        act=done,
        kind=page.kind,
        subject=page.key,
        people=people,
        fields=changed,
        reason=reason or "",
        now=now,
    )
    return response


def _kind(page: Page | None, request: HttpRequest) -> str:
    """What the page is about; the name of its address, if that is about no row of a patient."""
    match = request.resolver_match
    name = (match and match.url_name) or "desk"
    return page.kind if page else "today" if name == "index" else name


def _shown(page: Page | None, response: HttpResponse) -> audit.Shown | None:
    """Whom a page shows that is not about one row: as it says itself, or those in the admin's list."""
    context: dict[str, Any] = getattr(response, "context_data", None) or {}
    if page and not page.key and (listed := context.get("cl")):
        named = [getattr(row, COLUMNS[page.model]) for row in listed.result_list]
        return audit.Shown(Act.SEARCH if listed.query else Act.LIST, page.people(named))
    return context.get("audit")


def _act(page: Page, request: HttpRequest, response: HttpResponse) -> Act | None:
    """What was done to the one row; a form that is refused shows it again."""
    if page.name == "export":
        return Act.EXPORT if response.status_code == 200 else None  # noqa: PLR2004 (HTTP)
    if request.method == "POST" and response.status_code == 302:  # noqa: PLR2004 (HTTP)
        # Whatever changed the row itself is known by now; these change rows that belong to it.
        return Act.CHANGE if page.model is Course or page.name == "care_plan" else None
    return Act.VIEW if response.status_code == 200 else None  # noqa: PLR2004 (HTTP)
