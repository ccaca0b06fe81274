"""Lets Django's flush empty the tables that only grow; nothing but a test or a measurement may."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.apps import apps
from django.db import connection

from clinic.append_only import AppendOnly


@contextmanager
def every_table_can_be_emptied() -> Iterator[None]:
    """While it lasts, a flush takes the database's refusals away and puts them back in one transaction."""
    operations: Any = type(connection.ops)
    flush = operations.execute_sql_flush

    def refusals(*, drop: bool) -> list[str]:
        editor = connection.SchemaEditorClass(connection)
        return [
            str(statement)
            for model in apps.get_models()
            for constraint in model._meta.constraints  # noqa: SLF001 (as Django's own flush reads it)
            if isinstance(constraint, AppendOnly)
            for statement in constraint.refusals(model, editor, drop=drop)
        ]

    def flush_all(self: Any, statements: list[str]) -> None:
        flush(self, [*refusals(drop=True), *statements, *refusals(drop=False)])

    with patch.object(operations, "execute_sql_flush", flush_all):
        yield
