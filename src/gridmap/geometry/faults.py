"""Find the faults of a coverage of areas: overlaps, gaps, slivers, duplicates, invalid polygons, each with its place.

The directed edges of all areas cancel in pairs where neighbours share a border (``chain``), so only the few edges left
over are looked at. They bound faces around which the chain winds 0 times (outside, or a hole), once (an area) or more
often (an overlap).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
import shapely

from gridmap import catalogue
from gridmap.geometry.chain import Indices
from gridmap.geometry.lattice import LATTICE_DEG, Geometries, geometries_to_degrees
from gridmap.geometry.slits import open_slits
from gridmap.geometry.soundness import find_duplicates, make_sound
from gridmap.geometry.width import sizes_of
from gridmap.geometry.winding import Chain, Faces, LeftOver, chain_of, faces_of, left_over, unresolved

#: Holes up to this width between two or more neighbours are gaps, wider ones lakes or enclaves.
MAX_GAP_M = 50.0
#: A crack between neighbours that opens to the outside is a gap up to this width: about a metre.
OPEN_SLIT_M, OPEN_SLIT_DEG = 1.0, 9e-6
#: Gaps and overlaps up to this width are called slivers.
SLIVER_M = 1.0
#: Up to this width one vertex, put into both borders, is named as what would mend the fault.
_MENDABLE_M = 1.0
_MOST_IDS_NAMED = 6
_TRIANGLE = 3

Frame = Callable[[Geometries], Geometries]


class FaultKind(StrEnum):
    """What is wrong."""

    GAP = "gap"
    OVERLAP = "overlap"
    INVALID = "invalid"
    OUTSIDE = "outside"
    DUPLICATE = "duplicate"
    SLIVER = "sliver"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a partition or coverage.

    Attributes
    ----------
    kind : what is wrong
    lon, lat : degrees, at the widest part of the fault
    area_m2 : square metres
    width_m : diameter of the largest circle that fits into the fault, metres
    ids : of the pieces and areas on both sides
    rows : rows of the pieces among them
    key, values : wording in the catalogue and what fills it
    geometry : the faulty ground, degrees
    vertex : longitude and latitude of the vertex that would mend it, where one would
    """

    kind: FaultKind
    lon: float
    lat: float
    area_m2: float
    width_m: float
    ids: tuple[str, ...]
    rows: tuple[int, ...]
    key: str
    values: Mapping[str, str]
    geometry: Any
    vertex: tuple[float, float] | None = None

    def message(self, lang: catalogue.Language | None = None) -> str:
        """Return one sentence: what is wrong, how wide, of which pieces."""
        values = dict(self.values)
        if "reason" in values:
            values["reason"] = catalogue.text(values["reason"], lang)
        said = catalogue.text(self.key, lang, ids=named(self.ids, lang), width=metres(self.width_m), **values)
        if self.vertex is None:
            return said
        return said + catalogue.text(
            "validation.add_vertex", lang, lon=degrees(self.vertex[0]), lat=degrees(self.vertex[1])
        )


def named(ids: Sequence[str], lang: catalogue.Language | None = None) -> str:
    """Ids as a sentence names them, the first few of many."""
    if len(ids) <= _MOST_IDS_NAMED:
        return ", ".join(ids)
    count = len(ids) - _MOST_IDS_NAMED
    return catalogue.text("validation.and_more", lang, ids=", ".join(ids[:_MOST_IDS_NAMED]), count=count)


def metres(value: float) -> str:
    """Metres or square metres as people read them: whole from 100 up, else three digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def degrees(value: float) -> str:
    """Degrees to a hundredth of a millimetre, without needless zeros, at least seven decimals."""
    whole, decimals = f"{value:.10f}".split(".")
    return f"{whole}.{decimals[:7]}{decimals[7:].rstrip('0')}"


def coverage_faults(
    polygons: Geometries,
    ids: Sequence[str] | None = None,
    *,
    max_gap_m: float = MAX_GAP_M,
    sliver_m: float = SLIVER_M,
) -> list[Fault]:
    """Faults of a coverage of areas, before it is partitioned.

    Parameters
    ----------
    polygons : (n,) polygons or multipolygons, lattice frame; vertices on a neighbour's edge may be missing in it
    ids : names of the polygons, default their rows
    max_gap_m : holes between at least two polygons are gaps up to this width, metres; wider ones are left alone
    sliver_m : gaps and overlaps up to this width are of kind ``sliver``

    Returns
    -------
    list of Fault
        Invalid polygons first, then duplicates, then the others, widest first.
    """
    names = list(ids) if ids is not None else [str(row) for row in range(len(polygons))]
    sound, faults = unsound(polygons, names, geometries_to_degrees)
    rows = np.flatnonzero(~shapely.is_empty(sound))
    left = left_over(chain_of(sound[rows], rows))
    found, _ = outline_faults(left, sound, names, geometries_to_degrees, max_gap_m, OPEN_SLIT_DEG / LATTICE_DEG)
    return faults + [_as_sliver(fault) if fault.width_m <= sliver_m else fault for fault in found]


def _as_sliver(fault: Fault) -> Fault:
    return replace(fault, kind=FaultKind.SLIVER, key=f"validation.sliver_{fault.kind}")


def unsound(polygons: Geometries, ids: Sequence[str], frame: Frame) -> tuple[Geometries, list[Fault]]:
    """Polygons made valid, duplicates emptied, and the faults found at it.

    Parameters
    ----------
    polygons : (n,) anything of shapely, any plane
    ids : their names
    frame : from that plane to degrees

    Returns
    -------
    sound : (n,) valid polygons or multipolygons, some empty
    faults : kinds ``invalid`` and ``duplicate``
    """
    made = make_sound(polygons)
    faults = []
    for row, reason, at in zip(made.rows.tolist(), made.reasons, made.places, strict=True):
        ground = frame(made.polygons[[row]])
        point = shapely.get_coordinates(frame(np.array([shapely.Point(at)], dtype=object)))[0]
        size = sizes_of(ground) if not ground[0].is_empty else None
        faults.append(
            Fault(
                FaultKind.INVALID,
                float(point[0]),
                float(point[1]),
                float(size.area_m2[0]) if size else 0.0,
                float(size.width_m[0]) if size else 0.0,
                (ids[row],),
                (row,),
                "validation.invalid",
                {"reason": f"validation.reason_{reason}"},
                ground[0],
            )
        )
    sound = made.polygons.copy()
    doubled, original = find_duplicates(sound)
    ground = frame(sound[doubled])
    groups = [(int(first), int(again)) for first, again in zip(original, doubled, strict=True)]
    faults += faults_of(FaultKind.DUPLICATE, "validation.duplicate", ground, groups, ids)
    sound[doubled] = shapely.Polygon()
    return sound, faults


def outline_faults(
    left: LeftOver, polygons: Geometries, ids: Sequence[str], frame: Frame, max_gap_m: float, slit: float
) -> tuple[list[Fault], list[Fault]]:
    """Overlaps and narrow gaps of polygons that tile nothing but their own outline.

    Parameters
    ----------
    left : what their chain left over; owners are rows of ``polygons``
    polygons : (n,) valid, any plane
    frame : from that plane to degrees
    max_gap_m : greatest width of a hole that is a gap, metres
    slit : greatest width of a gap that opens to the outside, units of the plane

    Returns
    -------
    faults : gaps and overlaps, widest first
    holes : wider holes and holes within one polygon, as gaps, widest first
    """
    faces = faces_of(left.chain)
    owner = left.chain.edges.owner
    over, hole = np.flatnonzero(faces.winding > 1), np.flatnonzero(faces.winding == 0)
    overlaps = overlap_faults(faces, over, owner, polygons, ids, frame)
    groups = owners_of(faces.right, owner, hole)
    gaps = faults_of(FaultKind.GAP, "validation.gap", frame(faces.polygon[hole]), groups, ids)
    slits, sides = open_slits(polygons, slit, faces.polygon[hole])
    narrow = [len(gap.rows) > 1 and gap.width_m <= max_gap_m for gap in gaps]
    faults = overlaps + [gap for gap, is_fault in zip(gaps, narrow, strict=True) if is_fault]
    faults += faults_of(FaultKind.GAP, "validation.gap", frame(slits), sides, ids)
    holes = [gap for gap, is_fault in zip(gaps, narrow, strict=True) if not is_fault]
    return widest_first(faults) + unresolved_faults(faces, left.chain, ids, frame), widest_first(holes)


def widest_first(faults: list[Fault]) -> list[Fault]:
    """Faults by falling width, then by place."""
    return sorted(faults, key=lambda fault: (-fault.width_m, fault.lon, fault.lat))


def overlap_faults(
    faces: Faces, over: Indices, owner: Indices, polygons: Geometries, ids: Sequence[str], frame: Frame
) -> list[Fault]:
    """Faults of the faces ``over`` that are covered too often."""
    groups = [
        group if len(group) > 1 else _covering(faces.polygon[face], polygons, group)
        for face, group in zip(over.tolist(), owners_of(faces.left, owner, over), strict=True)
    ]
    return faults_of(FaultKind.OVERLAP, "validation.overlap", frame(faces.polygon[over]), groups, ids)


def unresolved_faults(faces: Faces, chain: Chain, ids: Sequence[str], frame: Frame) -> list[Fault]:
    """One fault, of no known size, where edges are left over that bound no face; else none."""
    loose = chain.edges.take(unresolved(faces, chain))
    if not len(loose):
        return []
    lines = shapely.linestrings(np.stack([chain.points[loose.start], chain.points[loose.end]], axis=1))
    ground = frame(np.array([shapely.multilinestrings(lines)], dtype=object))[0]
    lon, lat = shapely.get_coordinates(ground)[0].tolist()
    rows = tuple(np.unique(loose.owner).tolist())
    named_rows = tuple(ids[row] for row in rows)
    return [Fault(FaultKind.OVERLAP, lon, lat, 0.0, 0.0, named_rows, rows, "validation.unresolved", {}, ground)]


def _covering(face: Any, polygons: Geometries, known: tuple[int, ...]) -> tuple[int, ...]:
    """Rows of all polygons over a face that lies wholly within some of them."""
    found = np.flatnonzero(shapely.intersects(polygons, shapely.point_on_surface(face)))
    return tuple(sorted({*known, *found.tolist()}))


def owners_of(side: Indices, owner: Indices, faces: Indices) -> list[tuple[int, ...]]:
    """Owners of the edges that have each of ``faces`` on a side, ascending."""
    pairs = np.unique(np.stack([side, owner], axis=1), axis=0)
    begin, end = np.searchsorted(pairs[:, 0], faces), np.searchsorted(pairs[:, 0], faces, side="right")
    return [tuple(pairs[b:e, 1].tolist()) for b, e in zip(begin, end, strict=True)]


def faults_of(
    kind: FaultKind, key: str, ground: Geometries, groups: Sequence[tuple[int, ...]], ids: Sequence[str]
) -> list[Fault]:
    """Measure faulty ground.

    Parameters
    ----------
    kind, key : of all of them
    ground : (n,) polygons, degrees
    groups : for each the rows on both sides
    ids : names of all rows; only the rows of pieces are kept in ``rows``
    """
    sizes = sizes_of(ground)
    return [
        Fault(
            kind,
            float(lonlat[0]),
            float(lonlat[1]),
            float(area),
            float(width),
            tuple(ids[row] for row in group),
            group,
            key,
            {},
            polygon,
            _mending_vertex(polygon) if kind is not FaultKind.DUPLICATE and width <= _MENDABLE_M else None,
        )
        for polygon, group, lonlat, area, width in zip(
            ground, groups, sizes.lonlat, sizes.area_m2, sizes.width_m, strict=True
        )
    ]


def _mending_vertex(sliver: Any) -> tuple[float, float] | None:
    """Return the vertex of a triangle off its longest edge: the one that the neighbour lacks."""
    corners = shapely.get_coordinates(sliver.exterior)[:-1]
    if len(corners) != _TRIANGLE:
        return None
    along = np.roll(corners, -1, axis=0) - corners
    longest = int(np.argmax((along**2).sum(axis=1)))
    lon, lat = corners[longest - 1]
    return float(lon), float(lat)
