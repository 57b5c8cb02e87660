"""Who serves a place: cell, unit, grid, people and outlets, areas, and the nearest facility of each kind.

A place on a border lies in every cell that meets there. The one that stands first in the layer is answered, the others
are listed beside it: the same place always has the same answer. A place beyond all ground is answered too, with how
far the ground is.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Annotated, Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pydantic import Field

from gridmap import catalogue
from gridmap.api.bodies import Body
from gridmap.api.questions.coverage import area_chains
from gridmap.api.questions.serving import Serving
from gridmap.domain.kinds import FacilityKind
from gridmap.errors import UnknownDatum, UsageError
from gridmap.exports.words import word
from gridmap.geometry.datum import Datum
from gridmap.planning.locating.neighbourhood import Neighbourhood
from gridmap.planning.locating.outline import Outline
from gridmap.planning.service.reach import GEOD
from gridmap.store.kept import Kept
from gridmap.store.locating import rows_at, rows_by
from gridmap.store.reading import LayerReader

MOST_POINTS = 1000
_DECIMALS_M = 3
_OF_CELL = (
    "cell_id", "area_code", "unit_code", "grid_code", "sub_code", "settlement", "demand", "area_m2", "covered",
    "covered_share", "crossing_degree", *(f"covered_by_{kind}" for kind in FacilityKind),
)  # fmt: skip
_SHOWN_OF_CELL = tuple(name for name in _OF_CELL if name not in ("grid_code", "sub_code"))

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """A place asked for: as it was given, and in WGS 84 degrees."""

    given: tuple[float, float]
    datum: str
    lon: float
    lat: float
    name: str | None = None


class Point(Body):
    """A place among many; ``id`` comes back with the answer."""

    id: Annotated[str, Field(max_length=200)] | None = None
    lon: float
    lat: float


class Points(Body):
    """Places, all in one datum."""

    datum: Annotated[str, Field(max_length=40)] = "wgs84"
    points: Annotated[tuple[Point, ...], Field(min_length=1, max_length=MOST_POINTS, strict=False)]

    def places(self) -> list[Place]:
        """Bring the places to WGS 84; raises as ``place_of``."""
        datum = _datum(self.datum)
        return [_placed(one.lon, one.lat, datum, one.id) for one in self.points]


def place_of(lon: str, lat: str, datum: str) -> Place:
    """Read a place.

    Raises
    ------
    UsageError
        If a coordinate is no number or not finite, the datum is none, or the place is not on Earth.
    """
    return _placed(_number("lon", lon), _number("lat", lat), _datum(datum), None)


def _number(name: str, said: str) -> float:
    try:
        return float(said)
    except ValueError:
        raise UsageError("plans.no_number", name=name, value=said) from None


def _datum(said: str) -> Datum:
    try:
        return Datum.parse(said)
    except UnknownDatum as fault:
        raise UsageError(fault.key, **fault.values) from fault


def _placed(lon: float, lat: float, datum: Datum, name: str | None) -> Place:
    if not (isfinite(lon) and isfinite(lat)):
        raise UsageError("plans.not_finite", lon=lon, lat=lat)
    degrees = datum.definition is None or not datum.is_projected
    if degrees and not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise UsageError("plans.off_earth", lon=lon, lat=lat, datum=datum.name)
    x, y = datum.to_wgs84(np.array([[lon, lat]]))[0].tolist()
    if not (isfinite(x) and isfinite(y) and -180 <= x <= 180 and -90 <= y <= 90):
        raise UsageError("plans.off_earth", lon=lon, lat=lat, datum=datum.name)
    return Place((lon, lat), datum.name, x, y, name)


#: Trees of facilities and borders by content and reach; a few, as each may hold a province.
_KEPT = Kept(16)


@dataclass(frozen=True, slots=True)
class _Facilities:
    rows: list[Entry]
    near: Neighbourhood


def _facilities(reader: LayerReader) -> _Facilities:
    def found() -> _Facilities:
        columns = ("facility_id", "name", "kind", "lon", "lat")
        rows = [dict(zip(columns, row, strict=True)) for row in reader.rows(reader.layer("facilities"), columns)]
        lonlat = np.array([(row["lon"], row["lat"]) for row in rows], dtype=np.float64).reshape(-1, 2)
        kinds = np.array([str(row["kind"]) for row in rows], dtype=object)
        return _Facilities(rows, Neighbourhood(lonlat[:, 0], lonlat[:, 1], kinds))

    return _KEPT.get(("facilities", reader.version.digest, reader.reach), found)


def _border(reader: LayerReader) -> Outline:
    """Border of the widest areas in reach."""

    def found() -> Outline:
        layer = reader.layer("areas")
        rows = reader.rows(layer, ("area_code", "parent_code"))
        codes = {code for code, _ in rows}
        widest = {code for code, parent in rows if parent not in codes}
        shapes = rows_by(reader, layer, ("geometry",), "area_code", widest)
        return Outline(shapely.from_wkb(np.array([*(row["geometry"] for row in shapes), None], dtype=object))[:-1])

    return _KEPT.get(("border", reader.version.digest, reader.reach), found)


def located(reader: LayerReader, places: list[Place], lang: catalogue.Language) -> list[Entry]:
    """Answer of each place.

    Parameters
    ----------
    reader : of ``at_once``
    lang : of names of kinds
    """
    lonlat = np.array([(place.lon, place.lat) for place in places], dtype=np.float64)
    cells = rows_at(reader, reader.layer("cells"), _OF_CELL, lonlat)
    first = [found[0] if found else {} for found in cells]
    serving = Serving(reader, {cell.get("grid_code") for cell in first})
    ground = _Ground(reader, first, serving)
    nearest = _nearest(reader, lonlat, lang)
    beyond = _beyond(reader, lonlat, [not found for found in cells])
    return [
        {
            **({} if place.name is None else {"id": place.name}),
            "point": {"lon": place.lon, "lat": place.lat},
            "asked": {"lon": place.given[0], "lat": place.given[1], "datum": place.datum},
            "inside": bool(cell),
            "cell": {name: cell[name] for name in _SHOWN_OF_CELL} if cell else None,
            **ground.answer(cell),
            "outlets": _with_distances(serving.outlets(cell.get("grid_code")), place),
            "nearest": nearest[row],
            "also": [{name: other[name] for name in ("cell_id", "area_code", "grid_code")} for other in cells[row][1:]],
            "ground": beyond.get(row),
        }
        for row, (place, cell) in enumerate(zip(places, first, strict=True))
    ]


class _Ground:
    """Units, areas, levels and grids that cells belong to."""

    def __init__(self, reader: LayerReader, cells: list[Entry], serving: Serving) -> None:
        self._serving = serving
        columns = ("unit_code", "kind", "area_code", "settlement")
        wanted = {cell.get("unit_code") for cell in cells}
        units = rows_by(reader, reader.layer("units"), columns, "unit_code", wanted)
        self._units = {row["unit_code"]: row for row in units}
        self._chains = area_chains(reader, {cell.get("area_code") for cell in cells})
        codes = {serving.super_code(cell.get("grid_code")) for cell in cells} | {cell.get("sub_code") for cell in cells}
        rows = rows_by(reader, reader.layer("levels"), ("code", "name", "level"), "code", codes)
        self._levels = {(row["level"], row["code"]): {"code": row["code"], "name": row["name"]} for row in rows}

    def answer(self, cell: Entry) -> Entry:
        """Members of the answer of a cell; of none where it is empty."""
        code, area = cell.get("grid_code"), cell.get("area_code")
        return {
            "areas": self._chains.get(area, []) if area is not None else [],
            "unit": self._units.get(cell.get("unit_code")),
            "grid": self._serving.grid(code),
            "super_grid": self._levels.get(("super", self._serving.super_code(code))),
            "sub_grid": self._levels.get(("sub", cell.get("sub_code"))),
            "people": self._serving.people(code),
            "jurisdiction": self._serving.jurisdiction(code),
        }


def _with_distances(outlets: Entry, place: Place) -> Entry:
    def measured(outlet: Entry) -> Entry:
        far = float(GEOD.inv(place.lon, place.lat, outlet["lon"], outlet["lat"])[2])
        return {**outlet, "distance_m": round(far, _DECIMALS_M)}

    primary = outlets["primary"]
    return {
        "primary": None if primary is None else measured(primary),
        "cooperating": [measured(one) for one in outlets["cooperating"]],
    }


def _nearest(reader: LayerReader, lonlat: NDArray[np.float64], lang: catalogue.Language) -> list[Entry]:
    """Nearest facility of each kind to each place; None for a kind that the plan has none of."""
    facilities = _facilities(reader)
    found = facilities.near.nearest_to(lonlat)
    answers: list[Entry] = []
    for row in range(len(lonlat)):
        answer: Entry = {}
        for kind in FacilityKind:
            answer[kind.value] = None
            if kind.value in found:
                facility = facilities.rows[int(found[kind.value].row[row])]
                far = round(float(found[kind.value].distance_m[row]), _DECIMALS_M)
                answer[kind.value] = {**facility, "kind_name": word("kind", kind.value, lang), "distance_m": far}
        answers.append(answer)
    return answers


def _beyond(reader: LayerReader, lonlat: NDArray[np.float64], outside: list[bool]) -> dict[int, Entry | None]:
    """How far the ground is from the places that lie in no cell: the nearest point of its border."""
    rows = np.flatnonzero(outside)
    if not len(rows):
        return {}
    points, far = _border(reader).nearest_to(lonlat[rows])
    within = rows_at(reader, reader.layer("areas"), ("area_code",), lonlat[rows])
    answers: dict[int, Entry | None] = {}
    for row, (lon, lat), distance_m, areas in zip(rows.tolist(), points.tolist(), far.tolist(), within, strict=True):
        nearest = {"distance_m": round(distance_m, _DECIMALS_M), "lon": round(lon, 7), "lat": round(lat, 7)}
        here = {"distance_m": 0.0, "lon": lonlat[row, 0], "lat": lonlat[row, 1]}
        answers[row] = here if areas else nearest if isfinite(distance_m) else None
    return answers
