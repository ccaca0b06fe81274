"""What can be in only one place at a time: practitioners and rooms."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

ANYONE = "anyone"  # stands for a practitioner's slug in addresses, so nobody may bear it


class ResourceQuerySet(models.QuerySet["Resource"]):
    def active(self) -> "ResourceQuerySet":
        return self.filter(is_active=True)

    def practitioners(self) -> "ResourceQuerySet":
        return self.filter(kind=Resource.Kind.PRACTITIONER)

    def rooms(self) -> "ResourceQuerySet":
        return self.filter(kind=Resource.Kind.ROOM)

    def samples(self) -> "ResourceQuerySet":
        """Starter content that the clinic has still to replace with its own."""
        return self.filter(is_sample=True)


class Resource(models.Model):
    class Kind(models.TextChoices):
        PRACTITIONER = "practitioner", _("practitioner")
        ROOM = "room", _("room")

    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    name = models.CharField(
        _("name"),
        max_length=80,
        help_text=_("A practitioner's name exactly as on the College's public register."),
    )
    slug = models.SlugField(_("name in addresses"), max_length=60, unique=True)
    title = models.CharField(
        _("registered title"), max_length=40, blank=True, help_text=_("R. Ac or R. TCMP; practitioners only.")
    )
    registration_number = models.CharField(_("registration number"), max_length=20, blank=True)
    languages = models.CharField(
        _("languages spoken"),
        max_length=120,
        blank=True,
        help_text=_("As patients read it: English, Cantonese."),
    )
    visits_a_day = models.PositiveSmallIntegerField(
        _("most visits a day"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_(
            "Practitioners only. With so many visits on a day, no more are offered online; empty: no limit."
        ),
    )
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        verbose_name=_("account"),
        related_name="resource",
        on_delete=models.SET_NULL,
        limit_choices_to={"is_staff": True},
        null=True,
        blank=True,
        help_text=_(
            "Practitioners only. With the role “Practitioners” this account sees these visits and patients."
        ),
    )
    position = models.PositiveSmallIntegerField(_("position in lists"), default=0)
    is_active = models.BooleanField(_("takes visits"), default=True)
    is_sample = models.BooleanField(_("sample data"), default=False)

    objects = ResourceQuerySet.as_manager()

    class Meta:
        verbose_name = _("practitioner or room")
        verbose_name_plural = _("practitioners and rooms")
        ordering = ["kind", "position", "name"]

    def __str__(self) -> str:
        return f"{self.name}, {self.title}" if self.title else self.name

    def clean(self) -> None:
        if self.slug == ANYONE:
            raise ValidationError({"slug": _("This word stands for “any practitioner” in addresses.")})
