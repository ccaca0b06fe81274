"""Mail scanners open whatever stands in a mail, more than once: nothing changes by that."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from booking import links
from clinic.models import QueuedMail
from tests.booking.every_mail import write_every_mail
from tests.booking.test_operations import PARISA
from tests.booking.test_private_page import database

pytestmark = pytest.mark.django_db

TEMPLATES = Path(settings.BASE_DIR, "templates/booking/mail")
KINDS = {template.stem for template in TEMPLATES.glob("*.html")} - {"base"}


def addresses(row: QueuedMail) -> set[str]:
    """The paths of ours that stand in any part of a mail."""
    return set(re.findall(rf"{settings.SITE_URL}(/[^\s\"<\\]*)", row.text + row.html + row.calendar))


def test_every_address_in_every_kind_of_mail_is_opened_four_times_and_nothing_changes() -> None:
    asked = write_every_mail(replace(PARISA, phone=""))
    mails = list(QueuedMail.objects.all())
    assert {row.kind for row in mails} == KINDS
    assert [row.kind for row in mails if not addresses(row)] == []
    paths = sorted(set[str]().union(*map(addresses, mails)))
    assert {f"/appointments/open/{links.token(one)}/" for one in asked} <= set(paths)
    before = database()
    for path in paths:
        scanner = Client()
        for look in (scanner.get, scanner.head, scanner.get, scanner.head):
            assert look(path, follow=True).status_code == 200, path
    assert database() == before
