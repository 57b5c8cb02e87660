"""Fifteen-digit grid codes: county (6), township (3), village (3), sequence (3)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence

import numpy as np
import shapely

from gridmap.domain.inputs import PreviousGrids
from gridmap.domain.kinds import AreaLevel
from gridmap.errors import DuplicateId, Place, PlanError
from gridmap.geometry.lattice import Geometries, geometries_to_units
from gridmap.planning.land.ground import representative_points
from gridmap.planning.land.same_ground import ground_apart
from gridmap.planning.service.reach import Flags, Floats

#: Most grids that three digits of sequence can number inside one village.
MOST_GRIDS = 999
#: Dedicated grids are numbered from here.
FIRST_DEDICATED = 601

_SEQUENCE_DIGITS = 3
_VILLAGE_DIGITS = AreaLevel.VILLAGE.digits
_CODE_DIGITS = _VILLAGE_DIGITS + _SEQUENCE_DIGITS
_MOST_DEDICATED = MOST_GRIDS - FIRST_DEDICATED + 1
_DIGITS = frozenset(level.digits for level in AreaLevel)
# Equal ground has equal bounds, but for noding: anything else need not be compared point by point.
_NODING_UNITS = 2.0


def is_administrative(code: str) -> bool:
    """Whether a code is an administrative area code: 6, 9 or 12 digits."""
    return len(code) in _DIGITS and code.isascii() and code.isdigit()


def stem_of(home: str | None) -> str:
    """Begin the codes of the grids of an area: its code filled up with zeros, or ``CODE-`` where it is of another kind.

    Parameters
    ----------
    home : code of the lowest area that holds a grid whole, None where none does
    """
    if home is None:
        return "0" * _VILLAGE_DIGITS
    return home.ljust(_VILLAGE_DIGITS, "0") if is_administrative(home) else f"{home}-"


def is_grid_code(code: str) -> bool:
    """Whether a code is one that ``grid_codes`` gives: fifteen digits, or ``CODE-001``, and never the number 000."""
    stem, number = code[:-_SEQUENCE_DIGITS], code[-_SEQUENCE_DIGITS:]
    if len(number) < _SEQUENCE_DIGITS or not (number.isascii() and number.isdigit()) or int(number) == 0:
        return False
    if stem.endswith("-"):
        return len(stem) > 1
    return len(code) == _CODE_DIGITS and stem.isascii() and stem.isdigit()


def grid_codes(
    homes: Sequence[str | None],
    lonlat: Floats,
    dedicated: Flags,
    kept: Sequence[str | None],
    taken: Collection[str],
    after: Collection[str] = (),
) -> list[str]:
    """Code of each grid: that of the lowest area that holds it, filled up with zeros, and a sequence number.

    Inside one such area numbers run west to east, then north to south, by representative point: ordinary grids from
    001, dedicated ones from 601. Numbers in use are passed over, and so are those of ``taken``. An area whose code is
    not 6, 9 or 12 digits gives codes of the form ``CODE-001``. The same serves sub-grids and super-grids.

    Parameters
    ----------
    homes : (k,) code of the lowest area that wholly holds each grid, None where none does
    lonlat : (k, 2) float64, representative point of each grid, degrees
    dedicated : (k,) bool
    kept : (k,) code that a grid keeps from an earlier plan, None for those that are given a new one
    taken : codes that are never given: retired, or used elsewhere
    after : codes; ordinary numbers begin after the highest of these in the same area, as long as there are any left

    Raises
    ------
    DuplicateId
        If two grids keep the same code.
    PlanError
        If one area has more grids than ``MOST_GRIDS``, more dedicated ones than 399, or too few numbers that were
        never given before.
    """
    stems = [stem_of(home) for home in homes]
    _refuse_kept_twice(kept)
    used = _numbers_by_stem([*taken, *(code for code in kept if code is not None)])
    begun = {stem: max(numbers) for stem, numbers in _numbers_by_stem(after).items()}
    waiting: dict[tuple[bool, str], list[int]] = defaultdict(list)
    for row in np.lexsort((-lonlat[:, 1], lonlat[:, 0])).tolist():
        if kept[row] is None:
            waiting[bool(dedicated[row]), stems[row]].append(row)
    codes, of_stem = list(kept), Counter(stems)
    dedicated_of_stem = Counter(
        stem for stem, is_dedicated in zip(stems, dedicated.tolist(), strict=True) if is_dedicated
    )
    # Dedicated grids first: ordinary ones may pass 600, and then go round them.
    for is_dedicated, stem in sorted(waiting, reverse=True):
        rows = waiting[is_dedicated, stem]
        _refuse_too_many(homes[rows[0]] or stem, of_stem[stem], dedicated_of_stem[stem])
        begin = FIRST_DEDICATED if is_dedicated else begun.get(stem, 0) + 1
        numbers = [number for number in range(begin, MOST_GRIDS + 1) if number not in used[stem]]
        if not is_dedicated:
            numbers += [number for number in range(1, begin) if number not in used[stem]]
        if len(numbers) < len(rows):
            place = Place(code=homes[rows[0]] or stem)
            raise PlanError("rules.grid_codes_used_up", place, count=len(rows), free=len(numbers))
        for row, number in zip(rows, numbers, strict=False):
            codes[row] = f"{stem}{number:03d}"
            used[stem].add(number)
    return [code for code in codes if code is not None]


def kept_codes(shapes: Geometries, previous: PreviousGrids) -> list[str | None]:
    """Code of the previous grid that was the same ground as each shape, but for noding; None where none was.

    Parameters
    ----------
    shapes : (k,) polygons or multipolygons, lattice frame, disjoint
    """
    kept: list[str | None] = [None] * len(shapes)
    if previous.geometry is None or not len(shapes):
        return kept
    given: set[str] = set()
    before = geometries_to_units(previous.geometry)
    points = shapely.points(representative_points(before))
    old, new = shapely.STRtree(shapes).query(points, predicate="intersects")
    near = (np.abs(shapely.bounds(before)[old] - shapely.bounds(shapes)[new]) <= _NODING_UNITS).all(axis=1)
    pairs = zip(old[near].tolist(), new[near].tolist(), strict=True)
    for row, shape in sorted(pairs, key=lambda pair: (previous.codes[pair[0]], pair)):
        code = previous.codes[row]
        if kept[shape] is None and code not in given and not len(ground_apart(before[row], shapes[shape : shape + 1])):
            kept[shape] = code
            given.add(code)
    return kept


def codes_before(previous: PreviousGrids) -> set[str]:
    """Every code that was ever given before: to grids, to what lay below and above them, and to what is no more."""
    nested = previous.nested.codes if previous.nested else ()
    return {*previous.codes, *previous.retired, *nested}


def retired_codes(codes: Collection[str], previous: PreviousGrids) -> list[str]:
    """Codes of earlier plans that nothing holds any more, ascending: never to be given again."""
    return sorted(codes_before(previous) - set(codes))


def _numbers_by_stem(codes: Iterable[str]) -> defaultdict[str, set[int]]:
    found: defaultdict[str, set[int]] = defaultdict(set)
    for code in codes:
        if is_grid_code(code):
            found[code[:-_SEQUENCE_DIGITS]].add(int(code[-_SEQUENCE_DIGITS:]))
    return found


def _refuse_kept_twice(kept: Sequence[str | None]) -> None:
    held: set[str] = set()
    for code in kept:
        if code is not None and code in held:
            raise DuplicateId("rules.code_kept_twice", Place(code=code))
        if code is not None:
            held.add(code)


def _refuse_too_many(home: str, grids: int, dedicated: int) -> None:
    if grids > MOST_GRIDS:
        raise PlanError("rules.too_many_grids", Place(code=home), count=grids, most=MOST_GRIDS)
    if dedicated > _MOST_DEDICATED:
        raise PlanError("rules.too_many_dedicated", Place(code=home), count=dedicated, most=_MOST_DEDICATED)
