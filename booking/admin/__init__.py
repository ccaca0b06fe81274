"""What staff can see and change of booking at the desk, one file per subject."""

from booking.admin import (
    appointments,
    courses,
    holds,
    hours,
    patients,
    resources,
    rules,
    visit_types,
    waitlist,
)

__all__ = [
    "appointments",
    "courses",
    "holds",
    "hours",
    "patients",
    "resources",
    "rules",
    "visit_types",
    "waitlist",
]
