"""Where the features lie that a filter can match."""

from __future__ import annotations

import shapely

from gridmap.domain.filters import All, AnyOf, Filter, Relation, Spatial
from gridmap.store.protocols import Box


def bounds_of(tree: Filter | None) -> Box | None:
    """Bounds that every feature a filter matches meets, WGS 84 degrees; None where it may match others too."""
    match tree:
        case Spatial(relation, wkb) if relation is not Relation.DISJOINT:
            return Box(*shapely.from_wkb(wkb).bounds)
        case All(parts):
            # Of two bounds a feature may meet each elsewhere: the smaller ones narrow, what both share would not do.
            found = [box for box in map(bounds_of, parts) if box is not None]
            return min(found, key=_size, default=None)
        case AnyOf(parts) if parts:
            boxes = [bounds_of(part) for part in parts]
            placed = [box for box in boxes if box is not None]
            return _around(placed) if len(placed) == len(boxes) else None
        case _:
            return None


def _size(box: Box) -> float:
    return (box.east - box.west) * (box.north - box.south)


def _around(boxes: list[Box]) -> Box:
    west, south, east, north = zip(*boxes, strict=True)
    return Box(min(west), min(south), max(east), max(north))
