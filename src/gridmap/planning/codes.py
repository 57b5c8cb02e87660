"""Fifteen-digit grid codes: county (6), township (3), village (3), sequence (3)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gridmap.domain.kinds import AreaLevel
from gridmap.errors import Place, PlanError
from gridmap.planning.reach import Floats, Rows

#: Most grids that three digits of sequence can number inside one village.
MOST_GRIDS = 999

_VILLAGE_DIGITS = AreaLevel.VILLAGE.digits
_DIGITS = frozenset(level.digits for level in AreaLevel)


def is_administrative(code: str) -> bool:
    """Whether a code is an administrative area code: 6, 9 or 12 digits."""
    return len(code) in _DIGITS and code.isascii() and code.isdigit()


def grid_codes(area_codes: Sequence[str], area: Rows, lonlat: Floats) -> list[str]:
    """Code of each grid: its area's, filled up with zeros where it has no village, and a sequence number.

    Numbers run west to east, then north to south inside one village, by representative point. An area whose code is
    not 6, 9 or 12 digits gives codes of the form ``CODE-001``.

    Parameters
    ----------
    area_codes : codes of the lowest-level areas
    area : (k,) int64, area of each grid
    lonlat : (k, 2) float64, representative point of each grid, degrees

    Raises
    ------
    PlanError
        If one village has more than ``MOST_GRIDS`` grids.
    """
    stems = [code.ljust(_VILLAGE_DIGITS, "0") if is_administrative(code) else f"{code}-" for code in area_codes]
    # Areas of different levels may fill up to the same twelve digits: they share one sequence.
    number = {stem: row for row, stem in enumerate(sorted(set(stems)))}
    village = np.array([number[stem] for stem in stems], dtype=np.int64)[area]
    order = np.lexsort((area, -lonlat[:, 1], lonlat[:, 0], village))
    sequence = np.empty(len(area), dtype=np.int64)
    sequence[order] = np.arange(len(area)) - np.searchsorted(village[order], village[order]) + 1
    for grid in np.flatnonzero(sequence > MOST_GRIDS)[:1].tolist():
        code = area_codes[area[grid]]
        count = int((village == village[grid]).sum())
        raise PlanError("rules.too_many_grids", Place(code=code), count=count, most=MOST_GRIDS)
    return [f"{stems[row]}{place:03d}" for row, place in zip(area.tolist(), sequence.tolist(), strict=True)]
