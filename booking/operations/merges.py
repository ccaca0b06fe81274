"""Two records of one person become one, and can be parted again; only staff can tell, so nothing does it by itself."""

from datetime import datetime
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from booking.models import Appointment, Course, Patient, PatientMerge, WaitlistEntry
from booking.operations.errors import MergedAlready
from clinic import transactions

# What belongs to a person, by the name of its relation, in the order in which its rows are locked.
BELONGS: Final[dict[str, Any]] = {
    "waitlist_entries": WaitlistEntry,
    "courses": Course,
    "appointments": Appointment,
}
# What the record that is kept takes from the other where it has nothing; consent to marketing is nobody's to move.
TAKEN_OVER: Final = ("email", "phone", "date_of_birth")


def merge_patients(*, keep: Patient, other: Patient, by: User, now: datetime) -> PatientMerge:
    """Everything of `other` belongs to `keep` from now on; the record of `other` stays, out of sight.

    :raises MergedAlready: if one of them was merged into somebody meanwhile, or they are the same record.
    :raises Busy: if a lock was not to be had in time.
    """
    with transactions.change():
        kept, merged = _locked(keep.pk, other.pk)
        filled = [name for name in TAKEN_OVER if getattr(merged, name) and not getattr(kept, name)]
        for name in filled:
            setattr(kept, name, getattr(merged, name))
        kept.save(update_fields=filled)
        return PatientMerge.objects.create(
            kept=kept,
            merged=merged,
            moved={name: _move(model, merged, kept) for name, model in BELONGS.items()},
            filled=filled,
            merged_at=now,
            merged_by=by,
        )


def undo_merge(*, merge: PatientMerge, by: User, now: datetime) -> PatientMerge:
    """What came with the merge goes back; what is new since then stays. Undoing it again does nothing.

    A field that took the other's word is emptied again, unless it was changed since.

    :raises MergedAlready: if the record that was kept was merged into a third one since: that is undone first.
    :raises Busy: if a lock was not to be had in time.
    """
    with transactions.change():
        _lock(merge.kept_id, merge.merged_id)
        merge = PatientMerge.objects.select_related("kept", "merged").get(pk=merge.pk)
        if merge.undone_at:
            return merge
        kept, merged = merge.kept, merge.merged
        if not Patient.objects.current().filter(pk=kept.pk).exists():
            raise MergedAlready
        for name, model in BELONGS.items():
            model.objects.filter(pk__in=merge.moved[name], patient=kept).update(patient=merged)
        _give_back_what_followed(merged, kept)
        same = [name for name in merge.filled if getattr(kept, name) == getattr(merged, name)]
        for name in same:
            setattr(kept, name, None if name == "date_of_birth" else "")
        kept.save(update_fields=same)
        merge.undone_at, merge.undone_by = now, by
        merge.save(update_fields=["undone_at", "undone_by"])
    return merge


def _give_back_what_followed(merged: Patient, kept: Patient) -> None:
    """What grew out of the rows that went back, while both were one: a visit of their course, or for their wish."""
    for model, origin in ((Course, "planned_after"), (WaitlistEntry, "replaces")):
        model.objects.filter(**{f"{origin}__patient": merged}, patient=kept).update(patient=merged)
    for_a_wish = WaitlistEntry.objects.filter(patient=merged).exclude(booked=None).values("booked")
    theirs = Q(course__patient=merged) | Q(replaces__patient=merged) | Q(pk__in=for_a_wish)
    while found := list(Appointment.objects.filter(theirs, patient=kept).values_list("pk", flat=True)):
        Appointment.objects.filter(pk__in=found).update(patient=merged)


def known_as(patient: Patient) -> Patient:
    """Whoever the person is known as now, locked against being merged, in the caller's transaction.

    If they were merged while we waited, our lock is given back first: it would be out of the order of keys.
    """
    people = [patient]
    while True:
        with transaction.atomic():
            _lock(*(one.pk for one in people))
            became = _became(patient)
            if became == people:
                return became[-1]
            transaction.set_rollback(True)
        people = became


def _became(patient: Patient) -> list[Patient]:
    """The person, whom they were merged into, whom those were merged into, and so on."""
    people = [patient]
    while merge := PatientMerge.objects.standing().filter(merged=people[-1]).select_related("kept").first():
        people.append(merge.kept)
    return people


def _locked(*keys: int) -> list[Patient]:
    """:raises MergedAlready: if they are not so many different people."""
    _lock(*keys)
    people = Patient.objects.current().exclude(name="").in_bulk(keys)
    if len(people) != len(keys):
        raise MergedAlready
    return [people[key] for key in keys]


def _lock(*keys: int) -> None:
    """By key, before all else that an operation locks; what is true of them is asked afterwards."""
    list(Patient.objects.filter(pk__in=keys).order_by("pk").select_for_update(no_key=True).values_list("pk"))


def _move(model: Any, merged: Patient, kept: Patient) -> list[int]:
    """Rows are locked first and read again then: whoever had one locked may have added another."""
    theirs = model.objects.filter(patient=merged).order_by("pk")
    list(theirs.select_for_update(no_key=True, of=("self",)).values_list("pk"))
    keys = list(theirs.values_list("pk", flat=True))
    model.objects.filter(pk__in=keys).update(patient=kept)
    return keys
