"""Who is meant when staff type a part of a name, a phone number or an e-mail address."""

import unicodedata
from typing import Any, Final

from django.db.models import Case, F, IntegerField, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Replace

from booking.models import Appointment, Patient

SHOWN: Final = 8  # more people than this are not told apart at a glance; another letter is quicker
LONGEST: Final = 120  # characters, as a name may have
FEWEST_DIGITS: Final = 3
OWN_COUNTRY: Final = 11  # digits of a number here when it is written with the 1 in front
PUNCTUATION: Final = " \N{NO-BREAK SPACE}-.()+"


def people_like(patients: QuerySet[Patient], text: str) -> list[Patient]:
    """Those of `patients` that `text` could mean, one more than are shown, with `last_visit_at`.

    Digits are looked for in phone numbers, however they are written; words in names, in any order; whatever has an
    @ in e-mail addresses. Names that begin so come first. One letter is too little, except where letters are words.
    """
    text = text.replace("\0", "")[:LONGEST].strip()
    matching = _matching(patients, text)
    if matching is None:
        return []
    last_visit = Appointment.objects.filter(patient=OuterRef("pk")).order_by("-starts_at").values("starts_at")
    first = text.split()[0]
    begins = Case(
        When(name__istartswith=first, then=0),
        When(name__icontains=f" {first}", then=1),
        default=2,
        output_field=IntegerField(),
    )
    found = matching.annotate(last_visit_at=Subquery(last_visit[:1])).order_by(begins, "name", "pk")
    return list(found[: SHOWN + 1])


def _matching(patients: QuerySet[Patient], text: str) -> QuerySet[Patient] | None:
    if len(text) < 2 and text.isascii():  # noqa: PLR2004 (one letter)
        return None
    if "@" in text:
        return patients.filter(email__icontains=text)
    digits = "".join(str(unicodedata.decimal(char)) for char in text if char.isdecimal())
    if digits and not any(map(str.isalpha, text)):
        if len(digits) < FEWEST_DIGITS:
            return None
        written: Any = F("phone")
        for mark in PUNCTUATION:
            written = Replace(written, Value(mark), Value(""))
        number = digits[1:] if len(digits) == OWN_COUNTRY and digits[0] == "1" else digits
        return patients.alias(digits=written).filter(digits__contains=number)
    for word in text.split():
        patients = patients.filter(name__icontains=word)
    return patients
