"""Every vector format keeps the features; GeoPackage and GeoParquet keep the coordinates bit for bit."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely

from gridmap.domain.plan import Plan
from gridmap.errors import UsageError
from gridmap.exports.columns import join_ids, split_ids
from gridmap.exports.vector import FORMATS, read_layer, write_features


def pieces(frame: gpd.GeoDataFrame, size: int = 10) -> list[gpd.GeoDataFrame]:
    return [frame.iloc[start : start + size] for start in range(0, len(frame), size)]


def read_back(path: Path) -> gpd.GeoDataFrame:
    return gpd.read_parquet(path) if path.suffix == ".parquet" else gpd.read_file(path)


def same_ground(a: gpd.GeoDataFrame, b: gpd.GeoDataFrame) -> bool:
    """Whether rows pair up with equal coordinates, whatever counts as a multi-polygon."""
    first, second = (frame.geometry.explode(index_parts=False).normalize() for frame in (a, b))
    return np.array_equal(shapely.get_coordinates(first), shapely.get_coordinates(second))


@pytest.mark.parametrize("extension", FORMATS)
def test_streamed_cells_come_back_from_every_format(plan: Plan, tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"cells{extension}"
    assert write_features(path, iter(pieces(plan.cells))) == len(plan.cells)
    back = read_back(path).set_index("cell_id").loc[plan.cells["cell_id"]]
    assert same_ground(back, plan.cells)
    assert back["demand"].tolist() == plan.cells["demand"].tolist()
    assert back["covered"].astype(bool).tolist() == plan.cells["covered"].tolist()
    assert back.crs.to_epsg() == 4326 or back.crs.to_string() == "OGC:CRS84"
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("extension", FORMATS)
def test_no_frame_at_all_still_makes_a_readable_file(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"cells{extension}"
    assert write_features(path, iter(())) == 0
    assert len(read_back(path)) == 0


def test_an_unknown_extension_is_refused_and_the_known_ones_named(plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.geojson, \.gpkg, \.fgb, \.parquet"):
        write_features(tmp_path / "cells.shp", [plan.cells])


def test_a_place_that_cannot_be_written_to_is_the_user_s_fault(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write here"):
        write_features(tmp_path / "file" / "cells.geojson", [plan.cells])


def test_geopackage_declares_one_kind_a_layer_and_keeps_chinese_text(plan: Plan, tmp_path: Path) -> None:
    path = tmp_path / "grids.gpkg"
    write_features(path, [plan.grids], layer="grids")
    with sqlite3.connect(path) as database:
        declared = database.execute("select geometry_type_name from gpkg_geometry_columns").fetchall()
        names = database.execute("select name, cooperating_outlet_ids from grids").fetchall()
    assert declared == [("MULTIPOLYGON",)]
    assert names[0] == ("东塆村", "A\\;2")
    assert set(read_layer(path, "grids")["geometry"].map(lambda g: g.geom_type)) == {"Polygon"}


def test_columns_that_a_geopackage_keeps_for_itself_may_be_a_user_s(plan: Plan, tmp_path: Path) -> None:
    path = tmp_path / "cells.gpkg"
    cells = plan.cells[["cell_id", "geometry"]].assign(fid="same for all", geom=1.5)
    write_features(path, pieces(cells))
    back = gpd.read_file(path)
    assert set(back["fid"]) == {"same for all"}
    assert set(back["geom"]) == {1.5}
    assert len(back) == len(cells)


def test_geoparquet_has_a_row_group_a_frame_and_true_metadata(plan: Plan, tmp_path: Path) -> None:
    path = tmp_path / "grids.parquet"
    write_features(path, pieces(plan.grids.assign(manager_id=None), 1))
    assert pq.ParquetFile(path).num_row_groups == len(plan.grids)
    back = gpd.read_parquet(path)
    assert [list(ids) for ids in back["cooperating_outlet_ids"]] == plan.grids["cooperating_outlet_ids"].tolist()
    assert back["manager_id"].isna().all()
    assert np.allclose(back.total_bounds, plan.grids.total_bounds, atol=0)


@pytest.mark.parametrize("ids", [[], ["a"], ["a", "b"], ["a;b", "c\\", "\\;", "塆"], [""], ["", ""]])
def test_ids_of_any_letters_survive_being_joined(ids: list[str]) -> None:
    expected = [] if ids == [""] else ids
    assert split_ids(join_ids(ids)) == expected


def test_a_missing_list_stays_missing() -> None:
    assert join_ids(None) is None
    assert split_ids(None) is None
