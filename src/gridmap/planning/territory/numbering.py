"""Give drawn grids their home areas, names and codes, and put them in the order of the codes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gridmap.domain.inputs import Carved, PreviousGrids
from gridmap.domain.kinds import BaseUnitKind, GridKind
from gridmap.geometry.lattice import to_degrees
from gridmap.planning.groups import counts
from gridmap.planning.land.dissolve import dissolve
from gridmap.planning.land.ground import Ground, representative_points
from gridmap.planning.land.hierarchy import Hierarchy
from gridmap.planning.service.reach import Rows
from gridmap.planning.territory.codes import codes_before, grid_codes, kept_codes
from gridmap.planning.territory.drawing import Drawn
from gridmap.planning.territory.grids import Grids


@dataclass(frozen=True)
class GivenGround:
    """Ground of which grids are known beforehand: dedicated, locked, and the grids of the plan before."""

    dedicated: Carved | None
    locked: Carved | None
    previous: PreviousGrids | None


def homes(hierarchy: Hierarchy, area_of_cell: Rows, group: Rows, count: int) -> tuple[Rows, Rows]:
    """Lowest level of which one area holds each group of cells whole, and that area; -1 where none does.

    Parameters
    ----------
    area_of_cell : (n,) int64, lowest-level area
    group : (n,) int64, -1 for cells of none; every group has a cell

    Returns
    -------
    level, row : (count,) int64
    """
    level, home = np.full(count, -1, dtype=np.int64), np.full(count, -1, dtype=np.int64)
    held = group >= 0
    for number, areas in enumerate(hierarchy.levels):
        row = hierarchy.ancestors(areas.level)[area_of_cell[held]]
        low, high = np.full(count, len(areas), dtype=np.int64), np.full(count, -1, dtype=np.int64)
        np.minimum.at(low, group[held], row)
        np.maximum.at(high, group[held], row)
        whole = (low == high) & (low >= 0)
        level[whole], home[whole] = number, low[whole]
    return level, home


def home_codes(hierarchy: Hierarchy, level: Rows, home: Rows) -> list[str | None]:
    """Code of the home area of each group, None without one."""
    pairs = zip(level.tolist(), home.tolist(), strict=True)
    return [hierarchy.levels[number].codes[row] if number >= 0 else None for number, row in pairs]


def numbered(hierarchy: Hierarchy, ground: Ground, drawn: Drawn, given: GivenGround) -> Grids:
    """Grids with their codes, by ascending code.

    Raises
    ------
    PlanError
        If a village has more grids than its codes can number.
    """
    count = len(drawn.target)
    shape = dissolve(ground.geometry, drawn.of_cell, count)
    level, home = homes(hierarchy, ground.area, drawn.of_cell, count)
    dedicated = np.array([kind is BaseUnitKind.DEDICATED for kind in drawn.kind], dtype=np.bool_)
    locked = np.array([kind is BaseUnitKind.LOCKED for kind in drawn.kind], dtype=np.bool_)
    kept: list[str | None] = kept_codes(shape, given.previous) if given.previous is not None else [None] * count
    if given.locked is not None:
        for row in np.flatnonzero(locked).tolist():
            kept[row] = given.locked.ids[drawn.carved[row]]
    held = {code for code in kept if code is not None}
    taken = (codes_before(given.previous) if given.previous else set()) - held
    lonlat = to_degrees(representative_points(shape))
    codes = grid_codes(home_codes(hierarchy, level, home), lonlat, dedicated, kept, taken)
    order = np.argsort(np.array(codes, dtype=object))
    place = np.empty(count, dtype=np.int64)
    place[order] = np.arange(count)
    names = _names(hierarchy, level, home, codes, drawn, given)
    return Grids(
        of_cell=place[drawn.of_cell],
        codes=tuple(codes[row] for row in order.tolist()),
        names=tuple(names[row] for row in order.tolist()),
        kind=tuple(GridKind.DEDICATED if dedicated[row] else GridKind.ORDINARY for row in order.tolist()),
        locked=locked[order],
        level=level[order],
        home=home[order],
        shape=shape[order],
        target=drawn.target[order],
        anchor=drawn.anchor[order],
        shortfalls=tuple(
            replace(short, district=int(place[short.district]) if short.district >= 0 else -1)
            for short in drawn.shortfalls
        ),
        bound=drawn.bound,
    )


def _names(
    hierarchy: Hierarchy, level: Rows, home: Rows, codes: Sequence[str], drawn: Drawn, given: GivenGround
) -> list[str]:
    """Own name of carved ground; else that of the home area, numbered where it has several, and told from namesakes."""
    own = [_carved_name(kind, int(row), given) for kind, row in zip(drawn.kind, drawn.carved, strict=True)]
    ordinary = np.array([name is None for name in own], dtype=np.bool_)
    key = level * (max(len(areas) for areas in hierarchy.levels) + 1) + home
    _, group = np.unique(key, return_inverse=True)
    siblings = counts(group.reshape(-1)[ordinary], len(key) + 1)[group.reshape(-1)]
    bare = [_area_name(hierarchy, number, row) for number, row in zip(level.tolist(), home.tolist(), strict=True)]
    names = [
        own[row] or (f"{name} {int(codes[row][-3:])}" if siblings[row] > 1 else name) for row, name in enumerate(bare)
    ]
    alike = {name for name, times in Counter(names).items() if times > 1}
    return [
        f"{_above(hierarchy, number, row)} {name}".strip() if name in alike and ordinary[place] else name
        for place, (name, number, row) in enumerate(zip(names, level.tolist(), home.tolist(), strict=True))
    ]


def _carved_name(kind: BaseUnitKind | None, row: int, given: GivenGround) -> str | None:
    source = {BaseUnitKind.DEDICATED: given.dedicated, BaseUnitKind.LOCKED: given.locked}.get(kind) if kind else None
    return (source.names[row] or source.ids[row]) if source is not None else None


def _area_name(hierarchy: Hierarchy, level: int, row: int) -> str:
    if level < 0:
        return ""
    areas = hierarchy.levels[level]
    return areas.names[row] or areas.codes[row]


def _above(hierarchy: Hierarchy, level: int, row: int) -> str:
    above = int(hierarchy.levels[level].parent[row]) if level > 0 else -1
    return _area_name(hierarchy, level - 1, above) if above >= 0 else ""
