"""Tiers, the village rule and presets on made ground, against what is plain to see."""

from __future__ import annotations

import numpy as np
import pytest

from gridmap.domain.kinds import AreaLevel, FacilityKind
from gridmap.errors import BadValue, UnreadableFile, UsageError
from gridmap.inputs.presets import preset_named, read_presets
from gridmap.planning.access.standing import Standing
from gridmap.planning.access.tiers import cash_points_on_urban_ground, tier, villages_without_cash_point
from gridmap.planning.access.verdicts import judge
from gridmap.planning.service.reach import GEOD
from gridmap.planning.what_ifs.changes import Close, Move, Open, changed

OWN = """
[ours]
name.en = "Ours"
name.zh = "本行"
test = "reach"
kinds = ["branch"]
radius_m = [[1000, 2000]]
share = 0.5
"""


@pytest.fixture(scope="module")
def standing(plan):
    return Standing.of(plan)


def reached(standing, kinds, urban_m, rural_m):
    """Demand of the cells that have one of the kinds within reach, one cell after the other."""
    total, terrain = 0.0, standing.terrain
    frame = standing.frame[standing.frame["kind"].isin(kinds)]
    for row, settlement in enumerate(terrain.ground.settlement):
        limit = rural_m if settlement == 2 else urban_m
        here = terrain.ground.points.lon[row], terrain.ground.points.lat[row]
        far = [GEOD.inv(*here, lon, lat)[2] for lon, lat in zip(frame["lon"], frame["lat"], strict=True)]
        total += terrain.demand[row] if min(far, default=np.inf) <= limit else 0.0
    return total


def test_a_place_has_a_tier_of_service_when_a_facility_stands_in_it(standing, plan):
    stands = {}
    for kind, lon, lat in plan.facilities[["kind", "lon", "lat"]].itertuples(index=False):
        row = int(standing.terrain.locate(np.array([lon]), np.array([lat]))[0])
        stands.setdefault(kind, set()).add(plan.cells["area_code"][row])
    villages = plan.areas.loc[plan.areas["level"] == "village", "area_code"]
    for kind in FacilityKind:
        found = tier(standing, AreaLevel.VILLAGE, [kind])
        assert set(found.lacking) == set(villages) - stands.get(kind.value, set())
        assert list(found.lacking_demand) == sorted(found.lacking_demand, reverse=True)
        assert found.demand_share == pytest.approx(1 - sum(found.lacking_demand) / plan.cells["demand"].sum())
    assert tier(standing, AreaLevel.TOWNSHIP, list(FacilityKind)) is None


def test_rural_villages_without_a_cash_point_are_listed_with_the_nearest(standing, plan):
    rural, found = villages_without_cash_point(standing)
    assert rural == 2
    assert found[-1].code == "990101002001"
    assert found[-1].nearest == "D2"
    there = plan.cells[plan.cells["area_code"] == "990101002001"]
    row = there.sort_values(["demand", "area_m2"], ascending=False, kind="stable").index[0]
    here = standing.terrain.ground.points.lon[row], standing.terrain.ground.points.lat[row]
    point = plan.facilities.set_index("facility_id").loc["D2"]
    assert found[-1].distance_m == pytest.approx(GEOD.inv(*here, point["lon"], point["lat"])[2], abs=1e-5)
    _, none = villages_without_cash_point(changed(standing, [Close("D2")]))
    assert [(one.nearest, one.distance_m) for one in none] == [(None, None)] * 2


def test_a_cash_point_in_town_is_named(standing, plan):
    town = plan.cells[plan.cells["settlement"] == "urban"].geometry.representative_point().iloc[0]
    assert cash_points_on_urban_ground(changed(standing, [Move("D2", town.x, town.y)])) == ["D2"]
    country = plan.cells[plan.cells["settlement"] == "rural"].geometry.representative_point().iloc[0]
    assert cash_points_on_urban_ground(changed(standing, [Move("D2", country.x, country.y)])) == []


@pytest.mark.parametrize("name", ["uk_cash", "walking"])
def test_a_preset_of_reach_counts_people_cell_by_cell(standing, plan, name):
    preset = read_presets()[name]
    found = judge(standing, name, preset)
    whole = plan.cells["demand"].sum()
    for step, (urban_m, rural_m) in zip(found.steps, preset.radius_m, strict=True):
        assert step.demand_share == pytest.approx(reached(standing, preset.kinds, urban_m, rural_m) / whole)
    assert sum(one.demand for one in found.named) == pytest.approx(found.steps[-1].missing_demand)
    assert found.holds is (None if preset.share is None else found.steps[-1].demand_share >= preset.share)


def test_a_share_is_judged_by_the_last_step(standing, tmp_path):
    file = tmp_path / "own.toml"
    file.write_text(OWN, encoding="utf-8")
    preset = read_presets(file)["ours"]
    share = judge(standing, "ours", preset).steps[-1].demand_share
    assert 0 < share < 1
    for asked, holds in ((share, True), (min(1.0, share + 0.01), False)):
        assert judge(standing, "ours", preset.model_copy(update={"share": asked})).holds is holds


def test_an_atm_stands_alone_until_another_is_near(standing):
    preset = read_presets()["protected_atm"].model_copy(update={"kinds": [FacilityKind.ATM]})
    assert [one.code for one in judge(standing, "x", preset).named] == ["D1"]
    lon, lat = 111.30, 30.80
    x, y, _ = GEOD.fwd(lon, lat, 90, 999.9)
    near = changed(standing, [Open(x, y, FacilityKind.ATM)])
    assert judge(near, "x", preset).named == ()
    x, y, _ = GEOD.fwd(lon, lat, 90, 1000.1)
    far = judge(changed(standing, [Open(x, y, FacilityKind.ATM)]), "x", preset)
    assert sorted(one.code for one in far.named) == ["D1", "new-1"]
    assert sum(one.demand for one in far.named) == pytest.approx(standing.terrain.demand.sum())


def test_two_tiers_name_the_villages_that_lack_the_service(standing):
    found = judge(standing, "two_tier", read_presets()["two_tier"])
    assert [step.level for step in found.steps] == ["village"]
    assert (found.holds, [one.code for one in found.named]) == (False, ["990101002001"])


def test_presets_of_a_file_go_before_those_that_come_along(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text(OWN.replace("[ours]", "[uk_cash]"), encoding="utf-8")
    found = read_presets(file)
    assert set(found) == {"uk_cash", "protected_atm", "walking", "two_tier"}
    assert found["uk_cash"].name.en == "Ours"
    with pytest.raises(UsageError, match="nearest is walking"):
        preset_named(found, "walk")


@pytest.mark.parametrize(
    ("text", "leaf", "words"),
    [
        ("", UnreadableFile, "empty"),
        ("# nothing\n", BadValue, "no table"),
        ("[ours\n", UnreadableFile, "line 1"),
        (OWN.replace("kinds", "kind"), BadValue, "kinds"),
        (OWN.replace('"branch"', '"bank"'), BadValue, "ours.kinds"),
        (OWN.replace("radius_m = [[1000, 2000]]\n", ""), BadValue, "at least one radius"),
        (OWN.replace("0.5", "1.5"), BadValue, "ours.share"),
        (OWN.replace('"reach"', '"tiers"'), BadValue, "takes no radius"),
        ("share = 1\n", BadValue, "share"),
    ],
)
def test_a_presets_file_that_is_none_is_refused_by_name_and_key(tmp_path, text, leaf, words):
    file = tmp_path / "own.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(leaf) as refused:
        read_presets(file)
    assert words in str(refused.value)
    assert "own.toml" in str(refused.value)
    assert "{" not in refused.value.message("zh")
