"""Accounts and roles at the desk: who may change whose, and that nobody raises themselves.

A role is a group that `clinic.roles` describes. Owners make accounts, give them roles, deactivate them and take away a
lost second factor; they change nothing about a superuser and make none. Nobody, superusers included, changes what
their own account may do.
"""

from collections.abc import Sequence
from typing import Any, Final

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db.models import ManyToManyField
from django.forms import CheckboxSelectMultiple, ModelMultipleChoiceField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_otp.plugins.otp_static.admin import StaticDevice
from django_otp.plugins.otp_totp.admin import TOTPDevice

from clinic import second_factor
from clinic.choices import RowsField

admin.site.unregister([Group, User])
admin.site.unregister([TOTPDevice, StaticDevice])  # django-otp's own pages show keys and codes

ONLY_SUPERUSERS_GIVE: Final = ["is_superuser", "user_permissions"]
RIGHTS: Final = ["is_active", "is_staff", "groups", *ONLY_SUPERUSERS_GIVE]


class WithKeys(admin.ModelAdmin):  # type: ignore[type-arg]
    """Roles are ticked. Without the admin's two boxes with arrows between: their names no screen reader says."""

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> "ModelMultipleChoiceField[Any] | None":
        kwargs |= {"form_class": RowsField}
        if db_field.name == "groups":
            kwargs |= {"widget": CheckboxSelectMultiple}
        return super().formfield_for_manytomany(db_field, request, **kwargs)


@admin.register(Group)
class DeskGroupAdmin(GroupAdmin, WithKeys):
    filter_horizontal = ()


@admin.register(User)
class DeskUserAdmin(UserAdmin, WithKeys):  # type: ignore[type-arg]
    filter_horizontal = ()
    list_display = ["username", "first_name", "last_name", "roles", "second_factor", "is_active"]
    list_filter = ["is_active", "groups"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (gettext_lazy("Person"), {"fields": ["first_name", "last_name", "email"]}),
        (gettext_lazy("Role"), {"fields": [*RIGHTS]}),
        (gettext_lazy("Dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    readonly_fields = ["last_login", "date_joined"]
    actions = None

    def get_queryset(self, request: HttpRequest) -> Any:
        return second_factor.with_it_told(super().get_queryset(request)).prefetch_related("groups")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        is_above = obj is not None and obj.is_superuser and not request.user.is_superuser
        return super().has_change_permission(request, obj) and not is_above

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Sequence[str]:  # type: ignore[override]
        if obj == request.user:
            return [*self.readonly_fields, *RIGHTS]
        if not request.user.is_superuser:
            return [*self.readonly_fields, *ONLY_SUPERUSERS_GIVE]
        return self.readonly_fields

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002 (Django's name)
        """One's own password is changed where the old one is asked for: a screen may be left open."""
        if self.get_object(request, unquote(id)) == request.user:
            return redirect("admin:password_change")
        return super().user_change_password(request, id, form_url)

    def get_urls(self) -> list[URLResolver | URLPattern]:  # type: ignore[override]
        take_away = self.admin_site.admin_view(self.take_away)
        return [
            path("<int:pk>/second-factor/", take_away, name="auth_user_second_factor"),
            *super().get_urls(),
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        account: User | None = context.get("original")
        if account:
            context["may_take_away"] = self._may_take_away(request, account) and second_factor.has_one(
                account
            )
        return super().render_change_form(request, context, *args, **kwargs)

    def take_away(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks first, then takes a second factor away: its owner sets up another one at the next sign-in."""
        account = get_object_or_404(User, pk=pk)
        if not self._may_take_away(request, account):
            raise PermissionDenied
        if request.method == "POST":
            second_factor.take_away(user=account)
            self.log_change(request, account, _("second factor taken away"))
            says = _("The second factor of %(name)s is gone. They set up a new one when they sign in next.")
            messages.success(request, says % {"name": account.get_username()})
            return redirect("admin:auth_user_change", pk)
        context = self.admin_site.each_context(request) | {
            "title": _("Take away this second factor?"),
            "opts": self.opts,
            "account": account,
        }
        return TemplateResponse(request, "admin/auth/user/take_away.html", context)

    def _may_take_away(self, request: HttpRequest, account: User) -> bool:
        """One's own is replaced on the page of one's second factor, which asks for the password."""
        return account != request.user and self.has_change_permission(request, account)

    @admin.display(description=gettext_lazy("second factor"), boolean=True)
    def second_factor(self, account: Any) -> bool:
        return bool(account.has_second_factor)

    @admin.display(description=gettext_lazy("roles"))
    def roles(self, account: User) -> str:
        names = [group.name for group in account.groups.all()]
        return ", ".join([_("Superuser"), *names] if account.is_superuser else names)
