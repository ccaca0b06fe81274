"""The desk's pages around an article's form: preview, past states, and a second person's approval."""

from itertools import zip_longest
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from clinic.headers import content_security_policy
from content import editing
from content.differences import differences
from content.history import Revision
from content.links import broken_links
from content.models import Article, Reference
from content.reading import Reading, read
from content.rendering import render_article
from content.views import article_context

FRAMES_OURSELVES = content_security_policy(frame_src="'self'")
FRAMED_BY_OURSELVES = content_security_policy(frame_ancestors="'self'")


def _reading_of(article: Article) -> Reading | None:
    """How easily its text is read, where it has one in the language that we can measure."""
    return read(article.body) if article.body and article.language == Article.Language.ENGLISH else None


class ReviewDue(admin.SimpleListFilter):
    """The articles that somebody has to read through again soon."""

    title = _("review")
    parameter_name = "review"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("due", _("due within 30 days or late"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.due_for_review(timezone.localdate()) if self.value() == "due" else queryset


class EditingAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Who may not publish alone reads a published article here, and revises it in a draft beside it."""

    change_form_template = "admin/content/article/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        def at(name: str, view: Any) -> URLPattern:
            route: URLPattern = path(
                f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"content_article_{name}"
            )
            return route

        own = [
            at("preview", self.preview),
            at("revisions", self.revisions),
            at("restore", self.restore),
            at("revise", self.revise),
            at("discard", self.discard),
            at("review", self.review),
            at("approve", self.approve),
        ]
        return [*own, *super().get_urls()]

    @admin.display(description=_("status"), ordering="status")
    def state(self, article: Article) -> str:
        if article.revises_id:
            return str(_("draft of a revision"))
        if article.published_at and article.is_published and article.published_at > timezone.now():
            return str(_("comes out later"))
        return article.get_status_display()

    # --- Who may do what -------------------------------------------------------------------------------------

    def has_change_permission(self, request: HttpRequest, obj: Article | None = None) -> bool:
        if obj and obj.is_published and not request.user.has_perm("content.publish_alone"):
            return False
        return super().has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Article | None = None) -> list[str]:
        """The draft of a revision takes address and date from the article that it revises."""
        kept = ["slug", "published_at"] if obj and obj.revises_id else []
        return kept if request.user.has_perm("content.publish_alone") and not kept else [*kept, "status"]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Date and time are two fields under one label: each gets a name of its own for screen readers."""
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "published_at":
            for widget, name in zip(field.widget.widgets, (_("Visible from, date"), _("time")), strict=True):
                widget.attrs["aria-label"] = name
        return field

    # --- The form --------------------------------------------------------------------------------------------

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        article = self.get_object(request, object_id)
        extra: dict[str, Any] = {}
        if article:
            extra = {"article_acts": self._acts(request, article), "article_reading": _reading_of(article)}
        response = super().change_view(request, object_id, form_url, {**extra, **(extra_context or {})})
        response.headers["Content-Security-Policy"] = FRAMES_OURSELVES
        return response

    def save_model(self, request: HttpRequest, obj: Article, form: Any, change: bool) -> None:  # noqa: FBT001 (Django's)
        if change:
            editing.keep_earlier_state(obj)
        obj.edited_by = cast("User", request.user)
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001 (Django's)
        super().save_related(request, form, formsets, change)
        article, by = form.instance, cast("User", request.user)
        act = (
            Revision.Act.PUBLISHED
            if "status" in form.changed_data and article.is_published
            else Revision.Act.SAVED
        )
        editing.record_revision(article=article, act=act, by=by, now=timezone.now())
        if broken := broken_links(render_article(article.body).html):
            # A draft may wait for a page that is not there yet; publishing may not.
            links = ", ".join(broken)
            messages.warning(
                request, _("Saved, but these links lead nowhere yet: %(links)s") % {"links": links}
            )

    def _acts(self, request: HttpRequest, article: Article) -> dict[str, Any]:
        """Which of the acts around the form stand on its page."""
        may_write = super().has_change_permission(request, article)
        in_hand = Article.objects.filter(revises=article).first()
        return {
            "may_change": self.has_change_permission(request, article),
            "may_revise": may_write and article.is_published and in_hand is None,
            "in_hand": in_hand,
            "may_discard": may_write and article.revises_id is not None,
            "may_review": not article.is_published,
        }

    # --- Looking ---------------------------------------------------------------------------------------------

    def preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The real page: as saved, or as it stands in the form that is posted. Only we may frame it."""
        article = self._seen(request, pk)
        references = None
        if request.method == "POST":
            article, references = self._as_typed(request, article)
        context = article_context(article, timezone.now(), references)
        response = render(request, "content/article.html", context)
        response["Content-Security-Policy"] = FRAMED_BY_OURSELVES
        response["X-Frame-Options"] = "SAMEORIGIN"
        return response

    def _as_typed(self, request: HttpRequest, article: Article) -> tuple[Article, list[Reference]]:
        """The article with what was typed wherever it makes sense; nothing is saved."""
        if not self.has_change_permission(request, article):
            raise PermissionDenied
        form = self.get_form(request, article, change=True)(request.POST, instance=article)
        form.is_valid()
        rows: list[Reference] = []
        for formset in self.get_formsets_with_inlines(request, article):
            bound = formset[0](request.POST, instance=article, prefix=formset[0].get_default_prefix())
            bound.is_valid()
            rows += [one.instance for one in bound.forms if getattr(one, "cleaned_data", {}).get("text")]
        return form.instance, sorted(rows, key=lambda row: row.number or 0)

    @method_decorator(require_safe)
    def revisions(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Every past state, the newest first, each with what it changed."""
        article = self._seen(request, pk)
        kept = list(article.revisions.select_related("made_by", "approved_by"))
        changes = [
            (revision, differences(earlier.facts, revision.facts) if earlier else [])
            for revision, earlier in zip_longest(kept, kept[1:])
        ]
        return self._page(
            request,
            "revisions",
            article,
            title=_("Past states"),
            changes=changes,
            may_restore=super().has_change_permission(request, article),
        )

    @method_decorator(require_safe)
    def review(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What approving a draft would change for readers."""
        article = self._seen(request, pk)
        return self._page(
            request,
            "review",
            article,
            title=_("Review and publish"),
            changed=differences(editing.facts_of(article.revises), editing.facts_of(article))
            if article.revises
            else [],
            reading=_reading_of(article),
            may_approve=request.user.has_perm("content.approve_article"),
            needs_another=article.edited_by_id in {None, request.user.pk}
            and not request.user.has_perm("content.publish_alone"),
        )

    # --- Acts ------------------------------------------------------------------------------------------------

    @method_decorator(require_POST)
    def revise(self, request: HttpRequest, pk: int) -> HttpResponse:
        article = self._written(request, pk)
        if not article.is_published:
            return self._to(article, "change")
        try:
            draft = editing.revise_article(article=article, by=cast("User", request.user), now=timezone.now())
        except editing.AlreadyRevised:
            messages.warning(request, _("Somebody has a revision of this article in hand."))
            return self._to(article, "change")
        messages.info(request, _("This is a draft. Readers see the article as it was until it is approved."))
        return self._to(draft, "change")

    @method_decorator(require_POST)
    def discard(self, request: HttpRequest, pk: int) -> HttpResponse:
        draft = self._written(request, pk)
        if draft.revises is None:
            return self._to(draft, "change")
        editing.discard_revision(draft=draft)
        messages.success(request, _("The revision was given up. The article is as it was."))
        return self._to(draft.revises, "change")

    @method_decorator(require_POST)
    def approve(self, request: HttpRequest, pk: int) -> HttpResponse:
        article = self._seen(request, pk)
        if not request.user.has_perm("content.approve_article"):
            raise PermissionDenied
        try:
            shown = editing.approve_article(
                article=article, by=cast("User", request.user), now=timezone.now()
            )
        except editing.NothingToApprove:
            messages.info(request, _("It is published already."))
        except editing.NeedsAnotherPerson:
            messages.error(request, _("You edited it last: another person has to approve it."))
        except ValidationError as error:
            for fault in error.messages:
                messages.error(request, fault)
        else:
            messages.success(request, _("“%(title)s” is published.") % {"title": shown.title})
            return self._to(shown, "change")
        return self._to(article, "review" if not article.is_published else "change")

    @method_decorator(require_POST)
    def restore(self, request: HttpRequest, pk: int) -> HttpResponse:
        article = self._written(request, pk)
        number = request.POST.get("number", "")
        revision = get_object_or_404(article.revisions, number=number if number.isdecimal() else 0)
        try:
            restored = editing.restore_revision(
                revision=revision, by=cast("User", request.user), now=timezone.now()
            )
        except editing.AlreadyRevised:
            messages.warning(request, _("Somebody has a revision of this article in hand."))
            return self._to(article, "revisions")
        except ValidationError as error:
            for fault in error.messages:
                messages.error(request, fault)
            return self._to(article, "revisions")
        messages.success(request, _("State %(number)s is back.") % {"number": revision.number})
        return self._to(restored, "change")

    # --- What they share -------------------------------------------------------------------------------------

    def _seen(self, request: HttpRequest, pk: int) -> Article:
        """:raises PermissionDenied: if the person may not see the article."""
        article = get_object_or_404(Article.objects.select_related("revises", "translation_of"), pk=pk)
        if not self.has_view_permission(request, article):
            raise PermissionDenied
        return article

    def _written(self, request: HttpRequest, pk: int) -> Article:
        """:raises PermissionDenied: if the person may not write articles."""
        article = self._seen(request, pk)
        if not super().has_change_permission(request, article):
            raise PermissionDenied
        return article

    def _page(self, request: HttpRequest, name: str, article: Article, **facts: Any) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "article": article, "opts": self.opts, **facts}
        response = TemplateResponse(request, f"admin/content/article/{name}.html", context)
        response["Content-Security-Policy"] = FRAMES_OURSELVES
        return response

    @staticmethod
    def _to(article: Article, name: str) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse(f"admin:content_article_{name}", args=[article.pk]))
