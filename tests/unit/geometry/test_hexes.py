"""Cells drawn and named in bulk are H3's own."""

from __future__ import annotations

import h3.api.numpy_int as h3
import numpy as np
import pytest

from gridmap.geometry.hexes import lattice_cells, lattice_outlines, library_outlines
from gridmap.geometry.icosahedron import FaceLattice, directions, face_lattice, face_of, faces
from gridmap.geometry.lattice import to_units


def inner_places(lattice: FaceLattice, count: int) -> np.ndarray:
    """Axial coordinates of cells wholly on the face, spread over all of it."""
    rng = np.random.default_rng(lattice.face)
    weights = rng.dirichlet([1, 1, 1], count)
    points = weights @ faces()[0][lattice.face]
    ab = np.rint(lattice.axial(points / np.linalg.norm(points, axis=1)[:, None])).astype(np.int64)
    return ab[lattice.room(ab[:, 0].astype(float), ab[:, 1].astype(float)) > 1.2]


@pytest.mark.parametrize("resolution", [1, 2, 5, 8, 9, 12, 15])
def test_names_and_corners_are_those_of_the_library_on_all_faces(resolution: int) -> None:
    for face in range(20):
        lattice = face_lattice(face, resolution)
        ab = inner_places(lattice, 300)
        cells = lattice_cells(lattice, ab)
        centres = lattice.lonlat(ab[:, 0].astype(float), ab[:, 1].astype(float))
        assert [h3.latlng_to_cell(lat, lon, resolution) for lon, lat in centres.tolist()] == cells.tolist()
        drawn, named = lattice_outlines(lattice, ab, cells), library_outlines(cells)
        assert np.array_equal(drawn.offset, named.offset)
        for first, last in zip(drawn.offset[:-1], drawn.offset[1:], strict=True):
            assert set(map(tuple, drawn.points[first:last])) == set(map(tuple, named.points[first:last]))


def test_faces_are_twenty_equilateral_triangles() -> None:
    corners, centres = faces()
    sides = np.einsum("fij,fij->fi", corners, np.roll(corners, -1, axis=1))
    assert np.allclose(sides, 1 / np.sqrt(5), atol=1e-12)
    assert np.array_equal(face_of(centres), np.arange(20))


@pytest.mark.parametrize("resolution", [5, 8, 9])
def test_corners_agree_across_the_edges_of_the_icosahedron(resolution: int) -> None:
    # The raw outlines of h3 differ between neighbours here by some 1e-14 degree.
    edge = faces()[0][:, :2].mean(axis=1)
    lonlat = np.degrees(np.column_stack([np.arctan2(edge[:, 1], edge[:, 0]), np.arcsin(edge[:, 2])]))
    for lon, lat in lonlat:
        cells = np.array(h3.grid_disk(h3.latlng_to_cell(lat, lon, resolution), 6), np.uint64)
        outlines = library_outlines(cells)
        assert np.array_equal(outlines.points, np.rint(outlines.points))
        points, count = np.unique(outlines.points, axis=0, return_counts=True)
        inner = h3.grid_disk(h3.latlng_to_cell(lat, lon, resolution), 5)
        vertices = {v for cell in inner for v in h3.cell_to_vertexes(int(cell))}
        for vertex in list(vertices)[:150]:
            unit = to_units(np.array(h3.vertex_to_latlng(vertex)[::-1]))
            row = np.flatnonzero((points == unit).all(axis=1))
            assert len(row) == 1
            assert count[row[0]] >= 2


def test_directions_and_back() -> None:
    lattice = face_lattice(int(face_of(directions(np.array([[111.3, 30.8]])))[0]), 9)
    a, b = np.array([3.0, -17.5]), np.array([11.0, 4.25])
    there = lattice.lonlat(a, b)
    assert np.allclose(lattice.axial(directions(there)), np.column_stack([a, b]), atol=1e-6)
