"""Faults of a layer, feature by feature: listed up to a stated number, and counted all."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

import numpy as np
import shapely

from gridmap.errors import InputError
from gridmap.geometry.datum import Datum
from gridmap.inputs.inspection.layers import Layer
from gridmap.inputs.inspection.telling import Told, plain, tell

#: Most faults of one layer that are listed; all of them are counted.
MOST_LISTED = 500


class Faults:
    """Faults of one layer as they are found.

    Parameters
    ----------
    layer : that they are in
    datum : what its coordinates are read in, None where nobody knows
    """

    def __init__(self, layer: Layer, datum: Datum | None) -> None:
        self._layer, self._datum = layer, datum
        self._kinds: Counter[str] = Counter()
        self._listed: list[dict[str, Any]] = []

    def add(self, error: InputError, row: int | None = None) -> None:
        """Add what an error says, of a row of the layer where it is known."""
        place = {} if error.place is None else asdict(error.place)
        known = {name: place.get(name) for name in ("code", "name", "field", "lon", "lat")}
        self._add(tell(error.key, **error.values), row if row is not None else place.get("feature"), known)

    def note(self, key: str, row: int | None = None, **values: object) -> None:
        """Add a fault that no reader names, by its wording."""
        self._add(tell(key, **values), row, {})

    def _add(self, told: Told, row: int | None, known: dict[str, Any]) -> None:
        self._kinds[told["key"].partition(".")[2]] += 1
        if len(self._listed) >= MOST_LISTED:
            return
        fault: dict[str, Any] = {"kind": told["key"].partition(".")[2], "told": told}
        if row is not None:
            rows = self._layer.row
            fault |= {"feature": int(row)} if rows is None else {"row": int(rows[row])}
        fault |= {name: plain(value) for name, value in known.items() if value is not None}
        self._listed.append(fault | self._place(fault, row))

    def _place(self, fault: dict[str, Any], row: int | None) -> dict[str, Any]:
        """Where the fault lies as in the file, and in WGS 84 where that can be said."""
        lon, lat = fault.get("lon"), fault.get("lat")
        if not isinstance(lon, float) or not isinstance(lat, float):
            lon, lat = self._somewhere_in(row)
        if lon is None or lat is None:
            return {}
        place: dict[str, Any] = {"lon": lon, "lat": lat}
        if self._datum is not None:
            at = self._datum.to_wgs84(np.array([[lon, lat]]))[0]
            if np.isfinite(at).all() and (np.abs(at) <= (180, 90)).all():
                place["wgs84"] = [round(float(value), 7) for value in at]
        return place

    def _somewhere_in(self, row: int | None) -> tuple[float | None, float | None]:
        geometry = None if row is None or row >= len(self._layer.geometry) else self._layer.geometry[row]
        if geometry is None:
            return None, None
        corners = shapely.get_coordinates(geometry)
        corners = corners[np.isfinite(corners).all(axis=1)]
        return (float(corners[0, 0]), float(corners[0, 1])) if len(corners) else (None, None)

    def as_json(self) -> dict[str, Any]:
        """Members of the answer, still to be worded."""
        return {"total": self._kinds.total(), "kinds": dict(self._kinds.most_common()), "listed": self._listed}
