"""GDAL's driver for OGC API Features browses, filters and pages a published plan, on both stores."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely

from gridmap.domain.layers import LAYERS
from gridmap.domain.plan import Plan
from live_service import Live

Gdal = Callable[..., Any]


@pytest.fixture(scope="module")
def gdal() -> Iterator[Gdal]:
    """Call pyogrio in a process of its own: GDAL holds the lock of Python while it waits for the server."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:

        def call(work: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
            return pool.submit(work, *arguments, **options).result(timeout=60)

        yield call


def at(live: Live) -> str:
    return f"OAPIF:{live.url}"


def by_cell(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return frame.set_index(["cell_id", "area_code", "unit_code"]).sort_index()


def test_gdal_lists_every_layer(gdal: Gdal, county: Live):
    listed = gdal(pyogrio.list_layers, at(county))

    assert {name for name, _ in listed} == {f"county.{layer.name}" for layer in LAYERS}
    assert dict(listed.tolist())["county.facilities"] == "Point"


@pytest.mark.parametrize(
    ("layer", "options"), [("grids", {"PAGE_SIZE": "7"}), ("cells", {}), ("cells", {"PAGE_SIZE": "100"})]
)
def test_gdal_reads_every_feature_once_whatever_the_page(
    gdal: Gdal, county: Live, county_plan: Plan, layer: str, options: dict[str, str]
):
    read = gdal(pyogrio.read_dataframe, at(county), layer=f"county.{layer}", **options)
    expected = getattr(county_plan, layer)

    assert len(read) == len(expected)
    key = "grid_code" if layer == "grids" else ["cell_id", "area_code", "unit_code"]
    ours, theirs = expected.set_index(key).sort_index(), read.set_index(key).sort_index()
    assert list(ours.index) == list(theirs.index)
    assert (shapely.normalize(ours.geometry) == shapely.normalize(theirs.geometry)).all()
    np.testing.assert_array_equal(ours["demand"], theirs["demand"])


def test_gdal_knows_count_and_bounds_without_reading(gdal: Gdal, county: Live, county_plan: Plan):
    info = gdal(pyogrio.read_info, at(county), layer="county.cells", force_feature_count=True, force_total_bounds=True)

    assert info["features"] == len(county_plan.cells)
    assert info["total_bounds"] == tuple(county_plan.cells.total_bounds.tolist())
    assert info["capabilities"]["fast_feature_count"]
    assert info["capabilities"]["fast_total_bounds"]


def test_gdal_reads_a_box(gdal: Gdal, county: Live, county_plan: Plan):
    west, south, east, north = county_plan.cells.total_bounds
    box = (west + (east - west) / 3, south + (north - south) / 3, east - (east - west) / 3, north - (north - south) / 3)
    read = gdal(pyogrio.read_dataframe, at(county), layer="county.cells", bbox=box)
    expected = county_plan.cells[county_plan.cells.intersects(shapely.box(*box))]

    assert 0 < len(expected) < len(county_plan.cells)
    assert set(by_cell(read).index) == set(by_cell(expected).index)


@pytest.mark.parametrize(
    ("where", "is_true"),
    [
        ("settlement = 'urban'", lambda cells: cells["settlement"] == "urban"),
        ("covered = 1", lambda cells: cells["covered"]),
        (
            "settlement = 'rural' AND demand > 20",
            lambda cells: (cells["settlement"] == "rural") & (cells["demand"] > 20),
        ),
    ],
)
def test_gdal_filters_by_attributes(
    gdal: Gdal, county: Live, county_plan: Plan, where: str, is_true: Callable[[Any], Any]
):
    read = gdal(pyogrio.read_dataframe, at(county), layer="county.cells", where=where)
    expected = county_plan.cells[is_true(county_plan.cells)]

    assert 0 < len(expected) < len(county_plan.cells)
    assert set(by_cell(read).index) == set(by_cell(expected).index)


def test_gdal_leaves_filters_of_equality_to_the_service(gdal: Gdal, county: Live, county_plan: Plan):
    code = county_plan.grids["grid_code"].iloc[0]
    before = _items_sent(county)
    read = gdal(
        pyogrio.read_dataframe, at(county), layer="county.cells", where=f"grid_code = '{code}'", PAGE_SIZE="1000"
    )

    assert len(read) == (county_plan.cells["grid_code"] == code).sum()
    whole = len(county.get("/collections/county.cells/items?limit=1000").content)
    assert _items_sent(county) - before - whole < whole / 2, "GDAL read pages that it did not need"


def _items_sent(live: Live) -> float:
    sent = live.app.state.metrics.sent.labels(route="/collections/{collection_id}/items")
    return float(sent._value.get())


@pytest.mark.parametrize(
    ("option", "crs"),
    [("CRS", "EPSG:4490"), ("CRS", "EPSG:3857"), ("CRS", "EPSG:4546"), ("PREFERRED_CRS", "EPSG:4490")],
)
def test_gdal_reads_in_every_system_with_axes_in_place(
    gdal: Gdal, county: Live, county_plan: Plan, option: str, crs: str
):
    read = gdal(pyogrio.read_dataframe, at(county), layer="county.facilities", **{option: crs})
    # EPSG:4490 and WGS 84 count as one datum; PROJ would shift by nothing, too.
    expected = county_plan.facilities.set_index("facility_id").geometry.to_crs(crs).sort_index()
    found = read.set_index("facility_id").geometry.sort_index()

    assert read.crs == crs
    assert list(found.index) == list(expected.index)
    within = 1e-7 if crs == "EPSG:4490" else 1e-3
    assert np.abs(shapely.get_coordinates(found) - shapely.get_coordinates(expected)).max() <= within


def test_gdal_reads_tables_without_geometry(gdal: Gdal, county: Live, county_plan: Plan):
    read = gdal(pyogrio.read_dataframe, at(county), layer="county.assignments")

    assert len(read) == len(county_plan.assignments)
    assert sorted(read["grid_code"]) == sorted(county_plan.assignments["grid_code"])


def test_gdal_opens_one_collection_of_a_version(gdal: Gdal, county: Live, county_plan: Plan):
    address = f"OAPIF_COLLECTION:{county.url}/collections/county@1.grids"
    read = gdal(pyogrio.read_dataframe, address)

    assert sorted(read["grid_code"]) == sorted(county_plan.grids["grid_code"])
