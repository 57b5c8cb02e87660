"""Prove that the members of every level tile the same ground, edge for edge.

The polygons of a level, sums of cells of one partition, cancel among each other; what they leave over must be what the
areas themselves leave over, the outer border of all cells. Planar chains with equal boundaries are equal, and a polygon
covers every point of the plane 0 times or once: so the members of each level cover the ground of all cells once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from gridmap.geometry.certificate import digest, unproved
from gridmap.geometry.chain import Edges, cancel, edges_of, twice_area
from gridmap.geometry.lattice import Geometries, Packed

#: Name of a level, codes of its members, their polygons or multipolygons (lattice frame, valid).
Level = tuple[str, Sequence[str], Geometries]


def prove_levels(left_over: Edges, levels: Sequence[Level]) -> list[dict[str, Any]]:
    """Prove levels and state what was found.

    Parameters
    ----------
    left_over : what the pieces of each area leave over (``Partition.border``)
    levels : name, codes and polygons of each

    Returns
    -------
    list of dict
        One entry a level, as ``certificate.json`` holds it: ``level``, ``members``, ``edges``, ``boundary_edges``,
        ``twice_area``, ``boundary_digest``, ``digest`` (over one line a member, sorted by code: code, edges of its
        outline, twice its area, digest of its outline), ``verdict``.

    Raises
    ------
    ProofFailed
        If the members of a level overlap or leave something out, with a place.
    """
    outline = cancel(left_over)
    return [_prove_level(outline, name, codes, shapes) for name, codes, shapes in levels]


def _prove_level(outline: Edges, name: str, codes: Sequence[str], shapes: Geometries) -> dict[str, Any]:
    edges = edges_of(shapes)
    left = cancel(edges)
    apart = _first_apart(outline, left)
    if apart is not None:
        raise unproved(name, apart)
    by_member = np.argsort(edges.owner, kind="stable")
    bounds = np.searchsorted(edges.owner[by_member], np.arange(len(codes) + 1))
    lines = []
    for member in sorted(range(len(codes)), key=lambda member: codes[member]):
        own = edges.take(by_member[bounds[member] : bounds[member + 1]])
        lines.append(f"{codes[member]} {len(own)} {twice_area(own)} {digest(own)}\n")
    return {
        "level": name,
        "members": len(codes),
        "edges": len(edges),
        "boundary_edges": len(left),
        "twice_area": str(twice_area(left)),
        "boundary_digest": digest(left),
        "digest": hashlib.sha256("".join(lines).encode()).hexdigest(),
        "verdict": "exact",
    }


def _first_apart(one: Edges, other: Edges) -> int | None:
    """Lowest point at which an edge of one begins that is none of the other."""
    rest = cancel(Edges.join([one, Edges(other.end, other.start, other.owner)]))
    points: Packed = np.minimum(rest.start, rest.end)
    return int(points.min()) if len(points) else None
