"""What a filter may name: columns of its layer, ``id``, ``geometry``; all else is refused with the nearest name."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from gridmap.domain.filters import Property
from gridmap.domain.layers import LAYER_BY_NAME, ColumnType, Layer
from gridmap.errors import UsageError

GEOMETRY, ID = "geometry", "id"
#: Number of a feature, which identifies it where no column does.
_FID = Property("fid", ColumnType.INTEGER)
#: Longer names than any are cut before they are compared and repeated.
_MOST = 80


def property_named(name: object, layer: Layer) -> Property:
    """Find a column; ``id`` stands for the one that identifies a feature.

    Raises
    ------
    UsageError
        If there is none, with the nearest there is.
    """
    if not isinstance(name, str):
        raise UsageError("filters.no_name", found=str(name)[:_MOST])
    columns = {one.name: one for one in layer.columns}
    if name not in columns and name == ID:
        if len(layer.key) != 1:
            return _FID
        name = layer.key[0]
    if name not in columns:
        shapes = [GEOMETRY] if layer.geometry else []
        raise UsageError(
            "filters.no_property", name=name[:_MOST], layer=layer.name, near=nearest(name, [*columns, *shapes])
        )
    is_own = columns[name] not in LAYER_BY_NAME[layer.name].columns
    return Property(name, columns[name].type, is_own)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the names most like another, else all of them."""
    names = list(known)
    return ", ".join(get_close_matches(name[:_MOST], names, n=3) or names)
