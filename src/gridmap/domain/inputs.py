"""What the user brought, read, checked, converted to WGS 84: all that planning needs, and nothing of files."""

from __future__ import annotations

from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from gridmap.domain.kinds import AreaLevel


@dataclass(frozen=True)
class Demand:
    """Demand as the user gave it: points or polygons with a value. A raster arrives as points of its pixels.

    Attributes
    ----------
    geometry : (n,) object, shapely points or polygons, WGS 84 degrees
    value : (n,) float64, ``unit``, finite and not negative
    unit : what the value counts (people, customers, yuan)
    source : the file it came from, as reports name it
    """

    geometry: NDArray[np.object_]
    value: NDArray[np.float64]
    unit: str
    source: str


@dataclass(frozen=True)
class PlanInputs:
    """Everything ``build_plan`` takes beside its settings.

    Attributes
    ----------
    areas
        One frame a level, WGS 84 with every coordinate a multiple of 1e-7 degrees, columns ``area_code`` (str,
        unique), ``name`` (str), ``level`` (str), ``settlement`` (SettlementClass value or None), ``geometry``.
    facilities
        Outlets and devices, WGS 84 points, columns ``facility_id`` (str, unique), ``name``, ``kind``
        (FacilityKind value), ``lon``, ``lat`` (degrees, WGS 84), ``service_radius_m`` (float, NaN = the plan's),
        ``capacity`` (float, NaN = unknown), ``institution``, ``lon_given``, ``lat_given``, ``datum`` (as in the file).
    demand
        None where the user gave none; area stands in.
    warnings
        What the reader noticed, in the words of the catalogue, already filled.
    """

    areas: dict[AreaLevel, gpd.GeoDataFrame]
    facilities: gpd.GeoDataFrame
    demand: Demand | None = None
    warnings: tuple[str, ...] = field(default=())
