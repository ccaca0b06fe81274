"""The sample clinic: what a new installation starts with, plainly named as samples."""

from datetime import time

from django.db import transaction

from booking.models import Phase, Resource, VisitType, WorkingHours

SAMPLE_HOURS = {
    "Sample practitioner A": (time(9), time(17)),
    "Sample practitioner B": (time(10), time(18)),
}
SAMPLE_ROOMS = ("Sample room 1", "Sample room 2", "Sample room 3")

NEEDLES_OUT_AND_AFTER = (
    {"name": "Rest", "minutes": 20, "may_stretch_by": 10, "needs_practitioner": False},
    {"name": "Needles out", "minutes": 5},
    {"name": "Room made ready", "minutes": 10, "needs_practitioner": False, "with_patient": False},
)
VISIT_TYPES = {
    "first-visit": {
        "name": "First visit",
        "summary": "Questions about your pain and your health, an examination, and treatment.",
        "phases": (
            {"name": "Questions and examination", "minutes": 30},
            {"name": "Needles in", "minutes": 15},
            *NEEDLES_OUT_AND_AFTER,
        ),
    },
    "follow-up-visit": {
        "name": "Follow-up visit",
        "summary": "Treatment, for people who have had a first visit here.",
        "phases": ({"name": "Needles in", "minutes": 20}, *NEEDLES_OUT_AND_AFTER),
    },
}


def create_starter_clinic() -> list[str]:
    """Creates samples where there are no practitioners, rooms or visit types at all; returns what it did.

    Safe to repeat: what the clinic has made its own is left alone.
    """
    with transaction.atomic():
        return [_practitioners_and_rooms(), _visit_types()]


def _practitioners_and_rooms() -> str:
    if Resource.objects.exists():
        return "Practitioners and rooms: kept as they are."
    for position, (name, (opens, closes)) in enumerate(SAMPLE_HOURS.items()):
        practitioner = Resource.objects.create(
            kind=Resource.Kind.PRACTITIONER,
            name=name,
            slug=name.lower().replace(" ", "-"),
            languages="English",
            position=position,
            is_sample=True,
        )
        WorkingHours.objects.bulk_create(
            WorkingHours(practitioner=practitioner, weekday=weekday, opens=opens, closes=closes)
            for weekday in range(WorkingHours.Weekday.SATURDAY)
        )
    Resource.objects.bulk_create(
        Resource(
            kind=Resource.Kind.ROOM,
            name=name,
            slug=name.lower().replace(" ", "-"),
            position=position,
            is_sample=True,
        )
        for position, name in enumerate(SAMPLE_ROOMS)
    )
    return f"Practitioners and rooms: {len(SAMPLE_HOURS)} sample practitioners, {len(SAMPLE_ROOMS)} sample rooms made."


def _visit_types() -> str:
    if VisitType.objects.exists():
        return "Visit types: kept as they are."
    for position, (slug, facts) in enumerate(VISIT_TYPES.items()):
        visit_type = VisitType.objects.create(
            slug=slug, name=facts["name"], summary=facts["summary"], position=position
        )
        visit_type.practitioners.set(Resource.objects.practitioners())
        Phase.objects.bulk_create(
            Phase(visit_type=visit_type, position=place, **phase)
            for place, phase in enumerate(facts["phases"], start=1)
        )
    return f"Visit types: {len(VISIT_TYPES)} made, without fees."
