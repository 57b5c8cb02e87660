"""Prove a partition anew from its export: ``python -m gridmap.verify cells.geojson certificate.json [--areas FILE]``.

Standard library only, whole numbers only (multiples of 1e-7 degree), nothing of the engine. Exit status: 0 proved,
1 not proved (each reason with area and place), 2 a file cannot be used. It shows that

1. each polygon covers every point of the plane 0 times or once: its rings do not cross, overlap or touch themselves;
2. the directed edges of an area's pieces, shells counter-clockwise and holes clockwise, cancel in opposite pairs; what
   is left over is the boundary of their sum, and planar chains with equal boundaries are equal;
3. all left-over edges together wind 0 times or once around every point: no two pieces of any areas overlap;
4. counts, areas and digests are the certificate's; with ``--areas``, what is left over is the areas' own boundary,
   walked from vertex to vertex with cut points at most one unit beside it: nothing is missing.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import pathlib
import sys
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import Any

Point = tuple[int, int]
Edge = tuple[int, int, int, int]
Segment = tuple[int, int, int, int, int, int]  #: an edge from left to right, +1 or -1 as it runs so or back, its ring
Polygon = list[list[Point]]  #: rings without their closing point, the shell first, ground to the left
UNITS = 10_000_000  #: per degree


def read_features(path: str, exact: bool, key: str = "area_code") -> list[tuple[str, list[Polygon]]]:
    """Code and polygons of each feature; ``exact`` refuses doubles that are not the nearest to a lattice point."""

    def whole(degrees: float) -> int:
        if not abs(degrees) <= 360 or (exact and round(degrees * UNITS) / UNITS != degrees):
            raise ValueError(f"coordinate {degrees!r} is not a multiple of 1e-7 degrees on Earth")
        return round(degrees * UNITS)

    def ring(points: list[list[float]], is_shell: bool) -> list[Point]:
        found = [(whole(point[0]), whole(point[1])) for point in points]
        kept = [point for point, following in itertools.pairwise(found) if point != following]
        if len(found) < 4 or found[0] != found[-1] or (exact and len(kept) < len(found) - 1):
            raise ValueError(f"a ring near {points[:1]} is not closed, has under four points or repeats one at once")
        return kept if (twice_area(edges_of([kept])) > 0) == is_shell else kept[::-1]

    def shrink(value: dict[str, Any]) -> dict[str, Any]:  # called as soon as an object is read: keeps memory low
        found: Any = value.get("coordinates")
        parts = {"Polygon": [found], "MultiPolygon": found}.get(str(value.get("type")))
        return {"polygons": [[ring(r, k == 0) for k, r in enumerate(polygon)] for polygon in parts]} if parts else value

    features = json.loads(pathlib.Path(path).read_text("utf-8-sig"), object_hook=shrink)["features"]
    return [(str(f["properties"][key]), f["geometry"]["polygons"]) for f in features]


def edges_of(polygon: Polygon) -> Iterator[Edge]:
    """Directed edges of rings."""
    return ((*a, *b) for ring in polygon for a, b in zip(ring, ring[1:] + ring[:1], strict=True))


def twice_area(edges: Iterable[Edge]) -> int:
    """Twice the signed area that a closed chain bounds, square units."""
    return sum(x1 * y2 - x2 * y1 for x1, y1, x2, y2 in edges)


def side(x: int, y: int, s: tuple[int, ...]) -> int:
    """Positive where the point lies left of (above) the segment, 0 on its line, negative below."""
    return (s[2] - s[0]) * (y - s[1]) - (s[3] - s[1]) * (x - s[0])


def turn(s: Segment, t: Segment) -> int:
    """Negative where the second of two segments from one point leaves below the first, 0 where they overlap."""
    return side(t[2], t[3], s)


def crossing(s: Segment, t: Segment) -> Point | None:
    """Where two segments cross at an inner point of both, to the nearest unit."""
    a, b = side(s[0], s[1], t), side(s[2], s[3], t)
    if a * b < 0 and side(t[0], t[1], s) * side(t[2], t[3], s) < 0:
        return s[0] + round((s[2] - s[0]) * a / (a - b)), s[1] + round((s[3] - s[1]) * a / (a - b))
    return None


def fault_of_chain(edges: Iterable[Edge], rings: Iterable[int] = itertools.repeat(-1)) -> Point | None:
    """First place where a closed chain crosses or overlaps itself or winds other than 0 or 1 times; None: nowhere.

    A sweep from left to right (Shamos and Hoey 1976). ``status`` holds the segments at the sweep point from above, so
    the winding number over the i-th is i modulo 2 exactly if directions alternate. A vertex on a segment splits it.
    Where ``rings`` tells to which ring each edge belongs, rings must not touch themselves either.
    """
    starts: defaultdict[Point, list[Segment]] = defaultdict(list)
    for (x1, y1, x2, y2), k in zip(edges, rings, strict=False):
        starts[min((x1, y1), (x2, y2))] += [(x1, y1, x2, y2, 1, k) if (x1, y1) < (x2, y2) else (x2, y2, x1, y1, -1, k)]
    status: list[Segment] = []
    for x, y in sorted({*starts, *(s[2:4] for group in starts.values() for s in group)}):
        sides: Callable[[Segment], int] = functools.partial(side, x, y)
        low = bisect_left(status, 0, key=sides)
        through = status[low : bisect_right(status, 0, low, key=sides)]
        fresh = starts.get((x, y), []) + [(x, y, *s[2:]) for s in through if s[2:4] != (x, y)]
        fresh.sort(key=functools.cmp_to_key(turn))  # all leave to the right or upwards
        status[low : low + len(through)] = fresh
        visits = Counter(s[5] for s in through + fresh if s[5] >= 0)
        alternating = all(s[4] == 2 * (i % 2) - 1 for i, s in enumerate(fresh, low))
        if not (alternating and max(visits.values(), default=0) < 3 and all(map(turn, fresh, fresh[1:]))):
            return x, y
        for i in (low - 1, low + len(fresh) - 1):
            if 0 <= i < len(status) - 1 and (place := crossing(status[i], status[i + 1])):
                return place
    return None


def add(chain: Counter[Edge], edges: Iterable[Edge]) -> None:
    """Add edges to a chain, opposite ones cancelling."""
    for edge in edges:
        reverse = edge[2:] + edge[:2]
        if chain.get(reverse, 0) > 1:
            chain[reverse] -= 1
        elif not chain.pop(reverse, 0):
            chain[edge] += 1


def departure(own: Iterable[Edge], left: Iterable[Edge]) -> Point | None:
    """Where left-over edges are not an area's own, each cut at points at most one unit beside it; None: nowhere."""
    ways: defaultdict[Point, list[Point]] = defaultdict(list)
    for x1, y1, x2, y2 in left:
        ways[x1, y1].append((x2, y2))
    for edge in sorted(own):
        (x, y), (dx, dy) = edge[:2], (edge[2] - edge[0], edge[3] - edge[1])
        while (x, y) != edge[2:]:
            # A step leads on along the edge, not past its end, and stays within one unit of its line.
            onward = [(u, v) for u, v in ways[x, y] if (u - x) * dx + (v - y) * dy > 0]
            onward = [(u, v) for u, v in onward if (u - edge[2]) * dx + (v - edge[3]) * dy <= 0]
            step = min(onward, key=lambda point: abs(side(point[0], point[1], edge)), default=None)
            if step is None or side(step[0], step[1], edge) ** 2 > dx * dx + dy * dy:
                return x, y
            ways[x, y].remove(step)
            x, y = step
    return next((point for point, ends in ways.items() if ends), None)


def prove(cells: str, certificate: str, areas: str | None) -> Iterator[tuple[str, Point | None]]:
    """Each reason, and place, why the cells are not proved to be the partition that the certificate describes."""
    chains, own = (defaultdict[str, Counter[Edge]](Counter) for _ in range(2))
    pieces, edges, everything, lines = Counter[str](), Counter[str](), Counter[Edge](), list[str]()
    for code, polygons in read_features(cells, exact=True):
        pieces[code] += 1
        for polygon in polygons:
            edges[code] += sum(map(len, polygon))
            add(chains[code], edges_of(polygon))
            if place := fault_of_chain(edges_of(polygon), (k for k, ring in enumerate(polygon) for _ in ring)):
                yield f"area {code}: a piece crosses, overlaps or touches itself", place
    for code, polygons in read_features(areas, exact=False) if areas else ():
        add(own[code], itertools.chain.from_iterable(map(edges_of, polygons)))
    for chain in chains.values():
        add(everything, chain.elements())
    if place := fault_of_chain(everything.elements()):  # then, and only then, look which area it is
        guilty = [(f"area {code}", found) for code, c in chains.items() if (found := fault_of_chain(c.elements()))]
        yield from ((f"{who}: pieces overlap", found) for who, found in guilty or [("different areas", place)])
    stated = json.loads(pathlib.Path(certificate).read_text("utf-8-sig"))
    stated_of = {str(area["area_code"]): area for area in stated["areas"]}
    for code in sorted({*chains, *stated_of, *own}):
        left = sorted(chains[code].elements())
        walk = "".join(f"{x1} {y1} {x2} {y2}\n" for x1, y1, x2, y2 in left).encode()
        sums: dict[str, Any] = {"pieces": pieces[code], "edges": edges[code], "boundary_edges": len(left)}
        sums |= {"twice_area": str(twice_area(left)), "boundary_digest": sha256(walk).hexdigest()}
        lines.append(" ".join(map(str, (code, *sums.values()))) + "\n")
        for name, value in (sums | {"interior_edges_cancelled": edges[code] - len(left)}).items():
            if value != (said := stated_of.get(code, {}).get(name)):
                yield f"area {code}: {name} is {value}, not {said} as in the certificate", None
        if areas and (place := departure(own[code].elements(), left)):
            yield f"area {code}: what the pieces leave over is not the boundary of the area", place
    digest = sha256("".join(lines).encode()).hexdigest()
    for name, value in {"version": 1, "lattice_deg": 1e-7, "verdict": "exact", "digest": digest}.items():
        if value != stated.get(name):
            yield f"{name} is {value}, not {stated.get(name)} as in the certificate", None


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name in ("cells", "certificate", "--areas"):
        parser.add_argument(name)
    options = parser.parse_args(arguments)
    try:
        reasons = list(prove(options.cells, options.certificate, options.areas))
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as fault:
        print(f"cannot be used: {type(fault).__name__}: {fault}", file=sys.stderr)
        return 2
    for reason, at in reasons:
        print(f"not proved: {reason}" + (f" near {at[0] / UNITS:.7f}, {at[1] / UNITS:.7f}" if at else ""))
    print("not proved" if reasons else f"proved: {options.cells} is the partition of {options.certificate}")
    return 1 if reasons else 0


if __name__ == "__main__":
    sys.exit(main())
