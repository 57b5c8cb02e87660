"""Read administrative areas: polygons with a code and a name, in WGS 84 on the lattice, borders shared."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gridmap import catalogue
from gridmap.domain.kinds import AreaLevel
from gridmap.errors import BadValue, DuplicateId, Place, UnreadableFile
from gridmap.geometry.lattice import geometries_to_degrees
from gridmap.inputs.columns import AREA_CODE, AREA_NAME, first_column, named_column
from gridmap.inputs.folding import Texts, fold_code, folded_texts, is_cut_code
from gridmap.inputs.on_lattice import onto_lattice
from gridmap.inputs.polygons import Untangled, polygons_only, valid_polygons
from gridmap.inputs.staging import staged
from gridmap.inputs.vector import VectorLayer, datum_of, read_layer
from gridmap.inputs.whereabouts import PlaceOf, check_as_given


@dataclass(frozen=True)
class AreaRead:
    """Areas of one file.

    Attributes
    ----------
    areas : WGS 84, every coordinate a multiple of 1e-7 degree; columns ``area_code`` (str, unique), ``name`` (str, ""
        where there is none), ``level`` (str, "" where it is not known), ``settlement`` (the three-digit class code as
        it stands in the file, or None), ``geometry``
    datum : datum the file was read in
    warnings : what was noticed, already worded
    repaired : what a repair did, feature by feature
    """

    areas: gpd.GeoDataFrame
    datum: str
    warnings: tuple[str, ...]
    repaired: tuple[Untangled, ...]


def read_areas(
    path: str | Path,
    *,
    layer: str | None = None,
    datum: str | None = None,
    code: str | None = None,
    name: str | None = None,
    settlement: str | None = None,
    encoding: str | None = None,
    level: AreaLevel | str | None = None,
    repair: bool = False,
) -> AreaRead:
    """Read polygons from any vector file, check them, and bring them to WGS 84 on the lattice.

    The layer is noded before it is converted: a vertex that lies on a neighbour's edge becomes a vertex of that edge,
    so that converting and rounding vertex by vertex keeps shared borders shared.

    Parameters
    ----------
    path : GeoJSON (also newline-delimited), Shapefile, GeoPackage, FlatGeobuf, KML, GeoParquet, or a zip of one
    layer : layer of the file, or data set of the zip, where there are several
    datum : ``wgs84``, ``cgcs2000``, ``gcj02``, ``bd09`` or ``EPSG:n``; default: the file's own CRS, else WGS 84
    code : column of the area code; default: the first of ``area_code``, ``adcode``, ``code``, the Chinese names for it,
        ``id``, else the row number
    name : column of the name; default: the first of ``name``, ``名称`` and their like
    settlement : column of the three-digit settlement class code
    encoding : of the attributes, where neither the file nor its .cpg tells the truth
    level : level of the areas; default: what the length of their codes says
    repair : untangle improper rings instead of refusing them

    Raises
    ------
    UnreadableFile, TooLarge, MissingColumn, BadValue, DuplicateId, UnknownDatum, InvalidGeometry, OutOfPlace
        With file, layer, feature, code, name and place of the first fault.
    """
    path = Path(path)
    place = Place(file=path.name)
    with staged(path, layer=layer, encoding=encoding) as file:
        if not file.format.is_vector:
            raise UnreadableFile("inputs.not_polygons", place, kind=file.format.shown)
        found = read_layer(file, place, repair=repair)
    used, datum_warnings = datum_of(datum, found.crs, found.place)
    codes = _codes(found, code)
    names = _texts(found, name, AREA_NAME)
    classes = _texts(found, settlement, ()) if settlement else np.full(len(codes), None, dtype=object)

    def place_of(row: int) -> Place:
        return found.place_of(row, code=codes[row], name=names[row])

    _check_unique(codes, place_of)
    geometry, collected = polygons_only(found.geometry, place_of)
    coordinates, owner = shapely.get_coordinates(geometry, return_index=True)
    check_as_given(coordinates, used, lambda row: place_of(int(owner[row])))
    geometry, repaired = valid_polygons(geometry, place_of, repair=repair, is_projected=used.is_projected)
    units, mended = onto_lattice(geometry, used, place_of)
    frame = gpd.GeoDataFrame(
        {
            "area_code": pd.Series(codes, dtype=object),
            "name": pd.Series([text or "" for text in names], dtype=object),
            "level": str(level) if level else _level_of(codes),
            "settlement": pd.Series(classes, dtype=object),
        },
        geometry=geometries_to_degrees(units),
        crs="EPSG:4326",
    )
    warnings = [*found.warnings, *datum_warnings, *collected, *(one.describe() for one in repaired)]
    if len(mended):
        listed = ", ".join(str(codes[row]) for row in mended[:8])
        warnings.append(catalogue.text("inputs.mended_on_lattice", file=path.name, count=len(mended), codes=listed))
    return AreaRead(frame, str(used), tuple(warnings), repaired)


def _texts(found: VectorLayer, column: str | None, usual: tuple[str, ...]) -> Texts:
    """Folded text of a column: the one the user names, else the first usual one, else nothing."""
    if column is not None:
        return folded_texts(found.attributes[named_column(found.attributes, column, found.place)])
    first = first_column(found.attributes, usual)
    return (
        np.full(len(found.attributes), None, dtype=object) if first is None else folded_texts(found.attributes[first])
    )


def _codes(found: VectorLayer, column: str | None) -> Texts:
    """Area codes as text; row numbers, counted from 0 as GIS programs do, where no column holds them."""
    rows = np.arange(len(found.attributes))
    field = named_column(found.attributes, column, found.place) if column else first_column(found.attributes, AREA_CODE)
    if field is None:
        numbers = found.feature_id if found.feature_id is not None and _given(found.feature_id) else rows
        return np.array([str(number) for number in numbers], dtype=object)
    codes = folded_texts(found.attributes[field], fold_code)
    for row, code in enumerate(codes):
        if code is None:
            raise BadValue("inputs.no_code", found.place_of(row, field=field))
        if is_cut_code(code):
            raise BadValue("inputs.cut_code", found.place_of(row, field=field), value=code)
    return codes


def _given(feature_id: NDArray[np.int64]) -> bool:
    """Whether ids were given by the user; those that GDAL or a database gives count up from 0 or 1."""
    counted = np.arange(len(feature_id))
    return not (np.array_equal(feature_id, counted) or np.array_equal(feature_id, counted + 1))


def _check_unique(codes: Texts, place_of: PlaceOf) -> None:
    first_row: dict[str, int] = {}
    for row, code in enumerate(codes):
        if code in first_row:
            raise DuplicateId("inputs.duplicate_code", place_of(row), value=code, first=first_row[code])
        first_row[code] = row


def _level_of(codes: Texts) -> str:
    lengths = {len(code) if code.isdecimal() else 0 for code in codes}
    return next((str(level) for level in AreaLevel if lengths == {level.digits}), "")
