"""Random partitions are valid; a random fault planted in one is found at its place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gridmap.geometry.faults import FaultKind
from gridmap.geometry.lattice import geometries_to_degrees
from gridmap.geometry.repair import fix_partition
from gridmap.geometry.validation import Report, validate_partition

#: Lattice units of a random place in China.
PLACES = st.tuples(st.integers(750_000_000, 1_340_000_000), st.integers(190_000_000, 530_000_000))


@dataclass(frozen=True)
class Partition:
    """Pieces on the lattice that tile one area: Voronoi cells whose corners were rounded, then noded."""

    pieces: NDArray[np.object_]
    area: shapely.Geometry

    def check(self, with_area: bool) -> Report:
        return check(self.pieces, self.area if with_area else None)


def check(pieces: NDArray[np.object_], area: shapely.Geometry | None) -> Report:
    return validate_partition(
        geometries_to_degrees(pieces),
        [str(row) for row in range(len(pieces))],
        areas=None if area is None else geometries_to_degrees(np.array([area], dtype=object)),
        area_ids=[] if area is None else ["area"],
    )


@st.composite
def partitions(draw: st.DrawFn) -> Partition:
    x, y = draw(PLACES)
    size = draw(st.sampled_from([300, 20_000, 3_000_000]))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sites = random.uniform(0, size, (draw(st.integers(4, 25)), 2))
    cells = shapely.get_parts(
        shapely.voronoi_polygons(shapely.multipoints(sites), extend_to=shapely.box(0, 0, size, size))
    )
    outline = shapely.Point(size / 2, size / 2).buffer(size / 2, quad_segs=draw(st.integers(1, 6)))
    borders = shapely.boundary(shapely.intersection(cells, outline))
    # Noding all linework once on whole numbers makes faces that tile by construction.
    lines = shapely.union_all(shapely.transform(borders, np.rint), grid_size=1)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    pieces = np.asarray(shapely.transform(faces, lambda xy: xy + np.array([x, y])))
    return Partition(pieces, shapely.coverage_union_all(pieces))


@settings(max_examples=60, deadline=None)
@given(partitions(), st.booleans())
def test_a_partition_without_fault_is_valid(partition: Partition, with_area: bool) -> None:
    report = partition.check(with_area)
    assert (report.verdict, report.faults) == ("valid", ())


@settings(max_examples=40, deadline=None)
@given(partitions(), st.data())
def test_a_lost_piece_is_found_where_it_was(partition: Partition, data: st.DataObject) -> None:
    lost = data.draw(st.integers(0, len(partition.pieces) - 1))
    report = check(np.delete(partition.pieces, lost), partition.area)
    ground = geometries_to_degrees(partition.pieces[[lost]])[0]
    assert {fault.kind for fault in report.faults} == {FaultKind.GAP}
    assert shapely.area(shapely.symmetric_difference(report.faults[0].geometry, ground)) < 1e-6 * ground.area
    assert ground.contains(shapely.Point(report.faults[0].lon, report.faults[0].lat))
    assert "area" in report.faults[0].ids or len(report.faults[0].ids) > 1


@settings(max_examples=40, deadline=None)
@given(partitions(), st.data())
def test_a_doubled_piece_is_found(partition: Partition, data: st.DataObject) -> None:
    row = data.draw(st.integers(0, len(partition.pieces) - 1))
    report = check(
        np.append(partition.pieces, partition.pieces[[row]]), data.draw(st.sampled_from([None, partition.area]))
    )
    (fault,) = report.faults
    assert (fault.kind, fault.rows) == (FaultKind.DUPLICATE, (row, len(partition.pieces)))


@settings(max_examples=60, deadline=None)
@given(partitions(), st.data())
def test_a_moved_vertex_is_found_next_to_it(partition: Partition, data: st.DataObject) -> None:
    """The faults are just the ground that the moved piece won (overlap, outside) and lost (gap)."""
    row = data.draw(st.integers(0, len(partition.pieces) - 1))
    piece = partition.pieces[row]
    corners = shapely.get_coordinates(piece)
    vertex = corners[data.draw(st.integers(0, len(corners) - 2))]
    step = data.draw(st.sampled_from([(1, 0), (0, -1), (-1, 1), (40, 7), (-3, -90)]))
    moved = shapely.transform(piece, lambda xy: np.where((xy == vertex).all(axis=1)[:, None], xy + step, xy))
    assume(moved.is_valid)
    won, lost = shapely.difference(moved, piece), shapely.difference(piece, moved)
    assume(won.area + lost.area > 0)
    pieces = partition.pieces.copy()
    pieces[row] = moved
    report = check(pieces, partition.area)
    assert report.verdict == "invalid" or report.warnings[0].kind == "cut_points"
    place = shapely.Point(vertex / 1e7)
    for fault in report.faults:
        assert fault.geometry.distance(place) < 1.1e-7 * (1 + np.hypot(*step))
        assert str(row) in fault.ids
        changed = lost if fault.kind is FaultKind.GAP else won
        ground = shapely.transform(fault.geometry, lambda xy: xy * 1e7)
        assert shapely.area(shapely.difference(ground, shapely.buffer(changed, 0.01))) < 0.02 * max(ground.area, 1)


@settings(max_examples=15, deadline=None)
@given(partitions(), st.integers(0, 2**32 - 1))
def test_rounding_noise_is_fixed_and_proved(partition: Partition, seed: int) -> None:
    # Where pieces are of the size of the noise, nothing can tell the two apart.
    assume(shapely.area(partition.pieces).min() > 1e6)
    random = np.random.default_rng(seed)
    noise = random.uniform(-2, 2, (len(partition.pieces), 2))
    noisy = np.array(
        [shapely.transform(p, lambda xy, by=by: xy + by) for p, by in zip(partition.pieces, noise, strict=True)],
        dtype=object,
    )
    fixed = fix_partition(
        geometries_to_degrees(noisy),
        [str(row) for row in range(len(noisy))],
        areas=geometries_to_degrees(np.array([partition.area], dtype=object)),
        area_ids=["area"],
    )
    assert fixed.after.faults == ()
    assert fixed.shift_m.max() < 0.1
