"""What planners ask of a plan is answered with its own figures, in reach only, the same on both stores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
import shapely

from gridmap.domain.kinds import FacilityKind
from gridmap.domain.plan import Plan
from gridmap.exports.json_file import write_json
from live_service import Live

AT = "/plans/made"


def close(found: Any, expected: Any) -> bool:
    return found is None if expected is None else found == pytest.approx(expected, rel=1e-8)


def test_coverage_is_that_of_the_indicators(published: Live, plan: Plan):
    found = published.json(f"{AT}/coverage")
    figures = plan.indicators["coverage"]

    names = ("cells", "demand", "area_m2", "covered_demand_share", "covered_area_share", "covered_cells_share")
    assert all(close(found["all"][name], figures["all"][name]) for name in names)
    by_class = {entry["settlement"]: entry for entry in found["by_settlement"]}
    assert set(by_class) == {"urban", "rural"}
    for settlement, entry in by_class.items():
        assert all(close(entry[name], figures[settlement][name]) for name in names)
    by_kind = {entry["kind"]: entry for entry in found["by_kind"]}
    assert set(by_kind) == set(FacilityKind)
    for kind, entry in by_kind.items():
        there = plan.indicators["coverage_by_kind"][kind]["all"]
        assert all(close(entry[name], there[name]) for name in names[3:]), kind


def test_coverage_of_areas_and_grids_comes_worst_first_with_names(published: Live, plan: Plan):
    found = published.json(f"{AT}/coverage")
    cells = plan.cells
    for group, key, names in (
        ("grid", "grid_code", dict(zip(plan.grids["grid_code"], plan.grids["name"], strict=True))),
        ("village", "area_code", dict(zip(plan.areas["area_code"], plan.areas["name"], strict=True))),
    ):
        entries = found[f"by_{group}"]
        shares = [entry["covered_demand_share"] for entry in entries]
        assert shares == sorted(shares)
        assert shares[0] < 1
        assert found[f"{group}_count"] == len(entries) == 3
        for entry in entries:
            own = cells[cells[key] == entry[key]]
            assert entry["name"] == names[entry[key]]
            assert entry["demand"] == pytest.approx(own["demand"].sum())
            assert close(entry["covered_demand_share"], own["demand"][own["covered"]].sum() / own["demand"].sum())
    assert [entry["area_code"] for entry in found["by_county"]] == ["990101"]
    assert found["by_county"][0]["cells"] == len(cells)
    assert found["by_township"] == []


def test_one_list_alone_comes_in_pages(published: Live):
    whole = published.json(f"{AT}/coverage?by=grid")
    assert [name for name in whole if name.startswith("by_")] == ["by_grid"]
    pages = [published.json(f"{AT}/coverage?by=grid&limit=2&offset={offset}")["by_grid"] for offset in (0, 2)]
    assert [*pages[0], *pages[1]] == whole["by_grid"]


def test_gaps_say_where_they_are_and_what_is_nearest(published: Live, plan: Plan):
    found = published.json(f"{AT}/gaps", headers={"Accept-Language": "zh"})

    assert (found["numberMatched"], found["numberReturned"]) == (1, 1)
    gap = found["gaps"][0]
    assert {name: gap[name] for name in plan.gaps.columns if name != "geometry"} == {
        name: plan.gaps[name].iloc[0] for name in plan.gaps.columns if name != "geometry"
    }
    assert [area["name"] for area in gap["areas"]] == ["虚构县", "北墘村"]
    assert gap["nearest_facility_name"] == "=1+1"
    assert "geometry" not in gap

    collection = published.get(f"{AT}/gaps?f=geojson")
    assert collection.headers["content-type"] == "application/geo+json"
    feature = collection.json()["features"][0]
    shape = shapely.from_geojson(httpx.Response(200, json=feature["geometry"]).text)
    assert shapely.equals(shape, plan.gaps.geometry.iloc[0])
    assert feature["properties"]["areas"] == "虚构县 北墘村"


def test_a_plan_without_gaps_has_none(live: Live, make_plan: Callable[..., Plan]):
    live.store.publish(live.store.add_version("made", make_plan(gaps=False), who="test"), who="test")
    assert live.json(f"{AT}/gaps")["gaps"] == []
    assert live.json(f"{AT}/gaps?f=geojson")["features"] == []


def test_rules_name_and_place_what_breaks_them_and_say_what_mends_it(published: Live, plan: Plan):
    said = {lang: published.json(f"{AT}/rules", headers={"Accept-Language": lang})["rules"] for lang in ("en", "zh")}
    rules = {rule["rule"]: rule for rule in said["en"]}

    assert [rule["rule"] for rule in said["en"]] == [rule.rule for rule in plan.rules]
    assert [rules[rule.rule]["holds"] for rule in plan.rules] == [rule.holds for rule in plan.rules]
    assert [rules[rule.rule]["broken"] for rule in plan.rules] == [len(rule.broken_by) for rule in plan.rules]
    broken = rules["rural_cash_point_per_village"]
    place = broken["broken_by"][0]
    assert (place["code"], place["name"]) == ("990101002001", "北墘村")
    village = plan.areas.set_index("area_code").geometry.loc["990101002001"]
    assert shapely.contains(village, shapely.Point(place["lon"], place["lat"]))
    outlet = rules["capacity_not_exceeded"]["broken_by"][0]
    assert outlet == {"code": "A1", "name": "中心支行", "lon": 111.315, "lat": 30.79}
    assert broken["mend"]
    assert rules["grids_do_not_overlap"]["mend"] is None
    for english, chinese in zip(said["en"], said["zh"], strict=True):
        assert english["name"] != chinese["name"]
        assert english["broken_by"] == chinese["broken_by"]


def test_documents_are_those_of_the_plan(published: Live, plan: Plan, tmp_path):
    assert published.json(f"{AT}/indicators")["indicators"] == plan.indicators
    write_json(tmp_path / "certificate.json", plan.certificate)
    assert published.get(f"{AT}/certificate").content == (tmp_path / "certificate.json").read_bytes()


@pytest.mark.parametrize("finding", ["coverage", "gaps", "indicators", "rules", "certificate"])
def test_findings_are_of_the_version_asked_and_kept_where_that_is_final(published: Live, finding: str):
    path = f"{AT}/{finding}"
    current, first, draft = (published.get(f"{path}{asked}") for asked in ("", "?version=1", "?version=2"))

    assert [answer.status_code for answer in (current, first, draft)] == [200, 200, 200]
    assert "immutable" in first.headers["cache-control"]
    for answer in (current, draft):
        assert "no-cache" in answer.headers["cache-control"]
    assert draft.headers["etag"] != first.headers["etag"]
    if finding != "certificate":
        assert (current.json()["version"], draft.json()["version"]) == (1, 2)
    again = published.get(path, headers={"If-None-Match": current.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert published.get(f"{path}?version=3").status_code == 404
    assert published.get(f"/plans/none/{finding}").status_code == 404
    assert published.get(f"{path}?version=x").status_code == 400
    assert published.get(f"{path}?colour=red").status_code == 400


def test_a_scope_is_told_of_its_own_ground_alone(published: Live, plan: Plan, account: Callable[..., dict[str, str]]):
    town = account("viewer", ("990101001",))
    asked = {name: published.get(f"{AT}/{name}", headers=town) for name in ("coverage", "gaps", "rules")}

    own = plan.cells[plan.cells["area_code"].str.startswith("990101001")]
    coverage = asked["coverage"].json()
    assert coverage["all"]["demand"] == pytest.approx(own["demand"].sum())
    assert {entry["area_code"] for entry in coverage["by_village"]} == set(own["area_code"])
    assert coverage["by_county"] == []
    assert {entry["covered_area_share"] for entry in coverage["by_kind"]} == {None}
    assert asked["gaps"].json()["gaps"] == []
    for answer in asked.values():
        assert answer.status_code == 200
        for foreign in ("990101002", "北墘村", "虚构县"):
            assert foreign not in answer.text
    for name in ("indicators", "certificate", "export?f=xlsx"):
        assert published.get(f"{AT}/{name}", headers=town).status_code == 404
    handed = published.get(f"{AT}/export?f=geojson", headers=town).json()
    assert {one["properties"]["cell_id"] for one in handed["features"]} == set(own["cell_id"])
