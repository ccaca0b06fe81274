"""Who of the clinic's staff may do what: every address of the desk stands in `roles.csv`, with what each role gets.

A cell is “GET/POST”, as in `routes.csv`. An address without a row fails here, and its row is printed: whoever adds one
thinks about whom it is for. What no permission of `clinic/roles.py` opens is denied.
"""

import csv
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from booking.models import Appointment, Resource, Status
from clinic.roles import EDITORS, FRONT_DESK, OWNERS, PRACTITIONERS, PRIVACY_OFFICERS, ROLES, make_roles
from tests.booking.factories import make_appointment, make_clinic, make_patient, make_practitioner, wall
from tests.booking.test_desk import TODAY, act, page_of, said, signed_in
from tests.content.factories import make_article
from tests.site.test_desk_look import make_mail
from tests.site.test_routes import Site, routes

STRANGER = "Wing Chan"  # a colleague's patient

TABLE = Path(__file__).with_name("roles.csv")

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]


def in_role(name: str, *given: str) -> User:
    user = User.objects.create_user(name, password="pw", is_staff=True)
    user.groups.set(Group.objects.filter(name__in=given))
    return user


# --- The table -----------------------------------------------------------------------------------------------


def written_down() -> list[dict[str, str]]:
    with TABLE.open(newline="") as file:
        return list(csv.DictReader(file))


class Desk(Site):
    """One of everything, and someone of each role; the practitioner is the one whose visit is looked at."""

    def __init__(self) -> None:
        super().__init__()
        for role in ROLES:
            user = in_role(role.lower(), role)
            self.cookies[role] = signed_in(user).cookies
        self.told: list[str] = []  # where a role reads about a patient who is not theirs to see
        for status, starts_at in ((Status.PENDING, wall(11)), (Status.BOOKED, timezone.now())):
            visit_type = make_clinic(slug=f"a-colleagues-{status}")
            make_appointment(visit_type, starts_at=starts_at, status=status, patient=make_patient(STRANGER))
        theirs = Appointment.objects.order_by("pk")[0].practitioner
        Resource.objects.filter(pk=theirs.pk).update(user=User.objects.get(username=PRACTITIONERS.lower()))

    def response(self, method: str, route: str, role: str) -> Any:
        response = super().response(method, route, role)
        is_told = STRANGER in getattr(response, "content", b"").decode()
        if role in {PRACTITIONERS, EDITORS} and is_told:
            self.told.append(f"{role}: {method} {route}")
        return response

    def row(self, route: str) -> dict[str, str]:
        return {"route": route} | {
            role: f"{self.answer('get', route, role)}/{self.answer('post', route, role)}" for role in ROLES
        }


def test_each_role_gets_what_the_table_says_and_reads_of_no_patient_who_is_not_theirs() -> None:
    if connection.vendor == "postgresql":
        pytest.skip("what a role may do does not depend on the database")
    desk, says = Desk(), {row["route"]: row for row in written_down()}
    found = [desk.row(route) for route in routes() if route.startswith("admin/")]
    wrong = [",".join(row.values()) for row in found if says.pop(row["route"], None) != row]
    assert wrong == []
    assert list(says) == []  # rows without an address
    assert desk.told == []


# --- The roles are what the file says ------------------------------------------------------------------------


def test_the_command_makes_the_roles_and_says_so_once(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("roles")
    first = capsys.readouterr().out.splitlines()
    assert first == [
        f"Made the role “{role}” with {len(set(may))} permissions." for role, may in ROLES.items()
    ]
    call_command("roles")
    assert capsys.readouterr().out == "The roles are as they should be.\n"
    for role, may in ROLES.items():
        held = Permission.objects.filter(group__name=role).select_related("content_type")
        assert {f"{one.content_type.app_label}.{one.codename}" for one in held} == set(may)


def test_what_was_given_or_taken_by_hand_is_put_right() -> None:
    make_roles()
    desk = Group.objects.get(name=FRONT_DESK)
    desk.permissions.remove(Permission.objects.get(codename="view_hold"))
    desk.permissions.add(Permission.objects.get(codename="change_user"))
    assert make_roles() == ["Changed the role “Front desk”: 1 permissions given, 1 taken."]


def test_a_slip_in_the_matrix_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ROLES, EDITORS, ["content.view_artikel"])
    with pytest.raises(CommandError, match="view_artikel"):
        call_command("roles")


def test_only_owners_touch_accounts_and_only_they_lay_a_visit_over_another() -> None:
    given = {role for role, may in ROLES.items() if any(name.startswith("auth.") for name in may)}
    assert given == {OWNERS}
    assert {role for role, may in ROLES.items() if "booking.overlap_appointment" in may} == {OWNERS}
    assert {role for role, may in ROLES.items() if "booking.see_every_patient" not in may} == {
        PRACTITIONERS,
        EDITORS,
    }


# --- Nobody raises themselves --------------------------------------------------------------------------------


@pytest.fixture
def mei() -> User:
    make_roles()
    return in_role("mei", OWNERS)


def account_page(user: User) -> str:
    return f"/admin/auth/user/{user.pk}/change/"


def account(user: User, **changes: Any) -> dict[str, Any]:
    return {"username": user.username, "date_joined_0": "2026-01-01", "date_joined_1": "09:00:00"} | changes


def groups(*names: str) -> list[int]:
    return [group.pk for group in Group.objects.filter(name__in=names)]


def everything(user: User) -> dict[str, Any]:
    """A form that asks for all there is."""
    return account(
        user,
        is_active="on",
        is_staff="on",
        is_superuser="on",
        groups=groups(*ROLES),
        user_permissions=[permission.pk for permission in Permission.objects.all()],
        last_name="Changed",
    )


def rights(user: User) -> tuple[bool, bool, bool, set[str], int]:
    user.refresh_from_db()
    roles = set(user.groups.values_list("name", flat=True))
    return user.is_active, user.is_staff, user.is_superuser, roles, user.user_permissions.count()


def test_an_owner_gives_others_roles_but_makes_no_superuser(mei: User) -> None:
    ann = in_role("ann", FRONT_DESK)
    assert signed_in(mei).post(account_page(ann), everything(ann)).status_code == 302
    assert rights(ann) == (True, True, False, set(ROLES), 0)


def test_an_owner_deactivates_an_account_which_ends_its_sessions_at_once(mei: User) -> None:
    ann = in_role("ann", FRONT_DESK)
    at_work = signed_in(ann)
    assert at_work.get(TODAY).status_code == 200
    signed_in(mei).post(account_page(ann), account(ann, is_staff="on"))
    assert rights(ann) == (False, True, False, set(), 0)
    assert at_work.get(TODAY).status_code == 302


def test_nobody_changes_what_their_own_account_may_do(mei: User) -> None:
    boss = User.objects.create_superuser("boss", password="pw")
    for user, roles in ((mei, {OWNERS}), (boss, set())):
        before = rights(user)
        assert signed_in(user).post(account_page(user), everything(user)).status_code == 302
        assert rights(user) == before == (True, True, user.is_superuser, roles, 0)
        assert user.last_name == "Changed"


def test_an_owner_changes_nothing_of_a_superuser(mei: User) -> None:
    boss = User.objects.create_superuser("boss", password="pw")
    owner = signed_in(mei)
    assert owner.post(account_page(boss), account(boss)).status_code == 403
    password = {
        "password1": "a new long password",
        "password2": "a new long password",
        "usable_password": "true",
    }
    assert owner.post(f"/admin/auth/user/{boss.pk}/password/", password).status_code == 403
    boss.refresh_from_db()
    assert boss.check_password("pw")


@pytest.mark.parametrize("role", [FRONT_DESK, PRACTITIONERS, EDITORS, PRIVACY_OFFICERS])
def test_no_other_role_reaches_an_account_a_role_or_whose_practitioner_it_is(mei: User, role: str) -> None:
    somebody = in_role("somebody", role)
    client, person = signed_in(somebody), make_practitioner()
    for account_ in (somebody, mei):
        assert client.post(account_page(account_), everything(account_)).status_code == 403
    for group in Group.objects.all():
        assert client.post(f"/admin/auth/group/{group.pk}/change/", {"name": group.name}).status_code == 403
    answer = client.post(f"/admin/booking/resource/{person.pk}/change/", {"user": somebody.pk})
    assert answer.status_code == 403
    assert rights(somebody) == (True, True, False, {role}, 0)


def test_only_who_edits_accounts_says_which_practitioner_an_account_is(mei: User) -> None:
    ann, person = in_role("ann", FRONT_DESK), make_practitioner()
    ann.user_permissions.add(Permission.objects.get(codename="change_resource"))
    typed = {"name": person.name, "slug": person.slug, "user": ann.pk, "position": 0, "is_active": "on"}
    typed |= {
        f"{name}-{count}_FORMS": 0 for name in ("hours", "extra_hours") for count in ("TOTAL", "INITIAL")
    }
    for client, linked in ((signed_in(ann), None), (signed_in(mei), ann)):
        page = client.get(f"/admin/booking/resource/{person.pk}/change/")
        management = {
            formset.formset.management_form[name].html_name: 0
            for formset in page.context["inline_admin_formsets"]
            for name in ("TOTAL_FORMS", "INITIAL_FORMS")
        }
        client.post(f"/admin/booking/resource/{person.pk}/change/", typed | management)
        person.refresh_from_db()
        assert person.user == linked


# --- Practitioners see their own -----------------------------------------------------------------------------


@pytest.fixture
def two_days() -> tuple[Client, Appointment, Appointment]:
    """A practitioner at the desk, a visit of theirs and one of a colleague's, both today and waiting."""
    make_roles()
    mine = make_appointment(
        make_clinic(slug="mine"),
        starts_at=wall(10),
        patient=make_patient("Parisa Karimi"),
        status=Status.PENDING,
    )
    other = make_appointment(
        make_clinic(slug="other"),
        starts_at=wall(11),
        patient=make_patient("Wing Chan"),
        status=Status.PENDING,
    )
    user = in_role("li", PRACTITIONERS)
    Resource.objects.filter(pk=mine.practitioner_id).update(user=user)
    return signed_in(user), mine, other


def test_a_practitioner_sees_their_own_requests_and_patients(
    two_days: tuple[Client, Appointment, Appointment],
) -> None:
    li, mine, _other = two_days
    today = li.get(TODAY)
    assert [waiting.appointment for waiting in today.context["waiting"]] == [mine]
    pages = [
        TODAY,
        "/admin/booking/appointment/",
        "/admin/booking/patient/",
        "/admin/booking/appointment/?q=Chan",
        "/admin/booking/patient/?q=Chan",
        "/admin/booking/course/",
        f"/admin/booking/patient/{mine.patient_id}/change/",
        page_of(mine),
    ]
    for page in pages:
        answer = li.get(page)
        assert answer.status_code == 200
        assert "Wing Chan" not in answer.content.decode()
    assert "Parisa Karimi" in li.get("/admin/booking/patient/").content.decode()


def test_what_is_a_colleagues_is_not_there_for_a_practitioner(
    two_days: tuple[Client, Appointment, Appointment],
) -> None:
    li, _mine, other = two_days
    for page in (page_of(other), f"/admin/booking/patient/{other.patient_id}/change/"):
        assert li.get(page)["Location"] == "/admin/"  # as for a number that nobody has
        assert li.get(page.replace("change", "history"))["Location"] == "/admin/"
    acts = ("confirm", "decline", "cancel", "move", "offer", "arrived", "new_link", "care_plan")
    assert {li.post(act(other, name), {"version": 1}).status_code for name in acts} == {404}
    assert li.get(act(other, "care_plan")).status_code == 404
    other.refresh_from_db()
    assert (other.status, other.version) == (Status.PENDING, 1)


def test_a_practitioner_answers_their_own_requests(two_days: tuple[Client, Appointment, Appointment]) -> None:
    li, mine, _other = two_days
    answer = li.post(act(mine, "confirm"), {"version": mine.version})
    assert said(answer)[0].startswith(f"{mine.reference} is now confirmed.")


def test_a_practitioners_patient_shows_no_visit_with_a_colleague(
    two_days: tuple[Client, Appointment, Appointment],
) -> None:
    li, mine, other = two_days
    Appointment.objects.filter(pk=other.pk).update(patient=mine.patient)
    shown = li.get(f"/admin/booking/patient/{mine.patient_id}/change/").content.decode()
    assert page_of(mine) in shown
    assert page_of(other) not in shown


def test_a_practitioners_account_that_nobody_linked_sees_nobody(
    two_days: tuple[Client, Appointment, Appointment],
) -> None:
    _li, mine, _other = two_days
    new = signed_in(in_role("new", PRACTITIONERS))
    assert new.get(TODAY).context["waiting"] == []
    assert list(new.get("/admin/booking/patient/").context["cl"].result_list) == []
    assert new.get(page_of(mine)).status_code == 302


def test_practitioners_take_no_more_queries_with_more_patients(
    two_days: tuple[Client, Appointment, Appointment], django_assert_num_queries: Any
) -> None:
    li, mine, _other = two_days
    for hours in ((13, 14, 15), ()):
        with django_assert_num_queries(9):
            li.get("/admin/booking/patient/")
        for hour in hours:
            make_appointment(mine.visit_type, starts_at=wall(hour), practitioner=mine.practitioner)


# --- Article editors see no patient --------------------------------------------------------------------------


def test_an_article_editor_meets_no_patient_in_lists_search_history_or_suggestions() -> None:
    make_roles()
    make_article()
    appointment = make_appointment(patient=make_patient("Parisa Karimi", email="parisa@example.com"))
    make_mail()
    ann = signed_in(in_role("ann", EDITORS))
    today = ann.get(TODAY)
    assert [app["app_label"] for app in today.context["available_apps"]] == ["content"]
    addresses = [
        TODAY,
        "/admin/content/",
        "/admin/content/article/?q=Karimi",
        *(
            f"/admin/booking/{model}/?q=Karimi"
            for model in ("appointment", "patient", "course", "waitlistentry")
        ),
        "/admin/clinic/queuedmail/?q=example.com",
        f"/admin/booking/patient/{appointment.patient_id}/history/",
        f"{page_of(appointment)}",
        "/admin/autocomplete/?app_label=booking&model_name=appointment&field_name=patient&term=Karimi",
        "/admin/autocomplete/?app_label=content&model_name=article&field_name=related&term=Karimi",
    ]
    for address in addresses:
        answer = ann.get(address, follow=True)
        assert "Parisa" not in answer.content.decode(), address
