"""GeoJSON carries the lattice bit for bit, whatever the geometry."""

from __future__ import annotations

import json
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gridmap.domain.plan import Plan
from gridmap.errors import StoreError
from gridmap.exports.geojson import geometry_texts, write_geojson

LON = st.integers(-1_800_000_000, 1_800_000_000)
LAT = st.integers(-900_000_000, 900_000_000)


def written(frame: gpd.GeoDataFrame, tmp_path: Path, name: str = "a.geojson") -> bytes:
    path = tmp_path / name
    write_geojson(path, [frame], layer="things")
    return path.read_bytes()


def as_decimal(units: int) -> str:
    """Write one number by string handling: the oracle."""
    digits = f"{abs(units):08d}"
    decimals = digits[-7:].rstrip("0") or "0"
    return f"{'-' if units < 0 else ''}{digits[:-7]}.{decimals}"


@given(st.lists(st.tuples(LON, LAT), min_size=1, max_size=50))
def test_every_coordinate_is_the_shortest_decimal_of_its_lattice_point(units: list[tuple[int, int]]) -> None:
    points = shapely.points(np.array(units) / 1e7)
    for text, (x, y) in zip(geometry_texts(points), units, strict=True):
        assert text.decode() == f'{{"type":"Point","coordinates":[{as_decimal(x)},{as_decimal(y)}]}}'
        read = json.loads(text)["coordinates"]
        assert read == [x / 1e7, y / 1e7]


def test_structure_equals_shapely_s_own_geojson_for_polygons_with_holes_and_parts() -> None:
    square = np.array([[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]], dtype=float)
    holed = shapely.Polygon(square, [(square * 0.1 + 1)[::-1], (square * 0.1 + 5)[::-1]])
    many = shapely.MultiPolygon([holed, shapely.Polygon(square + 20)])
    geometries = np.array([holed, many, shapely.Point(-1, -2), shapely.MultiPolygon([holed])], dtype=object)
    for text, geometry in zip(geometry_texts(geometries), geometries, strict=True):
        assert json.loads(text) == json.loads(json.dumps(shapely.geometry.mapping(geometry)))


def test_shells_run_counter_clockwise_and_holes_clockwise() -> None:
    ring = np.array([[0, 0], [0, 9], [9, 9], [9, 0], [0, 0]], dtype=float)
    clockwise = shapely.Polygon(ring, [(ring / 3 + 1)[::-1]])
    shell, hole = json.loads(geometry_texts(np.array([clockwise], dtype=object))[0])["coordinates"]
    assert shapely.is_ccw(shapely.linearrings(shell))
    assert not shapely.is_ccw(shapely.linearrings(hole))


def test_missing_and_empty_geometries_are_null() -> None:
    assert geometry_texts(np.array([None, shapely.Polygon()], dtype=object)) == [b"null", b"null"]


def test_another_kind_of_geometry_is_refused_by_name() -> None:
    with pytest.raises(StoreError, match="LINESTRING"):
        geometry_texts(np.array([shapely.LineString([[0, 0], [1, 1]])], dtype=object))


def test_gdal_reads_back_the_same_cells(plan: Plan, tmp_path: Path) -> None:
    path = tmp_path / "cells.geojson"
    write_geojson(path, [plan.cells], layer="cells")
    back = gpd.read_file(path)
    assert back.crs == "EPSG:4326"
    assert back["cell_id"].tolist() == plan.cells["cell_id"].tolist()
    assert back["covered"].tolist() == plan.cells["covered"].tolist()
    units = [
        np.rint(shapely.get_coordinates(frame.normalize()) * 1e7) for frame in (back.geometry, plan.cells.geometry)
    ]
    assert np.array_equal(*units)


def test_properties_keep_text_lists_numbers_and_missing_values(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame(
        {
            "name": ['塆子村 "x" </script>', None],
            "ids": [["a", "b;c"], []],
            "share": [0.1, np.nan],
            "count": np.array([7, 2**62]),
            "yes": [True, False],
        },
        geometry=[shapely.Point(111, 30), shapely.Point(112, 31)],
        crs=4326,
    )
    first, second = json.loads(written(frame, tmp_path))["features"]
    assert first["properties"] == {
        "name": "塆子村 \"x\" </script>", "ids": ["a", "b;c"], "share": 0.1, "count": 7, "yes": True,
    }  # fmt: skip
    assert second["properties"] == {"name": None, "ids": [], "share": None, "count": 2**62, "yes": False}


def test_columns_of_the_user_s_own_become_json_too(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame(
        {
            "when": pd.to_datetime(["2024-05-06 07:08:09", None]),
            "nullable": pd.array([3, None], dtype="Int64"),
            "flag": pd.array([True, None], dtype="boolean"),
            "class": pd.Categorical(["a", None]),
        },
        geometry=[shapely.Point(111, 30), shapely.Point(112, 31)],
        crs=4326,
    )
    first, second = json.loads(written(frame, tmp_path))["features"]
    assert first["properties"] == {"when": "2024-05-06 07:08:09", "nullable": 3, "flag": True, "class": "a"}
    assert set(second["properties"].values()) == {None}


def test_frames_streamed_one_by_one_give_the_bytes_of_one_frame(plan: Plan, tmp_path: Path) -> None:
    whole = written(plan.cells, tmp_path)
    pieces = (plan.cells.iloc[start : start + 5] for start in range(0, len(plan.cells), 5))
    assert write_geojson(tmp_path / "b.geojson", pieces, layer="things") == len(plan.cells)
    assert (tmp_path / "b.geojson").read_bytes() == whole


def test_no_frame_and_an_empty_frame_are_empty_collections(plan: Plan, tmp_path: Path) -> None:
    assert json.loads(written(plan.cells.iloc[:0], tmp_path))["features"] == []
    assert write_geojson(tmp_path / "none.geojson", [], layer="things") == 0
    assert json.loads((tmp_path / "none.geojson").read_bytes())["features"] == []


def test_an_interrupted_run_leaves_the_older_file_and_nothing_else(plan: Plan, tmp_path: Path) -> None:
    path = tmp_path / "cells.geojson"
    path.write_text("older")

    def interrupted() -> object:
        yield plan.cells
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_geojson(path, interrupted(), layer="cells")
    assert [entry.name for entry in tmp_path.iterdir()] == ["cells.geojson"]
    assert path.read_text() == "older"


def test_a_hundred_thousand_cells_take_seconds(plan: Plan, tmp_path: Path) -> None:
    many = gpd.GeoDataFrame(plan.cells.iloc[np.arange(100_000) % len(plan.cells)], crs=4326)
    start = time.process_time()
    write_geojson(tmp_path / "many.geojson", [many], layer="cells")
    assert time.process_time() - start < 10
