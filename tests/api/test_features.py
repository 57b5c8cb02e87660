"""Layers of plans as OGC API Features, with equal answers on both stores."""

from __future__ import annotations

from dataclasses import replace

import pytest
import shapely
from pyproj import Transformer

from gridmap.domain.layers import LAYERS
from gridmap.domain.plan import Plan
from gridmap.store.reading import LayerReader
from live_service import Live

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
CELLS = "/collections/made.cells/items"
GRIDS = "/collections/made.grids/items"


def links(document: dict, rel: str) -> list[str]:
    return [one["href"] for one in document["links"] if one["rel"] == rel]


def fids(live: Live, query: str) -> list[int]:
    return [one["id"] for one in live.json(f"{CELLS}?{query}")["features"]]


def test_every_layer_in_force_is_a_collection(small: Live):
    document = small.json("/collections")

    assert [one["id"] for one in document["collections"]] == [f"made.{layer.name}" for layer in LAYERS]
    for one in document["collections"]:
        assert one["itemType"] == "feature"
        assert one["storageCrs"] == one["crs"][0] == CRS84
        assert one["version"] == 1
        assert links(one, "items")[0].endswith(f"/collections/{one['id']}/items")
        assert small.json(links(one, "self")[0]) == one


def test_the_collections_of_all_versions_of_a_plan_are_listed_by_their_numbers(small: Live):
    document = small.json("/collections?plan=made&limit=100")

    assert [one["id"] for one in document["collections"]] == [
        f"made@{number}.{layer.name}" for number in (1, 2) for layer in LAYERS
    ]
    assert {one["status"] for one in document["collections"]} == {"published", "draft"}


def test_long_lists_of_collections_come_in_pages(small: Live):
    page, found = small.json("/collections?plan=made&limit=4"), []
    while True:
        found += [one["id"] for one in page["collections"]]
        if not links(page, "next"):
            break
        page = small.json(links(page, "next")[0])

    assert found == [one["id"] for one in small.json("/collections?plan=made")["collections"]]


def test_the_extent_is_that_of_the_layer(small: Live, plan: Plan):
    box = small.json("/collections/made.facilities")["extent"]["spatial"]

    assert box["bbox"] == [plan.facilities.total_bounds.tolist()]
    assert box["crs"] == CRS84
    assert "extent" not in small.json("/collections/made.staff")


def test_titles_are_in_the_language_asked_for(small: Live):
    in_chinese = small.json("/collections/made@2.grids", headers={"Accept-Language": "zh-CN,zh;q=0.9"})
    in_english = small.json("/collections/made@2.grids", headers={"Accept-Language": "en"})

    assert in_chinese["title"] == "示例网格方案 · 网格（草稿 2）"
    assert in_english["title"] == "示例网格方案 · grids (draft 2)"


def test_a_page_says_what_it_holds(small: Live, plan: Plan):
    answer = small.get(f"{CELLS}?limit=5")
    page = answer.json()

    assert answer.headers["content-type"] == "application/geo+json"
    assert answer.headers["content-crs"] == f"<{CRS84}>"
    assert (page["numberMatched"], page["numberReturned"]) == (len(plan.cells), 5)
    assert page["timeStamp"].endswith("Z")
    assert [one["properties"]["cell_id"] for one in page["features"]] == plan.cells["cell_id"].head(5).to_list()
    for rel in ("self", "alternate", "collection", "next"):
        assert links(page, rel)[0].startswith(small.url)


@pytest.mark.parametrize("limit", [1, 2, 7, 36, 37, 38])
def test_following_the_next_links_finds_every_feature_once(small: Live, plan: Plan, limit: int):
    page, found, pages = small.json(f"{CELLS}?limit={limit}"), [], 1
    while links(page, "next"):
        found += page["features"]
        page, pages = small.json(links(page, "next")[0]), pages + 1
    found += page["features"]

    assert [one["properties"]["cell_id"] for one in found] == plan.cells["cell_id"].to_list()
    assert pages == -(-len(plan.cells) // limit)


def test_geometries_come_back_bit_for_bit(small: Live, plan: Plan):
    features = small.json(CELLS)["features"]

    for feature, shape in zip(features, plan.cells.geometry, strict=True):
        assert shapely.geometry.shape(feature["geometry"]).equals_exact(shape, 0)


@pytest.mark.parametrize("code", [4490, 3857, 4546])
def test_coordinates_are_in_the_system_asked_for_in_its_order_of_axes(small: Live, plan: Plan, code: int):
    answer = small.get(f"/collections/made.facilities/items?crs={EPSG}{code}")
    found = [feature["geometry"]["coordinates"] for feature in answer.json()["features"]]
    # PROJ as the authority has the axes: northing or latitude first, but for Web Mercator.
    expected = Transformer.from_crs(4326, code).transform(plan.facilities.geometry.y, plan.facilities.geometry.x)

    assert answer.headers["content-crs"] == f"<{EPSG}{code}>"
    for (first, second), *both in zip(found, *expected, strict=True):
        assert (first, second) == pytest.approx(both, abs=1e-7 if code == 4490 else 1e-3)


def test_systems_that_do_not_fit_the_ground_are_not_offered(small: Live):
    assert small.json("/collections/made.grids")["crs"] == [CRS84, f"{EPSG}4490", f"{EPSG}3857", f"{EPSG}4546"]


def test_a_box_finds_what_meets_it_in_every_system(small: Live, plan: Plan):
    west, south, east, north = 111.29, 30.79, 111.31, 30.81
    expected = [
        row + 1 for row in range(37) if plan.cells.geometry.iloc[row].intersects(shapely.box(west, south, east, north))
    ]
    mercator = Transformer.from_crs(4326, 3857, always_xy=True)
    low, high = mercator.transform(west, south), mercator.transform(east, north)

    assert 0 < len(expected) < 37
    assert fids(small, f"bbox={west},{south},{east},{north}") == expected
    assert fids(small, f"bbox={west},{south},-10,{east},{north},8000") == expected
    assert fids(small, f"bbox={west},{south},{east},{north}&bbox-crs={CRS84}") == expected
    assert fids(small, f"bbox={south},{west},{north},{east}&bbox-crs={EPSG}4490") == expected
    assert fids(small, f"bbox={low[0]},{low[1]},{high[0]},{high[1]}&bbox-crs={EPSG}3857") == expected


def test_a_box_in_a_zone_is_a_box_of_the_zone(small: Live, plan: Plan):
    to_zone = Transformer.from_crs(4326, 4546, always_xy=True)
    cells = shapely.transform(plan.cells.geometry.to_numpy(), to_zone.transform, interleaved=False)
    east, north = to_zone.transform(111.3, 30.8)
    box = shapely.box(east - 900, north - 700, east + 900, north + 700)
    expected = [row + 1 for row in range(37) if cells[row].intersects(box)]
    low, high = box.bounds[1::-1], box.bounds[:1:-1]

    assert 0 < len(expected) < 37
    assert fids(small, f"bbox={low[0]},{low[1]},{high[0]},{high[1]}&bbox-crs={EPSG}4546") == expected
    assert fids(small, f"bbox=-1e300,-1e300,1e300,1e300&bbox-crs={EPSG}4546") == list(range(1, 38))
    assert fids(small, f"bbox=1e200,1e200,1e300,1e300&bbox-crs={EPSG}4546") == []


def test_a_box_may_cross_the_antimeridian(small: Live):
    assert fids(small, "bbox=111.3,-90,-170,90") == fids(small, "bbox=111.3,-90,180,90") != []
    assert fids(small, "bbox=170,-90,-170,90") == []
    assert fids(small, "bbox=-180,-90,180,90") == fids(small, "bbox=-1e300,-1e300,1e300,1e300") == list(range(1, 38))


def test_a_table_meets_no_box(small: Live):
    assert small.json("/collections/made.staff/items?bbox=-180,-90,180,90")["numberMatched"] == 0
    assert small.json("/collections/made.staff/items")["features"][0]["geometry"] is None


@pytest.mark.parametrize(
    "when",
    ["2026-11-22", "2026-11-22T08:00:00Z", "2026-11-22T23:59:60.5+08:00", "2026-01-01/2026-12-31", "../2026-01-01"],
)
def test_features_have_no_time_so_that_every_time_finds_them(small: Live, when: str):
    assert small.json(CELLS, params={"datetime": when})["numberMatched"] == 37
    assert small.json(CELLS, params={"datetime": "2026-01-01/"})["numberMatched"] == 37


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("grid_code=990101001001001", ["001001001"]),
        ("cells=14", ["001001001"]),
        ("has_outlet=true&settlement=rural", ["001001001"]),
        ("name=东塆村", ["001001001"]),
        ("cooperating_outlet_ids=A;2", ["001001001"]),
        ("name=none", []),
        ("filter=cells>=14", ["001001001"]),
        ('filter={"op":"=","args":[{"property":"cells"},14]}&filter-lang=cql2-json', ["001001001"]),
        ("filter=cells>=14&has_outlet=false", []),
    ],
)
def test_properties_and_filters_find_what_matches(small: Live, query: str, codes: list[str]):
    found = small.json(f"{GRIDS}?{query}")

    assert [one["id"] for one in found["features"]] == [f"990101{code}" for code in codes]
    assert found["numberMatched"] == len(codes)


def test_coordinates_of_a_filter_are_in_the_system_it_names(small: Live):
    text = "filter=S_INTERSECTS(geometry,POINT({}))&filter-crs={}"
    assert fids(small, text.format("111.3 30.8", CRS84)) == fids(small, text.format("30.8 111.3", f"{EPSG}4490")) != []


def test_properties_and_geometries_may_be_left_out(small: Live):
    feature = small.json(f"{GRIDS}?limit=1&properties=name,cells&skipGeometry=true")["features"][0]

    assert feature["geometry"] is None
    assert set(feature["properties"]) == {"name", "cells"}


def test_a_feature_is_found_by_its_identifier_whatever_letters_it_has(small: Live):
    answer = small.get("/collections/made.facilities/items/A%3B2")

    assert answer.headers["content-type"] == "application/geo+json"
    assert answer.json()["id"] == answer.json()["properties"]["facility_id"] == "A;2"
    assert small.json(links(answer.json(), "self")[0]) == answer.json()
    assert links(answer.json(), "collection")


def test_pages_follow_one_version_while_another_is_published(published: Live, plan: Plan):
    first = published.json("/collections/made.cells/items?limit=20")
    published.store.publish(published.store.version("made", 2), who="test")
    second = published.json(links(first, "next")[0])

    assert published.json("/collections/made.cells")["version"] == 2
    assert [one["id"] for one in first["features"] + second["features"]] == list(range(1, 38))
    published.store.retire(published.store.version("made", 1), who="test")
    assert published.json(links(first, "next")[0])["features"] == second["features"]


def test_a_cursor_is_for_its_collection_and_content_only(published: Live, plan: Plan):
    def cursor(collection: str) -> str:
        return links(published.json(f"/collections/{collection}/items?limit=1"), "next")[0].split("cursor=")[1]

    of_cells, of_draft = cursor("made.cells"), cursor("made@2.cells")
    for collection in ("made.grids", "made@2.cells"):
        assert published.get(f"/collections/{collection}/items?cursor={of_cells}").status_code == 400
    assert published.get(f"/collections/made@1.cells/items?cursor={of_cells}").status_code == 200
    assert published.get(f"/collections/made@2.cells/items?cursor={of_draft}").status_code == 200
    changed = replace(plan, cells=plan.cells.assign(demand=99.0))
    published.store.replace_draft(published.store.version("made", 2), changed, who="test")
    assert published.get(f"/collections/made@2.cells/items?cursor={of_draft}").status_code == 400


def test_what_cannot_change_is_kept_and_what_can_is_asked_for_again(small: Live):
    pinned = small.get("/collections/made@1.grids/items/990101001001001")
    current = small.get("/collections/made.grids/items/990101001001001")
    draft = small.get("/collections/made@2.grids/items/990101001001001")

    assert "immutable" in pinned.headers["cache-control"]
    assert not pinned.headers["etag"].startswith("W/")
    for answer in (current, draft):
        assert "no-cache" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/conformance",
        "/api",
        "/collections",
        "/collections/made.grids",
        "/collections/made.grids/queryables",
        "/collections/made.grids/schema",
        GRIDS,
        f"{GRIDS}/990101001001001",
    ],
)
def test_what_a_client_holds_is_not_sent_again(small: Live, path: str):
    first = small.get(path)
    again = small.get(path, headers={"If-None-Match": first.headers["etag"]})
    other = small.get(path, headers={"If-None-Match": '"other"'})
    head = small.client.head(path)

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert other.status_code == 200
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == first.headers["content-type"]


def test_queryables_are_what_filters_may_ask(small: Live):
    answer = small.get("/collections/made.grids/queryables")
    named = answer.json()["properties"]

    assert answer.headers["content-type"] == "application/schema+json"
    assert answer.json()["$id"] == f"{small.url}/collections/made.grids/queryables"
    assert answer.json()["additionalProperties"] is False
    for name in set(named) - {"geometry"}:
        found = small.json(GRIDS, params={"filter": f'"{name}" IS NULL OR "{name}" IS NOT NULL'})
        assert found["numberMatched"] == 3


def test_a_draft_that_changes_while_it_is_read_is_read_anew(published: Live, plan: Plan, monkeypatch):
    changes = [replace(plan, cells=plan.cells.assign(demand=float(turn))) for turn in range(5)]
    seen = []

    def meanwhile(self: LayerReader, *asked: object) -> object:
        if len(seen) < 2:
            seen.append(published.store.version("made", 2))
            published.store.replace_draft(seen[-1], changes[len(seen)], who="test")
        return read(self, *asked)

    read = LayerReader.page
    monkeypatch.setattr(LayerReader, "page", meanwhile)
    page = published.json("/collections/made@2.cells/items?limit=1")

    assert len(seen) == 2
    assert page["features"][0]["properties"]["demand"] == 2.0


def test_drafts_are_there_for_planners_only(serve, account, plan: Plan):
    live = serve(single_user=False)
    for plan_id in ("first", "second"):
        live.store.add_version(plan_id, plan, who="test")
    live.store.publish(live.store.version("first", 1), who="test")
    viewer, planner = account("viewer"), account("planner")

    def listed(headers: dict[str, str]) -> set[str]:
        return {one["plan"] for one in live.json("/collections", headers=headers)["collections"]}

    assert (listed(viewer), listed(planner)) == ({"first"}, {"first", "second"})
    missing = live.get("/collections/third.grids/items", headers=viewer)
    hidden = live.get("/collections/second.grids/items", headers=viewer)
    assert (missing.status_code, hidden.status_code) == (404, 404)
    assert missing.json()["detail"].replace("third", "second") == hidden.json()["detail"]
    assert live.json("/collections/second.grids/items", headers=planner)["numberMatched"] == 3
    assert live.get("/collections").status_code == 401
