"""Accounts and groups at the desk: Django's own pages, which refuse what is no key instead of failing on it."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import ManyToManyField
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest

from clinic.choices import RowsField

admin.site.unregister([Group, User])


class WithKeys(admin.ModelAdmin):  # type: ignore[type-arg]
    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> "ModelMultipleChoiceField[Any] | None":
        return super().formfield_for_manytomany(db_field, request, **kwargs | {"form_class": RowsField})


@admin.register(Group)
class DeskGroupAdmin(GroupAdmin, WithKeys):
    pass


@admin.register(User)
class DeskUserAdmin(UserAdmin, WithKeys):  # type: ignore[type-arg]
    pass
