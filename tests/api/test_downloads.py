"""Plans as files: equal to those of the plan's directory, in reach only, and nothing of them is left behind."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import geopandas as gpd
import httpx
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
from openpyxl import load_workbook

from gridmap.domain.layers import LAYERS
from gridmap.domain.plan import GEOGRAPHIC_FRAMES, TABLES, Plan
from gridmap.exports.ledger import write_ledger
from gridmap.exports.plan_directory import GEOJSON_FRAMES, write_plan
from gridmap.geometry.datum import Datum
from live_service import Live

EXPORT = "/plans/made/export"


@pytest.fixture(scope="session")
def directory(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the plan as the command line does."""
    path = tmp_path_factory.mktemp("plan") / "out"
    write_plan(plan, path, lang="en")
    return path


def fetched(live: Live, tmp_path: Path, **asked: object) -> Path:
    """File that was downloaded."""
    answer = live.get(EXPORT, params=asked)
    assert answer.status_code == 200, answer.text
    path = tmp_path / f"got.{asked['f']}"
    path.write_bytes(answer.content)
    return path


def left_behind(live: Live) -> list[Path]:
    """List what is left of downloads; a moment is given to take it away."""
    for _ in range(200):
        found = list((live.service.data_directory / "exports").glob("*"))
        if not found:
            break
        time.sleep(0.02)
    return found


@pytest.mark.parametrize("layer", GEOJSON_FRAMES)
def test_geojson_is_that_of_the_directory_byte_for_byte(published: Live, directory: Path, layer: str):
    answer = published.get(EXPORT, params={"f": "geojson", "layer": layer})

    assert answer.status_code == 200
    assert answer.content == (directory / f"{layer}.geojson").read_bytes()
    assert answer.headers["content-type"] == "application/geo+json"


def test_geojson_is_the_same_in_however_many_pieces(published: Live, directory: Path, monkeypatch):
    monkeypatch.setattr("gridmap.api.versions.downloads._STREAMED", 7)
    answer = published.get(EXPORT, params={"f": "geojson"})

    assert answer.content == (directory / "cells.geojson").read_bytes()


def test_geopackage_holds_every_layer_and_table(published: Live, plan: Plan, directory: Path, tmp_path: Path):
    path = fetched(published, tmp_path, f="gpkg")

    assert pyogrio.list_layers(path)[:, 0].tolist() == [layer.name for layer in LAYERS]
    for name in (*GEOGRAPHIC_FRAMES, *TABLES):
        got, there = (
            pyogrio.read_dataframe(path, layer=name),
            pyogrio.read_dataframe(directory / "plan.gpkg", layer=name),
        )
        assert list(got.columns) == list(there.columns), name
        columns = [column for column in got.columns if column != "geometry"]
        pd.testing.assert_frame_equal(pd.DataFrame(got[columns]), pd.DataFrame(there[columns]), obj=name)
        if name in GEOGRAPHIC_FRAMES:
            assert got.crs == there.crs
            assert (
                shapely.to_wkb(got.geometry.to_numpy()).tolist() == shapely.to_wkb(there.geometry.to_numpy()).tolist()
            )
    assert left_behind(published) == []


@pytest.mark.parametrize("form", ["fgb", "parquet", "gpkg"])
def test_one_layer_in_every_format(published: Live, plan: Plan, tmp_path: Path, form: str, monkeypatch):
    monkeypatch.setattr("gridmap.api.versions.downloads._WRITTEN", 10)
    path = fetched(published, tmp_path, f=form, layer="cells")

    found = gpd.read_parquet(path) if form == "parquet" else pyogrio.read_dataframe(path)
    assert sorted(found["cell_id"]) == sorted(plan.cells["cell_id"])
    assert found.crs.to_epsg() == 4326 or found.crs.to_authority() == ("OGC", "CRS84")
    assert found["demand"].sum() == plan.cells["demand"].sum()
    if form == "parquet":
        assert pq.ParquetFile(path).num_row_groups == 4
    assert left_behind(published) == []


def test_parquet_is_that_of_the_directory(published: Live, directory: Path, tmp_path: Path):
    path = fetched(published, tmp_path, f="parquet")
    assert pq.read_table(path).equals(pq.read_table(directory / "cells.parquet"))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_ledger_is_that_of_the_plan(published: Live, plan: Plan, tmp_path: Path, lang: str):
    answer = published.get(EXPORT, params={"f": "xlsx"}, headers={"Accept-Language": lang})
    write_ledger(plan, tmp_path / "ledger.xlsx", lang)  # type: ignore[arg-type]

    got, there = (load_workbook(source) for source in (io.BytesIO(answer.content), tmp_path / "ledger.xlsx"))
    assert got.sheetnames == there.sheetnames
    for sheet in there.sheetnames:
        assert list(got[sheet].values) == list(there[sheet].values), sheet


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_shifted_copies_say_so_and_lie_where_the_datum_has_them(
    published: Live, plan: Plan, tmp_path: Path, datum: str
):
    answer = published.get(EXPORT, params={"f": "geojson", "datum": datum})
    document = answer.json()
    assert document["datum"] == datum
    assert f".{datum}" in answer.headers["content-disposition"].replace("-", ".")

    shapes = shapely.from_geojson([httpx.Response(200, json=one["geometry"]).text for one in document["features"]])
    back = Datum.parse(datum).to_wgs84(shapely.get_coordinates(shapely.normalize(shapes)))
    there = shapely.get_coordinates(shapely.normalize(plan.cells.geometry.to_numpy()))
    assert np.abs(np.sort(back[:, 0]) - np.sort(there[:, 0])).max() < 2e-7

    found = pyogrio.read_dataframe(fetched(published, tmp_path, f="gpkg", datum=datum), layer="cells")
    assert found.crs.name == datum.upper().replace("0", "-0")
    got = shapely.get_coordinates(shapely.normalize(found.geometry.to_numpy()))
    assert sorted(map(tuple, got)) == sorted(map(tuple, shapely.get_coordinates(shapely.normalize(shapes))))


def test_the_file_is_named_after_the_plan(published: Live):
    answer = published.get(EXPORT, params={"f": "fgb", "layer": "grids", "datum": "gcj02"})

    plain, _, named = answer.headers["content-disposition"].partition("; filename*=UTF-8''")
    assert plain == 'attachment; filename="made-v1-grids-gcj02.fgb"'
    assert unquote(named) == "示例网格方案-v1-grids-gcj02.fgb"


def test_a_copy_that_is_held_is_not_made_again(published: Live):
    for form in ("geojson", "gpkg"):
        first = published.get(EXPORT, params={"f": form, "version": 1})
        assert "immutable" in first.headers["cache-control"]
        assert "no-cache" in published.get(EXPORT, params={"f": form}).headers["cache-control"]
        again = published.get(
            EXPORT, params={"f": form, "version": 1}, headers={"If-None-Match": first.headers["etag"]}
        )
        assert again.status_code == 304
        assert again.content == b""
        other = published.get(
            EXPORT,
            params={"f": form, "version": 1, "datum": "bd09"},
            headers={"If-None-Match": first.headers["etag"]},
        )
        assert other.status_code == 200


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "f"),
        ({"f": "pdf"}, "xlsx"),
        ({"f": "csv"}, "geojson"),
        ({"f": "gpkg", "layer": "houses"}, "staff"),
        ({"f": "geojson", "layer": "staff"}, "gpkg"),
        ({"f": "xlsx", "layer": "grids"}, "ledger"),
        ({"f": "gpkg", "datum": "cgcs2000"}, "gcj02"),
        ({"f": "gpkg", "version": "0"}, "version"),
        ({"f": "gpkg", "size": "1"}, "size"),
    ],
)
@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_what_cannot_be_had_is_refused_with_what_can(published: Live, asked: dict[str, str], said: str):
    answer = published.get(EXPORT, params=asked)

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.text
    assert left_behind(published) == []


def test_what_is_not_there_is_not_found(published: Live):
    for path in ("/plans/none/export?f=gpkg", f"{EXPORT}?f=geojson&version=9"):
        assert published.get(path).status_code == 404


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_nothing_is_left_of_a_file_whose_client_went_away(
    serve: Callable[..., Live], make_plan: Callable[..., Plan], monkeypatch
):
    live = serve()
    live.store.publish(live.store.add_version("made", make_plan(rings=60), who="test"), who="test")
    monkeypatch.setattr("gridmap.api.versions.export_files._PIECE_BYTES", 1000)
    with live.client.stream("GET", EXPORT, params={"f": "gpkg"}) as answer:
        assert next(answer.iter_raw(1000))
        assert list((live.service.data_directory / "exports").glob("*"))
    assert left_behind(live) == []


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_only_so_many_files_are_made_at_once(published: Live, monkeypatch):
    monkeypatch.setattr("gridmap.api.versions.export_files.PATIENCE_S", 0.05)
    assert published.get(EXPORT, params={"f": "fgb"}).status_code == 200
    turns = published.app.state.export_turns
    with turns.of_file(), turns.of_file():
        refused = published.get(EXPORT, params={"f": "fgb"})
        assert refused.status_code == 429
        assert "retry-after" in refused.headers
    assert published.get(EXPORT, params={"f": "fgb"}).status_code == 200
    assert left_behind(published) == []


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_where_files_cannot_be_written_it_says_so_and_not_where(published: Live):
    published.service.data_directory.mkdir(parents=True, exist_ok=True)
    (published.service.data_directory / "exports").write_text("in the way")
    answer = published.get(EXPORT, params={"f": "gpkg"})

    assert answer.status_code == 503
    assert str(published.service.data_directory) not in answer.text
    assert "exports" not in answer.text
    assert published.get(EXPORT, params={"f": "geojson"}).status_code == 200


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_draft_that_changes_while_it_is_streamed_is_cut_off(live: Live, make_plan: Callable[..., Plan], monkeypatch):
    draft = live.store.add_version("made", make_plan(rings=25), who="test")
    monkeypatch.setattr("gridmap.api.versions.downloads._STREAMED", 10)
    with live.client.stream("GET", EXPORT, params={"f": "geojson", "version": 1}) as answer:
        pieces = answer.iter_raw(1000)
        next(pieces)
        live.store.replace_draft(draft, make_plan(rings=4), who="test")
        with pytest.raises(httpx.RemoteProtocolError):
            for _ in pieces:
                pass
