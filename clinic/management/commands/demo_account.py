"""Gives a laptop a staff account to try the desk with; production has none."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils.crypto import get_random_string

USERNAME = "desk"


class Command(BaseCommand):
    help = "Makes the demo staff account, or finds it again, and prints its password (never in production)."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("There is no demo account in production; use createsuperuser.")
        kept = settings.DATA_DIR / "demo-password"
        if not kept.exists():
            kept.touch(mode=0o600)
            kept.write_text(get_random_string(20, "abcdefghjkmnpqrstuvwxyz23456789"))
        password = kept.read_text()
        user, _ = User.objects.get_or_create(
            username=USERNAME, defaults={"is_staff": True, "is_superuser": True, "first_name": "Demo"}
        )
        if not user.check_password(password):
            user.set_password(password)
            user.save()
        self.stdout.write(f"Desk: {settings.SITE_URL}/admin/  name: {USERNAME}  password: {password}")
