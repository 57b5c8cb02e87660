"""Check every row of a layer as its reader would, and go on where the reader stops at the first fault."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gridmap.domain.kinds import FacilityKind
from gridmap.errors import BadValue, InvalidGeometry, OutOfPlace, Place
from gridmap.geometry.datum import Datum
from gridmap.geometry.datum_evidence import is_metric
from gridmap.geometry.soundness import find_duplicates
from gridmap.inputs.facilities import KIND_WORDS, kind_of
from gridmap.inputs.folding import Texts, fold_code, folded_texts, is_cut_code, numbers_of
from gridmap.inputs.inspection.columns import Column
from gridmap.inputs.inspection.faults import Faults
from gridmap.inputs.inspection.layers import Kind, Layer
from gridmap.inputs.inspection.uses import Purpose, Use
from gridmap.inputs.polygons import improper
from gridmap.inputs.whereabouts import check_as_given, looks_misplaced, within_use

#: A place so far from the middle of all is looked at twice, degrees; no county is half as wide.
_FAR_DEG = 5.0
_FEWEST_FOR_FAR = 10
_IDENTIFIER = {Purpose.AREAS: "code", Purpose.DEDICATED: "id"}
#: Words for an identifier that is missing, and for one that stands twice.
_OF_AREAS = ("inputs.no_code", "uploads.code_twice")
_OF_OTHERS = ("inputs.no_id", "uploads.id_twice")
_NUMBERS = ("service_radius_m", "capacity", "value")


def check_layer(layer: Layer, use: Use | None, columns: Sequence[Column], datum: Datum | None) -> Faults:
    """Find the faults of a layer.

    Parameters
    ----------
    use : what it is most likely meant for, which says what its columns must hold
    columns : described
    datum : what its coordinates are read in; None where nobody knows
    """
    faults = Faults(layer, datum)
    if layer.kind is Kind.RASTER:
        return faults
    names = _Names(layer, use)
    for error in layer.faults:
        faults.add(error)
    _check_coordinates(layer, datum, names, faults)
    _check_geometry(layer, names, faults)
    if use is not None:
        _check_identifiers(layer, use, names, faults)
        _check_kinds(layer, use, names, faults)
        _check_numbers(layer, use, names, faults)
    used = set() if use is None else set(use.columns.values())
    for column in columns:
        for row in () if column.name in used else column.slips:
            value = layer.attributes[column.name].iloc[row]
            faults.add(BadValue("uploads.text_among_numbers", names.place(row, column.name), value=value), row)
    return faults


class _Names:
    """How messages call the rows of a layer."""

    def __init__(self, layer: Layer, use: Use | None) -> None:
        self._layer = layer
        self.field = None if use is None else use.columns.get(_IDENTIFIER.get(use.purpose, "id"))
        name = None if use is None else use.columns.get("name")
        self.codes = _texts(layer.attributes, self.field)
        self._names = _texts(layer.attributes, name)

    def place(self, row: int, field: str | None = None) -> Place:
        return Place(
            feature=None if self._layer.is_tabular else int(row),
            code=self.codes[row],
            name=self._names[row],
            field=field,
        )


def _texts(frame: pd.DataFrame, column: str | None) -> Texts:
    return np.full(len(frame), None, dtype=object) if column is None else folded_texts(frame[column], fold_code)


def _check_coordinates(layer: Layer, datum: Datum | None, names: _Names, faults: Faults) -> None:
    if layer.is_tabular:
        _check_coordinate_columns(layer, names, faults)
    if not len(layer.xy):
        return
    if datum is None:
        faults.note("uploads.metres_without_crs")
        return
    if datum.is_projected:
        _check_plane(layer, datum, names, faults)
    elif is_metric(layer.xy):
        faults.note("uploads.metres_said_to_be_degrees", datum=datum.name)
        return
    else:
        _check_degrees(layer, datum, names, faults)
    _check_outliers(layer, datum, names, faults)


def _check_degrees(layer: Layer, datum: Datum, names: _Names, faults: Faults) -> None:
    for row in np.unique(layer.owner[looks_misplaced(layer.xy)]).tolist():
        begin, end = np.searchsorted(layer.owner, [row, row + 1])
        try:
            check_as_given(layer.xy[begin:end], datum, lambda _, row=row: names.place(row))  # type: ignore[misc]
        except OutOfPlace as error:
            faults.add(error, row)


def _check_plane(layer: Layer, datum: Datum, names: _Names, faults: Faults) -> None:
    fits = within_use(datum.to_wgs84(layer.xy), datum)
    swapped = not fits.any() and within_use(datum.to_wgs84(layer.xy[:, ::-1]), datum).all()
    rows, first = np.unique(layer.owner[~fits], return_index=True)
    vertices = np.flatnonzero(~fits)[first]
    for row, vertex in zip(rows.tolist(), vertices.tolist(), strict=True):
        x, y = layer.xy[vertex]
        key = "inputs.axes_swapped" if swapped else "inputs.outside_crs"
        if not np.isfinite([x, y]).all():
            faults.add(OutOfPlace("inputs.not_finite", names.place(row), x=f"{x:g}", y=f"{y:g}"), row)
        else:
            faults.add(OutOfPlace(key, names.place(row), x=f"{x:.10g}", y=f"{y:.10g}", datum=datum), row)


def _check_outliers(layer: Layer, datum: Datum, names: _Names, faults: Faults) -> None:
    """Name rows far from all the others, where the others keep together."""
    lonlat = datum.to_wgs84(layer.xy)
    whole = np.isfinite(lonlat).all(axis=1) & ~looks_misplaced(lonlat)
    rows, first = np.unique(layer.owner[whole], return_index=True)
    if len(rows) < _FEWEST_FOR_FAR:
        return
    places = lonlat[whole][first]
    far = np.abs(places - np.median(places, axis=0)).max(axis=1) > _FAR_DEG
    if 0 < far.sum() <= 0.05 * len(rows) + 1:
        for row in rows[far].tolist():
            faults.add(OutOfPlace("uploads.far_from_others", names.place(row), degrees=f"{_FAR_DEG:g}"), row)


def _check_coordinate_columns(layer: Layer, names: _Names, faults: Faults) -> None:
    for column in (layer.lon, layer.lat):
        if column is None:
            continue
        _, missing, wrong = numbers_of(layer.attributes[column])
        for row in np.flatnonzero(missing | wrong).tolist():
            place = names.place(row, column)
            if missing[row]:
                faults.add(BadValue("inputs.no_coordinate", place), row)
            else:
                value = layer.attributes[column].iloc[row]
                faults.add(BadValue("inputs.not_a_number", place, value=value), row)


def _check_geometry(layer: Layer, names: _Names, faults: Faults) -> None:
    if layer.is_tabular:
        return
    geometry = layer.geometry
    nothing = shapely.is_missing(geometry) | shapely.is_empty(geometry)
    for row in np.flatnonzero(nothing).tolist():
        faults.add(InvalidGeometry("uploads.no_geometry", names.place(row)), row)
    dimension = {Kind.PUNCTUAL: 0, Kind.LINEAR: 1, Kind.AREAL: 2}[layer.kind]
    other = ~nothing & (shapely.get_dimensions(geometry) != dimension)
    for row in np.flatnonzero(other).tolist():
        kind = shapely.get_type_id(geometry[row])
        faults.add(InvalidGeometry("uploads.of_other_kind", names.place(row), kind=_TYPES[int(kind)]), row)
    if layer.kind is not Kind.AREAL:
        return
    finite = np.ones(len(geometry), dtype=bool)
    finite[layer.owner[~np.isfinite(layer.xy).all(axis=1)]] = False
    sound = ~nothing & ~other & finite
    invalid = sound & ~shapely.is_valid(geometry)
    for row in np.flatnonzero(invalid).tolist():
        faults.add(improper(geometry[row], names.place(row), int(invalid.sum())), row)
    rows = np.flatnonzero(sound & ~invalid)
    for doubled, original in zip(*find_duplicates(geometry[rows]), strict=True):
        first = int(rows[original])
        place = names.place(int(rows[doubled]))
        faults.add(InvalidGeometry("uploads.ground_twice", place, first=first), int(rows[doubled]))


_TYPES = {kind.value: kind.name.title().replace("_", "") for kind in shapely.GeometryType}


def _check_identifiers(layer: Layer, use: Use, names: _Names, faults: Faults) -> None:
    if names.field is None or use.purpose in (Purpose.ROADS, Purpose.DEMAND):
        return
    empty, twice = _OF_AREAS if use.purpose is Purpose.AREAS else _OF_OTHERS
    first: dict[str, int] = {}
    for row, code in enumerate(names.codes):
        place = names.place(row, names.field)
        if code is None:
            faults.add(BadValue(empty, place), row)
        elif is_cut_code(code):
            faults.add(BadValue("inputs.cut_code", place, value=code), row)
        elif code in first:
            earlier = first[code] if layer.row is None else int(layer.row[first[code]])
            faults.add(BadValue(twice, place, value=code, first=earlier), row)
        first.setdefault(code or "", row)


def _check_kinds(layer: Layer, use: Use, names: _Names, faults: Faults) -> None:
    column = use.columns.get("kind")
    if column is None or use.purpose not in (Purpose.OUTLETS, Purpose.DEVICES):
        return
    known = ", ".join(f"{kind} ({KIND_WORDS[kind][0]})" for kind in FacilityKind)
    for row, text in enumerate(folded_texts(layer.attributes[column])):
        if text is None or kind_of(text) is None:
            key = "inputs.no_kind" if text is None else "inputs.unknown_kind"
            faults.add(BadValue(key, names.place(row, column), value=text, known=known), row)


def _check_numbers(layer: Layer, use: Use, names: _Names, faults: Faults) -> None:
    for ours in _NUMBERS:
        column = use.columns.get(ours)
        if column is None:
            continue
        values, missing, wrong = numbers_of(layer.attributes[column])
        bad: NDArray[np.bool_] = wrong | (~missing & (~np.isfinite(values) | (values < 0)))
        for row in np.flatnonzero(bad).tolist():
            said = layer.attributes[column].iloc[row]
            faults.add(BadValue("inputs.bad_number", names.place(row, column), value=said, lowest="0"), row)
        for row in np.flatnonzero(missing).tolist() if ours == "value" else ():
            faults.add(BadValue("uploads.no_value", names.place(row, column)), row)
