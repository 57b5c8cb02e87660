"""What is asked of a layer, and the page that answers it."""

from __future__ import annotations

from dataclasses import dataclass

from gridmap.domain.crs import CRS84, OutputCrs
from gridmap.domain.filters import Filter
from gridmap.store.protocols import Box


@dataclass(frozen=True, slots=True)
class FeatureQuery:
    """Which features of a layer, and how they are written.

    Attributes
    ----------
    bbox : only features whose geometry meets it, WGS 84 degrees
    where : only features for which it is true
    properties : columns that are written, in the order of the layer; None for all
    crs : of the coordinates that are written
    limit : most features of the page
    after_fid : only features beyond this one
    geometry : whether geometries are written; ``null`` stands for them otherwise
    """

    bbox: Box | None = None
    where: Filter | None = None
    properties: tuple[str, ...] | None = None
    crs: OutputCrs = CRS84
    limit: int = 1000
    after_fid: int = 0
    geometry: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """GeoJSON features separated by commas, how many they are, and the ``fid`` that the next page comes after."""

    features: bytes
    returned: int
    next_after: int | None
