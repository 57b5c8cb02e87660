"""The datum detective: which datum a layer is in, told by the areas that its own attributes name, or by borders."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gridmap.geometry.datum import Datum
from gridmap.geometry.datum_evidence import (
    CERTAIN,
    Candidate,
    Judgement,
    border_vertices,
    fall_inside,
    is_metric,
    judge,
    near_border,
    placed,
    possible_datums,
    shift_m,
)
from gridmap.geometry.lattice import Geometries
from gridmap.inputs.folding import Texts, fold, fold_code, folded_texts

#: Share that must fall into place under the datum that is found.
_LEAST_INSIDE, _LEAST_NEAR = 0.5, 0.1
_MOST_ROWS = 5_000
#: Share of the rows that a column must name areas in, to be one that names areas.
_LEAST_NAMED = 0.3
_SHORTEST_CODE = 6
#: A shorter name may begin any other by chance.
_SHORTEST_NAME = 3
_ADMINISTRATIVE = re.compile(
    r"(?<=..)(?:村民委员会|居民委员会|村委会|居委会|社区居委会|社区|街道办事处|街道|村|乡|镇|县|区|市)+$"
)
#: What names of columns tell.
_NAMED = {
    "gcj02": re.compile(r"gcj|amap|高德|火星|腾讯|tencent", re.IGNORECASE),
    "bd09": re.compile(r"bd_?09|baidu|百度|(^|_)bd(_|$)", re.IGNORECASE),
    "wgs84": re.compile(r"wgs|(^|_)gps(_|$)", re.IGNORECASE),
    "cgcs2000": re.compile(r"cgcs|2000", re.IGNORECASE),
}


class Method(StrEnum):
    """How a datum was found out."""

    NAMED_AREAS = "named_areas"
    BORDERS = "borders"
    WITHIN = "within"
    ZONE = "zone"
    COLUMN_NAMES = "column_names"
    NONE = "none"


class Certainty(StrEnum):
    """How far a guess may be relied on."""

    CERTAIN = "certain"
    LIKELY = "likely"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True)
class Reference:
    """Areas whose place is known.

    Attributes
    ----------
    codes, names : (n,) str, "" where there is none
    polygons : (n,) polygons or multipolygons, WGS 84
    """

    codes: tuple[str, ...]
    names: tuple[str, ...]
    polygons: Geometries


@dataclass(frozen=True)
class Clue:
    """How well a datum fits: of ``tested`` things the share that falls into place."""

    datum: Datum
    share: float


@dataclass(frozen=True)
class Guess:
    """What the detective found.

    Attributes
    ----------
    datum : best guess, None where it cannot tell
    certainty, method : how sure it is, and by what
    clues : each datum that was tried, best first; none where there was nothing to try them on
    tested : things that were tried
    telling : those of them that hit under some datums only
    column : column that names the areas
    shift_m : mean distance between the places under the datum stated (or WGS 84) and under the guess, metres
    """

    datum: Datum | None
    certainty: Certainty
    method: Method
    clues: tuple[Clue, ...] = ()
    tested: int = 0
    telling: int = 0
    column: str | None = None
    shift_m: float | None = None


@dataclass(frozen=True)
class _Case:
    """A layer to be looked into: vertices with finite coordinates, the row that owns each, what might be true."""

    xy: NDArray[np.float64]
    owner: NDArray[np.intp]
    attributes: pd.DataFrame
    datums: Sequence[Datum]


def detect(
    xy: NDArray[np.float64],
    owner: NDArray[np.intp],
    attributes: pd.DataFrame,
    stated: Datum | None,
    reference: Reference | None,
    *,
    is_areal: bool,
) -> Guess:
    """Find out what datum coordinates are in.

    Parameters
    ----------
    xy : (v, 2) float64, vertices as in the file
    owner : (v,) row of the attributes that each belongs to
    attributes : of the rows
    stated : what the file or the user says
    reference : areas whose place is known
    is_areal : the rows are polygons
    """
    whole = np.isfinite(xy).all(axis=1)
    xy, owner = xy[whole], owner[whole]
    if not len(xy):
        return Guess(None, Certainty.CANNOT_TELL, Method.NONE)
    case = _Case(xy, owner, attributes, possible_datums(xy, stated))
    if reference is not None and len(reference.polygons):
        tries = [_by_borders] if is_areal else []
        found = [one(case, reference) for one in (*tries, _by_names, _by_ground)]
        told = next((one for one in found if one.datum), None)
        shown = told or next((one for one in found if one.clues), None)
        if shown is not None:
            return _with_shift(shown, xy, stated)
    return _with_shift(_by_itself(case, stated), xy, stated)


def _by_borders(case: _Case, reference: Reference) -> Guess:
    candidates = placed(case.xy[border_vertices(case.xy)], case.datums)
    hits = [near_border(one.lonlat, reference.polygons) for one in candidates]
    judgement = judge(hits, _LEAST_NEAR)
    ranked = sorted(judgement.shares, reverse=True)
    # Vertices of one border are no independent witnesses: the best must also stand out by far.
    stands_out = len(ranked) > 1 and ranked[0] >= 2 * ranked[1]
    return _guess(candidates, judgement, Method.BORDERS, len(hits[0]) if hits else 0, sure=stands_out)


def _by_names(case: _Case, reference: Reference) -> Guess:
    rows, points = _one_point_a_row(case)
    column, areas = _column_that_names(case.attributes, rows, reference)
    if column is None:
        return Guess(None, Certainty.CANNOT_TELL, Method.NAMED_AREAS)
    named = [number for number, one in enumerate(areas) if one]
    candidates = placed(points[named], case.datums)
    wanted = [areas[number] for number in named]
    hits = [fall_inside(one.lonlat, reference.polygons, wanted) for one in candidates]
    return _guess(candidates, judge(hits, _LEAST_INSIDE), Method.NAMED_AREAS, len(named), column=column)


def _by_ground(case: _Case, reference: Reference) -> Guess:
    _, points = _one_point_a_row(case)
    ground = np.array([shapely.union_all(reference.polygons)], dtype=object)
    candidates = placed(points, case.datums)
    hits = [fall_inside(one.lonlat, ground, [[0]] * len(points)) for one in candidates]
    return _guess(candidates, judge(hits, _LEAST_INSIDE), Method.WITHIN, len(points))


def _by_itself(case: _Case, stated: Datum | None) -> Guess:
    """Tell without a reference: by the number of the zone in the eastings, or by what columns are called."""
    if is_metric(case.xy):
        if len(case.datums) == 1 and (stated is None or case.datums[0].name != stated.name):
            return Guess(case.datums[0], Certainty.LIKELY, Method.ZONE)
        return Guess(None, Certainty.CANNOT_TELL, Method.NONE)
    columns = [str(column) for column in case.attributes.columns]
    told = {name for name, pattern in _NAMED.items() for column in columns if pattern.search(column)}
    if len(told) == 1:
        return Guess(Datum(told.pop()), Certainty.LIKELY, Method.COLUMN_NAMES)
    return Guess(None, Certainty.CANNOT_TELL, Method.NONE)


def _guess(
    candidates: Sequence[Candidate],
    judgement: Judgement,
    method: Method,
    tested: int,
    *,
    sure: bool = True,
    column: str | None = None,
) -> Guess:
    clues = [Clue(one.datum, share) for one, share in zip(candidates, judgement.shares, strict=True)]
    clues.sort(key=lambda clue: -clue.share)
    datum, certainty = None, Certainty.CANNOT_TELL
    if judgement.best is not None and sure:
        datum = candidates[judgement.best].datum
        certainty = Certainty.CERTAIN if judgement.chance <= CERTAIN else Certainty.LIKELY
    return Guess(datum, certainty, method, tuple(clues), tested, judgement.telling, column)


def _with_shift(guess: Guess, xy: NDArray[np.float64], stated: Datum | None) -> Guess:
    if guess.datum is None:
        return guess
    before = stated or Datum("wgs84")
    if before.is_projected != guess.datum.is_projected:
        return guess
    some = xy[border_vertices(xy)]
    return replace(guess, shift_m=shift_m(before.to_wgs84(some), guess.datum.to_wgs84(some)))


def _one_point_a_row(case: _Case) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Rows, at most 5,000 of them evenly, and the middle of the vertices of each."""
    rows, begin, count = np.unique(case.owner, return_index=True, return_counts=True)
    middle = np.add.reduceat(case.xy, begin, axis=0) / count[:, None]
    if len(rows) > _MOST_ROWS:
        some = np.linspace(0, len(rows) - 1, _MOST_ROWS).astype(np.intp)
        rows, middle = rows[some], middle[some]
    return rows, middle


def _column_that_names(
    attributes: pd.DataFrame, rows: NDArray[np.intp], reference: Reference
) -> tuple[str | None, list[list[int]]]:
    """Column whose values name the most areas of the reference, codes before names, and the areas of each row."""
    best: tuple[int, str | None, list[list[int]]] = (0, None, [])
    for find in (_Codes(reference.codes), _Names(reference.names)):
        for column in attributes.columns:
            texts = folded_texts(attributes[column].iloc[rows], find.fold)
            areas = find.areas_of(texts)
            named = sum(1 for one in areas if one)
            if named > best[0] and named >= _LEAST_NAMED * len(rows):
                best = (named, str(column), areas)
        if best[1] is not None:
            break
    return best[1], best[2]


class _Codes:
    """Areas by code: the same, the narrowest that a longer code lies in, or all that a shorter one holds."""

    fold = staticmethod(fold_code)

    def __init__(self, codes: Iterable[str]) -> None:
        self._exact: dict[str, list[int]] = defaultdict(list)
        self._below: dict[str, list[int]] = defaultdict(list)
        for number, code in enumerate(codes):
            if len(code) >= _SHORTEST_CODE:
                self._exact[code].append(number)
                for digits in range(_SHORTEST_CODE, len(code)):
                    self._below[code[:digits]].append(number)
        self._known: dict[str, list[int]] = {}

    def areas_of(self, texts: Texts) -> list[list[int]]:
        return [[] if text is None else self._areas(text) for text in texts]

    def _areas(self, text: str) -> list[int]:
        if text not in self._known:
            self._known[text] = self._find(text)
        return self._known[text]

    def _find(self, text: str) -> list[int]:
        if not text.isdecimal() or len(text) < _SHORTEST_CODE:
            return []
        # Codes of townships are written with nine digits, or filled up with zeros.
        for digits in range(len(text), _SHORTEST_CODE - 1, -1):
            if text[:digits] in self._exact:
                return self._exact[text[:digits]]
        shortened = text.rstrip("0")
        return self._below.get(text) or self._below.get(shortened, [])


class _Names:
    """Areas by name, with and without what kind of area they are."""

    def __init__(self, names: Iterable[str]) -> None:
        self._areas: dict[str, list[int]] = defaultdict(list)
        self._whole: dict[str, list[int]] = defaultdict(list)
        for number, name in enumerate(names):
            if name:
                self._areas[self.fold(name)].append(number)
                self._whole[fold(name)].append(number)
        self._longest = max(map(len, self._whole), default=0)

    @staticmethod
    def fold(text: str) -> str:
        folded = fold(text)
        return _ADMINISTRATIVE.sub("", folded) or folded

    def areas_of(self, texts: Texts) -> list[list[int]]:
        return [[] if text is None else self._areas.get(text) or self._beginning(text) for text in texts]

    def _beginning(self, text: str) -> list[int]:
        """Areas that a longer name begins with: a cash point is called by its village."""
        for length in range(min(len(text) - 1, self._longest), _SHORTEST_NAME - 1, -1):
            if text[:length] in self._whole:
                return self._whole[text[:length]]
        return []
