"""Tiles over HTTP, as OGC API Tiles has them and as maps ask for them."""

from __future__ import annotations

import httpx
import pytest

from decoded_tiles import decoded
from gridmap.domain.plan import Plan
from gridmap.store.tiles.attributes import TILED
from gridmap.store.tiles.scheme import tile_at
from live_service import Live

MVT = "application/vnd.mapbox-vector-tile"
SCHEME = "WebMercatorQuad"


@pytest.fixture(scope="session")
def place(plan: Plan) -> str:
    """Path of a tile in the middle of the plan: zoom, row, column."""
    west, south, east, north = plan.cells.total_bounds
    tile = tile_at(12, (west + east) / 2, (south + north) / 2)
    return f"{tile.zoom}/{tile.row}/{tile.column}"


def assert_problem(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


def linked(document: dict, rel: str) -> dict:
    (found,) = [one for one in document["links"] if one["rel"] == rel]
    return found


def test_the_tiling_scheme_is_the_one_of_ogc(published: Live) -> None:
    listed = published.json("/tileMatrixSets")["tileMatrixSets"]
    assert [one["id"] for one in listed] == [SCHEME]
    scheme = published.json(httpx.URL(linked(listed[0], "self")["href"]).path)
    assert scheme["uri"] == "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
    assert scheme["crs"] == "http://www.opengis.net/def/crs/EPSG/0/3857"
    first, last = scheme["tileMatrices"][0], scheme["tileMatrices"][-1]
    # Figures of annex D of the standard.
    assert first["scaleDenominator"] == pytest.approx(559_082_264.028717)
    assert first["cellSize"] == pytest.approx(156_543.033928041)
    assert first["pointOfOrigin"] == pytest.approx([-20_037_508.3427892, 20_037_508.3427892])
    assert (last["id"], last["matrixWidth"], last["matrixHeight"]) == ("24", 1 << 24, 1 << 24)


@pytest.mark.parametrize("base", ["/collections/made.cells", "/collections/made@1.facilities", "/plans/made"])
def test_from_the_list_of_sets_to_a_tile_by_links_alone(published: Live, place: str, base: str) -> None:
    listed = published.json(f"{base}/tiles")["tilesets"]
    assert len(listed) == 1
    document = published.get(linked(listed[0], "self")["href"]).json()
    assert document["dataType"] == "vector"
    assert document["tileMatrixSetURI"] == published.json(f"/tileMatrixSets/{SCHEME}")["uri"]
    assert published.get(linked(document, "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme")["href"]).is_success
    template = linked(document, "item")
    assert template["templated"] is True
    assert template["type"] == MVT
    zoom, row, column = place.split("/")
    address = template["href"].replace("{z}", zoom).replace("{y}", row).replace("{x}", column)
    tile = published.get(address)
    assert tile.status_code == 200
    assert tile.headers["content-type"] == MVT
    layers = decoded(tile.content)
    assert set(layers) <= {one["id"] for one in document["layers"]}
    for described in document["layers"]:
        told = {name for one in layers.get(described["id"], []) for name in one.properties}
        assert told <= set(described["propertiesSchema"]["properties"])
    (limits,) = [one for one in document["tileMatrixSetLimits"] if one["tileMatrix"] == zoom]
    assert limits["minTileRow"] <= int(row) <= limits["maxTileRow"]
    assert limits["minTileCol"] <= int(column) <= limits["maxTileCol"]


def test_tilejson_leads_maps_to_the_same_tiles(published: Live, plan: Plan, place: str) -> None:
    document = published.json(f"/plans/made/tiles/{SCHEME}?f=tilejson")
    assert document["tilejson"] == "3.0.0"
    assert [one["id"] for one in document["vector_layers"]] == list(TILED)
    zoom, row, column = place.split("/")
    address = document["tiles"][0].replace("{z}", zoom).replace("{y}", row).replace("{x}", column)
    layers = decoded(published.get(address).content)
    assert set(layers) == set(TILED)
    assert {one.properties["cell_id"] for one in layers["cells"]} <= set(plan.cells["cell_id"])
    west, south, east, north = plan.cells.total_bounds
    bounds = document["bounds"]
    assert bounds[0] <= west
    assert bounds[1] <= south
    assert bounds[2] >= east
    assert bounds[3] >= north
    assert document["aggregates"] == {"layer": "cells", "cells_from_zoom": 0, "sums": []}


def test_sums_are_announced_where_they_stand_for_cells(live: Live, make_plan) -> None:
    wide = make_plan(rings=36, resolution=9)
    live.store.publish(live.store.add_version("wide", wide, who="test"), who="test")
    told = live.json(f"/collections/wide.cells/tiles/{SCHEME}?f=tilejson")["aggregates"]
    first = told["cells_from_zoom"]
    assert next(one["minzoom"] for one in told["sums"]) == 0
    assert told["sums"][-1]["maxzoom"] == first - 1
    assert live.json(f"/collections/wide.cells/tiles/{SCHEME}")["aggregates"] == told
    lon, lat = wide.cells.geometry.iloc[0].centroid.coords[0]
    for zoom, are_sums in ((first - 1, True), (first, False)):
        tile = tile_at(zoom, lon, lat)
        content = live.get(f"/collections/wide.cells/tiles/{SCHEME}/{zoom}/{tile.row}/{tile.column}").content
        assert {"aggregated" in one.properties for one in decoded(content)["cells"]} == {are_sums}
    assert "tiles" not in live.json(f"/collections/wide.grids/tiles/{SCHEME}")
    assert "aggregates" not in live.json(f"/collections/wide.grids/tiles/{SCHEME}")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/collections/made.cells/tiles/WebMercatorQuad/25/0/0", 404),
        ("/collections/made.cells/tiles/WebMercatorQuad/2/4/0", 404),
        ("/collections/made.cells/tiles/WebMercatorQuad/2/0/4", 404),
        ("/collections/made.cells/tiles/WebMercatorQuad/2/-1/0", 404),
        ("/collections/made.cells/tiles/WebMercatorQuad/99999999999999999999/0/0", 404),
        ("/collections/made.cells/tiles/WebMercatorQuad/2/a/0", 400),
        ("/collections/made.cells/tiles/WebMercatorQuad/2/1.5/0", 400),
        ("/collections/made.cells/tiles/WebMercatorQuad/2/0/0?cql=1", 400),
        ("/collections/made.cells/tiles/WebMercatorQuad/2/0/0?f=png", 400),
        ("/collections/made.cells/tiles/WorldCRS84Quad/2/0/0", 404),
        ("/collections/made.staff/tiles", 404),
        ("/collections/made.nothing/tiles", 404),
        ("/collections/other.cells/tiles/WebMercatorQuad/2/0/0", 404),
        ("/collections/made@7.cells/tiles/WebMercatorQuad/2/0/0", 404),
        ("/plans/other/tiles", 404),
        ("/plans/made/tiles?version=7", 404),
        ("/plans/made/tiles?version=x", 400),
        ("/plans/made/tiles?layers=cells,staff", 400),
        ("/plans/made/tiles/WebMercatorQuad/3/8/0", 404),
        ("/tileMatrixSets/WorldCRS84Quad", 404),
    ],
)
@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_what_is_not_there_or_cannot_be_asked_is_a_problem(published: Live, path: str, status: int) -> None:
    assert_problem(published.get(path), status)


def test_a_tile_with_nothing_in_it_has_no_content(published: Live) -> None:
    answer = published.get(f"/collections/made.cells/tiles/{SCHEME}/8/10/10")
    assert answer.status_code == 204
    assert answer.content == b""


def test_tiles_of_a_version_are_kept_and_those_in_force_asked_for_again(published: Live, place: str) -> None:
    pinned = published.get(f"/collections/made@1.cells/tiles/{SCHEME}/{place}")
    current = published.get(f"/collections/made.cells/tiles/{SCHEME}/{place}")
    draft = published.get(f"/collections/made@2.cells/tiles/{SCHEME}/{place}")
    assert "immutable" in pinned.headers["cache-control"]
    assert "no-cache" in current.headers["cache-control"]
    assert "no-cache" in draft.headers["cache-control"]
    assert current.content == pinned.content
    again = published.get(
        f"/collections/made.cells/tiles/{SCHEME}/{place}", headers={"If-None-Match": current.headers["etag"]}
    )
    assert again.status_code == 304
    assert again.content == b""
    other = published.get(f"/plans/made/tiles/{SCHEME}/{place}?layers=cells")
    assert other.content == current.content
    assert published.client.head(f"/plans/made/tiles/{SCHEME}/{place}").status_code == 200


def test_a_map_that_is_open_does_not_mix_versions(published: Live, place: str) -> None:
    zoom, row, column = place.split("/")
    for path in (f"/plans/made/tiles/{SCHEME}?f=tilejson", f"/collections/made.cells/tiles/{SCHEME}?f=tilejson"):
        before = published.json(path)["tiles"][0]
        address = before.replace("{z}", zoom).replace("{y}", row).replace("{x}", column)
        seen = published.get(address).content
        draft = published.store.version("made", len(published.store.versions("made")))
        published.store.publish(draft, who="test")
        published.store.add_version("made", published.store.read(draft), who="test")
        assert published.get(address).content == seen
        assert published.json(path)["tiles"][0] != before
