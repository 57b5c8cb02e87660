"""Mend the narrow faults of coverages and partitions, and prove the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from gridmap.errors import BadValue
from gridmap.geometry.chain import Edges, Indices
from gridmap.geometry.cut_points import find_cut_points
from gridmap.geometry.faults import OPEN_SLIT_DEG, OPEN_SLIT_M, Fault, coverage_faults
from gridmap.geometry.lattice import LATTICE_DEG, Geometries, geometries_to_degrees, geometries_to_units
from gridmap.geometry.measure import area_m2
from gridmap.geometry.predicates import Values
from gridmap.geometry.reassembly import ANY_AREA, Ground, reassemble
from gridmap.geometry.slits import fill_slits
from gridmap.geometry.soundness import find_duplicates, make_sound
from gridmap.geometry.validation import Report, validate_partition
from gridmap.geometry.width import sizes_of
from gridmap.geometry.winding import Chain, chain_of, faces_of, left_over

TOLERANCE_M = 1.0
MAX_TOLERANCE_M = 1_000.0

#: Linework this near to a fault is noded with it, lattice units: snap rounding moves nothing farther than one.
_MARGIN = 4
#: A cut point lies at most this far from the border it cuts, lattice units.
_CUT_POINT_UNITS = 1.0
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Repaired:
    """A mended coverage.

    Attributes
    ----------
    polygons : (n,) polygons or multipolygons, lattice frame, valid; empty where nothing of one is left
    shift_m : (n,) float64, width of the widest strip that each won or lost, metres
    area_change_m2 : (n,) float64, area after less area before, square metres
    fixed : faults that are gone
    left : faults that remain: wider than the tolerance, or duplicates
    """

    polygons: Geometries
    shift_m: Values
    area_change_m2: Values
    fixed: tuple[Fault, ...]
    left: tuple[Fault, ...]


def repair_coverage(
    polygons: Geometries, tolerance_m: float = TOLERANCE_M, ids: Sequence[str] | None = None
) -> Repaired:
    """Close gaps and overlaps up to a width; what is wider is left as it is and named.

    A gap goes to the neighbour with the longest border to it, an overlap to that one of its holders. Rings that cross
    themselves are untangled. The result is tested anew by cancelling all edges.

    Parameters
    ----------
    polygons : (n,) polygons or multipolygons, lattice frame
    tolerance_m : greatest width of what is mended, metres, above 0 and at most 1,000
    ids : names of the polygons, default their rows

    Raises
    ------
    BadValue
        If the tolerance is out of range.
    """
    _check_tolerance(tolerance_m)
    before = coverage_faults(polygons, ids)
    everywhere = Ground(np.empty(0, object), np.full(len(polygons), ANY_AREA))
    closed = fill_slits(_on_lattice(polygons), _slit_units(tolerance_m))
    mended = _mended(closed, everywhere, tolerance_m)
    after = coverage_faults(mended, ids)
    shift_m, area_change_m2 = _moved(polygons, mended)
    return Repaired(mended, shift_m, area_change_m2, tuple(_gone(before, after)), tuple(after))


@dataclass(frozen=True, slots=True)
class FixedPartition:
    """A mended partition.

    Attributes
    ----------
    pieces : (n,) polygons or multipolygons, degrees, every coordinate a multiple of 1e-7
    shift_m, area_change_m2 : (n,) float64, as in ``Repaired``
    before, after : what was found of it
    """

    pieces: Geometries
    shift_m: Values
    area_change_m2: Values
    before: Report
    after: Report


def fix_partition(
    pieces: Geometries,
    ids: Sequence[str],
    *,
    areas: Geometries | None = None,
    area_ids: Sequence[str] = (),
    area_of_piece: Indices | None = None,
    tolerance_m: float = TOLERANCE_M,
) -> FixedPartition:
    """Snap pieces to the lattice, node them, mend faults up to a width and prove the result.

    Parameters
    ----------
    pieces, areas : (n,), (m,) polygons or multipolygons, degrees
    ids, area_ids, area_of_piece : as ``validate_partition`` takes them
    tolerance_m : greatest width of what is mended, metres, above 0 and at most 1,000

    Raises
    ------
    BadValue
        If the tolerance is out of range or there is no piece.
    InvalidGeometry
        If an area is not a valid polygon.
    """
    _check_tolerance(tolerance_m)
    before = validate_partition(pieces, ids, areas=areas, area_ids=area_ids, area_of_piece=area_of_piece)
    snapped = _on_lattice(_to_units(pieces))
    ground = np.empty(0, object) if areas is None else _on_lattice(geometries_to_units(areas))
    if areas is None:
        snapped = fill_slits(snapped, _slit_units(tolerance_m))
    bound = np.full(len(pieces), ANY_AREA) if area_of_piece is None else area_of_piece
    mended = _mended(snapped, Ground(ground, bound), tolerance_m)
    fixed = geometries_to_degrees(mended)
    after = validate_partition(
        fixed,
        ids,
        areas=None if areas is None else geometries_to_degrees(ground),
        area_ids=area_ids,
        area_of_piece=area_of_piece,
    )
    shift_m, area_change_m2 = _moved(_to_units(pieces), mended)
    return FixedPartition(fixed, shift_m, area_change_m2, before, after)


def _check_tolerance(tolerance_m: float) -> None:
    if not 0 < tolerance_m <= MAX_TOLERANCE_M:
        raise BadValue("validation.bad_tolerance", limit=MAX_TOLERANCE_M, value=tolerance_m)


def _to_units(degrees: Geometries) -> Geometries:
    """Degrees to lattice units, not rounded."""
    return np.asarray(shapely.transform(degrees, lambda xy: xy * 1e7))


def _on_lattice(polygons: Geometries) -> Geometries:
    """Round polygons to whole coordinates and make them valid again."""
    rounded = np.asarray(shapely.transform(polygons, np.rint))
    sound = make_sound(rounded)
    if len(sound.rows):
        rounded = sound.polygons.copy()
        rounded[sound.rows] = shapely.set_precision(rounded[sound.rows], 1)
    return rounded


def _slit_units(tolerance_m: float) -> float:
    """Width of the open slits to fill: those that count as faults, and no wider than the tolerance."""
    return min(tolerance_m / OPEN_SLIT_M, 1.0) * OPEN_SLIT_DEG / LATTICE_DEG


def _mended(polygons: Geometries, ground: Ground, tolerance_m: float) -> Geometries:
    """Reassembled where something is to mend, until nothing is; noding may bring two borders together anew."""
    for _ in range(_ROUNDS):
        zones = _zones(polygons, ground, tolerance_m)
        if not len(zones):
            break
        polygons = reassemble(polygons, zones, ground, tolerance_m)
    return polygons


def _zones(polygons: Geometries, ground: Ground, tolerance_m: float) -> Geometries:
    """Boxes around everything that is to be mended."""
    kept = polygons.copy()
    kept[find_duplicates(kept)[0]] = shapely.Polygon()
    rows = np.flatnonzero(~shapely.is_empty(kept))
    whole = chain_of(np.concatenate([kept[rows], ground.areas]), np.arange(len(rows) + len(ground.areas)))
    edges = whole.edges
    is_area = edges.owner >= len(rows)
    chain = Chain(
        whole.points,
        Edges(
            np.where(is_area, edges.end, edges.start),
            np.where(is_area, edges.start, edges.end),
            edges.owner,
        ),
    )
    left = left_over(chain)
    faces = faces_of(left.chain)
    corners = shapely.get_coordinates(ground.areas)
    cuts = find_cut_points(faces, left.chain, left.chain.edges.owner >= len(rows), corners, _CUT_POINT_UNITS)
    wrong = np.flatnonzero((faces.winding != (0 if len(ground.areas) else 1)) & ~cuts.is_sliver)
    width = sizes_of(geometries_to_degrees(faces.polygon[wrong])).width_m
    unnoded = left.unnoded[(left.unnoded_owners < len(rows)).all(axis=1)]
    boxes = [shapely.bounds(faces.polygon[wrong[width <= tolerance_m]]), np.hstack([unnoded, unnoded])]
    grown = np.concatenate([box.reshape(-1, 4) for box in boxes]) + np.array([-1, -1, 1, 1]) * _MARGIN
    return np.asarray(shapely.box(*grown.T))


def _moved(before: Geometries, after: Geometries) -> tuple[Values, Values]:
    """Widest strip that each polygon won or lost, metres, and change of its area, square metres."""
    shift_m, change = np.zeros(len(before)), np.zeros(len(before))
    rows = np.flatnonzero(~shapely.equals_exact(before, after))
    if not len(rows):
        return shift_m, change
    was = make_sound(before[rows]).polygons
    change[rows] = area_m2(after[rows]) - area_m2(was)
    strips, strip = shapely.get_parts(shapely.symmetric_difference(was, after[rows]), return_index=True)
    solid = (shapely.get_type_id(strips) == shapely.GeometryType.POLYGON) & (shapely.area(strips) > 0)
    width = sizes_of(geometries_to_degrees(strips[solid])).width_m
    np.maximum.at(shift_m, rows[strip[solid]], width)
    return shift_m, change


def _gone(before: Sequence[Fault], after: Sequence[Fault]) -> list[Fault]:
    """Faults of before whose place lies in no fault of after."""
    tree = shapely.STRtree([fault.geometry for fault in after])
    places = shapely.points([[fault.lon, fault.lat] for fault in before]) if before else np.empty(0, object)
    still = set(tree.query(places, predicate="intersects")[0].tolist())
    return [fault for row, fault in enumerate(before) if row not in still]
