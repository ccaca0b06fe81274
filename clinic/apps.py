"""How Django finds the clinic's own app and the desk."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ClinicConfig(AppConfig):
    name = "clinic"
    verbose_name = "Clinic"

    def ready(self) -> None:
        from clinic import (  # noqa: PLC0415
            checks,  # noqa: F401 (registers the deploy checks)
            desk_accounts,  # noqa: F401 (replaces Django's own)
        )


class DeskConfig(AdminConfig):
    """Django's admin, as the desk."""

    default_site = "clinic.admin.Desk"
