"""The second hierarchy: head office, branch, outlet, person, and the grids each is responsible for.

An outlet holds the grids whose primary outlet it is, a person the grids of their own outlet that staffing gave them.
Every outlet belongs to the head office of its bank, directly or through the branch that manages it. What a node holds
is all that the nodes below it hold: each grid that has a primary outlet lies below exactly one outlet, below at most
one branch and below exactly one head office, so sums over its grids agree from level to level.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from gridmap.domain.inputs import Staff
from gridmap.planning.groups import counts, sums
from gridmap.planning.responsibility.staffing import Staffing
from gridmap.planning.service.facilities import Facilities
from gridmap.planning.service.reach import Floats, Rows


class NodeKind(StrEnum):
    """Level of the organisational hierarchy, widest first."""

    HEAD_OFFICE = "head_office"
    BRANCH = "branch"
    OUTLET = "outlet"
    PERSON = "person"


@dataclass(frozen=True)
class Organisation:
    """Nodes, widest level first, then by identifier.

    Attributes
    ----------
    ids : (k,) str, distinct: ``head_office/BANK``, ``branch/BANK/BRANCH``, ``outlet/ID``, ``person/ID``
    kind : (k,) NodeKind
    names : (k,) str
    parent : (k,) int64, row of the node above, -1 for head offices, and for people of no known outlet in a plan that
        several banks share and that is none's
    capacity : (k,) float64, of an outlet as given; of a branch or head office the sum of its outlets', NaN where an
        outlet that holds grids does not state it; NaN for people
    node, grid : (p,) int64 pairs of a node and a grid it holds, by node, then grid
    """

    ids: tuple[str, ...]
    kind: tuple[NodeKind, ...]
    names: tuple[str, ...]
    parent: Rows
    capacity: Floats
    node: Rows
    grid: Rows

    def __len__(self) -> int:
        """Count of the nodes."""
        return len(self.ids)

    @property
    def grids(self) -> Rows:
        """(k,) int64: grids each node holds."""
        return counts(self.node, len(self))

    def total(self, value: Floats) -> Floats:
        """(k,) float64: sum of a figure of grids over what each node holds."""
        return sums(self.node, value[self.grid], len(self))


def organisation(
    facilities: Facilities, primary: Rows, staffing: Staffing, institution: str, plan: str
) -> Organisation:
    """Arrange outlets and people below branches and head offices.

    Parameters
    ----------
    facilities : by ascending identifier. ``branches`` names an outlet of the same bank by its identifier or its name,
        or a branch that is no outlet of the plan; an outlet that others name so and that names none itself belongs to
        its own branch
    primary : (g,) int64, facility row of each grid's primary outlet, -1 without one
    staffing : people whose outlet is not in the plan stand below the outlet of their grids, else below the head office
        of the bank whose plan it is
    institution, plan : the bank whose plan it is, "" where nobody said, and the name of the plan, which stands for it
        then; outlets that state no institution belong to it
    """
    tree = _Tree()
    bank = institution or plan
    banks = _Banks.of(facilities, bank)
    for name in sorted({*banks.bank_of.values(), *filter(None, [institution])} or {bank}):
        tree.add(NodeKind.HEAD_OFFICE, name, name, -1)
    head_of = {name: row for row, name in enumerate(tree.names)}
    for owner, branch in sorted(set(filter(None, banks.branch_of.values()))):
        tree.add(NodeKind.BRANCH, f"{owner}/{branch}", banks.branch_names[owner, branch], head_of[owner])
    outlets = facilities.leading.tolist()
    node_of: dict[int, int] = {}
    for row in outlets:
        place = banks.branch_of[row]
        above = head_of[banks.bank_of[row]] if place is None else tree.rows[NodeKind.BRANCH, f"{place[0]}/{place[1]}"]
        identifier = str(facilities.ids[row])
        node_of[row] = tree.add(NodeKind.OUTLET, identifier, banks.name_of(row), above)
    held = {(node_of[row], grid) for grid, row in enumerate(primary.tolist()) if row >= 0}
    if staffing.staff is not None:
        outlet_of = {grid: node_of[row] for grid, row in enumerate(primary.tolist()) if row >= 0}
        held |= _add_people(
            tree, staffing.staff, staffing, outlet_of, head_of.get(bank, 0 if len(head_of) == 1 else -1)
        )
    for node, grid in list(held):
        above = tree.parent[node]
        while above >= 0:
            held.add((above, grid))
            above = tree.parent[above]
    pairs = sorted(held)
    known = {node_of[row]: float(facilities.capacity[row]) for row in outlets}
    return Organisation(
        tuple(f"{kind.value}/{identifier}" for kind, identifier in tree.rows),
        tuple(kind for kind, _ in tree.rows),
        tuple(tree.names),
        np.array(tree.parent, dtype=np.int64),
        _capacities(tree, known, {node for node, _ in pairs}),
        np.array([node for node, _ in pairs], dtype=np.int64),
        np.array([grid for _, grid in pairs], dtype=np.int64),
    )


class _Tree:
    """Nodes in the order in which they are added."""

    def __init__(self) -> None:
        self.rows: dict[tuple[NodeKind, str], int] = {}
        self.names: list[str] = []
        self.parent: list[int] = []

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, kind: NodeKind, identifier: str, name: str, parent: int) -> int:
        self.rows[kind, identifier] = len(self.rows)
        self.names.append(name)
        self.parent.append(parent)
        return len(self.rows) - 1


@dataclass(frozen=True)
class _Banks:
    """Bank of each outlet, and the branch it belongs to as (bank, key), None where it is the head office's."""

    facilities: Facilities
    bank_of: dict[int, str]
    branch_of: dict[int, tuple[str, str] | None]
    branch_names: dict[tuple[str, str], str]

    @classmethod
    def of(cls, facilities: Facilities, bank: str) -> _Banks:
        outlets = facilities.leading.tolist()
        told = facilities.institutions or ("",) * len(facilities)
        bank_of = {row: told[row] or bank for row in outlets}
        found = cls(facilities, bank_of, {}, {})
        named = {row: (facilities.branches[row] if facilities.branches else "") for row in outlets}
        manager = {row: found._outlet_named(named[row], bank_of[row]) for row in outlets}
        manages = {row for row in manager.values() if row >= 0}
        for row in outlets:
            at = row if not named[row] and row in manages else manager[row]
            key = str(facilities.ids[at]) if at >= 0 else named[row]
            found.branch_of[row] = (bank_of[row], key) if key else None
            if key:
                found.branch_names[bank_of[row], key] = found.name_of(at) if at >= 0 else key
        return found

    def name_of(self, row: int) -> str:
        """Name of an outlet, else its identifier."""
        return (self.facilities.names[row] if self.facilities.names else "") or str(self.facilities.ids[row])

    def _outlet_named(self, text: str, bank: str) -> int:
        """Row of the outlet of a bank that a text identifies, else the only one it names, else -1."""
        if not text:
            return -1
        of_bank = [row for row, owner in self.bank_of.items() if owner == bank]
        rows = [row for row in of_bank if self.facilities.ids[row] == text] or [
            row for row in of_bank if self.facilities.names and self.facilities.names[row] == text
        ]
        return rows[0] if len(rows) == 1 else -1


def _add_people(
    tree: _Tree, staff: Staff, staffing: Staffing, outlet_of: dict[int, int], elsewhere: int
) -> set[tuple[int, int]]:
    """Add a node for each person; the grids they hold."""
    grids: dict[int, list[int]] = {}
    managed = np.flatnonzero(staffing.manager >= 0)
    for grid, person in zip(
        [*managed.tolist(), *staffing.officer_grid.tolist()],
        [*staffing.manager[managed].tolist(), *staffing.officer.tolist()],
        strict=True,
    ):
        grids.setdefault(person, []).append(grid)
    held: set[tuple[int, int]] = set()
    for person in sorted(range(len(staff.ids)), key=lambda row: staff.ids[row]):
        own = grids.get(person, [])
        of_grids = next((outlet_of[grid] for grid in sorted(own) if grid in outlet_of), elsewhere)
        above = tree.rows.get((NodeKind.OUTLET, staff.outlet_ids[person]), of_grids)
        node = tree.add(NodeKind.PERSON, staff.ids[person], staff.names[person] or staff.ids[person], above)
        held |= {(node, grid) for grid in own}
    return held


def _capacities(tree: _Tree, known: dict[int, float], holding: set[int]) -> Floats:
    """Capacity of every node from those of the outlets."""
    capacity = np.full(len(tree), np.nan)
    below: dict[int, list[float]] = {}
    for node, own in known.items():
        capacity[node] = own
        above = tree.parent[node]
        while above >= 0:
            if not np.isnan(own) or node in holding:
                below.setdefault(above, []).append(own)
            above = tree.parent[above]
    for node, all_of_them in below.items():
        capacity[node] = sum(all_of_them)
    return capacity
