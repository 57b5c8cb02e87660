"""Head office, branch, outlet, person: who stands below whom, and which ground each holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gridmap.domain.inputs import Staff
from gridmap.domain.kinds import Employment, FacilityKind, StaffRole
from gridmap.domain.plan_settings import StaffingSection
from gridmap.geometry.lattice import geometries_to_units
from gridmap.planning.responsibility.organisation import NodeKind, Organisation, organisation
from gridmap.planning.responsibility.staffing import Staffing, staff_grids
from gridmap.planning.service.facilities import KINDS, Facilities
from gridmap.planning.service.reach import EarthPoints
from gridmap.planning.tables.organisation_frame import organisation_frame
from made_decisions import Made


def outlets(*given_out: tuple[str, ...], capacity: list[float] | None = None, device: bool = False) -> Facilities:
    """Make outlets from (id, name, institution, branch)."""
    rows = [(*one, "", "", "")[:4] for one in given_out]
    ids, names, institutions, branches = zip(*rows, strict=True) if rows else ((), (), (), ())
    count = len(rows)
    kind = FacilityKind.ATM if device else FacilityKind.BRANCH
    return Facilities(
        np.array(ids, dtype=object),
        np.full(count, KINDS.index(kind)),
        EarthPoints(np.zeros(count), np.zeros(count)),
        np.full(count, np.nan),
        np.array([np.nan] * count if capacity is None else capacity),
        tuple(names),
        tuple(institutions),
        tuple(branches),
    )


def people(*given_out: tuple[str, str]) -> Staff:
    """Make managers from (id, outlet)."""
    ids = tuple(one[0] for one in given_out)
    count = len(ids)
    full = (Employment.FULL_TIME,) * count
    homes = tuple(one[1] for one in given_out)
    return Staff(ids, ids, (StaffRole.MANAGER,) * count, full, homes, ((),) * count, "staff.csv")


def staffed(facilities: Facilities, primary: list[int], staff: Staff | None) -> Staffing:
    ids = [str(facilities.ids[row]) if row >= 0 else None for row in primary]
    codes = [f"g{number}" for number in range(len(primary))]
    known = [str(name) for name in facilities.ids]
    return staff_grids(codes, ids, np.ones(len(primary)), staff, StaffingSection(), outlet_ids=known)


def arranged(
    facilities: Facilities, primary: list[int], staff: Staff | None = None, bank: str = "Bank"
) -> Organisation:
    return organisation(
        facilities, np.array(primary, dtype=np.int64), staffed(facilities, primary, staff), bank, "Plan"
    )


def parents(tree: Organisation) -> dict[str, str | None]:
    return {
        one: tree.ids[above] if above >= 0 else None for one, above in zip(tree.ids, tree.parent.tolist(), strict=True)
    }


def held(tree: Organisation) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {one: [] for one in tree.ids}
    for node, grid in zip(tree.node.tolist(), tree.grid.tolist(), strict=True):
        found[tree.ids[node]].append(grid)
    return found


def test_outlets_stand_below_the_branch_that_manages_them_or_directly_below_their_bank() -> None:
    facilities = outlets(
        ("A", "One", "Bank", "North"),
        ("B", "Two", "Bank", "North"),
        ("C", "Three", "", ""),
        ("D", "", "Other", "North"),
    )
    tree = arranged(facilities, [0, 0, 1, 2, 3, -1])
    assert parents(tree) == {
        "head_office/Bank": None,
        "head_office/Other": None,
        "branch/Bank/North": "head_office/Bank",
        "branch/Other/North": "head_office/Other",
        "outlet/A": "branch/Bank/North",
        "outlet/B": "branch/Bank/North",
        "outlet/C": "head_office/Bank",
        "outlet/D": "branch/Other/North",
    }
    assert held(tree) == {
        "head_office/Bank": [0, 1, 2, 3],
        "head_office/Other": [4],
        "branch/Bank/North": [0, 1, 2],
        "branch/Other/North": [4],
        "outlet/A": [0, 1],
        "outlet/B": [2],
        "outlet/C": [3],
        "outlet/D": [4],
    }
    assert tree.names == ("Bank", "Other", "North", "North", "One", "Two", "Three", "D")


def test_a_branch_that_is_an_outlet_is_one_whether_named_or_numbered_and_holds_its_own_outlet() -> None:
    facilities = outlets(
        ("A", "Main", "Bank"), ("B", "Two", "Bank", "A"), ("C", "Three", "Bank", "Main"), ("D", "Four", "Bank")
    )
    tree = arranged(facilities, [])
    assert parents(tree) == {
        "head_office/Bank": None,
        "branch/Bank/A": "head_office/Bank",
        "outlet/A": "branch/Bank/A",
        "outlet/B": "branch/Bank/A",
        "outlet/C": "branch/Bank/A",
        "outlet/D": "head_office/Bank",
    }
    assert tree.names[1] == "Main"


def test_a_name_that_two_outlets_share_is_taken_for_a_branch_of_its_own() -> None:
    tree = arranged(outlets(("A", "Same", "Bank"), ("B", "Same", "Bank"), ("C", "Three", "Bank", "Same")), [])
    assert parents(tree)["outlet/C"] == "branch/Bank/Same"
    assert parents(tree)["outlet/A"] == "head_office/Bank"


def test_people_stand_below_their_outlet_those_of_no_known_one_below_their_grid_s_or_the_head_office() -> None:
    facilities = outlets(("A", "One", "Bank"), ("B", "Two", "Other"))
    staff = people(("p1", "A"), ("p2", ""), ("p3", "Z"), ("p4", "A"))
    tree = arranged(facilities, [0, 1], staff)
    above = parents(tree)
    assert [above[f"person/p{number}"] for number in range(1, 5)] == [
        "outlet/A",
        "outlet/B",
        "head_office/Bank",
        "outlet/A",
    ]
    assert [held(tree)[f"person/p{number}"] for number in range(1, 5)] == [[0], [1], [], []]
    # In a plan that is no bank's, a person of no bank stands nowhere; with one bank, below that.
    nobody_s = arranged(facilities, [0, 1], staff, bank="")
    assert parents(nobody_s)["person/p3"] is None
    assert "head_office/Plan" not in nobody_s.ids
    assert parents(arranged(outlets(("A", "One", "Only")), [0], staff, bank=""))["person/p3"] == "head_office/Only"


def test_devices_hold_nothing_and_a_plan_without_outlets_has_a_head_office_all_the_same() -> None:
    tree = arranged(outlets(("D", "ATM", "Other"), device=True), [-1, -1])
    assert tree.ids == ("head_office/Bank",)
    assert tree.grids.tolist() == [0]
    assert arranged(outlets(), [-1], people(("p", "")), bank="").ids == ("head_office/Plan", "person/p")


def test_capacity_of_a_branch_is_the_sum_of_its_outlets_and_unknown_where_one_that_holds_grids_does_not_tell() -> None:
    given_out = [
        ("A", "One", "Bank", "N"),
        ("B", "Two", "Bank", "N"),
        ("C", "Three", "Bank", "S"),
        ("D", "Four", "Bank", "S"),
    ]
    facilities = outlets(*given_out, capacity=[100.0, 200.0, 50.0, np.nan])
    idle = dict(zip((tree := arranged(facilities, [0, 1, 2])).ids, tree.capacity.tolist(), strict=True))
    assert idle["branch/Bank/N"] == 300
    assert idle["branch/Bank/S"] == 50
    assert idle["head_office/Bank"] == 350
    busy = dict(zip((tree := arranged(facilities, [0, 1, 3])).ids, tree.capacity.tolist(), strict=True))
    assert busy["branch/Bank/N"] == 300
    assert np.isnan([busy["branch/Bank/S"], busy["head_office/Bank"]]).all()


@given(
    st.lists(
        st.tuples(st.sampled_from(["", "X", "Y"]), st.sampled_from(["", "N", "S", "O0", "O1"])), min_size=1, max_size=6
    ),
    st.lists(st.integers(-1, 5), max_size=12),
    st.lists(st.sampled_from(["", "O0", "O1", "O9"]), max_size=8),
)
def test_each_grid_lies_below_one_outlet_and_one_head_office_and_a_node_holds_what_those_below_it_hold(
    given_out: list[tuple[str, str]], chosen: list[int], homes: list[str]
) -> None:
    facilities = outlets(*((f"O{n}", f"N{n}", bank, branch) for n, (bank, branch) in enumerate(given_out)))
    primary = [row if row < len(given_out) else -1 for row in chosen]
    tree = arranged(facilities, primary, people(*((f"p{n}", home) for n, home in enumerate(homes))))
    assert len(set(tree.ids)) == len(tree)
    own, at = held(tree), dict(zip(tree.ids, tree.kind, strict=True))
    for grid, row in enumerate(primary):
        where = [one for one, grids in own.items() if grid in grids]
        levels = [[one for one in where if at[one] is kind] for kind in NodeKind]
        assert len(levels[2]) == (row >= 0)
        assert len(levels[1]) <= 1
        # Where the plan has no outlet for a grid, people may hold it for the head office.
        assert len(levels[0]) == 1 if row >= 0 else len(levels[0]) <= 1
    for node, grids in own.items():
        below = [grid for one, above in parents(tree).items() if above == node for grid in own[one]]
        if at[node] in (NodeKind.HEAD_OFFICE, NodeKind.BRANCH):
            assert sorted(below) == grids
        elif at[node] is NodeKind.OUTLET:
            assert set(below) <= set(grids)


@pytest.fixture
def decisions():
    """Four by four squares in four grids, an outlet in each of two, one with a branch above it, and three people."""
    made = Made(
        4,
        4,
        grid=lambda x, y: x // 2 + 2 * (y // 2),
        demand=lambda x, y: x + 10.0 * y,
        outlets=[(0.5, 0.5), (2.5, 2.5)],
    )
    found = made.decisions()
    rows = found.facilities.outlets
    ids = [str(name) for name in found.facilities.ids[rows]]
    facilities = replace(
        found.facilities,
        names=tuple(f"name of {name}" for name in found.facilities.ids),
        institutions=("Bank",) * len(found.facilities),
        branches=("North", *("",) * (len(found.facilities) - 1)),
    )
    primary = [str(found.facilities.ids[row]) for row in found.assignment.primary.tolist()]
    staff = people(("p1", ids[0]), ("p2", ids[0]), ("p3", "Z"))
    staffing = staff_grids(
        found.grids.codes, primary, found.grid_groups.demand, staff, StaffingSection(), outlet_ids=ids
    )
    return replace(found, facilities=facilities, staffing=staffing)


def test_the_frame_gives_each_node_the_exact_sums_and_the_ground_of_its_grids(decisions) -> None:
    frame = organisation_frame(decisions).set_index("node_id")
    assert frame["kind"].tolist() == ["head_office", "branch", "outlet", "outlet", "person", "person", "person"]
    assert frame["parent_id"].isna().tolist() == [True, *[False] * 6]
    demand, area_m2 = decisions.grid_groups.demand, decisions.grid_groups.area_m2
    shapes = geometries_to_units(frame.geometry.to_numpy())
    for row, outlet in enumerate(decisions.facilities.outlets.tolist()):
        node = f"outlet/{decisions.facilities.ids[outlet]}"
        grids = np.flatnonzero(decisions.assignment.primary == outlet)
        assert frame.loc[node, "grids"] == len(grids)
        assert frame.loc[node, "demand"] == demand[grids].sum()
        assert frame.loc[node, "area_m2"] == area_m2[grids].sum()
        plain = shapely.union_all(decisions.grids.shape[grids])
        assert shapely.equals(shapes[frame.index.get_loc(node)], plain), row
    assert frame.loc["head_office/Bank", "demand"] == decisions.demand.value.sum()
    whole = shapes[frame.index.get_loc("head_office/Bank")]
    assert shapely.equals(whole, shapely.union_all(decisions.ground.geometry))
    # People of an outlet hold part of its ground; who holds no grid has none.
    assert frame.loc["person/p3", "geometry"].is_empty
    assert frame.loc["person/p3", "geometry"].geom_type == "MultiPolygon"
    assert frame.loc["person/p3", "parent_id"] == "head_office/Bank"
    assert (frame.loc[["person/p1", "person/p2"], "grids"] == 1).all()
