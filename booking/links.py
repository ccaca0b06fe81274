"""The private link to one appointment.

Placeholder with the final name and shape: the token comes with the patient's private page, whose module replaces this.
"""

from django.conf import settings

from booking.models import Appointment


def address(appointment: Appointment) -> str:
    """The address in mails to the patient that opens this appointment and no other."""
    return f"{settings.SITE_URL}/appointments/open/{appointment.reference}/"
