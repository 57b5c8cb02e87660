"""Cells cut by any units: they cancel, leave over the areas' own borders, and the stand-alone verifier agrees."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import shapely
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gridmap import verify
from gridmap.errors import InvalidGeometry
from gridmap.geometry.arrangement import arrange
from gridmap.geometry.chain import cancel, edges_of
from gridmap.geometry.lattice import geometries_to_degrees, unpack
from gridmap.geometry.partition import Partition, partition_areas, partition_units
from made_cuttings import cuttings

SETTINGS = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def cut(areas: np.ndarray, lines: np.ndarray, carved: np.ndarray, resolution: int) -> tuple[np.ndarray, Partition]:
    found = arrange(areas, lines, carved)
    try:
        made = partition_units(found.faces, found.area, areas, codes(areas), resolution)
    except InvalidGeometry:
        # A corner so sharp that a cell cuts it off is refused by name, as without units.
        assume(False)
    return found.faces, made


def codes(areas: np.ndarray) -> list[str]:
    return [f"{row:02d}" for row in range(len(areas))]


def written(folder: Path, name: str, polygons: np.ndarray, area: np.ndarray) -> str:
    shapes = geometries_to_degrees(polygons)
    features = [
        {
            "type": "Feature",
            "properties": {"area_code": f"{row:02d}"},
            "geometry": json.loads(shapely.to_geojson(shape)),
        }
        for shape, row in zip(shapes, area.tolist(), strict=True)
    ]
    path = folder / name
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return str(path)


@SETTINGS
@given(cuttings(), st.integers(7, 11))
def test_cells_of_units_are_proved_against_the_areas_as_they_were_given(
    case: tuple[np.ndarray, np.ndarray, np.ndarray], resolution: int
) -> None:
    areas = case[0]
    units, made = cut(*case, resolution)
    assert shapely.is_valid(made.geometry).all()
    assert (np.diff(made.unit) >= 0).all()
    assert len(np.unique(np.stack([made.unit, made.cell.astype(np.int64)]), axis=1).T) == len(made.cell)
    with TemporaryDirectory() as name:
        folder = Path(name)
        cells = written(folder, "cells.geojson", made.geometry, made.area)
        given_areas = written(folder, "areas.geojson", areas, np.arange(len(areas)))
        (folder / "certificate.json").write_text(json.dumps(made.certificate), encoding="utf-8")
        assert verify.main([cells, str(folder / "certificate.json"), "--areas", given_areas]) == 0
    for row, unit in enumerate(units):
        left = cancel(edges_of(made.geometry[made.unit == row]))
        ends = shapely.points(np.concatenate([unpack(left.start), unpack(left.end)]))
        assert shapely.distance(ends, shapely.boundary(unit)).max() <= 1.5


@SETTINGS
@given(cuttings(), st.integers(7, 11))
def test_borders_of_areas_have_the_points_they_have_without_units(
    case: tuple[np.ndarray, np.ndarray, np.ndarray], resolution: int
) -> None:
    _, made = cut(*case, resolution)
    try:
        plain = partition_areas(case[0], codes(case[0]), resolution)
    except InvalidGeometry:
        assume(False)
    given_points = set(np.unique(plain.border.start).tolist())
    # Only where a line or a corner of carved ground comes within two units may a point of a cell give way to it.
    missing = np.array(sorted(given_points - set(made.border.start.tolist())), np.int64)
    if len(missing):
        linework = np.concatenate([case[1], shapely.boundary(case[2])])
        near = shapely.distance(shapely.points(unpack(missing)), shapely.union_all(linework))
        assert near.max() <= 5.0


@SETTINGS
@given(cuttings(), st.integers(8, 10))
def test_nothing_can_be_crossed_along_a_barrier_and_everything_elsewhere(
    case: tuple[np.ndarray, np.ndarray, np.ndarray], resolution: int
) -> None:
    _, made = cut(*case, resolution)
    barriers = case[1]
    open_m = made.crossable_m(barriers)
    assert (open_m <= made.shared_m).all()
    assert (open_m >= 0).all()
    if not len(barriers):
        assert np.array_equal(open_m, made.shared_m)
        return
    near = shapely.buffer(shapely.union_all(barriers), 6.0)
    for (one, other), length_m, passable_m in zip(made.adjacency.tolist(), made.shared_m, open_m, strict=True):
        if passable_m == length_m:
            continue
        shared = shapely.intersection(made.geometry[one].boundary, made.geometry[other].boundary)
        assert shapely.intersects(shared, near)
