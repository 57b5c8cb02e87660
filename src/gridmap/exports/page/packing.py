"""Polygons and columns as short texts a page can carry: shared corners, differences, base64.

Corners of all layers stand once, in the order of their first use, as differences of lattice units; a ring is the
numbers of its corners, again as differences. Differences are small, so most take one to three bytes (LEB128, signs
folded in by zigzag). The page decodes them to the very lattice points of the plan.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.geometry.lattice import pack, to_units, unpack

#: Bytes that a number below 2**35 takes at most.
_MOST_BYTES = 5


@dataclass(frozen=True)
class Rings:
    """Rings of polygons: corners without the closing one.

    Attributes
    ----------
    corner : (k,) int64, what names each corner: a packed lattice point, or its number among the shared corners
    size : (r,) int64, corners of each ring
    rings : (n,) int64, rings of each polygon, holes and parts alike: a page fills them even-odd
    """

    corner: NDArray[np.int64]
    size: NDArray[np.int64]
    rings: NDArray[np.int64]


def rings_of(geometries: NDArray[np.object_]) -> Rings:
    """Rings of (n,) polygons or multi-polygons, WGS 84 degrees; a missing one has none."""
    parts, owner = shapely.get_parts(geometries, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    degrees, ring = shapely.get_coordinates(rings, return_index=True)
    closing = np.append(np.diff(ring) != 0, True)[: len(ring)]
    return Rings(
        corner=pack(to_units(degrees[~closing])),
        size=np.bincount(ring[~closing], minlength=len(rings)).astype(np.int64),
        rings=np.bincount(owner[part], minlength=len(geometries)).astype(np.int64),
    )


def shared_corners(layers: dict[str, Rings]) -> tuple[NDArray[np.int64], dict[str, Rings]]:
    """Give every corner of all layers a number, by first use.

    Returns
    -------
    corners : (v, 2) int64
        Lattice points, each one once.
    layers
        The same rings, their corners by number.
    """
    everything = np.concatenate([layer.corner for layer in layers.values()])
    unique, first, inverse = np.unique(everything, return_index=True, return_inverse=True)
    order = np.argsort(first)
    number = np.empty(len(unique), dtype=np.int64)
    number[order] = np.arange(len(unique))
    bounds = np.cumsum([len(layer.corner) for layer in layers.values()])[:-1]
    numbered = dict(zip(layers, np.split(number[inverse], bounds), strict=True))
    return unpack(unique[order]), {
        name: Rings(numbered[name], layer.size, layer.rings) for name, layer in layers.items()
    }


def packed_rings(layer: Rings) -> dict[str, Any]:
    """Rings by corner number as the page reads them."""
    return {
        "rings": varints(layer.rings),
        "sizes": varints(layer.size),
        "corners": varints(zigzag(differences(layer.corner))),
        "count": len(layer.rings),
    }


def neighbours(layer: Rings, group: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pairs of groups of polygons that share an edge.

    Parameters
    ----------
    layer
        Rings by corner number of polygons that meet edge to edge.
    group : (n,) int64
        Group of each polygon.

    Returns
    -------
    (m, 2) int64, each pair once, lower group first
    """
    ring = np.repeat(np.arange(len(layer.size)), layer.size)
    last = np.cumsum(layer.size) - 1
    following = np.roll(layer.corner, -1)
    following[last] = layer.corner[last - layer.size + 1]
    low, high = np.minimum(layer.corner, following), np.maximum(layer.corner, following)
    owner = group[np.repeat(np.arange(len(layer.rings)), layer.rings)[ring]]
    order = np.lexsort((high, low))
    low, high, owner = low[order], high[order], owner[order]
    shared = (low[1:] == low[:-1]) & (high[1:] == high[:-1]) & (owner[1:] != owner[:-1])
    pairs = np.sort(np.stack([owner[:-1][shared], owner[1:][shared]], axis=1), axis=1)
    return np.unique(pairs, axis=0)


def colours_apart(count: int, pairs: NDArray[np.int64], colours: int) -> list[int]:
    """Give each of ``count`` groups a colour unlike its neighbours' where ``colours`` suffice, all used alike."""
    beside: list[list[int]] = [[] for _ in range(count)]
    for a, b in pairs.tolist():
        beside[a].append(b)
        beside[b].append(a)
    colour, used = [-1] * count, [0] * colours
    for at in sorted(range(count), key=lambda group: -len(beside[group])):
        near = [colour[other] for other in beside[at]]
        colour[at] = min(range(colours), key=lambda c: (near.count(c), used[c]))
        used[colour[at]] += 1
    return colour


def differences(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each value less the one before; the first less zero."""
    return np.diff(values, prepend=np.int64(0))


def zigzag(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Make signed numbers unsigned, small to small: 0, -1, 1, -2 become 0, 1, 2, 3."""
    return (values << 1) ^ (values >> 63)


def varints(values: NDArray[np.int64]) -> str:
    """Base64 of the LEB128 bytes of numbers from 0 to 2**35 - 1."""
    shifts = 7 * np.arange(_MOST_BYTES)
    bits = values[:, None] >> shifts
    follows = (bits >> 7) > 0
    kept = np.concatenate([np.ones((len(values), 1), dtype=bool), follows[:, :-1]], axis=1)
    return _base64(((bits & 127) | (follows << 7)).astype(np.uint8)[kept])


def column(values: NDArray[Any]) -> dict[str, str]:
    """Pack a column of numbers: little-endian bytes and the name of their type, ``u1`` … ``f4``."""
    little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
    return {"type": f"{values.dtype.kind}{values.dtype.itemsize}", "data": _base64(little)}


def _base64(values: NDArray[Any]) -> str:
    return base64.b64encode(values.tobytes()).decode()
