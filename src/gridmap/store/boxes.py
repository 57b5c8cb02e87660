"""Bounding boxes that features are asked for by."""

from __future__ import annotations

from math import isfinite
from typing import Any

import shapely

from gridmap.errors import UsageError
from gridmap.store.protocols import Box


def check_box(box: Box) -> None:
    """Refuse bounds that are not finite or turned over.

    Raises
    ------
    UsageError
        Naming them.
    """
    if not all(map(isfinite, box)) or box.west > box.east or box.south > box.north:
        raise UsageError("store.bad_box", box=", ".join(map(str, box)))


def box_shape(box: Box) -> Any:
    """Geometry of a box: without width or height a line, without both a point."""
    if box.west < box.east and box.south < box.north:
        return shapely.box(*box)
    corners = (box.west, box.south), (box.east, box.north)
    return shapely.Point(corners[0]) if corners[0] == corners[1] else shapely.LineString(corners)
