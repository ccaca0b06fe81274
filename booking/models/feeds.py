"""The address at which a practitioner's own calendar program reads their visits."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from booking.models.resources import Resource


class CalendarFeed(models.Model):
    """There is a row as long as the address holds; it was made by the account that the practitioner has at the desk."""

    practitioner = models.OneToOneField(
        Resource, verbose_name=_("practitioner"), related_name="feed", on_delete=models.CASCADE
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("made by"), related_name="+", on_delete=models.CASCADE
    )
    # The address cannot be read from it: whoever lost it makes a new one.
    token_hash = models.CharField(_("hash of the address"), max_length=64, unique=True, editable=False)
    made_at = models.DateTimeField(_("made"))
    read_at = models.DateTimeField(_("last read"), null=True, blank=True)

    class Meta:
        verbose_name = _("calendar feed")
        verbose_name_plural = _("calendar feeds")
        ordering = ["practitioner"]
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.practitioner)
