"""Changes of service: close, open, move a facility, change a radius."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd

from gridmap.domain.kinds import FacilityKind
from gridmap.errors import OutOfPlace, UsageError
from gridmap.geometry.datum import Datum
from gridmap.planning.access.standing import Standing


@dataclass(frozen=True, slots=True)
class Close:
    """A facility is given up."""

    facility_id: str


@dataclass(frozen=True, slots=True)
class Open:
    """A facility is opened; its identifier is ``new-1`` and so on where None.

    ``capacity`` in the unit of demand; where None, and all others of the kind state theirs, their mean is taken.
    """

    lon: float
    lat: float
    kind: FacilityKind
    facility_id: str | None = None
    name: str | None = None
    capacity: float | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """A facility goes elsewhere."""

    facility_id: str
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Reach:
    """A radius of a kind or of one facility, metres; those of a kind leave facilities with a radius of their own."""

    of: str
    urban_m: float
    rural_m: float


Change = Close | Open | Move | Reach


def changed(standing: Standing, changes: Iterable[Change], datum: str = "wgs84") -> Standing:
    """Service after some changes, made in their order.

    Parameters
    ----------
    datum : of the coordinates of the changes: ``wgs84``, ``cgcs2000``, ``gcj02``, ``bd09`` or ``EPSG:n``

    Raises
    ------
    UsageError
        If a facility is not known (the nearest known one is named), an identifier is taken, or one facility is given
        two radii.
    OutOfPlace
        If a place is none on Earth.
    UnknownDatum
        If the datum is none.
    """
    known = Datum.parse(datum)
    for change in changes:
        standing = _made(standing, change, known)
    return standing


def _made(standing: Standing, change: Change, datum: Datum) -> Standing:
    frame = standing.frame
    if isinstance(change, Close):
        kept = np.arange(len(frame)) != _row_of(frame, change.facility_id)
        return replace(standing, frame=frame[kept].reset_index(drop=True))
    if isinstance(change, Reach):
        return _reaching(standing, change)
    lon, lat = _place(change.lon, change.lat, datum)
    if isinstance(change, Move):
        moved = frame.copy()
        moved.loc[_row_of(frame, change.facility_id), ["lon", "lat"]] = [lon, lat]
        return replace(standing, frame=_pointed(moved))
    identifier = change.facility_id or _free_id(frame)
    if identifier in set(frame["facility_id"]):
        raise UsageError("what_ifs.taken_id", id=identifier)
    row = {
        "facility_id": identifier,
        "name": change.name or identifier,
        "kind": change.kind.value,
        "lon": lon,
        "lat": lat,
        "service_radius_m": np.nan,
        "capacity": _capacity(frame, change),
    }
    opened = pd.concat([frame, gpd.GeoDataFrame([row], geometry=gpd.points_from_xy([lon], [lat]), crs=frame.crs)])
    ordered = opened.sort_values("facility_id", kind="stable").reset_index(drop=True)
    return replace(standing, frame=gpd.GeoDataFrame(ordered, crs=frame.crs))


def _reaching(standing: Standing, change: Reach) -> Standing:
    if change.of in set(FacilityKind):
        radii = {**standing.settings.radius_m, FacilityKind(change.of): (change.urban_m, change.rural_m)}
        return replace(standing, settings=standing.settings.model_copy(update={"radius_m": radii}))
    row = _row_of(standing.frame, change.of, "what_ifs.unknown_reach")
    if change.urban_m != change.rural_m:
        raise UsageError("what_ifs.two_radii", id=change.of)
    frame = standing.frame.copy()
    frame["service_radius_m"] = frame["service_radius_m"].astype(np.float64)
    frame.loc[row, "service_radius_m"] = change.urban_m
    return replace(standing, frame=frame)


def _row_of(frame: gpd.GeoDataFrame, identifier: str, key: str = "what_ifs.unknown_facility") -> int:
    ids = [str(one) for one in frame["facility_id"]]
    if identifier in ids:
        return ids.index(identifier)
    names = {str(name): one for name, one in zip(frame["name"], ids, strict=True) if isinstance(name, str)}
    kinds = [kind.value for kind in FacilityKind] if key == "what_ifs.unknown_reach" else []
    near = difflib.get_close_matches(identifier, [*ids, *names, *kinds], n=1, cutoff=0.0)
    found = names.get(near[0], near[0]) if near else "–"
    name = next((str(name) for name, one in names.items() if one == found), found)
    raise UsageError(key, id=identifier, near=found, name=name, kinds=", ".join(FacilityKind))


def _place(lon: float, lat: float, datum: Datum) -> tuple[float, float]:
    said = np.array([[lon, lat]], dtype=np.float64)
    if np.isfinite(said).all() and (datum.is_projected or (np.abs(said) <= (180, 90)).all()):
        place = datum.to_wgs84(said)[0]
        if np.isfinite(place).all():
            return float(place[0]), float(place[1])
    raise OutOfPlace("what_ifs.no_place", lon=lon, lat=lat)


def _pointed(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return frame.set_geometry(gpd.GeoSeries(gpd.points_from_xy(frame["lon"], frame["lat"]), frame.index, crs=frame.crs))


def _free_id(frame: gpd.GeoDataFrame) -> str:
    taken = set(frame["facility_id"])
    return next(name for number in range(1, len(frame) + 2) if (name := f"new-{number}") not in taken)


def _capacity(frame: gpd.GeoDataFrame, change: Open) -> float:
    if change.capacity is not None:
        return change.capacity
    others = frame.loc[frame["kind"] == change.kind.value, "capacity"].astype(np.float64)
    return float(others.mean()) if len(others) and others.notna().all() else float("nan")
