"""Who serves a place: told at once for one and for many, in every datum, on borders and beyond all ground."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import shapely
from pyproj import Geod, Transformer

from gridmap.domain.plan import Plan
from gridmap.geometry.datum import bd09_from_gcj02, gcj02_from_wgs84
from live_service import Live

AT = "/plans/made/locate"
GEOD = Geod(ellps="WGS84")
INSIDE = (111.3, 30.8)


def asked(live: Live, lon: float, lat: float, **more: Any) -> dict[str, Any]:
    return live.json(AT, params={"lon": lon, "lat": lat, **more})


def test_a_place_is_told_who_serves_it(published: Live, plan: Plan):
    found = asked(published, *INSIDE)
    row = plan.cells[shapely.intersects(plan.cells.geometry.to_numpy(), shapely.Point(INSIDE))].iloc[0]

    assert found["inside"] is True
    assert (found["cell"]["cell_id"], found["cell"]["area_code"]) == (row["cell_id"], row["area_code"])
    assert found["cell"]["covered"] == row["covered"]
    assert found["unit"]["unit_code"] == row["unit_code"]
    assert found["grid"]["grid_code"] == row["grid_code"] == "990101001001001"
    assert found["super_grid"]["code"] == "990101000000001"
    assert found["sub_grid"]["code"] == row["sub_code"]
    assert [area["level"] for area in found["areas"]] == ["county", "village"]
    assert [area["name"] for area in found["areas"]] == ["虚构县", "东塆村"]
    assert found["people"]["manager"]["name"] == "王塆"
    assert [person["name"] for person in found["people"]["officers"]] == ["赵漷"]
    assert found["outlets"]["primary"]["facility_id"] == "A1"
    assert [outlet["facility_id"] for outlet in found["outlets"]["cooperating"]] == ["A;2"]
    assert found["jurisdiction"]["outlet_id"] == "A1"
    assert [node["name"] for node in found["jurisdiction"]["above"]] == ["城区管辖行", "示例银行"]
    assert (found["also"], found["ground"]) == ([], None)


def test_the_nearest_of_each_kind_is_measured_on_the_ellipsoid(published: Live, plan: Plan):
    for point in (INSIDE, (111.27, 30.78), (112.5, 31.5)):
        found = asked(published, *point)["nearest"]
        assert found.pop("self_service_terminal") is None
        for kind, facility in found.items():
            own = plan.facilities[plan.facilities["kind"] == kind]
            every = GEOD.inv(*np.broadcast_to(point, (len(own), 2)).T, own["lon"], own["lat"])[2]
            assert facility["facility_id"] == own["facility_id"].iloc[int(np.argmin(every))]
            assert facility["distance_m"] == pytest.approx(every.min(), abs=0.001)


def test_a_place_on_a_border_has_one_answer_and_lists_the_others(published: Live, plan: Plan):
    shapes = plan.cells.geometry.to_numpy()
    corners = np.unique(shapely.get_coordinates(shapes), axis=0)
    held = [np.flatnonzero(shapely.intersects(shapes, shapely.Point(corner))) for corner in corners]
    at = next(row for row, found in enumerate(held) if len(found) == 3)

    for _ in range(2):
        found = asked(published, *corners[at].tolist())
        told = [found["cell"]["cell_id"], *(other["cell_id"] for other in found["also"])]
        assert told == plan.cells["cell_id"].iloc[held[at]].tolist()


def test_a_place_beyond_is_told_how_far_the_ground_is(published: Live, plan: Plan):
    found = asked(published, 111.9, 30.8)

    assert found["inside"] is False
    assert (found["cell"], found["grid"], found["areas"]) == (None, None, [])
    ground = found["ground"]
    assert ground["distance_m"] == pytest.approx(GEOD.inv(111.9, 30.8, ground["lon"], ground["lat"])[2], abs=0.1)
    assert shapely.distance(plan.areas.geometry.iloc[0], shapely.Point(ground["lon"], ground["lat"])) < 2e-7
    assert found["nearest"]["branch"]["facility_id"] == "A1"


@pytest.mark.parametrize(
    "datum", ["wgs84", "cgcs2000", "gcj02", "BD-09", "EPSG:4326", "EPSG:4490", "EPSG:4546", "EPSG:3857"]
)
def test_the_same_place_in_every_datum(published: Live, datum: str):
    gcj = gcj02_from_wgs84(np.array([INSIDE]))
    given = {"gcj02": gcj[0], "BD-09": bd09_from_gcj02(gcj)[0]}.get(datum, np.array(INSIDE))
    if datum in ("EPSG:4546", "EPSG:3857"):
        given = np.array(Transformer.from_crs(4326, datum, always_xy=True).transform(*INSIDE))
    found = asked(published, *given.tolist(), datum=datum)

    expected = asked(published, *INSIDE)
    assert found["point"]["lon"] == pytest.approx(INSIDE[0], abs=2e-7)
    assert found["point"]["lat"] == pytest.approx(INSIDE[1], abs=2e-7)
    for name in ("cell", "grid", "people", "areas"):
        assert found[name] == expected[name]
    assert found["asked"]["lon"] == given[0]


def test_many_places_are_answered_as_each_alone(published: Live, plan: Plan):
    rng = np.random.default_rng(5)
    west, south, east, north = plan.cells.total_bounds
    points = rng.uniform((west - 0.02, south - 0.02), (east + 0.02, north + 0.02), (12, 2)).tolist()
    body = {"points": [{"id": f"p{row}", "lon": lon, "lat": lat} for row, (lon, lat) in enumerate(points)]}
    answer = published.post(AT, json=body)

    assert answer.status_code == 200, answer.text
    assert {place["inside"] for place in answer.json()["places"]} == {True, False}
    for row, (place, point) in enumerate(zip(answer.json()["places"], points, strict=True)):
        assert place.pop("id") == f"p{row}"
        alone = asked(published, *point)
        assert place == {name: alone[name] for name in place}


def test_a_thousand_places_and_no_more(published: Live):
    place = {"lon": INSIDE[0], "lat": INSIDE[1]}
    assert len(published.post(AT, json={"points": [place] * 1000}).json()["places"]) == 1000
    for points in ([place] * 1001, []):
        assert published.post(AT, json={"points": points}).status_code == 400


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("lon=111", "lat"),
        ("", "lon"),
        ("lon=abc&lat=30", "abc"),
        ("lon=nan&lat=30", "nan"),
        ("lon=inf&lat=30", "inf"),
        ("lon=1e999&lat=30", "inf"),
        ("lon=181&lat=30", "181"),
        ("lon=30.8&lat=111.3", "111.3"),
        ("lon=111&lat=30&datum=mars", "mars"),
        ("lon=111&lat=30&datum=EPSG:999999", "999999"),
        ("lon=1e300&lat=1e300&datum=EPSG:4546", "Earth"),
        ("lon=111&lat=30&version=0", "version"),
        ("lon=111&lat=30&radius=5", "radius"),
    ],
)
def test_what_is_no_place_is_refused(published: Live, query: str, said: str):
    answer = published.get(f"{AT}?{query}")
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.text


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "body",
    [
        {"points": [{"lon": "111", "lat": 30}]},
        {"points": [{"lon": 111}]},
        {"points": [{"lon": 111, "lat": 30, "height": 2}]},
        {"points": [{"lon": 500, "lat": 30}]},
        {"points": [{"lon": True, "lat": 30}]},
        {"points": [{"lon": 111, "lat": 30}], "datum": "mars"},
        {"points": {"lon": 111, "lat": 30}},
    ],
)
def test_places_that_are_none_are_refused(published: Live, body: dict[str, Any]):
    assert published.post(AT, json=body).status_code == 400


def test_a_scope_is_told_of_no_place_beyond_it(published: Live, plan: Plan, account: Callable[..., dict[str, str]]):
    town = account("viewer", ("990101001",))
    village = plan.areas.set_index("area_code").geometry.loc["990101002001"]
    point = shapely.point_on_surface(village)
    beyond = published.get(AT, params={"lon": point.x, "lat": point.y}, headers=town)

    assert beyond.json()["inside"] is False
    assert beyond.json()["ground"]["distance_m"] > 0
    for foreign in ("990101002", "北墘村", "虚构县"):
        assert foreign not in beyond.text
    own = published.get(AT, params={"lon": INSIDE[0], "lat": INSIDE[1]}, headers=town).json()
    assert own["inside"] is True
    assert [area["name"] for area in own["areas"]] == ["东塆村"]
