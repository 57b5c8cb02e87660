"""Arterial roads: the easiest ways between the township seats over the mesh, each stretch drawn once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maker.borders import smoothed, walks
from maker.county import County
from maker.ground import Labels, Points, grow

#: Class of a road and its speed, best first.
SPEED_KMH = {"national": 80, "provincial": 60, "county": 40}
_CLASSES = tuple(SPEED_KMH)

#: Step between two mesh cells → class (best first) and name of the road that takes it.
Steps = dict[tuple[int, int], tuple[int, str]]


@dataclass(frozen=True)
class Road:
    """A stretch of road between two junctions."""

    number: str
    name: str
    road_class: str
    line_km: Points


def roads_of(county: County) -> list[Road]:
    """Join the county seat with every other (the two farthest by national road) and each with its neighbours."""
    land = np.flatnonzero(county.land)
    away = [np.hypot(*(county.mesh.sites[land] - town.seat_km).T) for town in county.townships]
    seats = [int(land[distances.argmin()]) for distances in away]
    others = range(1, len(seats))

    def name(a: int, b: int) -> str:
        return f"{county.townships[a].name[0]}{county.townships[b].name[0]}线"

    steps: Steps = {}
    _, previous, effort = grow(county.ways, seats[:1])
    for rank, number in enumerate(sorted(others, key=lambda number: -effort[seats[number]])):
        _mark(steps, previous, seats[number], 0 if rank < 2 else 1, name(0, number))
    for number in others:
        _, previous, effort = grow(county.ways, [seats[number]])
        for other in sorted(others, key=lambda other: effort[seats[other]])[1:3]:
            _mark(steps, previous, seats[other], 2, name(*sorted((number, other))))
    return _stretches(steps, county.mesh.sites)


def _mark(steps: Steps, previous: Labels, node: int, level: int, name: str) -> None:
    """Go back from ``node`` to where the ways started, and keep for every step the best road that takes it."""
    while previous[node] >= 0:
        before = int(previous[node])
        step = (min(node, before), max(node, before))
        steps[step] = min(steps.get(step, (level, name)), (level, name))
        node = before


def _stretches(steps: Steps, sites: Points) -> list[Road]:
    """Join the steps of one road to stretches, from junction to junction."""
    ordered = sorted(steps)
    edges = np.asarray(ordered, dtype=np.int64)
    roads_at: dict[int, set[tuple[int, str]]] = {}
    for step in ordered:
        for node in step:
            roads_at.setdefault(node, set()).add(steps[step])
    changes = {node for node, roads in roads_at.items() if len(roads) > 1}
    roads: list[Road] = []
    for walk, first in walks(edges, np.arange(len(edges)), changes):
        level, name = steps[ordered[first]]
        roads.append(Road(f"R{len(roads) + 1:03d}", name, _CLASSES[level], smoothed(sites[walk])))
    return roads
