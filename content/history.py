"""What is kept of an article's past: every state it was saved in, and the addresses it has had."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Revision(models.Model):
    """One state of an article, as it was saved; written once and never changed.

    `facts` is what `editing.facts_of` says: names of fields with their values, references and related articles.
    """

    class Act(models.TextChoices):
        SAVED = "saved", _("saved")
        PUBLISHED = "published", _("published")
        RESTORED = "restored", _("restored")

    article = models.ForeignKey("content.Article", related_name="revisions", on_delete=models.CASCADE)
    number = models.PositiveIntegerField(_("number"))
    act = models.CharField(_("what was done"), max_length=10, choices=Act)
    facts = models.JSONField()
    made_at = models.DateTimeField(_("when"))
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", on_delete=models.SET_NULL, null=True, verbose_name=_("by")
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        related_name="+",
        on_delete=models.SET_NULL,
        null=True,
        verbose_name=_("approved by"),
    )

    class Meta:
        verbose_name = _("revision")
        verbose_name_plural = _("revisions")
        ordering = ["-number"]
        default_permissions = ()  # whoever may see the article sees its past
        constraints = [
            models.UniqueConstraint(fields=["article", "number"], name="revision_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.number}. {self.get_act_display()}"


class FormerAddress(models.Model):
    """A name that a published article had in addresses: links to it lead on to the present one."""

    slug = models.SlugField(_("name in addresses"), max_length=80, unique=True)
    article = models.ForeignKey("content.Article", related_name="former_addresses", on_delete=models.CASCADE)

    class Meta:
        verbose_name = _("former address")
        verbose_name_plural = _("former addresses")
        default_permissions = ()

    def __str__(self) -> str:
        return self.slug
