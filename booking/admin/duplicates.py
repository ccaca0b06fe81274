"""Records that may be of one person: who stands twice, both side by side, and the act that a person decides on."""

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from booking.admin.people import SHOWN, people_like
from booking.admin.record import Record, record_of
from booking.models import Patient, PatientMerge
from booking.operations import MergedAlready, merge_patients, undo_merge
from clinic import audit
from clinic.choices import is_key
from clinic.models import Act

MERGE: Final = "booking.merge_patient"
LISTED: Final = 100  # pairs; who has worked these off sees the next ones

SAME_EMAIL: Final = gettext_lazy("same e-mail")
SAME_PHONE: Final = gettext_lazy("same phone")
SAME_BIRTHDAY: Final = gettext_lazy("same name and date of birth")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records, the older one first, and what they have in common.

    Without the same name they are more often a family than one person.
    """

    one: Patient
    other: Patient
    reasons: list[Promise]
    is_same_name: bool


def likely_duplicates(patients: Iterable[Patient]) -> list[Pair]:
    """Pairs with the same e-mail, phone, or name and date of birth; those of the same name first, newest first.

    Of many different people at one address, each stands beside the oldest only.
    """
    groups: dict[tuple[Promise, Hashable], dict[str, list[Patient]]] = defaultdict(lambda: defaultdict(list))
    for patient in sorted(patients, key=lambda patient: patient.pk):
        for mark in _marks(patient):
            groups[mark][_plain(patient.name)].append(patient)
    pairs: dict[tuple[int, int], Pair] = {}
    for (reason, _value), by_name in groups.items():
        (oldest, *_), *others = by_name.values()
        same = [(one, other) for one, *rest in by_name.values() for other in rest]
        for one, other in [*same, *((oldest, other) for other, *_ in others)]:
            pair = pairs.setdefault((one.pk, other.pk), Pair(one, other, [], _is_same_name(one, other)))
            if reason not in pair.reasons:
                pair.reasons.append(reason)
    return sorted(pairs.values(), key=lambda pair: (not pair.is_same_name, -pair.other.pk))


def _marks(patient: Patient) -> Iterator[tuple[Promise, Hashable]]:
    """What somebody else may have too, as it is compared."""
    if patient.email:
        yield SAME_EMAIL, patient.email.lower()
    if digits := _digits(patient.phone):
        yield SAME_PHONE, digits
    if patient.date_of_birth:
        yield SAME_BIRTHDAY, (_plain(patient.name), patient.date_of_birth)


def _digits(phone: str) -> str:
    return re.sub(r"\D", "", phone)[-10:]


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


def _is_same_name(one: Patient, other: Patient) -> bool:
    """And not born on different days: a father may have given his name to his son."""
    born = {each.date_of_birth for each in (one, other) if each.date_of_birth}
    return _plain(one.name) == _plain(other.name) and len(born) < 2  # noqa: PLR2004 (two birthdays)


def perhaps_the_same(patient: Patient, patients: QuerySet[Patient]) -> list[Patient]:
    """Others with this name or e-mail, as the patient's own page points them out."""
    same = Q(pk=None)
    for name in ("name", "email"):
        if has := getattr(patient, name):
            same |= Q(**{f"{name}__iexact": has})
    return list(patients.filter(same).exclude(pk=patient.pk).order_by("pk")[:SHOWN])


class MergeForm(forms.Form):
    """Which of the two is kept."""

    keep = forms.TypedChoiceField(
        coerce=int, error_messages={"required": gettext_lazy("Choose which of the two is kept.")}
    )

    def __init__(self, data: Any, *, people: list[Patient]) -> None:
        super().__init__(data)
        field = self.fields["keep"]
        assert isinstance(field, forms.TypedChoiceField)  # noqa: S101 (for the type)
        field.choices = [(person.pk, person.name) for person in people]


class DuplicatesAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Adds to a patient's addresses those where two records are compared, merged and parted again."""

    def get_urls(self) -> list[URLResolver | URLPattern]:  # type: ignore[override]
        wrap = self.admin_site.admin_view
        return [
            path("duplicates/", wrap(require_safe(self.duplicates)), name="booking_patient_duplicates"),
            path("merge/", wrap(self.merge), name="booking_patient_merge"),
            path("merge/<int:pk>/undo/", wrap(require_POST(self.undo)), name="booking_patientmerge_undo"),
            *super().get_urls(),
        ]

    def may_merge(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MERGE) and self.has_view_permission(request)

    def duplicates(self, request: HttpRequest) -> HttpResponse:
        self._may_merge(request)
        pairs = likely_duplicates(self.get_queryset(request))
        same = [pair for pair in pairs if pair.is_same_name][:LISTED]
        families = [pair for pair in pairs if not pair.is_same_name][:LISTED]
        named = {person.pk for pair in same + families for person in (pair.one, pair.other)}
        context = {
            "title": _("Who may stand twice"),
            "same": same,
            "families": families,
            "audit": audit.Shown(Act.LIST, named),
        }
        return self._page(request, "duplicates", context)

    def merge(self, request: HttpRequest) -> HttpResponse:
        """Both side by side, as the address names them; with only one, the other is looked for first."""
        self._may_merge(request)
        people = self._named(request)
        if len(people) < 2:  # noqa: PLR2004 (a pair)
            return self._look_for_other(request, people)
        form = MergeForm(request.POST if request.method == "POST" else None, people=people)
        if form.is_valid():
            return self._merge(request, people, keep=form.cleaned_data["keep"])
        now = timezone.now()
        context = {
            "title": _("Are these one person?"),
            "form": form,
            "sides": [self._side(request, person, now) for person in people],
            "differ": _differing(*people),
            "kept": _usually_kept(people),
            "audit": audit.Shown(Act.VIEW, [person.pk for person in people]),
        }
        return self._page(request, "merge", context)

    def undo(self, request: HttpRequest, pk: int) -> HttpResponse:
        self._may_merge(request)
        visible = self.get_queryset(request)
        there = get_object_or_404(PatientMerge.objects.select_related("kept", "merged"), pk=pk)
        if not visible.filter(pk=there.kept_id).exists():
            return self._merged_already(request)
        try:
            undone = undo_merge(merge=there, by=cast("User", request.user), now=timezone.now())
        except MergedAlready:
            return self._merged_already(request)
        self._note(request, "patientmerge undo", [undone.kept, undone.merged])
        says = _("They are two again: %(one)s and %(other)s.")
        messages.success(request, says % {"one": undone.kept.name, "other": undone.merged.name})
        return HttpResponseRedirect(_record(undone.kept))

    def _merge(self, request: HttpRequest, people: list[Patient], *, keep: int) -> HttpResponse:
        [kept] = [person for person in people if person.pk == keep]
        [other] = [person for person in people if person.pk != keep]
        by = cast("User", request.user)  # admin_view lets nobody else in
        try:
            merge = merge_patients(keep=kept, other=other, by=by, now=timezone.now())
        except MergedAlready:
            return self._merged_already(request)
        for person in people:
            self.log_change(request, person, _("merged"))
        self._note(request, "patient merge", [merge.kept, merge.merged])
        count = len(merge.moved["appointments"])
        says = ngettext(
            "Merged. %(count)d visit came to this record; it can be undone below.",
            "Merged. %(count)d visits came to this record; it can be undone below.",
            count,
        )
        messages.success(request, says % {"count": count})
        return HttpResponseRedirect(_record(kept))

    def _look_for_other(self, request: HttpRequest, people: list[Patient]) -> HttpResponse:
        if not people:
            return HttpResponseRedirect(reverse("admin:booking_patient_duplicates"))
        [one] = people
        typed = request.POST.get("q", "").strip()
        found = (
            people_like(self.get_queryset(request).exclude(name="").exclude(pk=one.pk), typed)
            if typed
            else []
        )
        context = {
            "title": _("Who is the same person?"),
            "one": one,
            "typed": typed,
            "people": [(other, f"?one={one.pk}&other={other.pk}") for other in found[:SHOWN]],
            "has_more": len(found) > SHOWN,
            "audit": audit.Shown(Act.SEARCH, [one.pk, *(other.pk for other in found[:SHOWN])]),
        }
        return self._page(request, "merge_with", context)

    def _named(self, request: HttpRequest) -> list[Patient]:
        """Those whom the address names and this member of staff may see, the older record first."""
        keys = {request.GET.get(name, "") for name in ("one", "other")}
        keys = {key for key in keys if is_key(key)}
        return list(self.get_queryset(request).filter(pk__in=keys).exclude(name="").order_by("pk"))

    def _side(self, request: HttpRequest, person: Patient, now: datetime) -> tuple[Patient, Record]:
        return person, record_of(person, desk=self.admin_site, request=request, now=now)

    def _may_merge(self, request: HttpRequest) -> None:
        """:raises PermissionDenied: if this person may not merge."""
        if not self.may_merge(request):
            raise PermissionDenied

    def _note(self, request: HttpRequest, kind: str, people: list[Patient]) -> None:
        """In the trail; whoever has just worked on these records is not asked why they open them."""
        audit.record(
            by=cast("User", request.user),
            act=Act.CHANGE,
            kind=kind,
            people=[person.pk for person in people],
            now=timezone.now(),
        )
        for person in people:
            audit.remember_reason(request.session, person.pk, "")

    def _merged_already(self, request: HttpRequest) -> HttpResponse:
        messages.warning(
            request, _("One of the two was merged with somebody meanwhile; nothing was changed.")
        )
        return HttpResponseRedirect(reverse("admin:booking_patient_duplicates"))

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        known = self.admin_site.each_context(request) | {"opts": self.opts}
        return TemplateResponse(request, f"admin/booking/patient/{name}.html", known | context)


def _differing(one: Patient, other: Patient) -> list[str]:
    """The names of the details that both have, each its own, however they are written."""
    compared: dict[str, Callable[[Any], str]] = {
        "name": _plain,
        "email": str.lower,
        "phone": _digits,
        "date_of_birth": str,
    }
    both = {name: (getattr(one, name), getattr(other, name)) for name in compared}
    return [name for name, have in both.items() if all(have) and len(set(map(compared[name], have))) > 1]


def _usually_kept(people: list[Patient]) -> int:
    """The newer record: what was typed last is most likely still true; history comes along either way."""
    return people[-1].pk


def _record(patient: Patient) -> str:
    return reverse("admin:booking_patient_change", args=[patient.pk])
