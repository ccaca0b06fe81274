"""What the desk calls the kinds of things that the audit trail tells of."""

from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

IN_WORDS: Final = {
    "today": _lazy("Today"),
    "trail": _lazy("audit trail"),
    "reports": _lazy("reports"),
    "reports_file": _lazy("reports as a file"),
    "remark": _lazy("remark on an article"),
    "patient": _lazy("patient"),
    "patient add": _lazy("new patient"),
    "patient delete": _lazy("deletion of a patient"),
    "patient duplicates": _lazy("patients who may be one person"),
    "patient erase": _lazy("erasure of a patient"),
    "patient export": _lazy("copy of what is kept about a patient"),
    "patient history": _lazy("history of a patient's record"),
    "patient merge": _lazy("joining of two records"),
    "patient reason": _lazy("reason for opening a record"),
    "patient rights": _lazy("what a patient may ask for"),
    "appointment": _lazy("visit"),
    "appointment add": _lazy("new visit"),
    "appointment arrived": _lazy("check-in"),
    "appointment book": _lazy("booking by phone"),
    "appointment book_find": _lazy("search for a patient who books by phone"),
    "appointment calendar": _lazy("calendar"),
    "appointment called_back": _lazy("note that a patient was called back"),
    "appointment cancel": _lazy("cancelling of a visit"),
    "appointment care_plan": _lazy("care plan"),
    "appointment completed": _lazy("note that a visit is complete"),
    "appointment confirm": _lazy("confirming of a visit"),
    "appointment day_sheet": _lazy("day sheet"),
    "appointment decline": _lazy("declining of a visit"),
    "appointment delete": _lazy("deletion of a visit"),
    "appointment drag": _lazy("moving of a visit in the calendar"),
    "appointment drag-end": _lazy("longer or shorter visit in the calendar"),
    "appointment events": _lazy("visits in the calendar"),
    "appointment history": _lazy("history of a visit"),
    "appointment move": _lazy("moving of a visit"),
    "appointment new_link": _lazy("new private link"),
    "appointment no-show": _lazy("note that a patient did not come"),
    "appointment offer": _lazy("offer of other times"),
    "appointment overlap": _lazy("visit over another"),
    "appointment step-back": _lazy("step back after a visit"),
    "appointment stretch": _lazy("longer or shorter visit"),
    "course": _lazy("course"),
    "course add": _lazy("new course"),
    "course answer": _lazy("answer to a course"),
    "course cancel": _lazy("cancelling of a course"),
    "course delete": _lazy("deletion of a course"),
    "course history": _lazy("history of a course"),
    "course withdraw": _lazy("withdrawal of an offered course"),
    "waitlistentry": _lazy("waitlist entry"),
    "waitlistentry add": _lazy("new waitlist entry"),
    "waitlistentry delete": _lazy("deletion of a waitlist entry"),
    "waitlistentry history": _lazy("history of a waitlist entry"),
    "waitlistentry remove": _lazy("removal from the waitlist"),
    "calendar feed made": _lazy("new calendar feed"),
    "calendar feed made anew": _lazy("new address of a calendar feed"),
    "calendar feed revoked": _lazy("revoking of a calendar feed"),
    "queuedmail": _lazy("mail"),
    "queuedmail add": _lazy("new mail"),
    "queuedmail delete": _lazy("deletion of a mail"),
    "queuedmail history": _lazy("history of a mail"),
    "queuedmail html": _lazy("mail as it looks"),
    "queuedmail messages": _lazy("what our messages look like"),
    "queuedmail resend": _lazy("sending of a mail again"),
    "queuedmail sample": _lazy("sample of a message"),
    "queuedmail sample_html": _lazy("sample of a message as it looks"),
}


def in_words(kind: str) -> str:
    """What staff read; for a page that is about no patient, and was refused, the name of its address."""
    if kind in IN_WORDS:
        return str(IN_WORDS[kind])
    return _("another page (%(name)s)") % {"name": kind}
