"""What readers say is wrong with a page, how staff hear of it, and for how long it is kept."""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic import audit, mail
from clinic.models import Act
from clinic.transactions import change

REMARK_LENGTH: Final = 2000
PAGE_LENGTH: Final = 200
REMARKS_KEPT: Final = timedelta(days=90)  # after they were sent; Today names those that wait, day by day


class Remark(models.Model):
    """One reader's words about one page; `page` is what the reader named, usually an address on the site."""

    page = models.CharField(_("page"), max_length=PAGE_LENGTH)
    text = models.TextField(_("what is wrong"), max_length=REMARK_LENGTH)
    email = models.EmailField(_("e-mail for an answer"), blank=True)
    sent_at = models.DateTimeField(_("sent"))
    is_settled = models.BooleanField(_("dealt with"), default=False)

    class Meta:
        app_label = "content"
        verbose_name = _("remark about a page")
        verbose_name_plural = _("remarks about pages")
        ordering = ["is_settled", "-sent_at"]

    def __str__(self) -> str:
        return self.page


def note_remark(*, page: str, text: str, email: str, now: datetime) -> Remark:
    """Keeps the remark for the desk and tells the desk that there is one; the mail carries none of its words.

    :raises Busy: if the database did not get round to it.
    """
    with change():
        remark = Remark.objects.create(page=page, text=text, email=email, sent_at=now)
        mail.send(
            kind="remark",
            to=settings.CLINIC.email,
            subject=gettext("A reader says that something is wrong with a page"),
            template="content/mail/remark",
            context={
                "desk_url": settings.SITE_URL + reverse("admin:content_remark_change", args=[remark.pk]),
                "link": "",
            },
            now=now,
        )
    return remark


def erase_old_remarks(*, now: datetime) -> int:
    """Erases what readers wrote longer ago than it is kept, dealt with or not, and returns how many remarks these were.

    :raises Busy: if the database did not get round to it.
    """
    with change():
        old = list(Remark.objects.filter(sent_at__lte=now - REMARKS_KEPT).values_list("pk", flat=True))
        if old:
            LogEntry.objects.filter(  # it says what readers called the page
                content_type=ContentType.objects.get_for_model(Remark), object_id__in=map(str, old)
            ).update(object_repr="")
            Remark.objects.filter(pk__in=old).delete()
            audit.record(by=None, act=Act.ERASE, kind="remark", fields=["page", "text", "email"], now=now)
    return len(old)
