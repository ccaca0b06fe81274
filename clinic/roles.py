"""What each role of the clinic's staff may do at the desk: the matrix, and the groups that are made from it."""

from collections.abc import Sequence
from typing import Final

from django.contrib.auth.models import Group, Permission

# Whoever answers requests and runs the day; a practitioner does so for the visits that are theirs.
_DAY: Final = (
    "booking.view_appointment",
    "booking.decide_appointment",
    "booking.view_patient",
    "booking.view_course",
)
_EVERYBODY: Final = "booking.see_every_patient"
# Who saw what, and what a patient may ask for: a copy of everything, and to be forgotten.
_PRIVACY: Final = ("clinic.view_auditrow", "clinic.export_patient", "clinic.erase_patient")

FRONT_DESK: Final = "Front desk"
PRACTITIONERS: Final = "Practitioners"
EDITORS: Final = "Article editors"
OWNERS: Final = "Owners"
PRIVACY_OFFICERS: Final = "Privacy officers"

_FRONT_DESK_MAY: Final = (
    *_DAY, _EVERYBODY, "booking.change_patient", "booking.merge_patient",
    "booking.view_waitlistentry", "booking.remove_waitlistentry",
    "booking.view_hold", "booking.delete_hold",
    "booking.view_closure", "booking.add_closure", "booking.change_closure", "booking.delete_closure",
    "booking.view_resource", "booking.view_workinghours", "booking.view_extrahours",
    "booking.view_visittype", "booking.view_phase", "booking.view_bookingrules",
    "clinic.view_queuedmail", "clinic.resend_queuedmail",
    "content.view_remark", "content.change_remark",
)  # fmt: skip
_EDITORS_MAY: Final = (
    "content.view_article", "content.add_article", "content.change_article", "content.approve_article",
    "content.view_reference", "content.add_reference", "content.change_reference", "content.delete_reference",
)  # fmt: skip
_OWNERS_MAY: Final = (
    *_FRONT_DESK_MAY, *_EDITORS_MAY, *_PRIVACY, "booking.overlap_appointment", "booking.view_reports",
    "booking.add_resource", "booking.change_resource", "booking.delete_resource",
    "booking.add_workinghours", "booking.change_workinghours", "booking.delete_workinghours",
    "booking.add_extrahours", "booking.change_extrahours", "booking.delete_extrahours",
    "booking.add_visittype", "booking.change_visittype", "booking.delete_visittype",
    "booking.add_phase", "booking.change_phase", "booking.delete_phase",
    "booking.add_bookingrules", "booking.change_bookingrules",
    "content.delete_article", "content.delete_remark",
    # Accounts are the owner's alone; clinic/desk_accounts.py says what even the owner cannot change.
    "auth.view_user", "auth.add_user", "auth.change_user", "auth.view_group",
)  # fmt: skip
_PRIVACY_OFFICERS_MAY: Final = (
    "booking.view_appointment", "booking.view_course", "booking.view_waitlistentry", _EVERYBODY,
    "booking.view_patient", "booking.change_patient", "booking.merge_patient",
    "clinic.view_queuedmail", *_PRIVACY,
)  # fmt: skip

# Role → permissions. Whatever does not stand here is denied; whoever has two roles has the permissions of both.
ROLES: Final[dict[str, Sequence[str]]] = {
    FRONT_DESK: _FRONT_DESK_MAY,
    PRACTITIONERS: _DAY,
    EDITORS: _EDITORS_MAY,
    OWNERS: _OWNERS_MAY,
    PRIVACY_OFFICERS: _PRIVACY_OFFICERS_MAY,
}


class UnknownPermission(Exception):
    """The matrix names a permission that the database does not know: a slip, or migrations are not applied."""


def make_roles() -> list[str]:
    """Makes each role's group and gives it exactly what the matrix says; a line for each change, none for none.

    :raises UnknownPermission: if the matrix names one that is not there.
    """
    known = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.select_related("content_type")
    }
    if unknown := sorted({name for may in ROLES.values() for name in may} - known.keys()):
        raise UnknownPermission(", ".join(unknown))
    done = []
    for role, may in ROLES.items():
        group, is_new = Group.objects.get_or_create(name=role)
        before = set() if is_new else {permission.pk for permission in group.permissions.all()}
        after = {known[name].pk for name in may}
        group.permissions.set(after)
        if is_new:
            done.append(f"Made the role “{role}” with {len(after)} permissions.")
        elif before != after:
            done.append(
                f"Changed the role “{role}”: {len(after - before)} permissions given, {len(before - after)} taken."
            )
    return done
