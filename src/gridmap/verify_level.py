"""Prove a level of a plan anew: ``python -m gridmap.verify_level grid grids.geojson certificate.json [--cells FILE]``.

Standard library only, with ``gridmap.verify``, which proves the cells. Members of level ``grid`` go by ``grid_code``,
those of other levels by ``area_code``; of a file of all levels (``levels.geojson``) those of the level are taken, by
``code``, and grids without a super-grid or sub-grids stand for themselves there. Exit status as of
``gridmap.verify``. It shows that

1. each polygon covers every point of the plane 0 times or once;
2. the directed edges of all members cancel in opposite pairs but for a chain that winds 0 times or once around every
   point: no two members overlap;
3. counts, areas and digests are those that the certificate states of the level;
4. with ``--cells``, what the members leave over is exactly what all cells leave over: they cover the same ground, and
   nothing is missing.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from gridmap.verify import UNITS, Edge, Point, Polygon, add, edges_of, fault_of_chain, read_features, twice_area

KEYS = {"grid": "grid_code"}


def prove_level(level: str, members: str, certificate: str, cells: str | None) -> Iterator[tuple[str, Point | None]]:
    """Each reason, and place, why the members are not proved to be the level that the certificate describes."""
    everything, lines, edges = Counter[Edge](), list[str](), 0
    chains: dict[str, Counter[Edge]] = {}
    for code, polygons in members_of(members, level):
        for polygon in polygons:
            edges += sum(map(len, polygon))
            add(chains.setdefault(code, Counter()), edges_of(polygon))
            if place := fault_of_chain(edges_of(polygon), (k for k, ring in enumerate(polygon) for _ in ring)):
                yield f"{code} crosses, overlaps or touches itself", place
    for code, chain in sorted(chains.items()):
        figures = figures_of(sorted(chain.elements()))
        lines.append(" ".join(map(str, (code, *figures.values()))) + "\n")
        add(everything, chain.elements())
    if place := fault_of_chain(everything.elements()):
        yield "members overlap", place
    left = sorted(everything.elements())
    found = {"members": len(chains), "edges": edges} | figures_of(left)
    found |= {"digest": sha256("".join(lines).encode()).hexdigest(), "verdict": "exact"}
    levels = json.loads(pathlib.Path(certificate).read_text("utf-8-sig"))["levels"]
    stated = {entry["level"]: entry for entry in levels}[level]
    for name, value in found.items():
        if value != stated.get(name):
            yield f"{name} is {value}, not {stated.get(name)} as in the certificate", None
    if cells:
        ground = Counter[Edge]()
        for _, polygons in read_features(cells, exact=True):
            for polygon in polygons:
                add(ground, edges_of(polygon))
        for edge in sorted((ground - everything) + (everything - ground))[:1]:
            yield "members and cells do not leave over the same border", edge[:2]


def members_of(path: str, level: str) -> list[tuple[str, list[Polygon]]]:
    """Code and polygons of each member of a level."""
    said = [feature["properties"] for feature in json.loads(pathlib.Path(path).read_text("utf-8-sig"))["features"]]
    if not said or "level" not in said[0] or "code" not in said[0]:
        return read_features(path, exact=True, key=KEYS.get(level, "area_code"))
    own = {row["code"] for row in said if row["level"] == level}
    divided = {row["parent_code"] for row in said if row["level"] == "sub"}
    chosen = []
    for row in said:
        alone = row["code"] not in divided if level == "sub" else level == "super" and row["parent_code"] not in own
        chosen.append(row["level"] == level or (row["level"] == "grid" and alone))
    return [found for found, taken in zip(read_features(path, exact=True, key="code"), chosen, strict=True) if taken]


def figures_of(left: list[Edge]) -> dict[str, Any]:
    """Figures that the certificate states of left-over edges, which are sorted."""
    walk = "".join(f"{x1} {y1} {x2} {y2}\n" for x1, y1, x2, y2 in left).encode()
    area = str(twice_area(left))
    return {"boundary_edges": len(left), "twice_area": area, "boundary_digest": sha256(walk).hexdigest()}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name in ("level", "members", "certificate", "--cells"):
        parser.add_argument(name)
    options = parser.parse_args(arguments)
    try:
        reasons = list(prove_level(options.level, options.members, options.certificate, options.cells))
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as fault:
        print(f"cannot be used: {type(fault).__name__}: {fault}", file=sys.stderr)
        return 2
    for reason, at in reasons:
        print(f"not proved: {reason}" + (f" near {at[0] / UNITS:.7f}, {at[1] / UNITS:.7f}" if at else ""))
    print("not proved" if reasons else f"proved: {options.members} is level {options.level} of {options.certificate}")
    return 1 if reasons else 0


if __name__ == "__main__":
    sys.exit(main())
