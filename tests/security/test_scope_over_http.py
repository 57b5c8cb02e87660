"""A user of one township sees nothing of another through any route: list, count, tile, export or error."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import geopandas as gpd
import httpx
import mapbox_vector_tile
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely
from fastapi.routing import APIRoute, iter_route_contexts

from gridmap.domain.access import Role, checked_scope
from gridmap.domain.layers import LAYERS
from gridmap.domain.plan import Plan
from gridmap.settings import Settings
from gridmap.store import open_store
from gridmap.store.accounts import Accounts
from live_service import Live, serving
from scoped_county import sample_county
from store_fixtures import KINDS, cluster, made_tables, made_url

__all__ = ["cluster", "made_tables", "made_url"]
TOWN, ELSEWHERE = "990101103", "990101102"
NAMES = [layer.name for layer in LAYERS]
#: Columns by which a layer's rows belong to one township.
CODES = {"areas": "area_code", "cells": "area_code", "grids": "area_code", "units": "area_code", "gaps": "area_code"}
ZOOMS = (0, 6, 8, 9, 11, 14)
#: Routes that answer nothing to somebody with a part of the plan.
HIDDEN = {
    "/accounts",
    "/accounts/{name}",
    "/audit",
    "/plans/{plan_id}/audit",
    "/plans/{plan_id}/certificate",
    "/plans/{plan_id}/diff",
    "/plans/{plan_id}/indicators",
    "/uploads/{upload_id}",
    "/uploads/{upload_id}/datum",
    "/uploads/{upload_id}/preview",
    "/jobs/{job_id}",
    "/jobs/{job_id}/events",
    "/jobs/{job_id}/results",
    "/jobs/{job_id}/results/{name}",
}
ROOMS = ("features", "layers", "tiles", "styles", "plans", "runs", "others")
WORD = re.compile(r"[^\s\",;|<>()\[\]{}=/&]+")


@dataclass
class County:
    """A service with the county, what of it is only others', and what the user of one township may see."""

    live: Live
    plan: Plan
    headers: dict[str, str]
    boss: dict[str, str]
    own_ground: Any
    foreign_place: shapely.Point
    foreign_words: set[str]
    foreign_names: set[str]
    ids: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> httpx.Response:
        return self.live.get(path, headers=self.headers)

    def leaks(self, text: str) -> set[str]:
        """Words and names of others in a text."""
        words = {word for found in WORD.findall(text) for word in (found, found.strip("'.:"))}
        return (words & self.foreign_words) | {name for name in self.foreign_names if name in text}

    def own(self, layer: str) -> pd.DataFrame:
        """Rows of a layer that lie in the township."""
        frame = getattr(self.plan, layer)
        return frame[frame[CODES[layer]].astype(str).str.startswith(TOWN)]


def texts_of(frame: pd.DataFrame, columns: list[str]) -> set[str]:
    return {str(value) for name in columns if name in frame for value in frame[name].dropna()}


def words_of_others(plan: Plan) -> tuple[set[str], set[str]]:
    """Codes and ids, and names, that stand with ground of other townships only."""
    words, names = [set(), set()], [set(), set()]
    for layer in ("areas", "cells", "grids", "units", "gaps", "facilities"):
        frame = getattr(plan, layer)
        is_own = frame["area_code"].astype(str).str.startswith(TOWN)
        for place, rows in enumerate((frame[is_own], frame[~is_own])):
            keys = ["area_code", "cell_id", "grid_code", "unit_code", "gap_id", "facility_id", "sub_code", "super_code"]
            words[place] |= texts_of(rows, keys)
            names[place] |= texts_of(rows, ["name"])
    staff = plan.staff
    outlets = texts_of(plan.facilities[plan.facilities["area_code"].astype(str).str.startswith(TOWN)], ["facility_id"])
    held = staff["grid_code"].astype(str).str.startswith(TOWN) | staff["outlet_id"].isin(outlets)
    for place, rows in enumerate((staff[held], staff[~held])):
        words[place] |= texts_of(rows, ["person_id"])
        names[place] |= texts_of(rows, ["name"])
    levels = plan.levels["code"].astype(str)
    words[1] |= {code for code in levels if not code.startswith(TOWN)}
    # The plan bears the county's name, and is in reach.
    known = " ".join([*names[0], plan.settings.plan.name, plan.settings.plan.institution or ""])
    return words[1] - words[0], {name for name in names[1] - names[0] if name not in known}


@pytest.fixture(scope="module")
def plan() -> Plan:
    return sample_county()


@pytest.fixture(scope="module", params=KINDS)
def county(
    request: pytest.FixtureRequest,
    made_url: Callable[[str], str],
    tmp_path_factory: pytest.TempPathFactory,
    plan: Plan,
) -> Iterator[County]:
    """Serve two published versions and a draft, with an upload and a job of somebody else."""
    store = open_store(made_url(request.param))
    for _ in range(2):
        store.publish(store.add_version("county", plan, who="li"), who="li")
    store.add_version("county", plan, who="li")
    accounts, headers = Accounts(store), {}
    for name, role, areas in (("boss", Role.ADMINISTRATOR, ()), ("wang", Role.PUBLISHER, (TOWN,))):
        accounts.add(name, role, checked_scope(areas), who="test")
        headers[name] = {"X-API-Key": accounts.new_key(name, who="test").key}
    areas = plan.areas.set_index("area_code")["geometry"]
    config = Settings(data_directory=tmp_path_factory.mktemp("data"), rate_limit="")
    with serving(store, config, single_user=False) as live:
        made = County(
            live,
            plan,
            headers["wang"],
            headers["boss"],
            areas[TOWN],
            areas[ELSEWHERE].representative_point(),
            *words_of_others(plan),
        )
        made.ids = things_of_others(made)
        yield made
    store.close()


def things_of_others(county: County) -> dict[str, str]:
    """Make an upload and a job of the administrator's."""
    villages = gpd.GeoDataFrame(county.plan.areas[["area_code", "name", "geometry"]]).to_json().encode()
    octets = {**county.boss, "Content-Type": "application/octet-stream"}
    upload = county.live.post("/uploads", params={"name": "secret.geojson"}, content=villages, headers=octets)
    assert upload.status_code == 201, upload.text
    wanted = {"areas": {"upload": upload.json()["id"]}, "resolution": 7}
    job = county.live.post("/processes/partition/execution", json={"inputs": wanted}, headers=county.boss)
    assert job.status_code == 201, job.text
    county.foreign_words |= {upload.json()["id"], job.json()["jobID"], "secret.geojson"}
    return {"upload": upload.json()["id"], "job": job.json()["jobID"]}


def paths_of(county: County) -> dict[str, list[str]]:
    """Addresses to ask for each route that reads, among them those of others' things."""
    plan, place = county.plan, county.foreign_place
    versions = ["county", "county@1", "county@3"]
    grids = plan.grids["grid_code"].astype(str)
    codes = [next(code for code in grids if code.startswith(town)) for town in (TOWN, ELSEWHERE)]
    outlets = sorted(county.foreign_words & set(plan.facilities["facility_id"]))
    box = shapely.buffer(place, 0.01).bounds
    items = [f"/collections/{one}.{name}/items?limit=10000" for one in versions for name in NAMES]
    items += [f"/collections/county.{name}/items?bbox={','.join(map(str, box))}" for name in NAMES]
    items += [f"/collections/county.{name}/items?f=html&limit=1000" for name in NAMES]
    items += [f"/collections/county.grids/items?filter=primary_outlet_id%3D%27{outlets[0]}%27", "/collections/no/items"]
    styles = [one["id"] for one in county.get("/styles").json()["styles"]]
    tiles = [f"{z}/{y}/{x}" for z in ZOOMS for x, y in sorted({tile_of(z, place), tile_of(z, centre(county))})]
    found: dict[str, list[str]] = {
        "/collections": ["/collections", "/collections?f=html", "/collections?plan=county"],
        "/collections/{collection_id}": [f"/collections/{one}.{name}" for one in versions for name in NAMES],
        "/collections/{collection_id}/queryables": [f"/collections/county.{name}/queryables" for name in NAMES],
        "/collections/{collection_id}/schema": [f"/collections/county.{name}/schema" for name in NAMES],
        "/collections/{collection_id}/items": items,
        "/collections/{collection_id}/items/{feature_id}": [
            *(f"/collections/county.grids/items/{code}" for code in codes),
            *(f"/collections/county.areas/items/{code}" for code in (TOWN, ELSEWHERE, "990101")),
            *(f"/collections/county.facilities/items/{quote(one)}" for one in outlets[:5]),
            *(f"/collections/county.cells/items/{fid}" for fid in range(1, len(plan.cells), 40)),
        ],
        "/collections/{collection_id}/tiles": [f"/collections/county.{name}/tiles" for name in NAMES],
        "/collections/{collection_id}/tiles/WebMercatorQuad": [
            f"/collections/county.{name}/tiles/WebMercatorQuad?f={f}" for name in NAMES for f in ("json", "tilejson")
        ],
        "/collections/{collection_id}/tiles/WebMercatorQuad/{z}/{y}/{x}": [
            f"/collections/county.{name}/tiles/WebMercatorQuad/{tile}"
            for name in ("areas", "cells", "facilities", "jurisdictions")
            for tile in tiles
        ],
        "/plans/{plan_id}/tiles/WebMercatorQuad/{z}/{y}/{x}": [
            f"/plans/county/tiles/WebMercatorQuad/{tile}{more}" for tile in tiles for more in ("", "?version=1")
        ],
        "/plans/{plan_id}/tiles/WebMercatorQuad": ["/plans/county/tiles/WebMercatorQuad?f=tilejson"],
        "/styles": ["/styles?plan=county", "/styles"],
        "/styles/{style_id}": [f"/styles/{one}" for one in (*styles, "no")],
        "/styles/{style_id}/metadata": [f"/styles/{one}/metadata" for one in styles],
        "/sprites/{name}.json": ["/sprites/symbols.json"],
        "/sprites/{name}.png": ["/sprites/symbols.png"],
        "/plans/{plan_id}/versions/{number}": [f"/plans/county/versions/{number}" for number in (1, 2, 3, 4)],
        "/plans/{plan_id}/coverage": [
            f"/plans/county/coverage?by={by}&version={number}&limit=10000"
            for by in ("settlement", "kind", "county", "township", "village", "grid")
            for number in (1, 3)
        ],
        "/plans/{plan_id}/gaps": ["/plans/county/gaps?limit=10000", "/plans/county/gaps?f=geojson&limit=10000"],
        "/plans/{plan_id}/rules": ["/plans/county/rules", "/plans/county/rules?version=1&limit=10000"],
        "/plans/{plan_id}/locate": [
            f"/plans/county/locate?lon={at.x}&lat={at.y}{more}"
            for at in (place, centre(county))
            for more in ("", "&version=1", "&datum=gcj02")
        ],
        "/plans/{plan_id}/export": [
            "/plans/county/export?f=xlsx",
            "/plans/county/export?f=gpkg",
            *(f"/plans/county/export?f=geojson&layer={name}" for name in NAMES),
            *(f"/plans/county/export?f={f}&layer={n}" for f in ("fgb", "parquet") for n in ("cells", "organisation")),
        ],
        "/plans/{plan_id}/diff": ["/plans/county/diff?from=1&to=2", "/plans/county/diff?from=2&to=3&f=geojson"],
        "/uploads/{upload_id}/preview": [f"/uploads/{county.ids['upload']}/preview"],
        "/uploads/{upload_id}/datum": [f"/uploads/{county.ids['upload']}/datum?reference=county"],
        "/processes/{process_id}": ["/processes/partition", "/processes/plan", "/processes/no"],
        "/jobs": ["/jobs", "/jobs?limit=1", "/jobs?status=accepted"],
        "/jobs/{job_id}/results/{name}": [f"/jobs/{county.ids['job']}/results/cells"],
        "/accounts/{name}": ["/accounts/boss", "/accounts/wang", "/accounts/nobody"],
        "/audit": ["/audit", "/audit?limit=1"],
    }
    values = {
        "plan_id": "county",
        "upload_id": county.ids["upload"],
        "job_id": county.ids["job"],
        "collection_id": "county.cells",
    }
    for path in read_paths(county.live):
        if path not in found and not re.search(r"\{(?!(plan_id|upload_id|job_id|collection_id)\})", path):
            found[path] = [path.format(**values)]
    return found


def room_of(route: str) -> str:
    """Part of the routes that one test asks."""
    if "/tiles" in route:
        return "tiles"
    if "/items" in route:
        return "features"
    named = {"collections": "layers", "styles": "styles", "sprites": "styles", "plans": "plans"}
    runs = {"uploads": "runs", "jobs": "runs", "processes": "runs"}
    return {**named, **runs}.get(route.split("/")[1], "others")


def read_paths(live: Live) -> set[str]:
    contexts = iter_route_contexts(live.app.routes)
    return {
        str(one.path_format)
        for one in contexts
        if isinstance(one.original_route, APIRoute) and "GET" in (one.methods or ())
    }


def centre(county: County) -> shapely.Point:
    return county.own_ground.representative_point()


def tile_of(z: int, place: shapely.Point) -> tuple[int, int]:
    """Column and row of the tile over a place."""
    across = (place.x + 180) / 360
    down = (1 - np.arcsinh(np.tan(np.radians(place.y))) / np.pi) / 2
    return int(across * 2**z), int(down * 2**z)


def decoded(answer: httpx.Response, path: str, folder: Path) -> str:
    """Everything that an answer says, as text, whatever its format."""
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if not answer.content:
        return ""
    if "json" in kind:
        return json.dumps(answer.json(), ensure_ascii=False)
    if kind.startswith("text/"):
        return answer.text
    if kind == "application/vnd.mapbox-vector-tile":
        return json.dumps(mapbox_vector_tile.decode(answer.content), ensure_ascii=False, default=str)
    if kind.startswith("image/"):
        return ""
    file = folder / f"got.{re.search('f=([a-z]+)', path)[1]}"  # type: ignore[index]
    file.write_bytes(answer.content)
    if file.suffix == ".xlsx":
        book = openpyxl.load_workbook(file)
        return "\n".join(str(value) for sheet in book for row in sheet.iter_rows(values_only=True) for value in row)
    if file.suffix == ".parquet":
        return str(gpd.read_parquet(file).to_csv())
    frames = [pyogrio.read_dataframe(file, layer=name) for name, _ in pyogrio.list_layers(file)]
    return "\n".join(frame.to_csv() for frame in frames)


def test_each_route_that_reads_is_asked(county: County):
    assert set(paths_of(county)) == read_paths(county.live)
    assert len(county.foreign_words) > 500
    assert len(county.foreign_names) > 50


@pytest.mark.parametrize("room", ROOMS)
def test_no_route_tells_of_others(county: County, tmp_path: Path, room: str):
    told, statuses = [], {}
    for route, paths in paths_of(county).items():
        for path in paths if room_of(route) == room else ():
            answer = county.get(path)
            statuses.setdefault(route, set()).add(answer.status_code)
            text = f"{decoded(answer, path, tmp_path)} {json.dumps(dict(answer.headers))}"
            # What was asked is said again: that is the client's own word.
            leaks = {leak for leak in county.leaks(text) if leak not in path and quote(leak) not in path}
            if leaks or answer.status_code >= 500:
                told.append((path, answer.status_code, sorted(leaks)[:5]))
    assert told == []
    seen = {route for route, found in statuses.items() if found & {200, 204}}
    assert statuses.keys() - seen == {route for route in HIDDEN if room_of(route) == room}


def test_the_administrator_does_see_what_the_user_does_not(county: County):
    """Else the test above would prove nothing."""
    found = county.live.json("/collections/county.areas/items?limit=10000", headers=county.boss)
    assert len(county.leaks(json.dumps(found, ensure_ascii=False))) > 50
    assert county.live.get(f"/uploads/{county.ids['upload']}", headers=county.boss).status_code == 200
    assert county.live.get(f"/jobs/{county.ids['job']}", headers=county.boss).status_code == 200


@pytest.mark.parametrize("layer", ["areas", "cells", "grids", "units", "facilities", "gaps"])
def test_ground_ends_at_the_border(county: County, layer: str):
    features = county.get(f"/collections/county.{layer}/items?limit=10000").json()["features"]
    shapes = shapely.from_geojson([json.dumps(one["geometry"]) for one in features])
    assert len(shapes)
    outside = shapely.difference(shapes, shapely.buffer(county.own_ground, 1e-6))
    assert not [one["id"] for one, left in zip(features, outside, strict=True) if not left.is_empty]


@pytest.mark.parametrize("layer", ["areas", "cells", "grids", "units"])
def test_counts_are_of_the_township(county: County, layer: str):
    own = len(county.own(layer))
    assert 0 < own < len(getattr(county.plan, layer))
    assert county.get(f"/collections/county.{layer}/items?limit=1").json()["numberMatched"] == own
    box = ",".join(map(str, county.foreign_place.buffer(0.005).bounds))
    assert county.get(f"/collections/county.{layer}/items?bbox={box}").json()["numberMatched"] == 0
    bounds = county.get(f"/collections/county.{layer}").json()["extent"]["spatial"]["bbox"][0]
    assert shapely.box(*county.own_ground.bounds).buffer(1e-6).covers(shapely.box(*bounds))


def test_filters_over_what_is_hidden_find_nothing(county: County):
    foreign = sorted(county.foreign_words & set(county.plan.facilities["facility_id"]))
    columns = ["primary_outlet_id", *(name for name in county.plan.cells if re.fullmatch("nearest_.*_id", name))]
    own = county.own("cells")
    probed = 0
    for column in columns:
        named = sorted(set(own[column].dropna()) & set(foreign))
        probed += len(named)
        for outlet in named[:3]:
            for text in (f"{column} = '{outlet}'", f"{column} LIKE '{outlet[:3]}%' AND {column} >= '{outlet}'"):
                answer = county.get(f"/collections/county.cells/items?limit=1&filter={quote(text)}")
                matched = answer.json()["features"]
                assert county.leaks(json.dumps(matched)) == set()
            exact = county.get(f"/collections/county.cells/items?limit=1&filter={quote(f'{column} = {outlet!r}')}")
            assert exact.json()["numberMatched"] == 0
    assert probed, "cells of the township are served from elsewhere"


@pytest.mark.parametrize(
    ("foreign", "unknown"),
    [
        ("/collections/county.areas/items/990101102", "/collections/county.areas/items/990101999"),
        ("/collections/county.areas/items/990101", "/collections/county.areas/items/990102"),
        ("/uploads/{upload}", "/uploads/00000000000000000000000000000000"),
        ("/uploads/{upload}/preview", "/uploads/00000000000000000000000000000000/preview"),
        ("/jobs/{job}", "/jobs/00000000000000000000000000000000"),
        ("/jobs/{job}/results", "/jobs/00000000000000000000000000000000/results"),
        ("/jobs/{job}/events", "/jobs/00000000000000000000000000000000/events"),
        ("/plans/county/versions/3", "/plans/county/versions/9"),
    ],
)
def test_what_is_others_is_answered_as_if_it_were_not_there(county: County, foreign: str, unknown: str):
    answers = []
    for path in (foreign.format(**county.ids), unknown):
        answer = county.get(path)
        named = re.search(r"/(?:items|uploads|jobs|versions)/([^/]+)", path)[1]  # type: ignore[index]
        answers.append((answer.status_code, answer.text.replace(named, "X")))
    if "versions" not in foreign:
        assert answers[0] == answers[1]
        assert answers[0][0] == 404


def test_changes_of_a_plan_beyond_the_township_are_refused(county: County):
    before = [(one.number, one.status, one.lock_version) for one in county.live.store.versions("county")]
    tried = [
        county.live.post("/plans/county/publish", json={"version": 3, "lock_version": 1}, headers=county.headers),
        county.live.post("/plans/county/retire", json={"version": 1, "lock_version": 2}, headers=county.headers),
        county.live.client.delete("/plans/county/versions/3", headers={**county.headers, "If-Match": "*"}),
        county.live.client.patch("/plans/county", json={"name": "x"}, headers={**county.headers, "If-Match": "*"}),
        county.live.client.delete(f"/jobs/{county.ids['job']}", headers=county.headers),
        county.live.client.delete(f"/uploads/{county.ids['upload']}", headers=county.headers),
    ]
    assert not [answer.text for answer in tried if answer.status_code not in (403, 404)]
    assert [(one.number, one.status, one.lock_version) for one in county.live.store.versions("county")] == before
    assert county.live.get(f"/uploads/{county.ids['upload']}", headers=county.boss).status_code == 200


def test_another_s_upload_is_no_input(county: County):
    wanted = {"areas": {"upload": county.ids["upload"]}, "resolution": 7}
    refused = county.live.post("/processes/partition/execution", json={"inputs": wanted}, headers=county.headers)
    unknown = {"areas": {"upload": "0" * 32}, "resolution": 7}
    same = county.live.post("/processes/partition/execution", json={"inputs": unknown}, headers=county.headers)
    assert refused.status_code == same.status_code >= 400
    assert refused.text.replace(county.ids["upload"], "X") == same.text.replace("0" * 32, "X")


@pytest.mark.parametrize("path", ["/collections/county@1.grids/items", "/plans/county/rules?version=1"])
def test_what_a_client_keeps_does_not_outlive_the_reach(county: County, path: str):
    own, whole = county.get(path), county.live.get(path, headers=county.boss)
    assert (own.status_code, whole.status_code) == (200, 200)
    assert "immutable" in whole.headers["cache-control"]
    assert own.headers["cache-control"] == "private, no-cache"
    assert own.headers["etag"] != whole.headers["etag"]


@pytest.mark.parametrize("z", [5, 8, 11])
def test_sums_of_small_scales_are_of_the_township(county: County, z: int):
    x, y = tile_of(z, centre(county))
    demand = 0.0
    for column in (x - 1, x, x + 1):
        for row in (y - 1, y, y + 1):
            answer = county.get(f"/collections/county.cells/tiles/WebMercatorQuad/{z}/{row}/{column}")
            assert answer.status_code in (200, 204)
            for layer in mapbox_vector_tile.decode(answer.content).values() if answer.content else ():
                demand += sum(one["properties"].get("demand") or 0.0 for one in layer["features"])
    own, every = county.own("cells")["demand"].sum(), county.plan.cells["demand"].sum()
    assert demand > 0
    # What lies on the border of two tiles is in both.
    assert demand <= 4 * own < every
