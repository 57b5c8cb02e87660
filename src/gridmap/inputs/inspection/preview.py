"""A preview of a file: some thousand vertices of its layers, simplified, with their codes and names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.geometry.lattice import Geometries
from gridmap.inputs.folding import folded_texts
from gridmap.inputs.inspection.layers import Layer
from gridmap.inputs.inspection.telling import clean
from gridmap.inputs.inspection.uses import Use

#: Most features and vertices that one file's preview shows.
MOST_FEATURES, MOST_VERTICES = 1_500, 6_000
_LONGEST_LABEL = 60
_ROUNDS = 24


def draw(layer: Layer, use: Use | None, share: float) -> list[dict[str, Any]]:
    """Draw a layer in the coordinates of its file.

    Parameters
    ----------
    share : of the features and vertices of a preview that this layer may have

    Returns
    -------
    Features with ``layer``, ``feature`` or ``row``, ``code`` and ``name``, evenly chosen where there are too many.
    """
    drawn = np.flatnonzero(_is_drawable(layer))
    most = max(1, int(MOST_FEATURES * share))
    if len(drawn) > most:
        drawn = drawn[np.linspace(0, len(drawn) - 1, most).astype(np.intp)]
    shapes = simplified(layer.geometry[drawn], max(most, int(MOST_VERTICES * share)))
    labels = {ours: _labels(layer, use, drawn, ours) for ours in ("code", "name")}
    features = []
    for number, (row, shape) in enumerate(zip(drawn.tolist(), shapes, strict=True)):
        where = {"feature": row} if layer.row is None else {"row": int(layer.row[row])}
        label = {ours: texts[number] for ours, texts in labels.items() if texts[number] is not None}
        properties = {"layer": layer.name, **where, **label}
        features.append({"type": "Feature", "properties": properties, "geometry": shapely.geometry.mapping(shape)})
    return features


def simplified(shapes: Geometries, most_vertices: int) -> Geometries:
    """Shapes with fewer vertices: coarser and coarser until there are few enough; the smallest stay triangles."""
    if not len(shapes) or shapely.get_num_coordinates(shapes).sum() <= most_vertices:
        return shapes
    bounds = shapely.total_bounds(shapes)
    tolerance = max(float(bounds[2] - bounds[0]), float(bounds[3] - bounds[1]), 1e-9) / 10_000
    simpler: Geometries = shapes
    for _ in range(_ROUNDS):
        simpler = shapely.simplify(shapes, tolerance, preserve_topology=True)
        if shapely.get_num_coordinates(simpler).sum() <= most_vertices:
            return simpler
        tolerance *= 1.6
    # Many parts that nothing makes simpler: the largest stand for all.
    left = np.cumsum(shapely.get_num_coordinates(simpler)) <= most_vertices
    boxes = np.array([one if keep else shapely.centroid(one) for one, keep in zip(simpler, left, strict=True)])
    return np.asarray(boxes, dtype=object)


def _is_drawable(layer: Layer) -> NDArray[np.bool_]:
    drawable = ~(shapely.is_missing(layer.geometry) | shapely.is_empty(layer.geometry))
    drawable[layer.owner[~np.isfinite(layer.xy).all(axis=1)]] = False
    return np.asarray(drawable)


def _labels(layer: Layer, use: Use | None, rows: NDArray[np.intp], ours: str) -> Sequence[str | None]:
    column = None if use is None else use.columns.get(ours) or (use.columns.get("id") if ours == "code" else None)
    if column is None:
        return [None] * len(rows)
    texts = folded_texts(layer.attributes[column].iloc[rows])
    return [None if text is None else clean(text)[:_LONGEST_LABEL] for text in texts]
