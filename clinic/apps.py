"""How Django finds the clinic's own app and the desk."""

from typing import Final

from django.apps import AppConfig, apps
from django.contrib.admin.apps import AdminConfig
from django.utils.translation import gettext_lazy as _

# What public pages show of the database.
SHOWN: Final = (
    "content.Article",
    "content.Article_related",
    "content.Reference",
    "booking.BookingRules",
    "booking.Phase",
    "booking.Resource",
    "booking.VisitType",
)


class ClinicConfig(AppConfig):
    name = "clinic"
    verbose_name = "Clinic"

    def ready(self) -> None:
        from clinic import (  # noqa: PLC0415
            checks,  # noqa: F401 (registers the deploy checks)
            desk_accounts,  # noqa: F401 (replaces Django's own)
        )
        from clinic.public_pages import forget_pages_made_of  # noqa: PLC0415

        forget_pages_made_of(*SHOWN)
        apps.get_app_config("auth").verbose_name = _("Accounts")  # as staff know them


class DeskConfig(AdminConfig):
    """Django's admin, as the desk."""

    default_site = "clinic.admin.Desk"
