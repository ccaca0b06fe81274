"""Whatever people do, in whatever order: the books hold what a plain model of a small clinic says they hold.

The model knows five-minute cells, who has them and until when; it finds free times by `brute_force`. After every
step the whole database is compared with it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as run

from booking import openings, operations, queries, times
from booking.models import (
    Appointment,
    BookingRules,
    DeclineReason,
    Hold,
    Occupancy,
    OfferOption,
    Resource,
    VisitType,
)
from booking.operations import (
    AlreadyDecided,
    Expired,
    OfferedTime,
    OfferEnded,
    TimeTaken,
    TooManyPending,
)
from clinic.models import QueuedMail
from tests.booking import books
from tests.booking.brute_force import FIVE_MINUTES, Found, every_opening
from tests.booking.factories import (
    make_closure,
    make_hours,
    make_patient,
    make_practitioner,
    make_room,
    make_visit_type,
    needles,
    phase,
)
from tests.booking.test_operations import somebody

BEGIN: Final = datetime(2027, 3, 1, 10, tzinfo=times.ZONE)  # no clock changes that week
DAYS: Final = [date(2027, 3, day) for day in (2, 3)]
OPENS, CLOSES = time(9), time(11)
NOTICE, HORIZON = timedelta(hours=12), timedelta(days=2)
A_DAY: Final = timedelta(hours=24)  # within which requests are answered, and for which offers stand
SHORTEST_VISIT, START_EVERY = 25, 15  # minutes
PEOPLE: Final = [somebody() for _ in range(3)]
VISITORS: Final = [uuid4() for _ in range(3)]
TOLD: Final = ("received", "confirmed", "declined", "cancelled", "other_times_offered", "moved", "expired")
REFUSALS: Final = (AlreadyDecided, OfferEnded, TimeTaken, TooManyPending)

Cells = frozenset[tuple[int, int]]  # resource, and the second at which the five minutes begin


@dataclass(frozen=True)
class Place:
    practitioner: int
    room: int
    starts_at: int
    cells: Cells


@dataclass(frozen=True)
class Held:
    wish: tuple[int, int, int | None]  # visit type, start, and who was asked for
    place: Place
    until: datetime


@dataclass
class Visit:
    visit_type: VisitType
    status: str
    place: Place
    version: int = 1
    person: int | None = None
    answer_by: datetime | None = None
    is_over_another: bool = False
    offered: dict[int, Place] = field(default_factory=dict)  # by the number of the offered time
    open_until: datetime = BEGIN
    replaces: int | None = None

    @property
    def is_occupying(self) -> bool:
        return self.status in {"pending", "booked"}


class Model:
    """The clinic as somebody with a good memory and a lot of time would keep it."""

    def __init__(self, practitioners: list[Resource], rooms: list[Resource]) -> None:
        self.now = BEGIN
        self.practitioners, self.rooms = practitioners, rooms
        self.keeps_compact = False
        self.visits: dict[int, Visit] = {}
        self.holds: dict[UUID, Held] = {}
        self.closures: list[tuple[int | None, int, int]] = []
        self.mails = 0  # one to the patient for each change

    def owners(self) -> Iterator[tuple[tuple[str, Any], Cells]]:
        """Everything that takes time now."""
        for pk, visit in self.visits.items():
            if visit.is_occupying:
                yield ("visit", pk), visit.place.cells
            if visit.status == "proposed" and visit.open_until > self.now:
                yield from ((("option", option), place.cells) for option, place in visit.offered.items())
        for visitor, held in self.holds.items():
            if held.until > self.now:
                yield ("hold", visitor), held.place.cells

    def counts_as(self, owner: tuple[str, Any]) -> tuple[str, Any]:
        """Of the times of an offer one becomes a visit, so together they count as one."""
        return next(
            (
                ("visit", pk)
                for pk, visit in self.visits.items()
                if owner[0] == "option" and owner[1] in visit.offered
            ),
            owner,
        )

    def found(
        self, visit_type: VisitType, day: date, *, at_the_desk: bool = False, but: Sequence[Any] = ()
    ) -> Found:
        window = times.epoch(day, OPENS), times.epoch(day, time(12, 30))
        open_for = ((window[0], times.epoch(day, CLOSES)),)
        others = [(owner, cells) for owner, cells in self.owners() if owner not in but]

        def calendar(resource: Resource) -> tuple[int, openings.Calendar]:
            closed = [(start, end) for who, start, end in self.closures if who in (None, resource.pk)]
            there = {
                (cell, owner)
                for owner, cells in others
                for id_, cell in cells
                if id_ == resource.pk and window[0] <= cell < window[1]
            }
            visits = {self.counts_as(owner) for _, owner in there}
            if resource.visits_a_day and len(visits) >= resource.visits_a_day:
                closed = [window]
            taken = [(cell, cell + FIVE_MINUTES) for cell, _ in sorted(there, key=lambda one: one[0])]
            return resource.pk, openings.Calendar(open_for, tuple(taken), tuple(closed))

        earliest, latest = (self.now, self.now + timedelta(days=366)) if at_the_desk else (
            self.now + NOTICE, self.now + HORIZON
        )  # fmt: skip
        return every_opening_once(
            tuple(queries.phases_of(visit_type)),
            tuple(map(calendar, self.practitioners)),
            tuple(map(calendar, self.rooms)),
            window,
            max(int(earliest.timestamp()), window[0]),
            min(int(latest.timestamp()), window[1]),
            SHORTEST_VISIT if self.keeps_compact and not at_the_desk else None,
        )

    def free(
        self,
        visit_type: VisitType,
        starts_at: int,
        practitioner: int | None,
        *,
        at_the_desk: bool = False,
        but: Sequence[Any] = (),
    ) -> Place | None:
        """Where a visit that starts then would be."""
        day = times.from_epoch(starts_at).date()
        opening = self.found(visit_type, day, at_the_desk=at_the_desk, but=but).at(starts_at, practitioner)
        return place(visit_type, opening) if opening else None

    def of(self, pk: int) -> list[tuple[str, int]]:
        """What an appointment takes, as `owners` names it."""
        return [("visit", pk), *(("option", option) for option in self.visits[pk].offered)]

    def has_too_many(self, person: int) -> bool:
        waiting = [visit for visit in self.visits.values() if visit.status == "pending"]
        return sum(visit.person == person for visit in waiting) >= 2

    def becomes(self, pk: int, status: str) -> None:
        visit = self.visits[pk]
        visit.status, visit.version = status, visit.version + 1
        if status != "proposed":
            visit.offered = {}

    def kept(self, pk: int) -> Visit | None:
        """The booked visit that this one would replace."""
        replaces = self.visits[pk].replaces
        old = self.visits[replaces] if replaces else None
        return old if old and old.status == "booked" else None

    def is_booked_now(self, pk: int) -> None:
        """And what it replaces ends without a word of its own, unless it has begun."""
        old = self.kept(pk)
        if old and times.from_epoch(old.place.starts_at) > self.now:
            old.status, old.version = "cancelled", old.version + 1

    def open_change_of(self, pk: int) -> int | None:
        return next(
            (
                other
                for other, visit in self.visits.items()
                if visit.replaces == pk and visit.status in {"pending", "proposed"}
            ),
            None,
        )

    def answer_by(self, starts_at: int) -> datetime:
        """Within a day, and two hours before the visit, or half-way there if that is nearer."""
        begins = times.from_epoch(starts_at)
        return min(self.now + A_DAY, max(begins - timedelta(hours=2), self.now + (begins - self.now) / 2))


@lru_cache(maxsize=1000)  # most steps leave most days as they were
def every_opening_once(
    phases: tuple[openings.Phase, ...],
    practitioners: tuple[tuple[int, openings.Calendar], ...],
    rooms: tuple[tuple[int, openings.Calendar], ...],
    window: openings.Interval,
    earliest: int,
    latest: int,
    shortest_visit: int | None,
) -> Found:
    return every_opening(
        phases=phases,
        practitioners=dict(practitioners),
        rooms=dict(rooms),
        window=window,
        earliest=earliest,
        latest=latest,
        every_minutes=START_EVERY,
        midnights=[window[0]],
        shortest_visits={person: shortest_visit for person, _ in practitioners} if shortest_visit else None,
    )


def place(visit_type: VisitType, opening: openings.Opening) -> Place:
    """Walks through the visit five minutes at a time."""
    assert opening.practitioner is not None
    assert opening.room is not None
    cells, cell = set(), opening.starts_at
    for part, stretch in zip(visit_type.phases.all(), opening.stretches, strict=True):
        for _ in range((part.minutes + stretch) // 5):
            if part.needs_practitioner:
                cells.add((opening.practitioner, cell))
            if part.needs_room:
                cells.add((opening.room, cell))
            cell += FIVE_MINUTES
    return Place(opening.practitioner, opening.room, opening.starts_at, frozenset(cells))


# What a step is about, drawn anew for each; a small clinic, so that people get into each other's way.
which = st.integers(0, 19)
minute = st.integers(0, 8).map(lambda number: number * 15) | st.integers(0, 24).map(lambda number: number * 5)
wish = st.tuples(st.integers(0, 1), minute, st.sampled_from([True, True, False]))
kind = st.integers(0, 1)
who = st.sampled_from([None, 0, 1])
rarely = st.integers(0, 9).map(lambda number: number == 9)
Wish = tuple[int, int, bool]


@dataclass(frozen=True)
class Step:
    """Something that somebody does, `often` so many times as likely, if it makes sense at all."""

    act: Callable[..., None]
    when: Callable[["SmallClinic"], object]
    often: int
    facts: dict[str, st.SearchStrategy[Any]]


STEPS: Final[list[Step]] = []


def step(
    *,
    when: Callable[["SmallClinic"], object] = lambda _: True,
    often: int = 1,
    **facts: st.SearchStrategy[Any],
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Not a rule each: hypothesis leaves many rules out of each example, and then little happens in a clinic."""

    def take_down(act: Callable[..., None]) -> Callable[..., None]:
        STEPS.append(Step(act, when, often, facts))
        return act

    return take_down


class SmallClinic(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.before = transaction.savepoint()
        people = [make_practitioner(visits_a_day=3), make_practitioner()]
        for person in people:
            make_hours(person, opens=OPENS, closes=CLOSES)
        rooms = [make_room(), make_room()]
        self.model = Model(people, rooms)
        self.visit_types = [
            VisitType.objects.prefetch_related("phases").get(pk=made.pk)
            for made in (
                make_visit_type(practitioners=people, phases=[phase(25)]),
                make_visit_type(practitioners=people, phases=needles()),
            )
        ]
        self.patient = make_patient()
        by = User.objects.create_user("desk", is_staff=True)
        by.user_permissions.add(Permission.objects.get(codename="overlap_appointment"))
        self.by = User.objects.get(pk=by.pk)
        self.sent: list[Callable[[], object]] = []
        self.looked_at: object = None

    def teardown(self) -> None:
        transaction.savepoint_rollback(self.before)

    @initialize(compact=st.booleans())
    def the_owner_says_how_days_are_filled(self, *, compact: bool) -> None:
        self.model.keeps_compact = compact
        BookingRules(notice_hours=12, horizon_days=2, keep_days_compact=compact).save()

    @rule(data=st.data())
    def something_happens(self, data: st.DataObject) -> None:
        possible = [step for step in STEPS for _ in range(step.often) if step.when(self)]
        chosen = data.draw(st.sampled_from(possible), label="step")
        chosen.act(self, **{name: data.draw(fact, label=name) for name, fact in chosen.facts.items()})

    # --- What a step needs ------------------------------------------------------------------------------------

    def person(self, who: int | None) -> Resource | None:
        return None if who is None else self.model.practitioners[who]

    def start(self, visit_type: VisitType, wish: Wish, who: int | None) -> int:
        """A start as wished; the eager take the next one that is free."""
        day, minutes, is_eager = wish
        wished = times.epoch(DAYS[day], OPENS) + minutes * 60
        person = self.person(who)
        free = self.model.found(visit_type, DAYS[day]).starts(person.pk if person else None)
        return next((start for start in sorted(free) if start >= wished), wished) if is_eager else wished

    def held(self, visitor: UUID) -> tuple[VisitType, int, int | None]:
        """What the visitor held last: visit type, start, and who."""
        id_, starts_at, asked = self.model.holds[visitor].wish
        [visit_type] = [one for one in self.visit_types if one.pk == id_]
        who = next((n for n, one in enumerate(self.model.practitioners) if one.pk == asked), None)
        return visit_type, starts_at, who

    def pick(self, which: int, *wanted: str) -> int:
        """An appointment: mostly one for which the step makes sense, sometimes any."""
        fitting = [pk for pk, visit in self.model.visits.items() if visit.status in wanted]
        pks = fitting if fitting and which % 4 else list(self.model.visits)
        return pks[which % len(pks)]

    def has(self, *statuses: str) -> bool:
        return any(visit.status in statuses for visit in self.model.visits.values())

    def answers(self, act: Callable[[], Any], refused: type[Exception] | None, *, again: bool = False) -> Any:
        """Does it, and sees it refused just when the model says so; `again` if its form has a key."""
        try:
            answer = act()
        except REFUSALS as error:
            assert type(error) is refused, f"{error!r} instead of {refused}"  # noqa: PT017 (often none is right)
            return None
        assert refused is None, f"done, though {refused} was right"
        if again:
            self.sent.append(act)
        return answer

    def version(self, pk: int, *, stale: bool) -> int:
        return self.model.visits[pk].version - stale

    # --- What patients do -------------------------------------------------------------------------------------

    @step(often=3, visitor=st.sampled_from(VISITORS), kind=kind, wish=wish, who=who, same=st.booleans())
    def a_visitor_holds_a_time(
        self, visitor: UUID, kind: int, wish: Wish, who: int | None, *, same: bool
    ) -> None:
        """Another one, or the one they have for ten minutes more."""
        model, visit_type = self.model, self.visit_types[kind]
        starts_at = self.start(visit_type, wish, who)
        if same and visitor in model.holds:
            visit_type, starts_at, who = self.held(visitor)
        person = self.person(who)
        wished = visit_type.pk, starts_at, person.pk if person else None
        held = model.holds.get(visitor)
        if held and (held.wish != wished or held.until <= model.now):
            held = None
        found = held.place if held else model.free(visit_type, *wished[1:], but=[("hold", visitor)])
        self.answers(
            lambda: operations.hold_time(
                visitor=visitor,
                visit_type=visit_type,
                starts_at=times.from_epoch(starts_at),
                practitioner=person,
                now=model.now,
            ),
            None if found else TimeTaken,
        )
        if found:
            model.holds[visitor] = Held(wished, found, model.now + timedelta(minutes=10))

    @step(when=lambda self: self.model.holds, visitor=st.sampled_from(VISITORS))
    def a_visitor_lets_go(self, visitor: UUID) -> None:
        operations.release_hold(visitor=visitor)
        self.model.holds.pop(visitor, None)

    @step(often=3, person=st.integers(0, 2), kind=kind, wish=wish, who=who, which=which)
    def a_stranger_asks_for_a_time(
        self, person: int, kind: int, wish: Wish, who: int | None, which: int
    ) -> None:
        """Every other stranger for one that a visitor held last."""
        visit_type = self.visit_types[kind]
        starts_at = self.start(visit_type, wish, who)
        if which % 2 and self.model.holds:
            visit_type, starts_at, who = self.held(list(self.model.holds)[which % len(self.model.holds)])
        self.ask(None, person, visit_type, starts_at, who)

    @step(
        often=3,
        when=lambda self: self.model.holds,
        which=which,
        person=st.integers(0, 2),
        kind=kind,
        wish=wish,
        who=who,
        same=st.sampled_from([True, True, False]),
    )
    def a_visitor_asks(
        self,
        which: int,
        person: int,
        kind: int,
        wish: Wish,
        who: int | None,
        *,
        same: bool,
    ) -> None:
        """For what they hold, or for something else."""
        visitor = list(self.model.holds)[which % len(self.model.holds)]
        visit_type = self.visit_types[kind]
        starts_at = self.start(visit_type, wish, who)
        if same:
            visit_type, starts_at, who = self.held(visitor)
        self.ask(visitor, person, visit_type, starts_at, who)

    def ask(
        self, visitor: UUID | None, person: int, visit_type: VisitType, starts_at: int, who: int | None
    ) -> None:
        model, practitioner, key, now = self.model, self.person(who), uuid4(), self.model.now
        wished = visit_type.pk, starts_at, practitioner.pk if practitioner else None
        held = model.holds.get(visitor) if visitor else None
        if held and held.wish == wished and held.until > now:
            found: Place | None = held.place
        else:
            found = model.free(visit_type, *wished[1:], but=[("hold", visitor)])
        refused = None if found else TimeTaken
        asked = self.answers(
            lambda: operations.request_appointment(
                visit_type=visit_type,
                starts_at=times.from_epoch(starts_at),
                practitioner=practitioner,
                details=PEOPLE[person],
                idempotency_key=key,
                now=now,
                visitor=visitor,
            ),
            TooManyPending if model.has_too_many(person) else refused,
            again=True,
        )
        if asked and found:
            model.visits[asked.pk] = Visit(
                visit_type, "pending", found, person=person, answer_by=model.answer_by(starts_at)
            )
            model.mails += 1
            if visitor:
                model.holds.pop(visitor, None)

    @step(often=3, when=lambda self: self.has("proposed"), which=which, stale=rarely)
    def a_patient_takes_an_offered_time(self, which: int, *, stale: bool) -> None:
        model, pk, key, now = self.model, self.pick(which, "proposed"), uuid4(), self.model.now
        visit = model.visits[pk]
        options = list(OfferOption.objects.filter(offer__appointment=pk).order_by("-pk"))
        if not options:
            return
        option = options[which % len(options)]
        version = self.version(pk, stale=stale)
        chosen = visit.offered.get(option.pk) if visit.open_until > now else None
        refused = None if chosen else OfferEnded
        done = self.answers(
            lambda: operations.accept_offered_time(
                appointment=Appointment(pk=pk), version=version, option=option, idempotency_key=key, now=now
            ),
            AlreadyDecided if stale else refused,
            again=True,
        )
        if done and chosen:
            visit.place = chosen
            model.becomes(pk, "booked")
            model.is_booked_now(pk)
            model.mails += 1

    @step(often=2, when=lambda self: self.has("proposed"), which=which, wish=wish, who=who, stale=rarely)
    def a_patient_asks_for_another_time(
        self,
        which: int,
        wish: Wish,
        who: int | None,
        *,
        stale: bool,
    ) -> None:
        model, pk, key, now = self.model, self.pick(which, "proposed"), uuid4(), self.model.now
        visit, practitioner, version = model.visits[pk], self.person(who), self.version(pk, stale=stale)
        starts_at = self.start(visit.visit_type, wish, who)
        found = model.free(
            visit.visit_type, starts_at, practitioner.pk if practitioner else None, but=model.of(pk)
        )
        refused = None if found else TimeTaken
        done = self.answers(
            lambda: operations.ask_for_another_time(
                appointment=Appointment(pk=pk),
                version=version,
                starts_at=times.from_epoch(starts_at),
                practitioner=practitioner,
                idempotency_key=key,
                now=now,
            ),
            AlreadyDecided if stale or visit.status != "proposed" else refused,
            again=True,
        )
        if done and found:
            kept = model.kept(pk)
            before = min(starts_at, kept.place.starts_at) if kept else starts_at
            visit.place, visit.answer_by = found, model.answer_by(before)
            model.becomes(pk, "pending")
            model.mails += 1

    @step(
        often=3,
        when=lambda self: self.has("booked"),
        which=which,
        kind=kind,
        wish=wish,
        who=who,
        stale=rarely,
    )
    def a_patient_asks_to_change_a_visit(
        self, which: int, kind: int, wish: Wish, who: int | None, *, stale: bool
    ) -> None:
        """With somebody else or of another kind; the old time is kept beside the new one."""
        model, pk, key, now = self.model, self.pick(which, "booked"), uuid4(), self.model.now
        old, visit_type, practitioner = model.visits[pk], self.visit_types[kind], self.person(who)
        version, person = self.version(pk, stale=stale), -1 if old.person is None else old.person
        starts_at = self.start(visit_type, wish, who)
        found = model.free(visit_type, starts_at, practitioner.pk if practitioner else None)
        refused: type[Exception] | None = None if found else TimeTaken
        if model.has_too_many(person):
            refused = TooManyPending
        if stale or old.status != "booked" or model.open_change_of(pk):
            refused = AlreadyDecided
        appointment = Appointment.objects.get(pk=pk)
        asked = self.answers(
            lambda: operations.ask_to_change(
                appointment=appointment,
                version=version,
                visit_type=visit_type,
                starts_at=times.from_epoch(starts_at),
                practitioner=practitioner,
                idempotency_key=key,
                now=now,
            ),
            refused,
            again=True,
        )
        if asked and found:
            due = model.answer_by(min(starts_at, old.place.starts_at))
            model.visits[asked.pk] = Visit(
                visit_type, "pending", found, person=person, answer_by=due, replaces=pk
            )
            model.mails += 1

    # --- What either does -------------------------------------------------------------------------------------

    @step(
        often=3,
        when=lambda self: self.model.visits,
        which=which,
        wish=wish,
        who=who,
        by_staff=st.booleans(),
        stale=rarely,
    )
    def a_visit_is_moved(
        self,
        which: int,
        wish: Wish,
        who: int | None,
        *,
        by_staff: bool,
        stale: bool,
    ) -> None:
        model, pk, key, now = self.model, self.pick(which, "pending", "booked"), uuid4(), self.model.now
        visit, named, version = model.visits[pk], self.person(who), self.version(pk, stale=stale)
        starts_at = self.start(visit.visit_type, wish, who)
        may_choose = by_staff or visit.status == "pending"
        practitioner = named.pk if named and may_choose else visit.place.practitioner
        found = model.free(
            visit.visit_type, starts_at, practitioner, at_the_desk=by_staff, but=[("visit", pk)]
        )
        refused = None if found else TimeTaken
        done = self.answers(
            lambda: operations.move_appointment(
                appointment=Appointment(pk=pk),
                version=version,
                starts_at=times.from_epoch(starts_at),
                by=self.by if by_staff else None,
                idempotency_key=key,
                now=now,
                practitioner=named,
            ),
            AlreadyDecided if stale or not visit.is_occupying else refused,
            again=True,
        )
        if done and found:
            visit.place, visit.version, visit.is_over_another = found, visit.version + 1, False
            if visit.answer_by:
                visit.answer_by = min(visit.answer_by, model.answer_by(starts_at))
            model.mails += 1

    @step(when=lambda self: self.model.visits, which=which, by_staff=st.booleans(), stale=rarely)
    def a_visit_is_cancelled(self, which: int, *, by_staff: bool, stale: bool) -> None:
        model, pk, key, now = (
            self.model,
            self.pick(which, "pending", "proposed", "booked"),
            uuid4(),
            self.model.now,
        )
        is_over = model.visits[pk].status not in {"pending", "proposed", "booked"}
        version = self.version(pk, stale=stale)
        done = self.answers(
            lambda: operations.cancel_appointment(
                appointment=Appointment(pk=pk),
                version=version,
                by=self.by if by_staff else None,
                now=now,
                idempotency_key=key,
            ),
            AlreadyDecided if stale or is_over else None,
            again=True,
        )
        if done:
            change = None if by_staff else model.open_change_of(pk)
            for ended in (pk, change) if change else (pk,):
                model.becomes(ended, "cancelled")
                model.mails += 1

    @step(when=lambda self: self.sent, which=which)
    def a_form_arrives_once_more(self, which: int) -> None:
        self.sent[-1 - which % len(self.sent)]()

    # --- What the desk does -----------------------------------------------------------------------------------

    @step(often=2, when=lambda self: self.model.visits, which=which, stale=rarely, is_yes=st.booleans())
    def the_desk_answers(self, which: int, *, stale: bool, is_yes: bool) -> None:
        model, pk, now = self.model, self.pick(which, "pending"), self.model.now
        facts: dict[str, Any] = {
            "appointment": Appointment(pk=pk),
            "version": self.version(pk, stale=stale),
            "by": self.by,
            "now": now,
        }
        done = self.answers(
            lambda: (
                operations.confirm_appointment(**facts)
                if is_yes
                else operations.decline_appointment(reason=DeclineReason.AWAY, **facts)
            ),
            AlreadyDecided if stale or model.visits[pk].status != "pending" else None,
        )
        if done:
            model.becomes(pk, "booked" if is_yes else "declined")
            if is_yes:
                model.is_booked_now(pk)
            model.mails += 1

    @step(
        often=4,
        when=lambda self: self.has("pending"),
        which=which,
        wishes=st.lists(st.tuples(wish, st.sampled_from([0, 1])), min_size=1, max_size=2),
        stale=rarely,
    )
    def the_desk_offers_other_times(
        self,
        which: int,
        wishes: list[tuple[Wish, int]],
        *,
        stale: bool,
    ) -> None:
        model, pk, key, now = self.model, self.pick(which, "pending"), uuid4(), self.model.now
        visit, version = model.visits[pk], self.version(pk, stale=stale)
        wished = [(self.start(visit.visit_type, wish, who), model.practitioners[who]) for wish, who in wishes]
        was, places = replace(visit), list[Place]()
        # Each offered time is taken before the next one is looked for.
        visit.status, visit.offered, visit.open_until = "proposed", {}, now + A_DAY
        for number, (start, practitioner) in enumerate(wished):
            if not (found := model.free(visit.visit_type, start, practitioner.pk, at_the_desk=True)):
                break
            places.append(found)
            visit.offered[-1 - number] = found
        self.model.visits[pk] = was
        refused = None if len(places) == len(wished) else TimeTaken
        offer = self.answers(
            lambda: operations.offer_other_times(
                appointment=Appointment(pk=pk),
                version=version,
                offered=[OfferedTime(times.from_epoch(start), person) for start, person in wished],
                by=self.by,
                idempotency_key=key,
                now=now,
            ),
            AlreadyDecided if stale or was.status != "pending" else refused,
            again=True,
        )
        if offer:
            options = offer.options.order_by("pk")
            was.offered = dict(zip([option.pk for option in options], places, strict=True))
            kept = model.kept(pk)
            begins = [times.from_epoch(start) for start, _ in wished]
            if kept and (kept_at := times.from_epoch(kept.place.starts_at)) > now:
                begins.append(kept_at)
            was.open_until = min(now + A_DAY, *begins)
            model.becomes(pk, "proposed")
            model.mails += 1

    @step(kind=kind, wish=wish, who=st.sampled_from([0, 1]), over=st.sampled_from([*[None] * 6, 0, 1]))
    def the_desk_books(self, kind: int, wish: Wish, who: int, over: int | None) -> None:
        """What is free or, named with its room, whatever is there already."""
        model, visit_type, practitioner, key, now = (
            self.model,
            self.visit_types[kind],
            self.model.practitioners[who],
            uuid4(),
            self.model.now,
        )
        starts_at = self.start(visit_type, wish, who)
        room = None if over is None else model.rooms[over]
        if room:
            as_planned = (0,) * len(queries.phases_of(visit_type))
            found: Place | None = place(
                visit_type, openings.Opening(starts_at, practitioner.pk, room.pk, as_planned)
            )
        else:
            found = model.free(visit_type, starts_at, practitioner.pk, at_the_desk=True)
        done = self.answers(
            lambda: operations.book_appointment(
                visit_type=visit_type,
                starts_at=times.from_epoch(starts_at),
                practitioner=practitioner,
                patient=self.patient,
                by=self.by,
                idempotency_key=key,
                now=now,
                over_in=room,
            ),
            None if found else TimeTaken,
            again=True,
        )
        if done and found:
            model.visits[done.pk] = Visit(visit_type, "booked", found, is_over_another=bool(room))
            model.mails += 1

    @step(
        when=lambda self: len(self.model.closures) < 2,
        day=st.integers(0, 1),
        minute=st.integers(0, 120),
        lasts=st.integers(1, 30),
        whom=st.sampled_from([None, 0, 1, 2, 3]),
    )
    def somebody_will_be_away(self, day: int, minute: int, lasts: int, whom: int | None) -> None:
        """Visits that are there already stay: the desk decides about them."""
        resource = None if whom is None else [*self.model.practitioners, *self.model.rooms][whom]
        starts_at = times.epoch(DAYS[day], OPENS) + minute * 60
        ends_at = starts_at + lasts * 60
        make_closure(times.from_epoch(starts_at), times.from_epoch(ends_at), resource)
        self.model.closures.append((resource.pk if resource else None, starts_at, ends_at))

    # --- What time does ---------------------------------------------------------------------------------------

    @step(often=3, minutes=st.sampled_from([1, 5, 10, 10, 60]))
    def time_goes_by(self, minutes: int) -> None:
        self.model.now += timedelta(minutes=minutes)

    @step(when=lambda self: self.model.now < BEGIN + timedelta(hours=18))
    def half_a_day_goes_by(self) -> None:
        self.model.now += timedelta(hours=12)

    @step()
    def what_is_overdue_ends(self) -> None:
        model = self.model
        requests = [
            pk
            for pk, visit in model.visits.items()
            if visit.status == "pending" and visit.answer_by and visit.answer_by <= model.now
        ]
        offers = [
            pk
            for pk, visit in model.visits.items()
            if visit.status == "proposed" and visit.open_until <= model.now
        ]
        ended = operations.expire_overdue(now=model.now)
        assert (ended.requests, ended.offers) == (len(requests), len(offers))
        assert operations.expire_overdue(now=model.now) == Expired(0, 0, 0)
        for pk in requests + offers:
            model.becomes(pk, "expired")
            model.mails += 1

    # --- What must be so after every step ---------------------------------------------------------------------

    @invariant()
    def every_appointment_is_as_the_model_says(self) -> None:
        """And its version has grown by one with every change, each written down once."""
        rows = Appointment.objects.values_list(
            "pk", "status", "version", "practitioner", "room", "answer_by", "starts_at"
        )
        assert {pk: (*facts, int(at.timestamp())) for pk, *facts, at in rows} == {
            pk: (
                visit.status,
                visit.version,
                visit.place.practitioner,
                visit.place.room,
                visit.answer_by,
                visit.place.starts_at,
            )
            for pk, visit in self.model.visits.items()
        }
        assert books.ask(books.UNWRITTEN_CHANGES) == 0
        assert books.ask(books.KEYS_USED_TWICE) == 0
        assert QueuedMail.objects.filter(kind__in=TOLD).count() == self.model.mails

    @invariant()
    def everyone_has_exactly_the_time_that_their_visit_asks_for(self) -> None:
        rows = Occupancy.objects.values_list(
            "appointment",
            "hold__visitor",
            "option",
            "hold__expires_at",
            "option__offer__expires_at",
            "resource",
            "starts_at",
            "ends_at",
            "lane",
        )
        taken: dict[tuple[str, Any], list[tuple[int, int]]] = {}
        for visit, visitor, option, held_until, open_until, resource, starts_at, ends_at, lane in rows:
            if (held_until or open_until or self.model.now + A_DAY) <= self.model.now:
                continue
            owner = ("visit", visit) if visit else ("hold", visitor) if visitor else ("option", option)
            cells = range(int(starts_at.timestamp()), int(ends_at.timestamp()), FIVE_MINUTES)
            taken.setdefault(owner, []).extend((resource, cell) for cell in cells)
            if not (visit and self.model.visits[visit].is_over_another):
                assert lane == 0, "only a deliberate overlap stands in a lane of its own"
        assert {owner: sorted(cells) for owner, cells in taken.items()} == {
            owner: sorted(cells) for owner, cells in self.model.owners()
        }
        held = Hold.objects.filter(expires_at__gt=self.model.now).values_list("visitor", "expires_at")
        assert dict(held) == {
            visitor: held.until for visitor, held in self.model.holds.items() if held.until > self.model.now
        }

    @invariant()
    def no_two_visits_overlap(self) -> None:
        """Unless one was put there deliberately; and nobody was given a time outside the hours."""
        assert books.overlaps_in_a_lane() == 0
        deliberate = {("visit", pk) for pk, visit in self.model.visits.items() if visit.is_over_another}
        given = [cells for owner, cells in self.model.owners() if owner not in deliberate]
        assert len(frozenset().union(*given)) == sum(map(len, given))
        walls = {times.from_epoch(cell).time() for cells in given for _, cell in cells}
        assert all(OPENS <= wall < CLOSES for wall in walls)

    @invariant()
    def exactly_what_is_free_is_offered(self) -> None:
        """Asked again when something has changed."""
        state = self.model.now, list(self.model.owners()), list(self.model.closures)
        if state == self.looked_at:
            return
        self.looked_at = state
        for visit_type in self.visit_types:
            offered = queries.find_openings(
                visit_type,
                first_on=DAYS[0],
                last_on=DAYS[-1],
                rules=BookingRules.current(),
                now=self.model.now,
            )
            days = [self.model.found(visit_type, day) for day in DAYS]
            for practitioner in (None, *(person.pk for person in self.model.practitioners)):
                free = [start for day in days for start in sorted(day.starts(practitioner))]
                assert offered.starts(practitioner) == free


@pytest.mark.django_db
def test_whatever_people_do_in_whatever_order_the_books_are_right() -> None:
    run(
        SmallClinic,
        settings=settings(
            derandomize=True,
            database=None,
            deadline=None,
            max_examples=25,
            stateful_step_count=40,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
