"""Ways along roads are those that a plain search finds on the same roads, whatever they look like."""

from __future__ import annotations

import heapq
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from gridmap.planning.network import Measure, NetworkReach, RoadGraph, RoadLines, road_graph
from gridmap.planning.network.routing import WALKING_M_PER_MIN
from gridmap.planning.service.reach import EarthPoints

GEOD = Geod(ellps="WGS84")
WEST, SOUTH, STEP = 111.3, 30.8, 0.004


def oracle(roads: RoadLines, measure: Measure, reach: NetworkReach, points: EarthPoints, sites: EarthPoints):
    """Cost from every point to every site by a plain Dijkstra over all vertices, spots cut into their segments."""
    arcs: dict[tuple[float, float] | tuple[str, int], list[tuple[object, float]]] = {}

    def join(tail: object, head: object, cost: float) -> None:
        arcs.setdefault(tail, []).append((head, cost))

    def cost_of(metres: float, speed: float) -> float:
        return metres if measure is Measure.METRES else metres / (speed * 1000 / 60)

    segments = []
    for number, line in enumerate(roads.shapes):
        for one, two in pairwise([tuple(np.round(xy, 7)) for xy in line.coords]):
            if one != two and (roads.forward[number] or roads.backward[number]):
                segments.append((one, two, number))
    on_segment: dict[int, list[tuple[float, object]]] = {}
    graph = reach.graph
    both = {("p", row): spot for row, spot in enumerate(spots_of(reach, points))}
    both |= {("s", row): spot for row, spot in enumerate(spots_of(reach, sites))}
    for name, (edge, along, _) in both.items():
        if edge < 0:
            continue
        mine = np.flatnonzero(graph.segment_edge == edge)
        metres = along * graph.length_m[edge]
        last = mine[np.searchsorted(graph.segment_from_m[mine], metres, side="right") - 1]
        ends = tuple(map(tuple, np.round(graph.segment_points[last], 7)))
        number = next(row for row, (one, two, _) in enumerate(segments) if (one, two) == ends)
        share = (metres - graph.segment_from_m[last]) / graph.segment_m[last]
        on_segment.setdefault(number, []).append((min(max(share, 0.0), 1.0), name))
    for number, (one, two, line) in enumerate(segments):
        metres = GEOD.inv(*one, *two)[2]
        stops = [(0.0, one), *sorted(on_segment.get(number, []), key=lambda stop: stop[0]), (1.0, two)]
        for (before, here), (after, there) in pairwise(stops):
            cost = cost_of((after - before) * metres, roads.speed_kmh[line])
            at_one_spot = (after - before) * metres <= 1e-6
            if roads.forward[line] or at_one_spot:
                join(here, there, cost)
            if roads.backward[line] or at_one_spot:
                join(there, here, cost)
    table = np.full((len(points), len(sites)), np.inf)
    for row in range(len(points)):
        best = {("p", row): 0.0}
        queue = [(0.0, 0, ("p", row))]
        order = 1
        while queue:
            cost, _, here = heapq.heappop(queue)
            if cost > best.get(here, np.inf):
                continue
            for there, more in arcs.get(here, ()):
                if cost + more < best.get(there, np.inf):
                    best[there] = cost + more
                    heapq.heappush(queue, (cost + more, order, there))
                    order += 1
        for site in range(len(sites)):
            off = both["p", row][2] + both["s", site][2]
            walked = off if measure is Measure.METRES else off / WALKING_M_PER_MIN
            if both["p", row][0] >= 0 and both["s", site][0] >= 0:
                table[row, site] = best.get(("s", site), np.inf) + walked
    return table


def spots_of(reach: NetworkReach, points: EarthPoints) -> list[tuple[int, float, float]]:
    spots = reach.spots(points)
    return list(zip(spots.edge.tolist(), spots.along.tolist(), spots.off_m.tolist(), strict=True))


def drawn(*lines: list[tuple[int, int]], **ways: list) -> RoadLines:
    """Roads over a raster of places, a step some 400 m."""
    count = len(lines)
    shapes = [shapely.LineString([(WEST + x * STEP, SOUTH + y * STEP) for x, y in line]) for line in lines]
    return RoadLines(
        np.array(shapes, dtype=object),
        np.array(ways.get("forward", [True] * count)),
        np.array(ways.get("backward", [True] * count)),
        np.array(ways.get("speed", [30.0] * count)),
    )


def at(*places: tuple[float, float]) -> EarthPoints:
    xy = np.array(places, dtype=np.float64).reshape(-1, 2)
    return EarthPoints(WEST + xy[:, 0] * STEP, SOUTH + xy[:, 1] * STEP)


spot = st.tuples(st.floats(-1, 5), st.floats(-1, 5))


@st.composite
def networks(draw: st.DrawFn) -> RoadLines:
    """Draw roads from corner to corner of a raster, one-way ones among them; segments never run twice."""
    taken: set[frozenset[tuple[int, int]]] = set()
    lines, ways = [], []
    for _ in range(draw(st.integers(1, 6))):
        line = draw(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=5))
        kept = [line[0]]
        for place in line[1:]:
            if place != kept[-1] and frozenset((kept[-1], place)) not in taken:
                taken.add(frozenset((kept[-1], place)))
                kept.append(place)
        if len(kept) > 1:
            lines.append(kept)
            way = draw(st.sampled_from([(True, True), (True, False), (False, True)]))
            ways.append((*way, draw(st.sampled_from([5.0, 30.0, 60.0]))))
    if not lines:
        return drawn([(0, 0), (1, 0)])
    forward, backward, speed = map(list, zip(*ways, strict=True))
    return drawn(*lines, forward=forward, backward=backward, speed=speed)


@given(
    networks(),
    st.lists(spot, min_size=1, max_size=6),
    st.lists(spot, min_size=1, max_size=4),
    st.sampled_from(list(Measure)),
    st.floats(0, 3000),
)
@settings(max_examples=150, deadline=None)
def test_costs_are_those_of_a_plain_search(roads, points, sites, measure, most):
    reach = NetworkReach(road_graph(roads, measure), most_off_m=1500)
    people, facilities = at(*points), at(*sites)
    expected = oracle(roads, measure, reach, people, facilities)

    index, cost = reach.nearest(people, facilities)
    pairs = reach.within(people, facilities, np.full(len(facilities), np.inf))

    assert cost == pytest.approx(expected.min(axis=1), rel=1e-9, abs=1e-6)
    assert [row < 0 for row in index] == [not np.isfinite(best) for best in cost]
    found = np.full(expected.shape, np.inf)
    found[pairs.point, pairs.facility] = pairs.distance_m
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-6)
    near = reach.within(people, facilities, np.full(len(facilities), most))
    far_from_edge = np.abs(expected - most) > 1e-6
    flags = np.zeros(expected.shape, bool)
    flags[near.point, near.facility] = True
    assert (flags == (expected <= most))[far_from_edge].all()


def test_two_on_one_road_do_not_go_round_by_its_ends():
    reach = NetworkReach(road_graph(drawn([(0, 0), (4, 0)]), Measure.METRES))

    cost = reach.nearest(at((1, 0)), at((2, 0)))[1]

    assert cost[0] == pytest.approx(GEOD.inv(WEST + STEP, SOUTH, WEST + 2 * STEP, SOUTH)[2], abs=1e-3)


def test_against_a_one_way_road_the_way_leads_round_the_block():
    block = drawn([(0, 0), (2, 0)], [(2, 0), (2, 2), (0, 2), (0, 0)], backward=[False, True])
    reach = NetworkReach(road_graph(block, Measure.METRES))
    with_it, against_it = (
        reach.nearest(at(one), at(other))[1][0] for one, other in (((0.5, 0), (1.5, 0)), ((1.5, 0), (0.5, 0)))
    )

    assert with_it == pytest.approx(STEP * 95_500, rel=0.01)
    assert against_it > 6 * with_it


def test_roads_that_cross_without_a_shared_point_are_a_bridge():
    crossing = drawn([(0, 1), (4, 1)], [(2, -1), (2, 3)])
    graph = road_graph(crossing, Measure.METRES)

    assert graph.components == 2
    index, cost = NetworkReach(graph).nearest(at((0, 1)), at((2, 3)))
    assert (index[0], cost[0]) == (-1, np.inf)


def test_who_stands_too_far_from_any_road_is_not_reached():
    reach = NetworkReach(road_graph(drawn([(0, 0), (4, 0)]), Measure.METRES), most_off_m=300)

    index, cost = reach.nearest(at((1, 0.1), (1, 3)), at((3, 0)))

    assert index.tolist() == [0, -1]
    assert np.isinf(cost[1])


def test_speed_decides_between_a_short_road_and_a_fast_one():
    roads = drawn([(0, 0), (2, 0)], [(0, 0), (0, 1), (2, 1), (2, 0)], speed=[5.0, 60.0])
    for measure, metres in ((Measure.METRES, 2), (Measure.MINUTES, 4)):
        cost = NetworkReach(road_graph(roads, measure)).nearest(at((0, 0)), at((2, 0)))[1][0]
        if measure is Measure.METRES:
            assert cost == pytest.approx(metres * STEP * 95_500, rel=0.01)
        else:
            assert cost < 3


def test_a_file_without_roads_reaches_nobody():
    empty = RoadLines(np.empty(0, object), np.empty(0, bool), np.empty(0, bool), np.empty(0))
    graph: RoadGraph = road_graph(empty, Measure.METRES)

    assert graph.components == 0
    assert NetworkReach(graph).nearest(at((0, 0)), at((1, 1)))[0].tolist() == [-1]
    assert len(NetworkReach(graph).within(at((0, 0)), at((1, 1)), np.array([5.0])).point) == 0
