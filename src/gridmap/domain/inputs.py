"""What the user brought, read, checked, converted to WGS 84: all that planning needs, and nothing of files."""

from __future__ import annotations

from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from gridmap.domain.kinds import AreaLevel, Employment, StaffRole
from gridmap.domain.roads import RoadLines


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
class Lines:
    """Roads or barriers.

    Attributes
    ----------
    geometry : (n,) object, shapely LineStrings, WGS 84 degrees on the lattice of 1e-7 degrees
    class_of : (n,) str objects, class of each line, "" where the file has none
    source : the file they came from, as reports name it
    """

    geometry: NDArray[np.object_]
    class_of: NDArray[np.object_]
    source: str


@dataclass(frozen=True)
class Carved:
    """Ground that is a grid of its own before any other is drawn: dedicated grids, or locked ones.

    Attributes
    ----------
    geometry : (n,) object, shapely polygons or multipolygons, WGS 84 degrees on the lattice, valid
    ids : (n,) str; of locked grids their grid codes; distinct
    names : (n,) str, "" where the file has none
    source : the file they came from
    """

    geometry: NDArray[np.object_]
    ids: tuple[str, ...]
    names: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class Staff:
    """People, one row each.

    Attributes
    ----------
    ids : (n,) str, distinct
    names : (n,) str
    roles : (n,) StaffRole
    employment : (n,) Employment
    outlet_ids : (n,) str, "" where the file does not say
    grid_codes : (n,) tuples of str, grids the file asks for, often none
    source : the file they came from
    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    roles: tuple[StaffRole, ...]
    employment: tuple[Employment, ...]
    outlet_ids: tuple[str, ...]
    grid_codes: tuple[tuple[str, ...], ...]
    source: str


@dataclass(frozen=True)
class PreviousGrids:
    """Grids of the plan before this one: their ground where it is known, and every code ever given.

    Attributes
    ----------
    codes : (n,) str, codes in force, distinct
    geometry : (n,) object, polygons or multipolygons, WGS 84 degrees; None where the file is a mere list of codes
    retired : codes given up earlier, never to be given again, distinct from ``codes``
    source : the file they came from
    nested : the sub-grids and super-grids of that plan, where it had any; its ``retired`` is empty
    """

    codes: tuple[str, ...]
    geometry: NDArray[np.object_] | None
    retired: tuple[str, ...]
    source: str
    nested: PreviousGrids | None = None


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
        ``capacity`` (float, NaN = unknown), ``institution``, ``branch`` (the managing branch, None = unknown),
        ``line_number`` (bank line number as text, None = unknown), ``lon_given``, ``lat_given``, ``datum`` (as in
        the file).
    demand
        None where the user gave none; area stands in.
    roads, barriers
        Lines whose classes are wanted, None where not given.
    dedicated, locked
        Ground carved out first, None where not given.
    staff, previous
        None where not given.
    network
        Roads that distance is measured along, None where it is measured as the crow flies.
    warnings
        What the reader noticed, in the words of the catalogue, already filled.
    """

    areas: dict[AreaLevel, gpd.GeoDataFrame]
    facilities: gpd.GeoDataFrame
    demand: Demand | None = None
    roads: Lines | None = None
    barriers: Lines | None = None
    dedicated: Carved | None = None
    locked: Carved | None = None
    staff: Staff | None = None
    previous: PreviousGrids | None = None
    network: RoadLines | None = None
    warnings: tuple[str, ...] = field(default=())
