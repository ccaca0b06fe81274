"""How staff write, check and publish articles at the desk."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminURLFieldWidget
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.choices import RowsField
from content import desk_remarks  # noqa: F401 (registers itself)
from content.blocks import ArticleTextarea
from content.desk_editing import EditingAdmin, ReviewDue
from content.editing import check_fit_to_publish
from content.models import Article, Reference


class ArticleForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        widgets = {
            "title": forms.TextInput(attrs={"class": "vLargeTextField"}),
            "summary": forms.TextInput(attrs={"class": "vLargeTextField"}),
            "key_points": forms.Textarea(attrs={"class": "vLargeTextField", "rows": 5}),
            "body": ArticleTextarea(attrs={"class": "vLargeTextField", "rows": 32}),
        }
        help_texts = {
            "body": _(
                "Markdown. “## Heading” begins a part, “- ” a line of a list, “[^1]” cites reference 1, and "
                "“[words](/points/)” is a link. Cards and figures begin with a line “:::” and end with one."
            )
        }

    def clean(self) -> dict[str, Any]:
        """Publishing without a date means now."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("status") == Article.Status.PUBLISHED and "published_at" not in self.errors:
            cleaned["published_at"] = cleaned.get("published_at") or timezone.now()
        return cleaned


class ReferenceFormSet(forms.BaseInlineFormSet):  # type: ignore[type-arg]
    def clean(self) -> None:
        """Every number that a published text cites stands in the list, and its links lead somewhere."""
        super().clean()
        if any(self.errors) or not self.instance.is_published:
            return
        listed = {
            form.cleaned_data["number"]
            for form in self.forms
            if form.cleaned_data and not form.cleaned_data.get("DELETE")
        }
        try:
            check_fit_to_publish(self.instance.body, listed)
        except ValidationError as error:
            raise ValidationError(error.messages) from error


class ReferenceInline(admin.StackedInline):  # type: ignore[type-arg]
    model = Reference
    formset = ReferenceFormSet
    extra = 0
    fields = ["number", "text", "doi", "url"]
    formfield_overrides = {
        models.TextField: {"widget": forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"})},
        models.URLField: {"widget": AdminURLFieldWidget, "assume_scheme": "https"},
    }


@admin.register(Article)
class ArticleAdmin(EditingAdmin):
    form = ArticleForm
    inlines = [ReferenceInline]
    list_display = ["title", "topic", "state", "out_on", "reviewer", "review_due_on"]
    list_filter = [ReviewDue, "status", "topic", "language"]
    search_fields = ["title", "summary"]
    fieldsets = [
        (None, {"fields": ["title", "slug", "summary", "key_points", "body"]}),
        (
            _("Where it stands"),
            {"fields": ["topic", "language", "translation_of", "position", "related", "invites_booking"]},
        ),
        (_("Who answers for it"), {"fields": ["author", "reviewer", "reviewed_on", "review_due_on"]}),
        (_("Publishing"), {"fields": ["status", "published_at"]}),
    ]

    class Media:
        css = {"all": ["css/editing.css"]}

    @admin.display(description=_("visible from"), ordering="published_at")
    def out_on(self, article: Article) -> date | None:
        return article.published_at and timezone.localdate(article.published_at)

    def formfield_for_manytomany(
        self, db_field: "models.ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> "forms.ModelMultipleChoiceField[Any] | None":
        """Ticks: which articles are chosen is seen at once, and told to everybody; no key to be held."""
        kwargs |= {"widget": forms.CheckboxSelectMultiple, "form_class": RowsField}
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_prepopulated_fields(
        self,
        request: HttpRequest,
        obj: Article | None = None,
    ) -> dict[str, Sequence[str]]:
        kept = obj and (obj.is_published or obj.revises_id or not self.has_change_permission(request, obj))
        return {} if kept else {"slug": ["title"]}

    def view_on_site(self, obj: Article) -> str | None:
        """The link stands only where readers would find the page too."""
        visible = Article.objects.published(timezone.now()).filter(pk=obj.pk).exists()
        return obj.get_absolute_url() if visible else None
