"""The audit trail's tables: rows are added, and nothing the application says changes or removes them."""

# ruff: noqa: S608 (these tests write SQL on purpose)

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, migrations, models, transaction
from django.db.migrations.state import ProjectState
from django.utils import timezone

from clinic import audit
from clinic.append_only import AppendOnly
from clinic.models import Act, AuditedPerson, AuditRow

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def rows() -> list[tuple[object, ...]]:
    return list(
        AuditRow.objects.order_by("pk").values_list(
            "actor__username", "act", "kind", "subject", "fields", "reason", "note", "people__person"
        )
    )


def raw(sql: str) -> Callable[[], None]:
    def write() -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql)

    return write


def refused(write: Callable[[], object], table: str = "auditrow") -> bool:
    try:
        with transaction.atomic():
            write()
    except IntegrityError as error:
        assert f"{table}_append_only: rows are only ever added" in str(error)  # noqa: PT017
        return True
    return False


def test_a_row_says_who_what_whose_and_when() -> None:
    mei = User.objects.create_user("mei")
    row = audit.record(by=mei, act=Act.LIST, kind="patient", people=[9, 7, 9], now=NOW)
    audit.record(
        by=None, act=Act.ERASE, kind="patient", subject=7, people=[7], fields=["name", "email"], now=NOW
    )
    assert row.at == NOW
    assert rows() == [
        ("mei", "list", "patient", "", "", "", "", 7),
        ("mei", "list", "patient", "", "", "", "", 9),
        (None, "erase", "patient", "7", "name, email", "", "", 7),
    ]


def test_rows_are_neither_changed_nor_removed() -> None:
    audit.record(by=None, act=Act.VIEW, kind="patient", subject=7, people=[7], now=NOW)
    person = AuditedPerson.objects.get()
    ways = {
        "a row's delete": person.delete,
        "a query's delete": AuditedPerson.objects.all().delete,
        "a query's update": lambda: AuditedPerson.objects.update(person=8),
        "raw delete": raw("DELETE FROM clinic_auditedperson"),
        "raw update": raw("UPDATE clinic_auditedperson SET person = 8"),
    }
    assert {way: refused(write, "auditedperson") for way, write in ways.items()} == dict.fromkeys(ways, True)
    of_the_row = {
        "a query's update": lambda: AuditRow.objects.update(kind="nothing"),
        "raw update": raw("UPDATE clinic_auditrow SET actor_id = NULL"),
        "raw delete": raw(f"DELETE FROM clinic_auditrow WHERE id = {person.row_id}"),
        "written over": lambda: AuditRow.objects.bulk_create(
            [AuditRow(pk=person.row_id, at=NOW, act=Act.VIEW, kind="nothing")],
            update_conflicts=True,
            update_fields=["kind"],
            unique_fields=["id"],
        ),
    }
    if connection.vendor == "sqlite":
        of_the_row["replaced"] = raw(
            "INSERT OR REPLACE INTO clinic_auditrow (id, at, act, kind, subject, fields, reason, note)"
            f" VALUES ({person.row_id}, '2026-01-01', 'view', 'nothing', '', '', '', '')"
        )
    else:
        of_the_row["emptied"] = raw("SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE clinic_auditrow CASCADE")
    assert {way: refused(write) for way, write in of_the_row.items()} == dict.fromkeys(of_the_row, True)
    assert rows() == [(None, "view", "patient", "7", "", "", "", 7)]


def test_whoever_is_in_the_trail_is_never_deleted_from_under_it() -> None:
    mei = User.objects.create_user("mei")
    audit.record(by=mei, act=Act.LIST, kind="patient", now=NOW)
    with pytest.raises(models.ProtectedError):
        mei.delete()


@pytest.mark.django_db(transaction=True)
def test_the_refusals_survive_every_remake_of_the_table() -> None:
    """SQLite drops a table's triggers with the table, and Django makes a table anew for most changes to it."""
    state = ProjectState()

    def migrate(*operations: migrations.operations.base.Operation) -> None:
        nonlocal state
        migration: Any = migrations.Migration("0001_initial", "growing")
        migration.operations = list(operations)
        with connection.schema_editor(atomic=True) as editor:
            state = migration.apply(state.clone(), editor)

    def still_refuses() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO growing_row (note) VALUES ('one')")
        table = "growing_row"
        return all(
            refused(raw(sql), table) for sql in (f"DELETE FROM {table}", f"UPDATE {table} SET note = 'two'")
        )

    constraint = AppendOnly(name="growing_row_append_only")
    fields: list[tuple[str, models.Field[Any, Any]]] = [
        ("id", models.BigAutoField(primary_key=True)),
        ("note", models.CharField(max_length=20)),
    ]
    try:
        migrate(migrations.CreateModel("Row", fields, {"constraints": [constraint]}))
        assert still_refuses()
        migrate(migrations.AlterField("Row", "note", models.CharField(max_length=30, db_index=True)))
        assert still_refuses()
        migrate(migrations.AddField("Row", "colour", models.CharField(max_length=20, null=True)))
        migrate(migrations.RenameField("Row", "colour", "shade"))
        migrate(migrations.RemoveField("Row", "shade"))
        assert still_refuses()
        migrate(migrations.RemoveConstraint("Row", constraint.name))
        assert not still_refuses()
        migrate(migrations.AddConstraint("Row", constraint))
        assert still_refuses()
        migrate(migrations.RenameModel("Row", "Line"))
        assert refused(raw("DELETE FROM growing_line"), "growing_row")
    finally:
        with connection.cursor() as cursor:
            for table in ("growing_row", "growing_line"):
                cursor.execute(f"DROP TABLE IF EXISTS {table}")
            if connection.vendor == "postgresql":
                cursor.execute("DROP FUNCTION IF EXISTS growing_row_append_only CASCADE")
