"""Brings the roles of staff to what clinic/roles.py says; run after every upgrade."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clinic.roles import UnknownPermission, make_roles


class Command(BaseCommand):
    help = "Makes the groups of the role matrix, or changes them to what it says, and prints what it did."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = make_roles()
        except UnknownPermission as unknown:
            raise CommandError(
                f"There is no such permission; is the database migrated? {unknown}"
            ) from unknown
        for line in done or ["The roles are as they should be."]:
            self.stdout.write(line)
