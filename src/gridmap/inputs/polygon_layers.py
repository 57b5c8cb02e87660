"""Polygons of a layer with their identifiers, checked and on the lattice: what every reader of polygons needs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap import catalogue
from gridmap.errors import BadValue, DuplicateId, Place, UnreadableFile
from gridmap.geometry.datum import Datum
from gridmap.geometry.lattice import Geometries
from gridmap.inputs.columns import first_column, named_column
from gridmap.inputs.folding import Texts, fold_code, folded_texts, is_cut_code
from gridmap.inputs.on_lattice import onto_lattice
from gridmap.inputs.polygons import Untangled, polygons_only, valid_polygons
from gridmap.inputs.staging import staged
from gridmap.inputs.vector import VectorLayer, datum_of, read_layer
from gridmap.inputs.whereabouts import PlaceOf, check_as_given


@dataclass(frozen=True)
class LayerPolygons:
    """Polygons of one layer.

    Attributes
    ----------
    units : (n,) valid polygons or multipolygons, lattice frame
    datum : what the file was read in
    warnings : what was noticed, already worded
    repaired : what a repair did, feature by feature
    """

    units: Geometries
    datum: Datum
    warnings: tuple[str, ...]
    repaired: tuple[Untangled, ...]


def read_polygon_layer(
    path: Path, *, layer: str | None = None, encoding: str | None = None, repair: bool = False
) -> VectorLayer:
    """Read a layer that must be of a vector format, geometries as they stand in the file.

    Raises
    ------
    UnreadableFile, TooLarge, InvalidGeometry
        As ``read_layer``; also if the file is a table or a raster.
    """
    place = Place(file=path.name)
    with staged(path, layer=layer, encoding=encoding) as file:
        if not file.format.is_vector:
            raise UnreadableFile("inputs.not_polygons", place, kind=file.format.shown)
        return read_layer(file, place, repair=repair)


def polygons_of(
    found: VectorLayer,
    stated_datum: str | None,
    codes: Texts,
    names: Texts,
    *,
    repair: bool,
    rows: NDArray[np.intp] | None = None,
) -> LayerPolygons:
    """Check the polygons of a layer, and bring them to WGS 84 on the lattice with shared borders kept shared.

    Parameters
    ----------
    codes, names : str or None, how messages call each feature of the layer
    rows : (n,) features that are wanted; default: all

    Raises
    ------
    BadValue, UnknownDatum, InvalidGeometry, OutOfPlace, TooLarge
        With file, layer, feature, code and place of the first fault.
    """
    used, datum_warnings = datum_of(stated_datum, found.crs, found.place)

    wanted = np.arange(len(found.geometry)) if rows is None else rows

    def place_of(number: int) -> Place:
        row = int(wanted[number])
        return found.place_of(row, code=codes[row], name=names[row])

    geometry, collected = polygons_only(found.geometry[wanted], place_of)
    coordinates, owner = shapely.get_coordinates(geometry, return_index=True)
    check_as_given(coordinates, used, lambda vertex: place_of(int(owner[vertex])))
    geometry, repaired = valid_polygons(geometry, place_of, repair=repair, is_projected=used.is_projected)
    units, mended = onto_lattice(geometry, used, place_of)
    warnings = [*found.warnings, *datum_warnings, *collected, *(one.describe() for one in repaired)]
    if len(mended):
        listed = ", ".join(str(codes[wanted[number]]) for number in mended[:8])
        file = found.place.file
        warnings.append(catalogue.text("inputs.mended_on_lattice", file=file, count=len(mended), codes=listed))
    return LayerPolygons(units, used, tuple(warnings), repaired)


def texts_of_column(found: VectorLayer, column: str | None, usual: tuple[str, ...]) -> Texts:
    """Folded text of a column: the one the user names, else the first usual one, else nothing (None)."""
    field = named_column(found.attributes, column, found.place) if column else first_column(found.attributes, usual)
    if field is None:
        return np.full(len(found.attributes), None, dtype=object)
    return folded_texts(found.attributes[field])


def identifiers(found: VectorLayer, field: str | None, empty: str) -> Texts:
    """Return identifiers as text; row numbers, counted from 0 as GIS programs do, where no column holds them.

    Parameters
    ----------
    field : column of the identifiers
    empty : key of the message for a feature without one

    Raises
    ------
    BadValue
        If one is empty, or a spreadsheet has rounded it.
    """
    if field is None:
        rows = np.arange(len(found.attributes))
        numbers = found.feature_id if found.feature_id is not None and _given(found.feature_id) else rows
        return np.array([str(number) for number in numbers], dtype=object)
    codes = folded_texts(found.attributes[field], fold_code)
    for row, code in enumerate(codes):
        if code is None:
            raise BadValue(empty, found.place_of(row, field=field))
        if is_cut_code(code):
            raise BadValue("inputs.cut_code", found.place_of(row, field=field), value=code)
    return codes


def _given(feature_id: NDArray[np.int64]) -> bool:
    """Whether ids were given by the user; those that GDAL or a database gives count up from 0 or 1."""
    counted = np.arange(len(feature_id))
    return not (np.array_equal(feature_id, counted) or np.array_equal(feature_id, counted + 1))


def require_distinct(codes: Texts, place_of: PlaceOf, key: str) -> None:
    """Refuse identifiers that stand twice.

    Parameters
    ----------
    key : message, with ``value`` and the number of the ``first`` feature that has it

    Raises
    ------
    DuplicateId
        At the second one.
    """
    first: dict[str, int] = {}
    for row, code in enumerate(codes):
        if code in first:
            raise DuplicateId(key, replace(place_of(row), code=code), value=code, first=first[code])
        first[code] = row
