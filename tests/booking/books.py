"""What must be true of the books whatever happened: asked of the database in plain SQL, not of our code."""

from django.db import connection

OVERLAPS = """
    SELECT count(*) FROM booking_occupancy a JOIN booking_occupancy b
    ON a.resource_id = b.resource_id AND a.id < b.id AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at
"""

# One row of history for each version from the first to the present one.
UNWRITTEN_CHANGES = """
    SELECT count(*) FROM booking_appointment a
    WHERE a.version <> (SELECT count(*) FROM booking_statuschange c WHERE c.appointment_id = a.id)
       OR a.version <> (SELECT max(c.version) FROM booking_statuschange c WHERE c.appointment_id = a.id)
       OR a.status <> (SELECT c.to_status FROM booking_statuschange c
                       WHERE c.appointment_id = a.id AND c.version = a.version)
"""

KEYS_USED_TWICE = """
    SELECT count(*) FROM (SELECT 1 FROM booking_statuschange WHERE idempotency_key IS NOT NULL
                          GROUP BY idempotency_key HAVING count(DISTINCT appointment_id) > 1) AS keys
"""

# A visit of one phase takes its practitioner and its room from its start to its end, and nothing else.
PLAIN_VISITS_ASTRAY = """
    SELECT count(*) FROM booking_appointment a
    WHERE (SELECT count(*) FROM booking_occupancy o WHERE o.appointment_id = a.id)
       <> CASE WHEN a.status IN ('pending', 'booked', 'arrived') THEN 2 ELSE 0 END
       OR (SELECT count(DISTINCT o.resource_id) FROM booking_occupancy o
           WHERE o.appointment_id = a.id AND o.resource_id IN (a.practitioner_id, a.room_id)
             AND o.starts_at = a.starts_at AND o.ends_at = a.ends_at)
       <> CASE WHEN a.status IN ('pending', 'booked', 'arrived') THEN 2 ELSE 0 END
"""

# The patient of every request is told once that it has come.
REQUESTS_UNTOLD = """
    SELECT count(*) FROM booking_appointment a
    WHERE 1 <> (SELECT count(*) FROM clinic_queuedmail m WHERE m.about = a.reference AND m.kind = 'received')
"""

UNSOUND_IN_POSTGRESQL = """
    SELECT conname FROM pg_constraint WHERE NOT convalidated
    UNION ALL SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid
"""


def ask(sql: str) -> int:
    """The one number that the query answers with."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        number: int = cursor.fetchone()[0]
        return number


def overlaps() -> int:
    """Pairs of occupancies of one resource that share time, in whatever lane: right where nobody meant any."""
    return ask(OVERLAPS)


def overlaps_in_a_lane() -> int:
    """Those that even a deliberate overlap must not make."""
    return ask(f"{OVERLAPS} AND a.lane = b.lane")


def faults() -> list[str]:
    """What the database finds wrong with itself."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(UNSOUND_IN_POSTGRESQL)
            return [str(row) for row in cursor.fetchall()]
        cursor.execute("PRAGMA integrity_check")
        found = [str(row) for row in cursor.fetchall() if row != ("ok",)]
        cursor.execute("PRAGMA foreign_key_check")
        return found + [str(row) for row in cursor.fetchall()]
