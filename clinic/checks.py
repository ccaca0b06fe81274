"""What `check --deploy` demands of this project beyond Django's own list."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.security, deploy=True)
def check_content_security_policy(**_: Any) -> list[CheckMessage]:
    """The policy starts from nothing and never allows inline code."""
    policy: dict[str, list[str]] = settings.SECURE_CSP
    loose = [
        name for name, values in policy.items() if {"'unsafe-inline'", "'unsafe-eval'", "*"} & set(values)
    ]
    if policy.get("default-src") != ["'none'"] or loose:
        return [
            Error(f"SECURE_CSP must begin from 'none' and allow no inline code {loose}", id="clinic.E001")
        ]
    return []


@register(Tags.security, deploy=True)
def check_email_timeout(**_: Any) -> list[CheckMessage]:
    """A silent mail server must not block the worker for ever."""
    if not settings.EMAIL_TIMEOUT:
        return [Error("EMAIL_TIMEOUT must be a number of seconds", id="clinic.E002")]
    return []


@register(Tags.security, deploy=True)
def check_second_factor(**_: Any) -> list[CheckMessage]:
    """Nobody signs in to a clinic's desk with a password alone."""
    if settings.WITHOUT_SECOND_FACTOR != ():
        return [Error("WITHOUT_SECOND_FACTOR must be empty", id="clinic.E005")]
    return []


@register(Tags.database, deploy=True)
def check_database_options(**_: Any) -> list[CheckMessage]:
    """SQLite must begin every transaction with the write lock; PostgreSQL must notice a lost connection."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        if database["OPTIONS"].get("transaction_mode") != "IMMEDIATE":
            return [Error("SQLite must run with transaction_mode IMMEDIATE", id="clinic.E003")]
    elif not database.get("CONN_HEALTH_CHECKS"):
        return [Error("PostgreSQL must run with CONN_HEALTH_CHECKS", id="clinic.E004")]
    return []
