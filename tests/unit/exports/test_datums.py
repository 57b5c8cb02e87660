"""Copies in other datums: every shared vertex moves to one place, and each file says which datum it is in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import orjson
import pyogrio
import pytest
import shapely
from openpyxl import load_workbook

from gridmap.domain.plan import Plan
from gridmap.errors import UsageError
from gridmap.exports.datums import OUTPUT_DATUMS, in_datum, moved_points
from gridmap.exports.geojson import collection_texts
from gridmap.exports.ledger import write_ledger
from gridmap.exports.vector import append_layer, write_features
from gridmap.geometry.datum import Datum

SHIFTED = [datum for datum in OUTPUT_DATUMS if datum != "wgs84"]


def vertices(frame: gpd.GeoDataFrame) -> np.ndarray:
    return shapely.get_coordinates(frame["geometry"].to_numpy())


@pytest.mark.parametrize("datum", SHIFTED)
def test_the_way_back_ends_where_it_began(plan: Plan, datum: str):
    moved = in_datum(plan.cells, datum)

    back = Datum.parse(datum).to_wgs84(vertices(moved))
    assert np.abs(back - vertices(plan.cells)).max() < 1.5e-7
    far_m = np.abs(vertices(moved) - vertices(plan.cells)).max() * 111_000
    assert 100 < far_m < 2_000


@pytest.mark.parametrize("datum", SHIFTED)
def test_vertices_that_were_one_are_one(plan: Plan, datum: str):
    before = vertices(plan.cells)
    after = vertices(in_datum(plan.cells, datum))

    assert len(np.unique(before, axis=0)) == len(np.unique(after, axis=0))
    assert len(np.unique(np.hstack([before, after]), axis=0)) == len(np.unique(before, axis=0))
    assert (after == np.rint(after * 1e7) / 1e7).all()


@pytest.mark.parametrize("datum", SHIFTED)
def test_a_point_goes_to_the_same_place_in_whatever_company(plan: Plan, datum: str):
    points = vertices(plan.cells)

    alone = np.vstack([moved_points(points[row : row + 1], datum) for row in range(len(points))])
    by_threes = np.vstack([moved_points(points[row : row + 3], datum) for row in range(0, len(points), 3)])
    assert (alone == moved_points(points, datum)).all()
    assert (by_threes == alone).all()


def test_columns_with_coordinates_move_along_and_what_was_given_stays(plan: Plan):
    moved = in_datum(plan.facilities, "gcj02")

    assert (moved[["lon", "lat"]].to_numpy() == vertices(moved)).all()
    for name in ("lon_given", "lat_given", "datum", "facility_id"):
        assert moved[name].equals(plan.facilities[name])
    assert (plan.facilities["lon"] != moved["lon"]).all()


def test_wgs84_and_tables_stay_as_they_are(plan: Plan):
    assert in_datum(plan.cells, "wgs84") is plan.cells
    assert in_datum(plan.staff, "bd09") is plan.staff


def test_an_unknown_datum_is_refused(plan: Plan, refused):
    with refused(UsageError, "gcj03", "gcj02"):
        in_datum(plan.cells, "gcj03")


@pytest.mark.parametrize("datum", SHIFTED)
@pytest.mark.parametrize("extension", ["gpkg", "fgb", "parquet"])
def test_files_name_the_datum(plan: Plan, tmp_path: Path, datum: str, extension: str):
    path = tmp_path / f"cells.{extension}"
    moved = in_datum(plan.cells, datum)
    if extension == "gpkg":
        append_layer(path, [moved.iloc[:20], moved.iloc[20:]], "cells")
    else:
        write_features(path, [moved.iloc[:20], moved.iloc[20:]])

    found = gpd.read_parquet(path) if extension == "parquet" else pyogrio.read_dataframe(path)
    assert found.crs.name == datum.upper().replace("0", "-0")
    assert found.crs.to_epsg() is None
    assert len(found) == len(plan.cells)


def test_a_collection_names_the_datum(plan: Plan):
    text = b"".join(part for part, _ in collection_texts([in_datum(plan.cells, "bd09")], layer="cells", datum="bd09"))

    document = orjson.loads(text)
    assert document["datum"] == "bd09"
    assert len(document["features"]) == len(plan.cells)


@pytest.mark.parametrize(("datum", "said"), [("wgs84", "WGS 84"), ("gcj02", "GCJ-02"), ("bd09", "BD-09")])
def test_the_ledger_names_the_datum_above_its_coordinates(plan: Plan, tmp_path: Path, datum: str, said: str):
    moved = in_datum(plan.facilities, datum)
    write_ledger(replace(plan, facilities=moved), tmp_path / "ledger.xlsx", "en")

    sheet = load_workbook(tmp_path / "ledger.xlsx")["Outlets"]
    heads = [cell.value for cell in sheet[1]]
    at = heads.index(f"Longitude ({said})")
    assert heads[at + 1] == f"Latitude ({said})"
    assert [row[at].value for row in sheet.iter_rows(min_row=2)] == moved["lon"].iloc[:2].tolist()
