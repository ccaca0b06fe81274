"""A visit type as patients read it: its length and its whole price."""

from django import template
from django.template.defaultfilters import floatformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from booking.models import VisitType

register = template.Library()


@register.filter
def fee(visit_type: VisitType) -> str:
    """$115, or that it is still to be asked for."""
    return _("Ask us") if visit_type.fee is None else f"${floatformat(visit_type.fee, -2)}"


@register.filter
def minutes(visit_type: VisitType) -> str:
    """45 minutes."""
    count = visit_type.minutes
    return ngettext("%(minutes)d minute", "%(minutes)d minutes", count) % {"minutes": count}


@register.filter
def in_one_line(visit_type: VisitType) -> str:
    """First visit, 45 minutes, $115."""
    facts = [visit_type.name, minutes(visit_type)]
    return ", ".join(facts if visit_type.fee is None else [*facts, fee(visit_type)])
