"""Who holds which grid: worked out by hand, and what must hold of any staffing."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.domain.inputs import Staff
from gridmap.domain.kinds import Employment, StaffRole
from gridmap.domain.plan_settings import StaffingSection
from gridmap.planning.responsibility.staffing import Staffing, staff_grids

MANAGER, OFFICER = StaffRole.MANAGER, StaffRole.OFFICER
FULL, PART = Employment.FULL_TIME, Employment.PART_TIME


@dataclass(frozen=True)
class Person:
    id: str
    role: StaffRole = MANAGER
    outlet: str = "A"
    employment: Employment = FULL
    asks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Made:
    """Grids by code: outlet and demand."""

    grids: dict[str, tuple[str | None, float]]
    settings: StaffingSection = field(default_factory=StaffingSection)
    xy_m: dict[str, tuple[float, float]] | None = None
    adjoin: tuple[tuple[str, str], ...] | None = None
    outlet_ids: tuple[str, ...] = ()
    demand_counts: bool = True

    def staffed(self, *people: Person) -> Staffing:
        codes = list(self.grids)
        row = {code: number for number, code in enumerate(codes)}
        return staff_grids(
            codes,
            [self.grids[code][0] for code in codes],
            np.array([self.grids[code][1] for code in codes]),
            crew(*people),
            self.settings,
            outlet_ids=self.outlet_ids,
            xy_m=None if self.xy_m is None else np.array([self.xy_m[code] for code in codes]),
            links=None if self.adjoin is None else np.array([[row[a], row[b]] for a, b in self.adjoin]),
            demand_counts=self.demand_counts,
        )

    def managers(self, *people: Person) -> dict[str, str | None]:
        found = self.staffed(*people)
        names = [*(person.id for person in people), None]
        return {code: names[row] for code, row in zip(self.grids, found.manager.tolist(), strict=True)}

    def officers(self, *people: Person) -> dict[str, list[str]]:
        return officers_of(self.staffed(*people), list(self.grids), people)


def officers_of(found: Staffing, codes: list[str], people: tuple[Person, ...]) -> dict[str, list[str]]:
    held: dict[str, list[str]] = {code: [] for code in codes}
    for grid, person in zip(found.officer_grid.tolist(), found.officer.tolist(), strict=True):
        held[codes[grid]].append(people[person].id)
    return {code: sorted(names) for code, names in held.items()}


def crew(*people: Person) -> Staff:
    columns = zip(*((p.id, p.id, p.role, p.employment, p.outlet, p.asks) for p in people), strict=True)
    return Staff(*(tuple(column) for column in columns), "staff.csv") if people else Staff((), (), (), (), (), (), "")


ROW = {"g1": ("A", 10.0), "g2": ("A", 40.0), "g3": ("A", 30.0), "g4": ("B", 99.0)}


def test_people_go_to_grids_of_their_own_outlet_those_of_most_demand_first_full_time_before_part_time() -> None:
    people = (Person("p1", employment=PART), Person("p2"), Person("p3", outlet="B"))
    assert Made(ROW).managers(*people) == {"g1": None, "g2": "p2", "g3": "p1", "g4": "p3"}


def test_who_asks_for_a_grid_gets_it_first() -> None:
    people = (Person("p1"), Person("p2", employment=PART, asks=("g2",)))
    assert Made(ROW).managers(*people) == {"g1": None, "g2": "p2", "g3": "p1", "g4": None}


def test_of_two_who_ask_for_one_grid_the_full_time_manager_gets_it_and_the_other_is_not_lost() -> None:
    people = (Person("p1", employment=PART, asks=("g2",)), Person("p2", asks=("g2",)))
    found = Made(ROW).staffed(*people)
    assert found.manager.tolist() == [-1, 1, 0, -1]
    assert found.misplaced.tolist() == []


def test_wishes_beyond_what_a_person_may_hold_are_left() -> None:
    person = Person("p1", asks=("g1", "g3", "g2"))
    assert Made(ROW).managers(person) == {"g1": "p1", "g2": None, "g3": None, "g4": None}
    two = Made(ROW, StaffingSection(grids_per_person=2))
    assert two.managers(person) == {"g1": "p1", "g2": None, "g3": "p1", "g4": None}


def test_people_whose_outlet_or_grid_is_not_in_the_plan_are_named() -> None:
    people = (
        Person("p1", outlet="Z"),
        Person("p2", asks=("g9",)),
        Person("p3", outlet="B", asks=("g1",)),
        Person("p4", outlet="C"),
    )
    found = Made(ROW, outlet_ids=("A", "B", "C")).staffed(*people)
    assert found.misplaced.tolist() == [0, 1, 2]
    # Who has an outlet in the plan is placed there all the same; C holds no grid.
    assert found.manager.tolist() == [-1, 1, -1, 2]
    assert found.unplaced.tolist() == [0, 3]


def test_nobody_helps_out_at_another_outlet() -> None:
    found = Made(ROW).staffed(Person("p1", outlet="B"), Person("p2", outlet="B"))
    assert found.manager.tolist() == [-1, -1, -1, 0]
    assert found.managers_missing.tolist() == [True, True, True, False]
    assert found.unplaced.tolist() == [1]


def test_people_of_no_stated_outlet_fill_what_is_missing_after_the_outlets_own() -> None:
    people = (Person("p0", outlet=""), Person("p1", outlet="B"), Person("p2", outlet=""))
    assert Made(ROW).managers(*people) == {"g1": None, "g2": "p0", "g3": "p2", "g4": "p1"}
    # Who asks for a grid and names no outlet belongs to that grid's.
    assert Made(ROW).managers(Person("p0", outlet="", asks=("g1",)))["g1"] == "p0"


def test_someone_of_no_stated_outlet_holds_grids_of_one_outlet_only() -> None:
    made = Made(ROW, StaffingSection(grids_per_person=4))
    assert made.managers(Person("p0", outlet="")) == {"g1": None, "g2": None, "g3": None, "g4": "p0"}


def test_each_grid_has_the_officers_asked_for_before_any_has_more() -> None:
    two = StaffingSection(officers_per_grid=2, demand_per_officer=10)
    people = tuple(Person(f"p{number}", OFFICER) for number in range(8))
    grids = {"g1": ("A", 5.0), "g2": ("A", 100.0), "g3": ("A", 50.0)}
    sizes = {n: {c: len(o) for c, o in Made(grids, two).officers(*people[:n]).items()} for n in (1, 2, 3, 4, 6, 7, 8)}
    assert sizes[1] == {"g1": 0, "g2": 1, "g3": 0}
    assert sizes[2] == {"g1": 0, "g2": 1, "g3": 1}
    assert sizes[3] == {"g1": 1, "g2": 1, "g3": 1}
    assert sizes[4] == {"g1": 1, "g2": 2, "g3": 1}
    assert sizes[6] == {"g1": 2, "g2": 2, "g3": 2}
    assert sizes[8] == {"g1": 2, "g2": 4, "g3": 2}
    found = Made(grids, two).staffed(*people)
    assert found.officers_missing.tolist() == [0, 6, 3]


def test_a_part_time_officer_counts_in_part_and_comes_after_the_full_time_ones() -> None:
    settings = StaffingSection(demand_per_officer=10, part_time_weight=0.5)
    people = (Person("a", OFFICER, employment=PART), Person("b", OFFICER, employment=PART), Person("z", OFFICER))
    made = Made({"g1": ("A", 10.0), "g2": ("A", 9.0)}, settings)
    assert made.officers(*people) == {"g1": ["z"], "g2": ["a", "b"]}
    assert made.staffed(*people).officers_missing.tolist() == [0, 0]
    assert made.staffed(*people[1:]).officers_missing.tolist() == [0, 1]


def test_officers_nobody_needs_are_named_not_put_anywhere() -> None:
    found = Made({"g1": ("A", 10.0)}).staffed(Person("p1", OFFICER), Person("p2", OFFICER))
    assert found.officer.tolist() == [0]
    assert found.unplaced.tolist() == [1]
    # Who is asked for by name holds the grid all the same.
    found = Made({"g1": ("A", 10.0)}).staffed(Person("p1", OFFICER), Person("p2", OFFICER, asks=("g1",)))
    assert found.officer.tolist() == [1]


def test_without_a_file_all_is_missing_by_the_rules_and_the_demand() -> None:
    codes, demand = ["g1", "g2"], np.array([25.0, 0.0])
    settings = StaffingSection(demand_per_officer=10)
    found = staff_grids(codes, ["A", None], demand, None, settings)
    assert found.staff is None
    assert found.managers_missing.tolist() == [True, True]
    assert found.officers_missing.tolist() == [3, 1]
    assert len(found.unplaced) == len(found.misplaced) == len(found.officer) == 0
    # Where area stands in for demand, officers are not asked for by the square metre.
    assert staff_grids(codes, ["A", None], demand, None, settings, demand_counts=False).officers_missing.tolist() == [
        1,
        1,
    ]


def test_further_grids_adjoin_the_ones_held_or_are_the_nearest() -> None:
    # A line of grids; demand makes the ends the first grids of the two managers.
    line = {f"g{x}": ("A", [9.0, 1.0, 1.0, 1.0, 1.0, 8.0][x]) for x in range(6)}
    xy_m = {code: (100.0 * x, 0.0) for x, code in enumerate(line)}
    three = StaffingSection(grids_per_person=3)
    found = Made(line, three, xy_m).managers(Person("p1"), Person("p2"))
    assert list(found.values()) == ["p1", "p1", "p1", "p2", "p2", "p2"]
    # A border counts for more than a short way: g1 lies near g0 and adjoins only g5.
    two = StaffingSection(grids_per_person=2)
    tied = Made({code: line[code] for code in ("g0", "g1", "g5")}, two, xy_m, (("g1", "g5"),))
    assert tied.managers(Person("p1"), Person("p2"))["g1"] == "p2"


@pytest.mark.parametrize("seed", range(10))
def test_second_grids_are_shared_out_for_the_least_sum_of_distances(seed: int) -> None:
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, 1000, (10, 2))
    grids = {f"g{number}": ("A", 100.0 if number < 5 else 1.0) for number in range(10)}
    xy_m = {f"g{number}": tuple(places[number].tolist()) for number in range(10)}
    people = tuple(Person(f"p{number}") for number in range(5))
    found = Made(grids, StaffingSection(grids_per_person=2), xy_m).staffed(*people).manager.tolist()
    assert sorted(found[:5]) == sorted(found[5:]) == list(range(5))
    away = np.sqrt(((places[:5, None] - places[None, 5:]) ** 2).sum(axis=2))
    first = {person: grid for grid, person in enumerate(found[:5])}
    total = sum(away[first[person], column] for column, person in enumerate(found[5:]))
    assert total == pytest.approx(
        min(sum(away[row, order[row]] for row in range(5)) for order in permutations(range(5)))
    )


def test_sharing_grids_takes_time_from_each() -> None:
    settings = StaffingSection(grids_per_person=2, demand_per_officer=10)
    found = Made({"g1": ("A", 10.0), "g2": ("A", 5.0)}, settings).staffed(Person("p", OFFICER))
    assert found.officer_grid.tolist() == [0, 1]
    assert found.officers_missing.tolist() == [1, 0]


people_strategy = st.lists(
    st.tuples(
        st.sampled_from([MANAGER, OFFICER]),
        st.sampled_from(["A", "B", "C", "Z", ""]),
        st.sampled_from([FULL, PART]),
        st.lists(st.sampled_from([f"g{number}" for number in range(8)]), max_size=3),
    ),
    max_size=14,
)
grids_strategy = st.lists(st.tuples(st.sampled_from(["A", "B", None]), st.integers(0, 60)), min_size=1, max_size=7)
settings_strategy = st.builds(
    StaffingSection,
    grids_per_person=st.integers(1, 3),
    officers_per_grid=st.integers(0, 2),
    demand_per_officer=st.sampled_from([None, 10.0]),
)


@given(people_strategy, grids_strategy, settings_strategy, st.randoms(use_true_random=False))
def test_whatever_is_given_the_rules_hold_and_the_order_of_rows_changes_nothing(
    people, grids, settings, random
) -> None:
    crew_of = [Person(f"p{n}", role, outlet, kind, tuple(asks)) for n, (role, outlet, kind, asks) in enumerate(people)]
    made = Made({f"g{n}": (outlet, float(demand)) for n, (outlet, demand) in enumerate(grids)}, settings)
    found = made.staffed(*crew_of)
    codes, outlets = list(made.grids), [outlet for outlet, _ in grids]

    held = [(grid, person) for grid, person in enumerate(found.manager.tolist()) if person >= 0]
    held += zip(found.officer_grid.tolist(), found.officer.tolist(), strict=True)
    assert len(set(held)) == len(held)
    for person, one in enumerate(crew_of):
        own = [grid for grid, who in held if who == person]
        assert len(own) <= settings.grids_per_person
        assert len({outlets[grid] for grid in own}) <= 1
        assert not own or not one.outlet or {outlets[grid] for grid in own} == {one.outlet}
        assert (not own) == (person in found.unplaced.tolist())
        assert all(one.role is (MANAGER if found.manager[grid] == person else OFFICER) for grid in own)
        # Nobody is left over where their own outlet lacks them.
        for grid, outlet in enumerate(outlets):
            if not own and outlet == one.outlet and outlet is not None:
                assert found.manager[grid] >= 0 if one.role is MANAGER else found.officers_missing[grid] == 0
    assert found.managers_missing.tolist() == [person < 0 for person in found.manager.tolist()]

    shuffled, order = random.sample(crew_of, len(crew_of)), random.sample(codes, len(codes))
    other = Made({code: made.grids[code] for code in order}, settings)
    assert other.managers(*shuffled) == {code: made.managers(*crew_of)[code] for code in order}
    assert other.officers(*shuffled) == made.officers(*crew_of)
