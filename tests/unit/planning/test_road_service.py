"""Coverage and assignment along roads: by the way, not by the crow; and what is said of who has no way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely

from gridmap.domain.plan_settings import CoverageSection, GridSection, RoadSource
from gridmap.domain.roads import RoadLines
from gridmap.errors import BadValue
from gridmap.planning.pipeline import build_plan

WEST, EAST, LAT = 111.0, 111.15, 30.025


def roads(*lines: list[tuple[float, float]], speed: float = 5.0) -> RoadLines:
    count = len(lines)
    shapes = np.array([shapely.LineString(line) for line in lines], dtype=object)
    return RoadLines(shapes, np.ones(count, bool), np.ones(count, bool), np.full(count, speed), "roads.gpkg")


@pytest.fixture
def planned(plan_settings, two_villages):
    def make(network: RoadLines, radius_m: float | None = None, **source: object):
        settings = plan_settings(
            grids=GridSection(base="village"),
            coverage=CoverageSection(distance="network", radius_m={"branch": (20_000.0, 20_000.0)}),
        )
        settings = settings.model_copy(update={"roads": RoadSource(path="roads.gpkg", max_off_m=6000, **source)})
        facilities = two_villages.facilities.assign(service_radius_m=np.nan if radius_m is None else radius_m)
        return build_plan(settings, replace(two_villages, network=network, facilities=facilities))

    return make


def test_a_detour_decides_who_is_reached(planned):
    straight = planned(roads([(WEST, LAT), (EAST, LAT)]), 9_000.0)
    detour = planned(
        roads([(WEST, LAT), (111.05, LAT), (111.05, 30.2), (111.06, 30.2), (111.06, LAT), (EAST, LAT)]), 9_000.0
    )

    assert straight.cells["covered"].sum() > detour.cells["covered"].sum() > 0
    assert detour.cells["nearest_branch_m"].max() > 38_000
    assert set(detour.cells["covered_share"]) == {0.0, 1.0}
    assert (detour.cells["covered_share"] == detour.cells["covered"]).all()
    assert detour.gaps["demand"].sum() == detour.cells.loc[~detour.cells["covered"], "demand"].sum()
    assert (detour.assignments["distance_m"] > straight.assignments["distance_m"] - 1).all()
    assert detour.assignments["distance_m"].max() > straight.assignments["distance_m"].max() + 30_000


def test_who_has_no_road_and_whose_road_leads_nowhere_is_named(planned):
    near_only = planned(roads([(WEST, LAT), (111.03, LAT)]))
    apart = planned(roads([(WEST, LAT), (111.05, LAT)], [(111.06, LAT), (EAST, LAT)]))

    off, cut = (
        next(text for text in plan.report["warnings"] if said in text)
        for plan, said in ((near_only, "no road within 6,000 m"), (apart, "none that leads to a facility"))
    )
    assert "300 people" in off
    assert "name of 990101001002" in off
    assert "300 people" in cut
    assert near_only.cells["nearest_branch_m"].isna().any()
    assert not near_only.cells.loc[near_only.cells["area_code"] == "990101001002", "covered"].all()


def test_minutes_decide_where_asked_and_metres_are_still_told(planned):
    network = roads([(WEST, LAT), (EAST, LAT)], speed=60.0)
    by_metres = planned(network)
    by_minutes = planned(network, measure="minutes", minutes={"branch": (20.0, 20.0)})

    assert by_metres.cells["covered"].all()
    assert 0 < by_minutes.cells["covered"].sum() < len(by_minutes.cells)
    assert by_minutes.cells["nearest_branch_m"].tolist() == by_metres.cells["nearest_branch_m"].tolist()
    farthest_m = by_minutes.cells.loc[by_minutes.cells["covered"], "nearest_branch_m"].max()
    assert 3_000 < farthest_m <= 20_000


def test_minutes_that_are_not_given_are_asked_for(planned):
    with pytest.raises(BadValue) as refused:
        planned(roads([(WEST, LAT), (EAST, LAT)]), measure="minutes")
    assert refused.value.key == "roads.no_minutes"
    # A facility with a radius of its own needs none.
    assert planned(roads([(WEST, LAT), (EAST, LAT)]), 5_000.0, measure="minutes").cells["covered"].any()


def test_how_far_off_the_roads_things_lie_is_said(planned):
    said = next(
        text for text in planned(roads([(WEST, LAT), (EAST, LAT)])).report["warnings"] if "measured along" in text
    )
    assert "1 roads of roads.gpkg, on foot" in said
    assert "facilities 554 m / 554 m / 554 m" in said
