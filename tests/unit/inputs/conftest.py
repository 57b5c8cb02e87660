"""Areas to write to files: two neighbours, and GeoJSON by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely

from gridmap.geometry.lattice import to_units


@pytest.fixture
def west() -> shapely.Polygon:
    """Square of a tenth of a degree."""
    return shapely.box(111.0, 30.0, 111.1, 30.1)


@pytest.fixture
def east() -> shapely.Polygon:
    """Neighbour of ``west``."""
    return shapely.box(111.1, 30.0, 111.2, 30.1)


@pytest.fixture
def two_areas(west: shapely.Polygon, east: shapely.Polygon) -> Callable[..., gpd.GeoDataFrame]:
    """Make a frame of west and east, with the columns given or a code and a name."""

    def made(**columns: object) -> gpd.GeoDataFrame:
        given = columns or {"code": ["420506001", "420506002"], "name": ["塆子村", "漷河村"]}
        return gpd.GeoDataFrame(given, geometry=[west, east], crs=4326)

    return made


@pytest.fixture
def feature() -> Callable[..., dict[str, Any]]:
    """Make a GeoJSON feature of a geometry and its properties."""

    def made(geometry: object, **properties: object) -> dict[str, Any]:
        return {"type": "Feature", "properties": properties, "geometry": geometry}

    return made


@pytest.fixture
def collection() -> Callable[..., Path]:
    """Write GeoJSON features to ``a.geojson`` in a folder."""

    def written(folder: Path, *features: dict[str, Any]) -> Path:
        path = folder / "a.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}))
        return path

    return written


@pytest.fixture
def on_lattice() -> Callable[[gpd.GeoDataFrame], bool]:
    """Tell whether every vertex of a frame is a point of the lattice."""

    def tell(frame: gpd.GeoDataFrame) -> bool:
        coordinates = shapely.get_coordinates(frame.geometry.to_numpy())
        return bool((to_units(coordinates) / 1e7 == coordinates).all())

    return tell
