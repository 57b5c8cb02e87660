"""Read the pieces of a partition made anywhere, exactly as they stand in the file: nothing noded, rounded or mended."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd

from gridmap.errors import Place, UnreadableFile
from gridmap.inputs.staging import staged
from gridmap.inputs.vector import read_layer


def read_pieces(path: str | Path, *, layer: str | None = None) -> gpd.GeoDataFrame:
    """Read any vector file: its attributes, and its geometries bit for bit, in the CRS the file states or WGS 84.

    The name of the file stands in ``attrs["file"]``.

    Raises
    ------
    UnreadableFile, TooLarge, InvalidGeometry
        With file, layer and feature. What is wrong with polygons that can be read at all is left to ``validate``.
    """
    path = Path(path)
    place = Place(file=path.name)
    with staged(path, layer=layer) as file:
        if not file.format.is_vector:
            raise UnreadableFile("inputs.not_polygons", place, kind=file.format.shown)
        found = read_layer(file, place)
    frame = gpd.GeoDataFrame(found.attributes, geometry=found.geometry, crs=found.crs or "EPSG:4326")
    frame.attrs["file"] = path.name
    return frame
