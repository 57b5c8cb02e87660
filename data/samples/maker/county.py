"""The county: which ground is its own, its townships and villages with codes, classes and people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import shapely

from gridmap.geometry.lattice import geometries_to_units
from gridmap.geometry.measure import area_m2
from maker.borders import OUTSIDE, Chain, chains_between, dissolved
from maker.ground import (
    HALF_WIDTH_KM,
    Labels,
    Mesh,
    Neighbours,
    Noise,
    Points,
    Relief,
    Values,
    grow,
    mesh_of,
    neighbours_of,
    scatter,
    to_degrees,
)
from maker.names import TOWNSHIPS, NameBook

COUNTY_CODE = "990101"
COUNTY_KM2, LAKE_KM2, ENCLAVE_KM2, ISLAND_KM2 = 2000.0, 15.0, 10.0, 4.5
SEAT_KM = np.array([[3.0, -4.0]])
LAKE_KM = np.array([[11.0, -10.5]])
ENCLAVE_KM = np.array([[-12.5, 4.5]])
LAKE_TILT, ISLAND_BEARING = np.radians(40), np.radians(-75)
PEOPLE = 534_216
ISLAND_OFFSHORE_KM = 2.7
#: Villages lie this many times as far apart as the small cells they are grown from.
CELLS_ACROSS = 2.85

Polygon: TypeAlias = shapely.Polygon | shapely.MultiPolygon


@dataclass(frozen=True)
class Township:
    """A township; ``seat_km`` is where its offices stand."""

    code: str
    name: str
    seat_km: Points
    polygon: Polygon


@dataclass(frozen=True)
class Village:
    """A village or community; ``people`` counts its residents, ``centre_km`` is inside it."""

    code: str
    name: str
    township: int
    class_code: str
    people: int
    height: float
    area_km2: float
    centre_km: Points
    polygon: Polygon

    @property
    def is_rural(self) -> bool:
        """Whether the class code says rural."""
        return self.class_code in ("210", "220")


@dataclass(frozen=True)
class County:
    """Everything that lies still: areas, and the mesh with its ways for the roads."""

    polygon: Polygon
    townships: list[Township]
    villages: list[Village]
    mesh: Mesh
    ways: Neighbours
    land: Labels


def made_county(rng: np.random.Generator, names: NameBook) -> County:
    """Draw the county."""
    relief, outline, shores = Relief.drawn(rng), Noise.drawn(rng, 13.0, 4), Noise.drawn(rng, 3.5, 2)
    seats_km = _seats(rng, relief, outline)
    mesh, spacing_km = _mesh(rng, relief, outline, seats_km)
    land, island = _land(mesh, outline, shores)
    ways = _ways(mesh, relief, land)
    label = _villages(rng, mesh, ways, spacing_km, land, island)
    township = _townships(mesh, label, seats_km)
    chains = chains_between(mesh, label, relief, rng)
    return _described(rng, names, _Drawn(mesh, ways, land, label, township, seats_km, chains, relief))


def _outwardness(xy_km: Points, outline: Noise) -> Values:
    """Rises from 0 at the middle; the county is where it is below some value."""
    return np.hypot(xy_km[:, 0], 1.1 * xy_km[:, 1]) / 25 + 1.0 * (outline.at(xy_km) - 0.5)


def _seats(rng: np.random.Generator, relief: Relief, outline: Noise) -> Points:
    """Place the county seat, then each township seat as far from the others as the best of a few low places is."""
    seats = SEAT_KM
    taken = np.concatenate([LAKE_KM, ENCLAVE_KM])
    places = rng.uniform(-HALF_WIDTH_KM, HALF_WIDTH_KM, (4000, 2))
    places = places[(_outwardness(places, outline) < 0.78) & (relief.height(places) < 0.62)]
    while len(seats) < len(TOWNSHIPS):
        some = places[rng.choice(len(places), 60, replace=False)]
        near = _distance(some, np.concatenate([seats, taken])).min(axis=1)
        seats = np.concatenate([seats, some[[int(near.argmax())]]])
    return seats


def _distance(a: Points, b: Points) -> Values:
    return np.asarray(np.hypot(*(a[:, None] - b[None]).transpose(2, 0, 1)))


def _mesh(rng: np.random.Generator, relief: Relief, outline: Noise, seats_km: Points) -> tuple[Mesh, Values]:
    """Small cells: fine in the towns and along the water, coarse in the hills."""
    candidates = rng.uniform(-HALF_WIDTH_KM, HALF_WIDTH_KM, (60_000, 2))
    candidates = candidates[_outwardness(candidates, outline) < 1.45]
    from_seats = _distance(candidates, seats_km)
    spacing = 0.95 + 0.35 * relief.height(candidates)
    spacing = np.minimum(spacing, 0.40 + 0.13 * from_seats.min(axis=1))
    spacing = np.minimum(spacing, 0.26 + 0.10 * from_seats[:, 0])
    from_holes = _distance(candidates, np.concatenate([LAKE_KM, ENCLAVE_KM])).min(axis=1)
    fine = np.minimum(spacing, 0.45 + 0.2 * np.clip(from_holes - 3.5, 0, None))
    astray = np.abs(np.arctan2(candidates[:, 1], candidates[:, 0]) - ISLAND_BEARING)
    fine = np.where((astray < 0.3) & (_outwardness(candidates, outline) > 0.9), np.minimum(fine, 0.5), fine)
    rows = scatter(rng, fine, candidates)
    return mesh_of(candidates[rows]), spacing[rows]


def _land(mesh: Mesh, outline: Noise, shores: Noise) -> tuple[Labels, Labels]:
    """Cells of the county and, of these, the cells of its island; both as 0/1 an every cell."""
    order = np.argsort(_outwardness(mesh.sites, outline))
    room = COUNTY_KM2 - ISLAND_KM2 + LAKE_KM2 + ENCLAVE_KM2
    land = np.zeros(len(mesh.sites), dtype=np.int64)
    land[order[: int(np.searchsorted(mesh.area_km2[order].cumsum(), room))]] = 1
    land = _in_one_part(mesh, _in_one_part(mesh, land, 1), 0)
    ray = np.linspace(10, HALF_WIDTH_KM, 300)[:, None] * [np.cos(ISLAND_BEARING), np.sin(ISLAND_BEARING)]
    offshore = _distance(ray, mesh.sites[land == 1]).min(axis=1) > ISLAND_OFFSHORE_KM
    land[_blob(mesh, shores, LAKE_KM, LAKE_KM2, stretch=2.2)] = 0
    land[_blob(mesh, shores, ENCLAVE_KM, ENCLAVE_KM2)] = 0
    land = _in_one_part(mesh, land, 1)
    island = np.zeros_like(land)
    island[_blob(mesh, shores, ray[[int(offshore.argmax())]], ISLAND_KM2)] = 1
    return land | island, island


def _in_one_part(mesh: Mesh, land: Labels, kept: int) -> Labels:
    """Turn over every part of the land (1) or the water (0) but the one with most cells."""
    pairs = mesh.edge_cells[(land[mesh.edge_cells] == kept).all(axis=1)]
    neighbours = neighbours_of(len(land), pairs, np.ones(len(pairs)))
    left = set(np.flatnonzero(land == kept).tolist())
    parts = []
    while left:
        part = np.flatnonzero(grow(neighbours, [min(left)])[0] >= 0)
        parts.append(part)
        left -= set(part.tolist())
    turned = land.copy()
    for part in sorted(parts, key=len)[:-1]:
        turned[part] = 1 - kept
    return turned


def _blob(mesh: Mesh, shores: Noise, centre_km: Points, area_km2: float, stretch: float = 1.0) -> Labels:
    """Cells around a place that make up an area, with an uneven border; ``stretch`` times as long as wide."""
    turned = (mesh.sites - centre_km) @ np.array(
        [[np.cos(LAKE_TILT), -np.sin(LAKE_TILT)], [np.sin(LAKE_TILT), np.cos(LAKE_TILT)]]
    )
    away = np.hypot(turned[:, 0] / stretch, turned[:, 1]) * (0.5 + shores.at(mesh.sites))
    order = np.argsort(away)
    return np.asarray(order[: int(np.searchsorted(mesh.area_km2[order].cumsum(), area_km2))])


def _ways(mesh: Mesh, relief: Relief, land: Labels) -> Neighbours:
    """Ways between neighbouring land cells, as long as they are hard."""
    pairs = mesh.edge_cells[(land[mesh.edge_cells] == 1).all(axis=1)]
    a, b = mesh.sites[pairs[:, 0]], mesh.sites[pairs[:, 1]]
    return neighbours_of(len(land), pairs, np.hypot(*(a - b).T) * relief.effort((a + b) / 2))


def _villages(
    rng: np.random.Generator, mesh: Mesh, ways: Neighbours, spacing_km: Values, land: Labels, island: Labels
) -> Labels:
    """Village of every cell, ``OUTSIDE`` off the land; the island is one village."""
    mainland = np.flatnonzero((land == 1) & (island == 0))
    seeds = mainland[scatter(rng, CELLS_ACROSS * spacing_km[mainland], mesh.sites[mainland])]
    seeds = np.append(seeds, np.flatnonzero(island)[0])
    label, _, _ = grow(ways, seeds.tolist())
    return np.where(land == 1, label, OUTSIDE)


def _townships(mesh: Mesh, village: Labels, seats_km: Points) -> Labels:
    """Township of every village: the one whose seat village has the shortest way to it, over land or water."""
    count = int(village.max()) + 1
    centres = np.stack([mesh.sites[village == number].mean(axis=0) for number in range(count)])
    sides = np.unique(np.sort(village[mesh.edge_cells], axis=1), axis=0)
    pairs = sides[(sides[:, 0] != sides[:, 1]) & (sides[:, 0] != OUTSIDE)]
    island = count - 1
    shore = int(np.argsort(_distance(centres, centres[[island]])[:, 0])[1])
    pairs = np.concatenate([pairs, [[shore, island]]])
    step = np.hypot(*(centres[pairs[:, 0]] - centres[pairs[:, 1]]).T)
    # The county seat's own township is small: steps out of it count more.
    from_seat = _distance(centres, seats_km[:1])[:, 0]
    step = step * np.where(from_seat[pairs].min(axis=1) < 5, 2.2, 1.0)
    seeds = [int(_distance(centres, seat[None])[:, 0].argmin()) for seat in seats_km]
    return grow(neighbours_of(count, pairs, step), seeds)[0]


@dataclass(frozen=True)
class _Drawn:
    mesh: Mesh
    ways: Neighbours
    land: Labels
    village: Labels
    township: Labels
    seats_km: Points
    chains: list[Chain]
    relief: Relief


def _described(rng: np.random.Generator, names: NameBook, drawn: _Drawn) -> County:
    """Polygons, codes, classes, names and people of everything drawn."""
    count = len(drawn.township)
    polygons = dissolved(drawn.chains, {number: number for number in range(count)})
    townships = dissolved(drawn.chains, dict(enumerate(drawn.township.tolist())))
    county = dissolved(drawn.chains, dict.fromkeys(range(count), 0))[0]
    shapes = np.asarray([polygons[number] for number in range(count)], dtype=object)
    centres = _centres(drawn, count)
    area_km2 = area_m2(shapes) / 1e6
    height = drawn.relief.height(centres)
    classes = _classes(centres, drawn.township, drawn.seats_km)
    people = _people(rng, classes, area_km2, height)
    codes = _codes(centres, drawn.township, classes)
    villages = [
        Village(
            code=codes[number],
            name=names.village(float(height[number]), urban=classes[number] in ("111", "112", "121")),
            township=int(drawn.township[number]),
            class_code=classes[number],
            people=int(people[number]),
            height=float(height[number]),
            area_km2=float(area_km2[number]),
            centre_km=centres[number],
            polygon=polygons[number],
        )
        for number in sorted(range(count), key=codes.__getitem__)
    ]
    towns = [
        Township(_township_code(number), name, drawn.seats_km[number], townships[number])
        for number, name in enumerate(TOWNSHIPS)
    ]
    return County(county, towns, villages, drawn.mesh, drawn.ways, drawn.land)


def _centres(drawn: _Drawn, count: int) -> Points:
    """For each village the site of its cell nearest to its middle."""
    centres = []
    for number in range(count):
        sites = drawn.mesh.sites[drawn.village == number]
        centres.append(sites[int(_distance(sites, sites.mean(axis=0)[None])[:, 0].argmin())])
    return np.stack(centres)


def _township_code(number: int) -> str:
    """Sub-districts count from 001, towns from 100, rural townships from 200."""
    local = 1 if number == 0 else 99 + number if number <= 7 else 192 + number
    return f"{COUNTY_CODE}{local:03d}"


def _classes(centres: Points, township: Labels, seats_km: Points) -> list[str]:
    """Three-digit settlement class of each village; each township seat has a centre of its own."""
    away = np.hypot(*(centres - seats_km[township]).T)
    classes = []
    for number, from_seat in zip(township.tolist(), away.tolist(), strict=True):
        nearest = from_seat == away[township == number].min()
        if number == 0:
            classes.append("111" if from_seat < 2.0 else "112" if from_seat < 4.0 else "220")
        elif number <= 7:
            classes.append("121" if nearest else "122" if from_seat < 2.3 else "220")
        else:
            classes.append("210" if nearest else "220")
    return classes


def _people(rng: np.random.Generator, classes: list[str], area_km2: Values, height: Values) -> Labels:
    """People of each village: dense in town, few in the hills; whole numbers that add up to ``PEOPLE``."""
    base = {"111": 9500, "112": 5200, "121": 6200, "122": 3300, "210": 3000, "220": 1500}
    weight = np.asarray([base[code] for code in classes], dtype=np.float64)
    rural = np.asarray([code == "220" for code in classes])
    weight *= np.where(rural, np.sqrt(area_km2 / 10) * (1.7 - 1.2 * height), 1.0)
    return shared_out(PEOPLE, weight * np.exp(rng.normal(0, 0.28, len(weight))))


def shared_out(total: int, weight: Values) -> Labels:
    """Whole numbers in proportion to ``weight`` that add up to ``total`` (largest remainder)."""
    exact = total * weight / weight.sum()
    whole = np.floor(exact).astype(np.int64)
    rest = np.argsort(whole - exact, kind="stable")[: total - int(whole.sum())]
    whole[rest] += 1
    return np.asarray(whole)


def _codes(centres: Points, township: Labels, classes: list[str]) -> list[str]:
    """Twelve digits; in a township communities count from 001 and villages from 201, from west to east."""
    codes = [""] * len(classes)
    next_number: dict[tuple[int, int], int] = {}
    for number in np.argsort(centres[:, 0]).tolist():
        first = 1 if classes[number] in ("111", "112", "121") else 201
        key = (int(township[number]), first)
        next_number[key] = next_number.get(key, first - 1) + 1
        codes[number] = f"{_township_code(key[0])}{next_number[key]:03d}"
    return codes


def points_inside(rng: np.random.Generator, polygon: Polygon, count: int, draw: Callable[[int], Points]) -> Points:
    """``count`` drawn points, plane kilometres, that lie in a lattice-frame polygon."""
    kept = np.empty((0, 2))
    while len(kept) < count:
        points = draw(8 * count)
        units = shapely.get_coordinates(geometries_to_units(shapely.points(to_degrees(points))))
        kept = np.concatenate([kept, points[shapely.contains_xy(polygon, *units.T)]])
    return kept[:count]
