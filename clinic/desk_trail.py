"""The audit trail at the desk: who saw one patient, what one member of staff saw, and nothing to change about it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import User
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from booking import times
from booking.fields import of_these_years
from booking.models import Patient
from clinic import audit
from clinic.choices import is_key
from clinic.models import Act, AuditedPerson, AuditRow


class ForPatient(admin.SimpleListFilter):
    """Present only in addresses that name a patient, as the link from their record does."""

    title = gettext_lazy("patient")
    parameter_name = "patient"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        person = request.GET.get(self.parameter_name, "")
        return [(person, _name_of(person))] if person else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditRow]) -> QuerySet[AuditRow]:
        person = self.value()
        if not person:
            return queryset
        return queryset.filter(people__person=int(person)) if is_key(person) else queryset.none()


class ByStaff(admin.SimpleListFilter):
    title = gettext_lazy("who")
    parameter_name = "staff"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        staff = User.objects.filter(is_staff=True).order_by("username")
        return [("clock", _("The clock")), *((str(user.pk), _called(user)) for user in staff)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditRow]) -> QuerySet[AuditRow]:
        match self.value():
            case None:
                return queryset
            case "clock":
                return queryset.filter(actor=None)
            case key:
                return queryset.filter(actor=int(key)) if is_key(key) else queryset.none()


class DaysForm(forms.Form):
    """The first and the last day to look at, both included."""

    first_on = forms.DateField(label=gettext_lazy("From"), required=False, validators=[of_these_years])
    last_on = forms.DateField(label=gettext_lazy("To"), required=False, validators=[of_these_years])


class Days(admin.ListFilter):
    title = gettext_lazy("days")
    template = "admin/clinic/auditrow/days.html"

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: type[AuditRow], model_admin: Any
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.form = DaysForm({name: params.pop(name, [""])[-1] for name in DaysForm.base_fields})

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return list(DaysForm.base_fields)

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditRow]) -> QuerySet[AuditRow]:
        if not self.form.is_valid():
            return queryset.none()
        first_on, last_on = (self.form.cleaned_data[name] for name in ("first_on", "last_on"))
        if first_on:
            queryset = queryset.filter(at__gte=times.midnight(first_on))
        if last_on:
            queryset = queryset.filter(at__lt=times.midnight(last_on + timedelta(days=1)))
        return queryset

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        """What the template prints: the form, and what else the address asks for."""
        others = {
            name: value for name, value in changelist.params.items() if name not in DaysForm.base_fields
        }
        yield {"form": self.form, "others": others}


class AuditRowAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["when", "who", "what", "whose", "why"]
    list_filter = [Days, ByStaff, ForPatient, "act"]
    fields = ["when", "who", "what", "subject", "names_of_fields", "why", "everybody"]
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuditRow | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AuditRow | None = None) -> bool:
        return False

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """What every row would say once more is left out."""
        said = {"whose": request.GET.get("patient"), "who": request.GET.get("staff")}
        return [column for column in self.list_display if not said.get(str(column))]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditRow]:
        """Each row with its first patient's key and name and how many more there are."""
        people = AuditedPerson.objects.filter(row=OuterRef("pk"))
        return (
            AuditRow.objects.select_related("actor")
            .annotate(
                person=Subquery(people.order_by("pk").values("person")[:1]),
                how_many=Subquery(
                    people.order_by().values("row").annotate(count=Count("pk")).values("count")
                ),
            )
            .annotate(name=Subquery(Patient.objects.order_by().filter(pk=OuterRef("person")).values("name")))
        )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Looking at the trail is itself written down."""
        person, staff = request.GET.get("patient", ""), request.GET.get("staff", "")
        title = {"title": _title(person, staff), "subtitle": None}
        response = super().changelist_view(request, (extra_context or {}) | title)
        audit.record(
            by=cast("User", request.user),  # admin_view lets nobody else in
            act=Act.LIST,
            kind="trail",
            subject=staff if is_key(staff) else "",
            people=[int(person)] if is_key(person) else [],
            now=timezone.now(),
        )
        return response

    @admin.display(description=gettext_lazy("when"), ordering="at")
    def when(self, row: AuditRow) -> str:
        return times.moment(row.at)

    @admin.display(description=gettext_lazy("who"))
    def who(self, row: AuditRow) -> SafeString:
        called = _called(row.actor) if row.actor else _("The clock")
        return render_to_string("admin/clinic/auditrow/who.html", {"row": row, "called": called})

    @admin.display(description=gettext_lazy("what"), ordering="act")
    def what(self, row: AuditRow) -> str:
        return str(row)

    @admin.display(description=gettext_lazy("whose"))
    def whose(self, row: Any) -> SafeString:
        context = {"person": row.person, "name": row.name, "others": (row.how_many or 1) - 1, "row": row}
        return render_to_string("admin/clinic/auditrow/whose.html", context)

    @admin.display(description=gettext_lazy("patients"))
    def everybody(self, row: AuditRow) -> SafeString:
        people = list(row.people.values_list("person", flat=True))
        names = dict(Patient.objects.filter(pk__in=people).values_list("pk", "name"))
        named = [(person, names.get(person, "")) for person in people]
        return render_to_string("admin/clinic/auditrow/everybody.html", {"people": named})

    @admin.display(description=gettext_lazy("why"))
    def why(self, row: AuditRow) -> str:
        return ": ".join(filter(None, [row.get_reason_display(), row.note]))

    @admin.display(description=gettext_lazy("names of fields"))
    def names_of_fields(self, row: AuditRow) -> str:
        return row.fields


def _title(person: str, staff: str) -> str:
    if person:
        return _("Who saw the record of %(name)s") % {"name": _name_of(person)}
    if staff == "clock":
        return _("What the clock did")
    if staff:
        user = User.objects.filter(pk=staff).first() if is_key(staff) else None
        return _("What %(name)s saw and did") % {"name": _called(user) if user else "?"}
    return _("Audit trail")


def _name_of(person: str) -> str:
    """What the patient is called; their key where they are erased."""
    patient = Patient.objects.filter(pk=person).first() if is_key(person) else None
    return patient.name if patient and patient.name else _("patient %(key)s") % {"key": person[:18]}


def _called(user: User) -> str:
    return user.get_full_name() or user.get_username()
