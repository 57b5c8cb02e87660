"""Prove that pieces from anywhere partition their areas, or name each fault.

The directed edges of all pieces, less those of the areas, cancel to nothing exactly if every area is covered once and
nothing else is covered. Whatever coordinates a file has are taken bit for bit; where all of them are decimals of the
same few places, the decimals themselves are meant, and a vertex between two others may lie on their line exactly.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap import catalogue
from gridmap.errors import BadValue, InvalidGeometry, Place
from gridmap.geometry.chain import Edges, Indices, cancel
from gridmap.geometry.cut_points import CutPoints, find_cut_points
from gridmap.geometry.faults import (
    MAX_GAP_M,
    OPEN_SLIT_DEG,
    OPEN_SLIT_M,
    Fault,
    FaultKind,
    Frame,
    degrees,
    faults_of,
    metres,
    outline_faults,
    overlap_faults,
    owners_of,
    unresolved_faults,
    unsound,
    widest_first,
)
from gridmap.geometry.lattice import Geometries
from gridmap.geometry.predicates import Points
from gridmap.geometry.soundness import make_sound
from gridmap.geometry.width import lengths_m
from gridmap.geometry.winding import Chain, Faces, LeftOver, chain_of, compact, faces_of, left_over

#: Places of decimals that are tried, fewest first; whole numbers up to 2**53 stay exact.
_DECIMALS = range(13)
_LARGEST_WHOLE = 2.0**53

#: A cut point may lie this far from the border that it cuts: one unit of the lattice, a centimetre in projected planes.
_CUT_POINT_DEG = 1e-7
_CUT_POINT_M = 0.01

ToDegrees = Callable[[Points], Points]


@dataclass(frozen=True, slots=True)
class Remark:
    """What is no fault and yet worth knowing.

    ``kind`` is ``unnoded`` (vertices on a neighbour's edge), ``holes``, or ``cut_points`` (rounded where pieces cut
    the border of an area; only the farthest is given), or ``rounded`` (areas were brought onto the lattice of the
    pieces); ``places`` are degrees.
    """

    kind: Literal["unnoded", "holes", "cut_points", "rounded"]
    places: tuple[tuple[float, float], ...]
    values: Mapping[str, str]

    def message(self, lang: catalogue.Language | None = None) -> str:
        """Return one sentence with the count and the first place."""
        lon, lat = self.places[0]
        return catalogue.text(
            f"validation.remark_{self.kind}",
            lang,
            lon=degrees(lon),
            lat=degrees(lat),
            **self.values,
        )


@dataclass(frozen=True, slots=True)
class Report:
    """What was found of a partition.

    Attributes
    ----------
    verdict : ``valid`` or ``invalid``
    pieces, areas : how many; without areas 0
    faults : every fault
    warnings : what is no fault and yet worth knowing
    holes : holes of the pieces' own outline that are not taken for gaps; 0 where areas were given
    closes_under_m : the least tolerance that closes every gap, overlap and outside, metres; None where some fault is of
        another kind, 0 where there is none
    """

    verdict: Literal["valid", "invalid"]
    pieces: int
    areas: int
    faults: tuple[Fault, ...]
    warnings: tuple[Remark, ...]
    holes: int
    closes_under_m: float | None


def validate_partition(
    pieces: Geometries,
    ids: Sequence[str],
    *,
    areas: Geometries | None = None,
    area_ids: Sequence[str] = (),
    area_of_piece: Indices | None = None,
    to_degrees: ToDegrees | None = None,
    max_gap_m: float = MAX_GAP_M,
) -> Report:
    """Prove that pieces cover their areas, or their own outline, once and nothing else.

    Parameters
    ----------
    pieces : (n,) polygons or multipolygons as they stand in the file, any plane, any doubles
    ids : (n,) names of the pieces
    areas : (m,) polygons or multipolygons in the same plane; None: the pieces' own outline
    area_ids : (m,) names of the areas
    area_of_piece : (n,) int64, row of the area that each piece belongs to, -1 where it names none that is there;
        None: any area
    to_degrees : from the plane to longitude and latitude; None: the plane is that already
    max_gap_m : without areas, holes up to this width between two or more pieces are gaps, metres

    Returns
    -------
    Report

    Raises
    ------
    BadValue
        If there is no piece, or the arrays differ in length.
    InvalidGeometry
        If an area is not a valid polygon.
    """
    _check_lengths(pieces, ids, areas, area_ids, area_of_piece)
    plane = _decimal_plane(pieces, areas)
    frame = _frame(plane, to_degrees)
    sound, faults = unsound(_scaled(pieces, plane), ids, frame)
    if areas is None:
        left = left_over(_chain_of_rows(sound))
        slit = (OPEN_SLIT_DEG if to_degrees is None else OPEN_SLIT_M) * plane
        found, holes = outline_faults(left, sound, ids, frame, max_gap_m, slit)
        unnoded, cuts = [left.unnoded], list[CutPoints]()
    else:
        ground = _scaled(_checked(areas, area_ids), plane)
        tolerance = (_CUT_POINT_DEG if to_degrees is None else _CUT_POINT_M) * plane
        found, unnoded, cuts = _against_areas(sound, ids, ground, area_ids, area_of_piece, frame, tolerance)
        holes = []
    faults = [*faults, *found]
    return Report(
        "invalid" if faults else "valid",
        len(pieces),
        0 if areas is None else len(areas),
        tuple(faults),
        tuple(_remarks(_elsewhere(np.concatenate(unnoded), faults, frame), holes, cuts, frame, max_gap_m)),
        len(holes),
        _closes_under(faults),
    )


def _check_lengths(
    pieces: Geometries,
    ids: Sequence[str],
    areas: Geometries | None,
    area_ids: Sequence[str],
    area_of_piece: Indices | None,
) -> None:
    if not len(pieces):
        raise BadValue("validation.no_pieces")
    labels = len(pieces) if area_of_piece is None else len(area_of_piece)
    named_areas = len(area_ids) if areas is None else len(areas)
    if len(ids) != len(pieces) or labels != len(pieces) or named_areas != len(area_ids):
        raise BadValue("validation.unlike_lengths", pieces=len(pieces), ids=len(ids), areas=labels)


def _checked(areas: Geometries, area_ids: Sequence[str]) -> Geometries:
    made = make_sound(areas)
    if len(made.rows):
        reason = catalogue.text(f"validation.reason_{made.reasons[0]}")
        raise InvalidGeometry("validation.bad_area", Place(code=area_ids[made.rows[0]]), reason=reason)
    return areas


def _decimal_plane(pieces: Geometries, areas: Geometries | None) -> float:
    """Return the power of ten that makes every coordinate whole, 1 where there is none.

    The doubles 0.1, 0.2 and 0.3 are not collinear with anything, the decimals are: a file of decimals means these.
    """
    coordinates = np.concatenate(
        [shapely.get_coordinates(polygons) for polygons in (pieces, areas) if polygons is not None]
    )
    finite = coordinates[np.isfinite(coordinates)]
    largest = float(np.abs(finite).max(initial=0))
    for places in _DECIMALS:
        power = 10.0**places
        if largest * power > _LARGEST_WHOLE:
            break
        if (np.rint(finite * power) / power == finite).all():
            return power
    return 1.0


def _scaled(polygons: Geometries, power: float) -> Geometries:
    if power == 1:
        return polygons
    return np.asarray(shapely.transform(polygons, lambda xy: np.where(np.isfinite(xy), np.rint(xy * power), xy)))


def _frame(power: float, to_degrees: ToDegrees | None) -> Frame:
    back = to_degrees or (lambda xy: xy)
    return lambda polygons: np.asarray(shapely.transform(polygons, lambda xy: back(xy / power)))


def _chain_of_rows(polygons: Geometries) -> Chain:
    rows = np.flatnonzero(~shapely.is_empty(polygons))
    return chain_of(polygons[rows], rows)


def _against_areas(
    pieces: Geometries,
    ids: Sequence[str],
    areas: Geometries,
    area_ids: Sequence[str],
    area_of_piece: Indices | None,
    frame: Frame,
    tolerance: float,
) -> tuple[list[Fault], list[Points], list[CutPoints]]:
    """Faults of pieces against areas, vertices that neighbours lack, cut points; rows of areas follow the pieces'."""
    count = len(pieces)
    names = [*ids, *area_ids]
    faults: list[Fault] = []
    group = np.zeros(count + len(areas), np.int64)
    if area_of_piece is not None:
        faults, pieces = _without_area(pieces, ids, area_of_piece, frame)
        group = np.concatenate([area_of_piece, np.arange(len(areas))])
    unnoded, cuts = [np.empty((0, 2))], []
    for number, chain in _open_chains(pieces, areas, group):
        left = left_over(chain)
        faces = faces_of(left.chain)
        corners = shapely.get_coordinates(areas if area_of_piece is None else areas[number])
        slivers = find_cut_points(faces, left.chain, left.chain.edges.owner >= count, corners, tolerance)
        # A cut point on the border of an area is not missing anywhere: only neighbouring pieces want each other's.
        unnoded.append(left.unnoded[(left.unnoded_owners < count).all(axis=1)])
        cuts.append(slivers)
        faults += _area_faults(left, faces, ~slivers.is_sliver, pieces, names, frame)
        faults += [_of_pieces(fault, count) for fault in unresolved_faults(faces, left.chain, names, frame)]
    return widest_first(faults), unnoded, cuts


def _without_area(
    pieces: Geometries, ids: Sequence[str], area_of_piece: Indices, frame: Frame
) -> tuple[list[Fault], Geometries]:
    """Name pieces whose area is not there, and leave them out."""
    stray = np.flatnonzero((area_of_piece < 0) & ~shapely.is_empty(pieces))
    groups = [(row,) for row in stray.tolist()]
    faults = faults_of(FaultKind.OUTSIDE, "validation.unknown_area", frame(pieces[stray]), groups, ids)
    kept = pieces.copy()
    kept[stray] = shapely.Polygon()
    return faults, kept


def _open_chains(pieces: Geometries, areas: Geometries, group: Indices) -> Iterator[tuple[int, Chain]]:
    """Edges of pieces less those of areas that do not cancel within their group, group by group."""
    whole = _chain_of_rows(np.concatenate([pieces, areas]))
    edges, size = whole.edges, len(whole.points)
    is_area = edges.owner >= len(pieces)
    # Points of different groups get different numbers, so that only edges of one group cancel.
    step = group[edges.owner] * size
    start = np.where(is_area, edges.end, edges.start) + step
    end = np.where(is_area, edges.start, edges.end) + step
    # Sorted by start, so by group.
    left = cancel(Edges(start, end, edges.owner))
    begin = np.flatnonzero(np.diff(left.start // max(size, 1), prepend=-1)).tolist()
    for first, last in itertools.pairwise([*begin, len(left)]):
        number = int(left.start[first] // size)
        part = left.take(np.arange(first, last))
        yield (
            number,
            compact(Chain(whole.points, Edges(part.start - number * size, part.end - number * size, part.owner))),
        )


def _area_faults(
    left: LeftOver,
    faces: Faces,
    counts: NDArray[np.bool_],
    pieces: Geometries,
    names: Sequence[str],
    frame: Frame,
) -> list[Fault]:
    """Faces that count, around which pieces less areas do not wind 0 times."""
    owner = left.chain.edges.owner
    bare, extra = np.flatnonzero((faces.winding < 0) & counts), np.flatnonzero((faces.winding > 0) & counts)
    sides = owners_of(faces.right, owner, bare)
    beside = [tuple(row for row in side if row < len(pieces)) for side in sides]
    ground = frame(faces.polygon[bare])
    between = np.array([bool(side) for side in beside], dtype=np.bool_)
    gaps = []
    for key, chosen in (("validation.gap", between), ("validation.uncovered", ~between)):
        groups = [side for side, take in zip(sides, chosen, strict=True) if take]
        gaps += faults_of(FaultKind.GAP, key, ground[chosen], groups, names)
    # Where an area's edge bounds extra ground, that ground is outside; else it is outside if one piece alone covers it.
    bounding = owners_of(faces.left, owner, extra)
    is_outside = np.array(
        [
            any(row >= len(pieces) for row in side) or (len(side) < 2 and _covered_once(faces.polygon[face], pieces))
            for face, side in zip(extra.tolist(), bounding, strict=True)
        ],
        dtype=np.bool_,
    )
    overlaps = overlap_faults(faces, extra[~is_outside], owner, pieces, names, frame)
    groups = [side for side, take in zip(bounding, is_outside, strict=True) if take]
    outside = faults_of(FaultKind.OUTSIDE, "validation.outside", frame(faces.polygon[extra[is_outside]]), groups, names)
    return [_of_pieces(fault, len(pieces)) for fault in [*gaps, *overlaps, *outside]]


def _covered_once(face: Any, pieces: Geometries) -> bool:
    return int(shapely.intersects(pieces, shapely.point_on_surface(face)).sum()) < 2


def _of_pieces(fault: Fault, count: int) -> Fault:
    return replace(fault, rows=tuple(row for row in fault.rows if row < count))


def _elsewhere(unnoded: Points, faults: list[Fault], frame: Frame) -> Points:
    """Places, in degrees, of vertices that neighbours lack and that are no part of a fault."""
    if not len(unnoded):
        return unnoded
    places = frame(shapely.points(np.unique(unnoded, axis=0)))
    part, _ = shapely.STRtree([fault.geometry for fault in faults]).query(places, predicate="intersects")
    return np.asarray(shapely.get_coordinates(np.delete(places, part)))


def _remarks(
    unnoded: Points, holes: list[Fault], cuts: list[CutPoints], frame: Frame, max_gap_m: float
) -> list[Remark]:
    remarks = []
    if len(unnoded):
        remarks.append(Remark("unnoded", _pairs(unnoded), {"count": f"{len(unnoded):,}"}))
    slivers = sum(cut.count for cut in cuts)
    if slivers:
        lines = frame(shapely.linestrings([[cut.farthest, cut.foot] for cut in cuts if cut.count]))
        shift_m = lengths_m(lines)
        worst = int(np.argmax(shift_m))
        place = shapely.get_coordinates(lines[worst])[:1]
        values = {"count": f"{slivers:,}", "shift": metres(float(shift_m[worst]))}
        remarks.append(Remark("cut_points", _pairs(place), values))
    if holes:
        places = np.array([[hole.lon, hole.lat] for hole in holes])
        values = {"count": f"{len(holes):,}", "limit": metres(max_gap_m), "width": metres(holes[0].width_m)}
        remarks.append(Remark("holes", _pairs(places), values))
    return remarks


def _pairs(places: NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    return tuple((float(lon), float(lat)) for lon, lat in places)


def _closes_under(faults: Sequence[Fault]) -> float | None:
    closable = {FaultKind.GAP, FaultKind.OVERLAP, FaultKind.OUTSIDE}
    if any(fault.kind not in closable or not fault.area_m2 > 0 for fault in faults):
        return None
    return max((fault.width_m for fault in faults), default=0.0)
