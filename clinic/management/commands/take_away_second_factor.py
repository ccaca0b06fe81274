"""For whoever has lost phone and recovery codes when no owner is left to help: run beside the database."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic import second_factor


class Command(BaseCommand):
    help = "Takes away an account's second factor; the next sign-in sets up a new one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        account = User.objects.filter(username=options["username"]).first()
        if account is None:
            raise CommandError(f"There is no account “{options['username']}”.")
        second_factor.take_away(user=account)
        self.stdout.write(f"The second factor of “{account.username}” is gone.")
