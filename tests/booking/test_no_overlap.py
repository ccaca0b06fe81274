"""Takings of one resource never overlap, whatever writes them and whatever migrations did to the table."""

# ruff: noqa: S608 (these tests write SQL on purpose, about tables of their own)

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction
from django.db.migrations import Migration
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.operations import (
    AddConstraint,
    AddField,
    AlterField,
    AlterModelTable,
    CreateModel,
    RemoveConstraint,
    RemoveField,
    RenameField,
    RenameModel,
)
from django.db.migrations.operations.base import Operation
from django.db.migrations.questioner import MigrationQuestioner
from django.db.migrations.state import ProjectState
from django.db.migrations.writer import MigrationWriter
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from booking.constraints import NoOverlap
from booking.models import Occupancy
from tests.booking import factories

pytestmark = pytest.mark.django_db(transaction=True)

APP = "overlap"
TAKING = "overlap_taking"


def no_overlap(**changed: Any) -> NoOverlap:
    return NoOverlap(
        **{
            "fields": ["resource", "lane"],
            "start": "starts_at",
            "end": "ends_at",
            "name": "taking_no_overlap",
            "violation_error_message": _("This time is taken."),
            **changed,
        }
    )


def create_resource() -> CreateModel:
    return CreateModel("Resource", [("id", models.BigAutoField(primary_key=True))])


def create_taking(
    constraint: NoOverlap | None, *, starts: str = "starts_at", resource: str = "resource"
) -> CreateModel:
    fields: list[tuple[str, models.Field[Any, Any]]] = [
        ("id", models.BigAutoField(primary_key=True)),
        (resource, models.ForeignKey(f"{APP}.Resource", models.PROTECT, null=True)),
        ("lane", models.PositiveSmallIntegerField(default=0)),
        (starts, models.DateTimeField(null=True)),
        ("ends_at", models.DateTimeField()),
        ("note", models.CharField(max_length=20, null=True)),
        ("colour", models.CharField(max_length=20, null=True, db_index=True)),
    ]
    return CreateModel("Taking", fields, {"constraints": [constraint] if constraint else []})


def migration_of(*operations: Operation) -> Any:
    migration: Any = Migration("0001_initial", APP)
    migration.operations = list(operations)
    return migration


class Schema:
    """A throwaway app that exists only as migrations."""

    def __init__(self) -> None:
        self.state = ProjectState()

    def migrate(self, *operations: Operation) -> None:
        migration = migration_of(*operations)
        with connection.schema_editor(atomic=True) as editor:
            self.state = migration.apply(self.state.clone(), editor)

    def model(self, name: str = "Taking") -> Any:
        return self.state.apps.get_model(APP, name)


def drop_tables() -> None:
    cascade = " CASCADE" if connection.vendor == "postgresql" else ""
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table.startswith(f"{APP}_"):
                cursor.execute(f"DROP TABLE {connection.ops.quote_name(table)}{cascade}")


@pytest.fixture
def empty_schema() -> Iterator[Schema]:
    schema = Schema()
    schema.migrate(create_resource())
    schema.model("Resource").objects.bulk_create(schema.model("Resource")() for _number in range(2))
    yield schema
    drop_tables()


@pytest.fixture
def schema(empty_schema: Schema) -> Schema:
    empty_schema.migrate(create_taking(no_overlap()))
    return empty_schema


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2027-03-04T{clock}").replace(tzinfo=UTC)


def write(sql: str, *values: object) -> None:
    """Run SQL as another program would, past every model; refusals leave the connection usable."""
    adapted: list[Any] = [
        connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value
        for value in values
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, adapted)


def insert(start: str | None, end: str, *, table: str = TAKING, **columns: object) -> None:
    row = {
        "resource_id": 1,
        "lane": 0,
        "starts_at": at(start) if start else None,
        "ends_at": at(end),
    } | columns
    names = ", ".join(row)
    write(f"INSERT INTO {table} ({names}) VALUES ({', '.join(['%s'] * len(row))})", *row.values())


def update(start: str, end: str, *, of: str) -> None:
    write(
        f"UPDATE {TAKING} SET starts_at = %s, ends_at = %s WHERE starts_at = %s", at(start), at(end), at(of)
    )


def refused(write_: Callable[..., None], *args: Any, **kwargs: Any) -> bool:
    try:
        write_(*args, **kwargs)
    except IntegrityError as error:
        assert "taking_no_overlap" in str(error)  # noqa: PT017
        return True
    return False


def takings(table: str = TAKING) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT resource_id, lane, starts_at, ends_at FROM {table} ORDER BY id")
        return list(cursor.fetchall())


# --- What is refused and what is not ---


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("10:00", "11:00"),
        ("09:30", "10:30"),
        ("10:30", "11:30"),
        ("10:15", "10:45"),
        ("09:00", "12:00"),
        ("10:00", "10:05"),
        ("10:55", "11:00"),
        ("10:59:59.999999", "12:00"),
        ("09:00", "10:00:00.000001"),
    ],
)
@pytest.mark.usefixtures("schema")
def test_a_taken_time_is_refused(start: str, end: str) -> None:
    insert("10:00", "11:00")
    with pytest.raises(IntegrityError, match="taking_no_overlap"):
        insert(start, end)
    assert len(takings()) == 1


@pytest.mark.usefixtures("schema")
def test_times_that_only_touch_are_both_accepted() -> None:
    insert("10:00", "11:00")
    insert("11:00", "11:30:00.000001")
    insert("11:30:00.000001", "12:00")
    insert("09:00", "10:00")
    assert len(takings()) == 4


@pytest.mark.usefixtures("schema")
def test_another_resource_or_another_lane_is_free() -> None:
    insert("10:00", "11:00")
    insert("10:00", "11:00", resource_id=2)
    insert("10:00", "11:00", lane=1)
    insert("10:00", "11:00", resource_id=2, lane=1)
    assert [row[:2] for row in takings()] == [(1, 0), (2, 0), (1, 1), (2, 1)]
    assert refused(insert, "10:30", "11:30", resource_id=2, lane=1)


@pytest.mark.usefixtures("schema")
def test_a_row_without_resource_or_start_or_length_takes_nothing() -> None:
    for _time in range(2):
        insert("10:00", "11:00", resource_id=None)
        insert(None, "11:00")
        insert("10:30", "10:30")
        insert("10:45", "10:15")
    insert("10:00", "11:00")
    assert len(takings()) == 9
    assert refused(insert, "10:20", "10:40")


@pytest.mark.usefixtures("schema")
def test_a_long_row_keeps_every_time_within_it() -> None:
    insert("08:00", "08:30")
    insert("09:00", "17:00")
    insert("17:00", "17:30")
    for hour in range(9, 17):
        assert refused(insert, f"{hour:02}:10", f"{hour:02}:20")
    assert len(takings()) == 3


@pytest.mark.usefixtures("schema")
def test_a_long_row_is_refused_where_it_would_hold_many_short_ones() -> None:
    for hour in range(9, 17):
        insert(f"{hour:02}:10", f"{hour:02}:20")
    assert refused(insert, "08:00", "18:00")
    assert refused(insert, "12:20", "13:11")
    insert("12:20", "13:10")
    assert len(takings()) == 9


@pytest.mark.usefixtures("schema")
def test_a_row_cannot_be_moved_onto_a_taken_time() -> None:
    insert("10:00", "11:00")
    insert("12:00", "13:00")
    before = takings()
    assert refused(update, "10:30", "11:30", of="12:00")
    assert refused(update, "09:00", "14:00", of="12:00")
    assert refused(update, "09:30", "10:30", of="12:00")
    assert takings() == before


@pytest.mark.usefixtures("schema")
def test_a_row_cannot_be_given_to_a_taken_resource_or_lane() -> None:
    insert("10:00", "11:00")
    insert("10:30", "11:30", resource_id=2)
    insert("10:30", "11:30", lane=1)
    before = takings()
    assert refused(write, f"UPDATE {TAKING} SET resource_id = 1 WHERE resource_id = 2")
    assert refused(write, f"UPDATE {TAKING} SET lane = 0 WHERE lane = 1")
    assert takings() == before


@pytest.mark.usefixtures("schema")
def test_a_row_may_move_to_where_it_overlaps_only_itself() -> None:
    insert("10:00", "11:00")
    insert("12:00", "13:00")
    update("10:30", "11:30", of="10:00")
    update("09:30", "12:00", of="10:30")
    update("10:00", "10:05", of="09:30")
    assert refused(update, "10:00", "12:30", of="10:00")
    assert len(takings()) == 2


@pytest.mark.usefixtures("schema")
def test_rows_written_by_one_statement_are_held_against_each_other() -> None:
    assert refused(
        write,
        f"INSERT INTO {TAKING} (resource_id, lane, starts_at, ends_at) VALUES (1, 0, %s, %s), (1, 0, %s, %s)",
        at("10:00"),
        at("11:00"),
        at("10:30"),
        at("11:30"),
    )
    assert takings() == []


def test_a_time_reckoned_by_the_database_is_held_against_one_written_by_django(schema: Schema) -> None:
    taking = schema.model().objects
    taking.create(resource_id=1, starts_at=at("10:00"), ends_at=at("11:00"))
    taking.create(resource_id=1, starts_at=at("11:00"), ends_at=at("12:00:00.5"))
    first = taking.filter(starts_at=at("10:00"))
    first.update(ends_at=models.F("ends_at") - timedelta(microseconds=1))
    first.update(ends_at=models.F("ends_at") + timedelta(microseconds=1))
    with pytest.raises(IntegrityError, match="taking_no_overlap"):
        first.update(ends_at=models.F("ends_at") + timedelta(microseconds=1))
    taking.create(resource_id=2, starts_at=datetime(2000, 1, 1, tzinfo=UTC), ends_at=Now())
    with pytest.raises(IntegrityError, match="taking_no_overlap"):
        taking.create(resource_id=2, starts_at=Now() - timedelta(hours=1), ends_at=Now())


def test_any_run_of_changes_ends_as_comparing_every_pair_would_have_it(schema: Schema) -> None:
    random = Random(20270304)  # noqa: S311
    taking = schema.model().objects
    kept: dict[int, tuple[int, int, int, int]] = {}
    outcomes = set()
    for key in range(1, 600):
        changes = random.random() < 0.4 and bool(kept)
        pk = random.choice(sorted(kept)) if changes else key
        start = random.randrange(60)
        row = (random.choice([1, 2]), random.choice([0, 1]), start, start + random.randrange(-1, 8))
        clashes = any(
            other[:2] == row[:2] and max(other[2], row[2]) < min(other[3], row[3])
            for other_pk, other in kept.items()
            if other_pk != pk and other[2] < other[3] and row[2] < row[3]
        )
        values = {
            "resource_id": row[0],
            "lane": row[1],
            "starts_at": at("10:00") + timedelta(minutes=row[2]),
            "ends_at": at("10:00") + timedelta(minutes=row[3]),
        }
        save = taking.filter(pk=pk).update if changes else taking.create
        try:
            with transaction.atomic():
                save(**values, **({} if changes else {"pk": pk}))
        except IntegrityError:
            accepted = False
        else:
            accepted = True
            kept[pk] = row
        assert accepted is not clashes, (pk, row)
        outcomes.add((changes, accepted))
        if len(kept) > 30:
            gone = random.choice(sorted(kept))
            taking.filter(pk=gone).delete()
            del kept[gone]
    assert outcomes == {(True, True), (True, False), (False, True), (False, False)}


# --- What migrations do to the table ---

REMAKES: dict[str, list[Operation]] = {
    "alter another field": [AlterField("Taking", "note", models.CharField(max_length=40, null=True))],
    "alter a watched field": [AlterField("Taking", "lane", models.IntegerField(default=0))],
    "forbid nulls": [AlterField("Taking", "starts_at", models.DateTimeField())],
    "add a field with a default": [
        AddField("Taking", "tag", models.CharField(max_length=9, default="x", db_default="x"))
    ],
    "add a field without one": [AddField("Taking", "tag", models.CharField(max_length=9, null=True))],
    "remove a field": [RemoveField("Taking", "note")],
    "remove an indexed field": [RemoveField("Taking", "colour")],
    "rename another field": [RenameField("Taking", "note", "remark")],
    "add another constraint": [
        AddConstraint(
            "Taking",
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")), name="taking_runs_forward"
            ),
        )
    ],
    "alter the resource's key": [
        AlterField("Resource", "id", models.AutoField(primary_key=True)),
    ],
    "several at once": [
        AddField("Taking", "tag", models.IntegerField(default=1, db_default=1)),
        AlterField("Taking", "note", models.TextField(null=True)),
        RemoveField("Taking", "colour"),
        AlterField("Taking", "lane", models.SmallIntegerField(default=0)),
    ],
}


def assert_holds(table: str = TAKING, resource: str = "resource_id", starts: str = "starts_at") -> None:
    """The table holds 10:00 to 11:00 of resource 1, and no more."""
    rest = f"INSERT INTO {table} ({resource}, lane, {starts}, ends_at) VALUES (1, 0, %s, %s)"
    with pytest.raises(IntegrityError, match="taking_no_overlap"):
        write(rest, at("10:30"), at("11:30"))
    write(rest, at("11:00"), at("12:00"))
    with pytest.raises(IntegrityError, match="taking_no_overlap"):
        write(f"UPDATE {table} SET {starts} = %s WHERE {starts} = %s", at("10:59"), at("11:00"))
    with pytest.raises(IntegrityError, match="taking_no_overlap"):
        write(f"UPDATE {table} SET ends_at = %s WHERE {starts} = %s", at("11:01"), at("10:00"))


@pytest.mark.parametrize("operations", REMAKES.values(), ids=REMAKES.keys())
def test_a_taken_time_is_still_refused_after_a_migration_to(
    operations: list[Operation], schema: Schema
) -> None:
    insert("10:00", "11:00")
    schema.migrate(*operations)
    assert_holds()


@pytest.mark.parametrize("operations", REMAKES.values(), ids=REMAKES.keys())
def test_a_taken_time_is_refused_when_one_migration_makes_the_table_and_goes_on_to(
    operations: list[Operation], empty_schema: Schema
) -> None:
    empty_schema.migrate(create_taking(no_overlap()), *operations)
    insert("10:00", "11:00")
    assert_holds()


def test_a_taken_time_is_still_refused_after_a_watched_column_got_another_name(schema: Schema) -> None:
    insert("10:00", "11:00")
    schema.migrate(RenameField("Taking", "starts_at", "begins_at"))
    assert_holds(starts="begins_at")


def test_a_taken_time_is_still_refused_after_the_table_got_another_name(schema: Schema) -> None:
    insert("10:00", "11:00")
    schema.migrate(RenameModel("Taking", "Seizure"))
    schema.migrate(AlterField("Seizure", "note", models.TextField(null=True)))
    schema.migrate(AlterModelTable("Seizure", "overlap_other"))
    assert_holds("overlap_other")


def test_a_taken_time_is_refused_when_one_migration_makes_and_renames_the_table(
    empty_schema: Schema,
) -> None:
    empty_schema.migrate(create_taking(no_overlap()), RenameModel("Taking", "Seizure"))
    insert("10:00", "11:00", table="overlap_seizure")
    assert_holds("overlap_seizure")


def test_a_taken_time_is_still_refused_after_the_resource_table_got_another_name(schema: Schema) -> None:
    insert("10:00", "11:00")
    schema.migrate(RenameModel("Resource", "Means"))
    assert_holds()


def test_a_table_made_with_a_default_of_the_database_and_renamed_refuses_a_taken_time(
    empty_schema: Schema,
) -> None:
    create = create_taking(no_overlap())
    create.fields.append(("tag", models.CharField(max_length=9, db_default="x")))
    empty_schema.migrate(create, RenameModel("Taking", "Seizure"))
    insert("10:00", "11:00", table="overlap_seizure")
    assert_holds("overlap_seizure")


def test_a_constraint_added_to_sound_rows_refuses_a_taken_time(empty_schema: Schema) -> None:
    empty_schema.migrate(create_taking(None))
    insert("10:00", "11:00")
    insert("10:30", "10:30")
    insert("10:30", "11:30", lane=1)
    empty_schema.migrate(AddConstraint("Taking", no_overlap()))
    assert_holds()


@pytest.mark.parametrize("order", [1, -1])
def test_a_constraint_cannot_be_added_to_rows_that_overlap(order: int, empty_schema: Schema) -> None:
    empty_schema.migrate(create_taking(None))
    rows = [("09:00", "09:05"), ("09:00", "17:00"), ("12:00", "12:30"), ("17:00", "18:00")]
    for start, end in rows[1:][::order]:
        insert(start, end)
    before = takings()
    with pytest.raises(IntegrityError, match="taking_no_overlap"):
        empty_schema.migrate(AddConstraint("Taking", no_overlap()))
    assert takings() == before
    insert("12:00", "12:30")


def names_in_the_catalogue() -> set[str]:
    catalogue = {"postgresql": "SELECT relname FROM pg_class", "sqlite": "SELECT name FROM sqlite_master"}
    with connection.cursor() as cursor:
        cursor.execute(catalogue[connection.vendor])
        return {name for (name,) in cursor.fetchall() if "taking_no_overlap" in name}


def test_a_constraint_that_is_removed_leaves_nothing_behind(schema: Schema) -> None:
    insert("10:00", "11:00")
    triggers = (
        {"taking_no_overlap_insert", "taking_no_overlap_update"} if connection.vendor == "sqlite" else set()
    )
    assert names_in_the_catalogue() == {"taking_no_overlap"} | triggers
    schema.migrate(RemoveConstraint("Taking", "taking_no_overlap"))
    assert names_in_the_catalogue() == set()
    insert("10:30", "11:30")
    assert len(takings()) == 2


# --- What makemigrations sees ---


def detected(old: ProjectState, new: ProjectState) -> list[Operation]:
    questioner = MigrationQuestioner(defaults={"ask_initial": True, "ask_rename": True})
    found = MigrationAutodetector(old, new, questioner).changes(graph=MigrationGraph())
    return [operation for migration in found.get(APP, []) for operation in migration.operations]


def state_of(*operations: Operation) -> ProjectState:
    state = ProjectState()
    for operation in operations:
        operation.state_forwards(APP, state)
    return state


def test_makemigrations_sees_no_change_once_the_constraint_is_written_down() -> None:
    migration = migration_of(create_resource(), create_taking(no_overlap()))
    written: dict[str, Any] = {}
    exec(MigrationWriter(migration).as_string(), written)  # noqa: S102
    operations = written["Migration"].operations
    assert detected(state_of(*operations), state_of(create_resource(), create_taking(no_overlap()))) == []


@pytest.mark.parametrize(
    "changed", [{"fields": ["resource"]}, {"start": "ends_at"}, {"end": "starts_at"}, {"name": "other"}]
)
def test_makemigrations_sees_a_changed_constraint(changed: dict[str, Any]) -> None:
    found = detected(
        state_of(create_resource(), create_taking(no_overlap())),
        state_of(create_resource(), create_taking(no_overlap(**changed))),
    )
    assert [type(operation) for operation in found] == [RemoveConstraint, AddConstraint]
    assert found[1].constraint == no_overlap(**changed)  # type: ignore[attr-defined]


def test_renaming_watched_fields_as_makemigrations_would_keeps_it(schema: Schema) -> None:
    insert("10:00", "11:00")
    renamed = no_overlap(fields=["means", "lane"], start="begins_at")
    operations = detected(
        schema.state,
        state_of(create_resource(), create_taking(renamed, starts="begins_at", resource="means")),
    )
    assert [type(operation) for operation in operations] == [
        RemoveConstraint,
        RenameField,
        RenameField,
        AddConstraint,
    ]
    schema.migrate(*operations)
    assert_holds(resource="means_id", starts="begins_at")


# --- What a form says ---


def test_a_form_is_told_in_words_that_a_time_is_taken(schema: Schema) -> None:
    insert("10:00", "11:00")
    taking = schema.model()(resource_id=1, starts_at=at("10:30"), ends_at=at("11:30"))
    with pytest.raises(ValidationError) as caught:
        taking.validate_constraints()
    assert caught.value.message_dict == {"__all__": ["This time is taken."]}


@pytest.mark.parametrize(
    "free",
    [
        {"starts_at": at("11:00"), "ends_at": at("12:00")},
        {"starts_at": at("09:00"), "ends_at": at("10:00")},
        {"resource_id": 2},
        {"resource_id": None},
        {"lane": 1},
        {"starts_at": None},
        {"ends_at": at("10:30")},
    ],
)
def test_a_form_is_told_nothing_about_a_free_time(free: dict[str, Any], schema: Schema) -> None:
    insert("10:00", "11:00")
    insert("11:30", "11:30")
    values = {"resource_id": 1, "starts_at": at("10:30"), "ends_at": at("11:30"), **free}
    schema.model()(**values).validate_constraints()


def test_a_form_may_move_a_row_to_where_it_overlaps_only_itself(schema: Schema) -> None:
    insert("10:00", "11:00")
    taking = schema.model().objects.get()
    taking.starts_at, taking.ends_at = at("10:30"), at("11:30")
    taking.validate_constraints()


def test_a_form_that_lacks_one_of_the_fields_leaves_the_question_to_the_database(schema: Schema) -> None:
    insert("10:00", "11:00")
    taking = schema.model()(resource_id=1, starts_at=at("10:30"), ends_at=at("11:30"))
    taking.validate_constraints(exclude={"starts_at"})


# --- The clinic's own table ---


def test_what_is_occupied_once_cannot_be_occupied_again_by_raw_sql() -> None:
    factories.make_appointment()
    before = list(Occupancy.objects.values_list())
    assert before != []
    with connection.cursor() as cursor:
        described = connection.introspection.get_table_description(cursor, "booking_occupancy")
    columns = ", ".join(column.name for column in described if column.name != "id")
    with pytest.raises(IntegrityError, match="occupancy_no_overlap"):
        write(f"INSERT INTO booking_occupancy ({columns}) SELECT {columns} FROM booking_occupancy")
    assert list(Occupancy.objects.values_list()) == before
