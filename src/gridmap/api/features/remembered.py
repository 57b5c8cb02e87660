"""Facts about versions that do not change and cost time to find: extents, counts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import TypeVar

from fastapi import Request

from gridmap.domain.crs import OutputCrs, offered_at
from gridmap.domain.layers import LAYER_BY_NAME, Layer
from gridmap.store.protocols import Box
from gridmap.store.reading.layers import LayerReader
from gridmap.store.reading.queries import FeatureQuery

Fact = TypeVar("Fact")
_MOST = 4096


class Remembered:
    """The facts asked for last; threads may share it."""

    def __init__(self) -> None:
        self._facts: OrderedDict[Hashable, object] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, find: Callable[[], Fact]) -> Fact:
        """Return the fact that a key stands for, found only where it is not there."""
        with self._lock:
            if key in self._facts:
                self._facts.move_to_end(key)
                return self._facts[key]  # type: ignore[return-value]
        fact = find()
        with self._lock:
            self._facts[key] = fact
            while len(self._facts) > _MOST:
                self._facts.popitem(last=False)
        return fact


def _remembered(request: Request) -> Remembered:
    state = request.app.state
    if not hasattr(state, "remembered"):
        state.remembered = Remembered()
    found: Remembered = state.remembered
    return found


def _key(reader: LayerReader, *asked: Hashable) -> Hashable:
    version = reader.version
    # What is open to change is another version to us after each change; and plans pass to other institutions.
    reach = None if reader.scope.is_whole else reader.reach
    return (version.row, version.lock_version, version.digest, reach, *asked)


def extent(request: Request, reader: LayerReader, layer: Layer) -> Box | None:
    """Bounds of a layer in reach; None where nothing of it has a place."""
    if layer.geometry is None:
        return None
    key = _key(reader, "extent", layer.name)
    return _remembered(request).get(key, lambda: reader.extent(layer))


def count(request: Request, reader: LayerReader, layer: Layer, query: FeatureQuery) -> int:
    """How many features match a query, whatever its page."""
    key = _key(reader, "count", layer.name, query.bbox, query.where)
    return _remembered(request).get(key, lambda: reader.count(layer, query))


def offered(request: Request, reader: LayerReader) -> tuple[OutputCrs, ...]:
    """Coordinate reference systems that the layers of a version are served in: those that fit its areas."""
    box = extent(request, reader, LAYER_BY_NAME["areas"]) or extent(request, reader, LAYER_BY_NAME["facilities"])
    return offered_at(0.0 if box is None else (box.west + box.east) / 2)
