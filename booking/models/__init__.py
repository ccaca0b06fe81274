"""The schema of booking, one file per subject."""

from booking.models.appointments import (
    TRANSITIONS,
    Actor,
    Appointment,
    AppointmentQuerySet,
    DeclineReason,
    Status,
    StatusChange,
)
from booking.models.checkins import ASKED_FROM, LEAST, MOST, SCALES, CheckIn, CheckInQuerySet
from booking.models.contacts import Contact
from booking.models.courses import Course, CourseQuerySet, CourseStage
from booking.models.feeds import CalendarFeed
from booking.models.holds import HELD_FOR, Hold
from booking.models.hours import Closure, ClosureQuerySet, ExtraHours, WorkingHours
from booking.models.occupancies import Occupancy
from booking.models.offers import Offer, OfferNote, OfferOption
from booking.models.patients import Patient, PatientMerge, PatientQuerySet
from booking.models.resources import ANYONE, Resource, ResourceQuerySet
from booking.models.rules import BookingRules
from booking.models.visit_types import Phase, VisitType, VisitTypeQuerySet
from booking.models.waitlist import WaitlistEntry, WaitlistEntryQuerySet

__all__ = [
    "ANYONE",
    "ASKED_FROM",
    "HELD_FOR",
    "LEAST",
    "MOST",
    "SCALES",
    "TRANSITIONS",
    "Actor",
    "Appointment",
    "AppointmentQuerySet",
    "BookingRules",
    "CalendarFeed",
    "CheckIn",
    "CheckInQuerySet",
    "Closure",
    "ClosureQuerySet",
    "Contact",
    "Course",
    "CourseQuerySet",
    "CourseStage",
    "DeclineReason",
    "ExtraHours",
    "Hold",
    "Occupancy",
    "Offer",
    "OfferNote",
    "OfferOption",
    "Patient",
    "PatientMerge",
    "PatientQuerySet",
    "Phase",
    "Resource",
    "ResourceQuerySet",
    "Status",
    "StatusChange",
    "VisitType",
    "VisitTypeQuerySet",
    "WaitlistEntry",
    "WaitlistEntryQuerySet",
    "WorkingHours",
]
