"""Has the database itself refuse to change or delete what a table holds."""

# ruff: noqa: SLF001 (a model's `_meta` is how Django's own constraints see it too)

from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, NotSupportedError
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement, Table
from django.db.models import BaseConstraint, Model

# TRUNCATE fires no trigger of a row, so that it has one of its own.
POSTGRESQL: Final = """CREATE FUNCTION %(name)s() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION USING MESSAGE = %(message)s, ERRCODE = 'integrity_constraint_violation'; END $$;
CREATE TRIGGER %(name)s BEFORE UPDATE OR DELETE ON %(table)s FOR EACH ROW EXECUTE FUNCTION %(name)s();
CREATE TRIGGER %(truncate)s BEFORE TRUNCATE ON %(table)s FOR EACH STATEMENT EXECUTE FUNCTION %(name)s()"""
POSTGRESQL_DROP: Final = "DROP FUNCTION %(name)s() CASCADE"

SQLITE: Final = """CREATE TRIGGER %(trigger)s BEFORE %(event)s ON %(table)s %(when)s
BEGIN SELECT RAISE(ABORT, %(message)s); END"""
SQLITE_DROP: Final = "DROP TRIGGER %(trigger)s"
# INSERT OR REPLACE deletes the old row without firing triggers of DELETE.
SQLITE_REPLACES: Final = "WHEN EXISTS (SELECT 1 FROM %(table)s WHERE %(key)s = NEW.%(key)s)"
SQLITE_EVENTS: Final = ("UPDATE", "DELETE", "INSERT")


class AppendOnly(BaseConstraint):
    """Rows of the table are only ever added, whatever writes to it; migrations may still remake the table."""

    # django-stubs call the model and the schema editor optional and the SQL a str; in Django they are not.

    def constraint_sql(  # type: ignore[override]
        self, model: type[Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> None:
        """Give what stands inside CREATE TABLE: nothing, as all of it follows the finished table.

        Every remake of a table on SQLite comes through here and drops the old table's triggers; deferred statements
        follow the new table to its lasting name.
        """
        schema_editor.deferred_sql.extend(self.refusals(model, schema_editor))

    def create_sql(  # type: ignore[override]
        self, model: type[Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> Statement:
        """Give what adds it to a table; asked for on PostgreSQL only, because SQLite remakes the table."""
        [statement] = self.refusals(model, schema_editor)
        return statement

    def remove_sql(  # type: ignore[override]
        self, model: type[Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> Statement:
        """Give what takes it off a table; asked for on PostgreSQL only, because SQLite remakes the table."""
        [statement] = self.refusals(model, schema_editor, drop=True)
        return statement

    def refusals(
        self, model: type[Model], schema_editor: BaseDatabaseSchemaEditor, *, drop: bool = False
    ) -> list[Statement]:
        """The statements that make the database refuse or, with `drop`, that end it.

        :raises NotSupportedError: if the database is neither PostgreSQL nor SQLite.
        """
        quote = schema_editor.quote_name
        parts: dict[str, Any] = {
            "table": Table(model._meta.db_table, quote),
            "name": quote(self.name),
            "truncate": quote(f"{self.name}_truncate"),
            "message": schema_editor.quote_value(f"{self.name}: rows are only ever added"),
        }
        vendor = schema_editor.connection.vendor
        if vendor == "postgresql":
            return [Statement(POSTGRESQL_DROP if drop else POSTGRESQL, **parts)]
        if vendor != "sqlite":
            raise NotSupportedError(
                f"AppendOnly cannot be enforced by {schema_editor.connection.display_name}."
            )
        key: Any = model._meta.pk
        replaces = Statement(SQLITE_REPLACES, table=parts["table"], key=quote(key.column))
        return [
            Statement(
                SQLITE_DROP if drop else SQLITE,
                trigger=quote(f"{self.name}_{event.lower()}"),
                event=event,
                when=replaces if event == "INSERT" else "",
                **parts,
            )
            for event in SQLITE_EVENTS
        ]

    def validate(
        self,
        model: type[Model],
        instance: Model,
        exclude: set[str] | None = None,
        using: str = DEFAULT_DB_ALIAS,
    ) -> None:
        """No form changes such a row."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AppendOnly) and self.deconstruct() == other.deconstruct()

    def __hash__(self) -> int:
        return hash(self.name)
