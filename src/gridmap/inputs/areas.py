"""Read administrative areas: polygons with a code and a name, in WGS 84 on the lattice, borders shared."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd

from gridmap.domain.kinds import AreaLevel
from gridmap.geometry.lattice import geometries_to_degrees
from gridmap.inputs.columns import AREA_CODE, AREA_NAME, first_column, named_column
from gridmap.inputs.folding import Texts
from gridmap.inputs.polygon_layers import (
    identifiers,
    polygons_of,
    read_polygon_layer,
    require_distinct,
    texts_of_column,
)
from gridmap.inputs.polygons import Untangled


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
    found = read_polygon_layer(path, layer=layer, encoding=encoding, repair=repair)
    field = named_column(found.attributes, code, found.place) if code else first_column(found.attributes, AREA_CODE)
    codes = identifiers(found, field, "inputs.no_code")
    names = texts_of_column(found, name, AREA_NAME)
    classes = texts_of_column(found, settlement, ())
    require_distinct(codes, lambda row: found.place_of(row, name=names[row]), "inputs.duplicate_code")
    read = polygons_of(found, datum, codes, names, repair=repair)
    frame = gpd.GeoDataFrame(
        {
            "area_code": pd.Series(codes, dtype=object),
            "name": pd.Series([text or "" for text in names], dtype=object),
            "level": str(level) if level else _level_of(codes),
            "settlement": pd.Series(classes, dtype=object),
        },
        geometry=geometries_to_degrees(read.units),
        crs="EPSG:4326",
    )
    return AreaRead(frame, str(read.datum), read.warnings, read.repaired)


def _level_of(codes: Texts) -> str:
    lengths = {len(code) if code.isdecimal() else 0 for code in codes}
    return next((str(level) for level in AreaLevel if lengths == {level.digits}), "")
