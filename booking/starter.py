"""The sample clinic: what a new installation starts with, plainly named as samples."""

from datetime import time

from django.db import transaction

from booking.models import Phase, Resource, VisitType, WorkingHours

SAMPLE_HOURS = {
    "Sample practitioner A": (time(9), time(17)),
    "Sample practitioner B": (time(10), time(18)),
}
SAMPLE_ROOMS = ("Sample room 1", "Sample room 2", "Sample room 3")


def _visit_types_with_phases() -> list[tuple[VisitType, list[Phase]]]:
    """Unsaved; the practitioner is free while the patient rests and while the room is made ready."""

    def rest_and_after() -> list[Phase]:
        return [
            Phase(name="Rest", minutes=20, may_stretch_by=10, needs_practitioner=False),
            Phase(name="Needles out", minutes=5),
            Phase(name="Room made ready", minutes=10, needs_practitioner=False, with_patient=False),
        ]

    first = VisitType(
        slug="first-visit",
        name="First visit",
        summary="Questions about your pain and your health, an examination, and treatment.",
    )
    follow_up = VisitType(
        slug="follow-up-visit",
        name="Follow-up visit",
        summary="Treatment, for people who have had a first visit here.",
        as_course=True,
    )
    return [
        (
            first,
            [
                Phase(name="Questions and examination", minutes=30),
                Phase(name="Needles in", minutes=15),
                *rest_and_after(),
            ],
        ),
        (follow_up, [Phase(name="Needles in", minutes=20), *rest_and_after()]),
    ]


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
    made = _visit_types_with_phases()
    for position, (visit_type, phases) in enumerate(made):
        visit_type.position = position
        visit_type.save()
        visit_type.practitioners.set(Resource.objects.practitioners())
        for place, phase in enumerate(phases, start=1):
            phase.visit_type, phase.position = visit_type, place
            phase.save()
    return f"Visit types: {len(made)} made, without fees."
