"""The schema of booking, one file per subject."""

from booking.models.appointments import (
    TRANSITIONS,
    Actor,
    Appointment,
    AppointmentQuerySet,
    DeclineReason,
    Occupancy,
    Status,
    StatusChange,
)
from booking.models.hours import Closure, ClosureQuerySet, ExtraHours, WorkingHours
from booking.models.patients import Patient
from booking.models.resources import ANYONE, Resource, ResourceQuerySet
from booking.models.rules import BookingRules
from booking.models.visit_types import Phase, VisitType, VisitTypeQuerySet

__all__ = [
    "ANYONE",
    "TRANSITIONS",
    "Actor",
    "Appointment",
    "AppointmentQuerySet",
    "BookingRules",
    "Closure",
    "ClosureQuerySet",
    "DeclineReason",
    "ExtraHours",
    "Occupancy",
    "Patient",
    "Phase",
    "Resource",
    "ResourceQuerySet",
    "Status",
    "StatusChange",
    "VisitType",
    "VisitTypeQuerySet",
    "WorkingHours",
]
