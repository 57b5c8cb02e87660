"""Real road files of OpenStreetMap from end to end: equal to a plain search, and a plan along streets."""

from __future__ import annotations

import heapq
import os
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely

from gridmap.cli import main
from gridmap.domain.plan_settings import RoadSource
from gridmap.domain.roads import Measure, RoadLines
from gridmap.exports.plan_directory import load_plan
from gridmap.inputs.roads import read_roads
from gridmap.planning.network import NetworkReach, road_graph
from gridmap.planning.service.reach import GEOD, EarthPoints, distances

DATA = os.environ.get("GRIDMAP_REAL_DATA")
pytestmark = pytest.mark.skipif(DATA is None, reason="GRIDMAP_REAL_DATA names no folder")
FILES = {
    "liechtenstein-2013-08-03.osm.pbf": (9.47, 47.05, 9.64, 47.27),
    "porto_alegre.osm.pbf": (-51.27, -30.11, -51.13, -29.99),
}


def plain_search(roads: RoadLines, measure: Measure, goal: tuple[float, float]) -> dict[tuple[float, float], float]:
    """Cost from every vertex to one of them, by a heap over the single segments as they stand in the file."""
    backwards = defaultdict(list)
    for shape, forward, backward, speed in zip(
        roads.shapes, roads.forward, roads.backward, roads.speed_kmh, strict=True
    ):
        places = [tuple(place) for place in np.round(shapely.get_coordinates(shape), 7).tolist()]
        for here, there in pairwise(places):
            metres = GEOD.inv(*here, *there)[2]
            cost = metres if measure is Measure.METRES else metres / (speed * 1000 / 60)
            if forward:
                backwards[there].append((here, cost))
            if backward:
                backwards[here].append((there, cost))
    found: dict[tuple[float, float], float] = {}
    heap = [(0.0, goal)]
    while heap:
        cost, place = heapq.heappop(heap)
        if place not in found:
            found[place] = cost
            for other, more in backwards[place]:
                heapq.heappush(heap, (cost + more, other))
    return found


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize(("profile", "measure"), [("walking", Measure.METRES), ("driving", Measure.MINUTES)])
def test_ways_in_real_streets_are_those_of_a_plain_search(file: str, profile: str, measure: Measure) -> None:
    assert DATA is not None
    source = RoadSource(path=file, profile=profile)
    roads, warnings = read_roads(source, Path(DATA), np.array([shapely.box(*FILES[file])]), np.empty((0, 2)))
    assert warnings == ()
    graph = road_graph(roads, measure)
    rng = np.random.default_rng(7)
    start = graph.nodes[rng.choice(len(graph.nodes), 200, replace=False)]
    goals = graph.nodes[rng.choice(len(graph.nodes), 3, replace=False)]

    reach = NetworkReach(graph)
    pairs = reach.within(EarthPoints(*start.T), EarthPoints(*goals.T), np.full(3, np.inf))

    got = np.full((200, 3), np.inf)
    got[pairs.point, pairs.facility] = pairs.distance_m
    expected = np.array(
        [
            [found.get(tuple(np.round(place, 7).tolist()), np.inf) for found in searches]
            for searches in [[plain_search(roads, measure, tuple(np.round(goal, 7).tolist())) for goal in goals]]
            for place in start
        ]
    )
    # Of three places some lead nowhere: half of the ways there are is enough to compare.
    assert np.isfinite(expected).mean() > 0.5
    assert got == pytest.approx(expected, rel=1e-6, abs=1e-2)


@pytest.mark.slow
def test_a_plan_of_porto_alegre_along_its_streets(tmp_path: Path) -> None:
    assert DATA is not None
    cells = pd.read_csv(Path(DATA) / "porto_alegre_h3r9_population.csv")
    middle = cells[cells.lon.between(-51.24, -51.17) & cells.lat.between(-30.07, -30.02)]
    middle[["lon", "lat", "population"]].to_csv(tmp_path / "people.csv", index=False)
    busiest = middle.nlargest(9, "jobs")
    busiest.assign(kind="branch", name="made up").to_csv(tmp_path / "outlets.csv", index=False)
    area = shapely.to_geojson(shapely.box(-51.24, -30.07, -51.17, -30.02))
    feature = '{"type":"Feature","properties":{"area_code":"POA1"},"geometry":' + area + "}"
    (tmp_path / "area.geojson").write_text('{"type":"FeatureCollection","features":[' + feature + "]}")
    (tmp_path / "roads.osm.pbf").symlink_to(Path(DATA) / "porto_alegre.osm.pbf")
    (tmp_path / "plan.toml").write_text(
        '[plan]\nname = "Porto Alegre"\n[areas.township]\npath = "area.geojson"\n'
        '[facilities.outlets]\npath = "outlets.csv"\n[demand]\npath = "people.csv"\nvalue = "population"\n'
        '[roads]\npath = "roads.osm.pbf"\n[grids]\nbase = "cell"\n[coverage]\ndistance = "network"\n'
        "[coverage.radius_m]\nbranch = [1000, 1000]\n"
    )
    with pytest.raises(SystemExit) as ended:
        main(["plan", str(tmp_path / "plan.toml"), "-o", str(tmp_path / "out"), "--quiet"])
    assert ended.value.code in (0, None)

    plan = load_plan(tmp_path / "out")
    way_m = plan.cells["nearest_branch_m"].to_numpy(dtype=float)
    reached = np.isfinite(way_m)
    cells = plan.cells[reached]
    sites = plan.facilities.set_index("facility_id").loc[cells["nearest_branch_id"]]
    here, there = (
        EarthPoints(*shapely.get_coordinates(frame.geometry.centroid.to_numpy()).T)
        for frame in (cells.set_crs(None, allow_override=True), sites.set_crs(None, allow_override=True))
    )
    rows = np.arange(len(cells))
    crow_m = distances(here, rows, there, rows)
    assert reached.mean() > 0.95
    # Cells at the rim are stood for by another place than their middle.
    assert (way_m[reached] >= crow_m - 0.01).mean() > 0.99
    assert 1.1 < np.median(way_m[reached] / crow_m) < 1.8
    assert (plan.cells["covered"] == (way_m <= 1000)).all()
    assert any("measured along" in warning for warning in plan.report["warnings"])
