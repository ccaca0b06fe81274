"""Decides when two rows of a table overlap, and has the database itself refuse the second."""

# ruff: noqa: SLF001 (a model's `_meta`, `_base_manager` and `_state` are how Django's own constraints see it too)

from collections.abc import Callable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, NotSupportedError
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Columns, Statement, Table
from django.db.models import BaseConstraint, F, Model

# Ranges that hold one number each meet just when the numbers are equal: no need of the btree_gist extension.
# int8range(NULL, NULL) would hold every number, so the condition leaves NULLs out.
POSTGRESQL_CONSTRAINT = (
    "CONSTRAINT %(name)s EXCLUDE USING gist (%(number_ranges)s, tstzrange(%(start)s, %(end)s) WITH &&)"
    " WHERE ((%(fields)s) IS NOT NULL AND %(start)s < %(end)s)"
)

# On SQLite times are text, and text order is time order: Django writes UTC as "YYYY-MM-DD HH:MM:SS", and
# ".ffffff" behind it only if there are microseconds; the shorter of two such texts is also the earlier time.
# Only the expression Now() writes otherwise, always ".fff". One instant in both forms counts as two, so rows
# that merely touch there may be refused, but none that overlaps gets in. All this needs the database's own
# TIME_ZONE to stay UTC, as it is unless DATABASES sets another.
SQLITE_INDEX = "CREATE INDEX %(name)s ON %(table)s (%(fields)s, %(end)s) WHERE %(start)s < %(end)s"

# Rows already there never overlap, so they end in the order they start in: if the first to end after the new
# start begins late enough, so do all behind it. Asking those too takes minutes where this takes a second.
SQLITE_TRIGGER = """CREATE TRIGGER %(name)s BEFORE %(event)s ON %(table)s
WHEN %(new_start)s < %(new_end)s
BEGIN
  SELECT RAISE(ABORT, %(message)s) WHERE %(new_end)s > (
    SELECT %(start)s FROM %(table)s
    WHERE (%(fields)s) = (%(new_fields)s) AND %(end)s > %(new_start)s AND %(start)s < %(end)s%(but_itself)s
    ORDER BY %(end)s LIMIT 1
  );
END"""

# A table that is remade has its rows before its triggers: this takes every row past them.
SQLITE_RECHECK = "UPDATE %(table)s SET %(start)s = %(start)s"


class NoOverlap(BaseConstraint):
    """Refuse a row that agrees with another in all of `fields` while their half-open [start, end) overlap.

    `fields` name integers, or foreign keys to rows numbered by one; `start` and `end` name DateTimeFields.
    A row with a NULL in any of them, or that does not start before it ends, takes no part.
    """

    def __init__(
        self, *, fields: Sequence[str], start: str, end: str, name: str, **violation_error: Any
    ) -> None:
        super().__init__(name=name, **violation_error)
        self.fields = tuple(fields)
        self.start = start
        self.end = end

    # django-stubs call the model and the schema editor optional and the SQL a str; in Django they are not.

    def constraint_sql(  # type: ignore[override]
        self, model: type[Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> Statement | None:
        """Give what stands inside CREATE TABLE: on SQLite nothing, as all of it follows the finished table.

        :raises NotSupportedError: if the database is neither PostgreSQL nor SQLite.
        """
        vendor = schema_editor.connection.vendor
        if vendor == "postgresql":
            return Statement(POSTGRESQL_CONSTRAINT, **self._parts(model, schema_editor))
        if vendor == "sqlite":
            # Every remake of the table comes through here under a passing name, and drops the old table's
            # triggers. Deferred statements follow the new table to its lasting name and are written there.
            schema_editor.deferred_sql.extend(self._sqlite_statements(model, schema_editor))
            return None
        raise NotSupportedError(f"NoOverlap cannot be enforced by {schema_editor.connection.display_name}.")

    def create_sql(  # type: ignore[override]
        self, model: type[Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> Statement:
        """Give what adds it to a table; asked for on PostgreSQL only, because SQLite remakes the table."""
        return Statement(
            "ALTER TABLE %(table)s ADD %(constraint)s",
            table=Table(model._meta.db_table, schema_editor.quote_name),
            constraint=self.constraint_sql(model, schema_editor),
        )

    def remove_sql(  # type: ignore[override]
        self, model: type[Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> Statement:
        """Give what takes it off a table; asked for on PostgreSQL only, because SQLite remakes the table."""
        parts = self._parts(model, schema_editor)
        return Statement("ALTER TABLE %(table)s DROP CONSTRAINT %(name)s", **parts)

    def _parts(self, model: type[Model], schema_editor: BaseDatabaseSchemaEditor) -> dict[str, Any]:
        table, quote = model._meta.db_table, schema_editor.quote_name
        get_field: Callable[[str], Any] = model._meta.get_field

        def columns(names: Sequence[str], write: Callable[[str], str] = quote) -> Columns:
            return Columns(table, [get_field(name).column for name in names], write)

        def of_new_row(column: str) -> str:
            return f"NEW.{quote(column)}"

        def number_range(column: str) -> str:
            return f"int8range({quote(column)}, {quote(column)}, '[]') WITH &&"

        return {
            "table": Table(table, quote),
            "name": quote(self.name),
            "fields": columns(self.fields),
            "number_ranges": columns(self.fields, number_range),
            "new_fields": columns(self.fields, of_new_row),
            "start": columns([self.start]),
            "new_start": columns([self.start], of_new_row),
            "end": columns([self.end]),
            "new_end": columns([self.end], of_new_row),
            "watched": columns([*self.fields, self.start, self.end]),
        }

    def _sqlite_statements(
        self, model: type[Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> list[Statement]:
        quote = schema_editor.quote_name
        parts = self._parts(model, schema_editor)
        message = schema_editor.quote_value(f"{self.name}: the row overlaps another")
        inserts = {"name": quote(f"{self.name}_insert"), "event": "INSERT", "but_itself": ""}
        updates = {
            "name": quote(f"{self.name}_update"),
            "event": Statement("UPDATE OF %(watched)s", **parts),
            "but_itself": " AND rowid <> OLD.rowid",
        }
        return [
            Statement(SQLITE_INDEX, **parts),
            Statement(SQLITE_TRIGGER, **{**parts, **inserts, "message": message}),
            Statement(SQLITE_TRIGGER, **{**parts, **updates, "message": message}),
            Statement(SQLITE_RECHECK, **parts),
        ]

    def validate(
        self,
        model: type[Model],
        instance: Model,
        exclude: set[str] | None = None,
        using: str = DEFAULT_DB_ALIAS,
    ) -> None:
        """Look for a row that this one overlaps, so that a form can say it kindly.

        :raises ValidationError: if there is one, unless `exclude` names a field of the constraint.
        """
        names = (*self.fields, self.start, self.end)
        if exclude and not exclude.isdisjoint(names):
            return
        value = {name: instance.serializable_value(name) for name in names}
        if None in value.values() or value[self.start] >= value[self.end]:
            return
        overlapped = model._base_manager.using(using).filter(
            **{name: value[name] for name in self.fields},
            **{f"{self.start}__lt": value[self.end], f"{self.end}__gt": value[self.start]},
        )
        overlapped = overlapped.filter(**{f"{self.start}__lt": F(self.end)})
        if not instance._state.adding:
            overlapped = overlapped.exclude(pk=instance.pk)
        if overlapped.exists():
            raise ValidationError(self.get_violation_error_message(), code=self.violation_error_code)

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "fields": self.fields, "start": self.start, "end": self.end}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NoOverlap) and self.deconstruct() == other.deconstruct()

    def __hash__(self) -> int:
        return hash(self.name)
