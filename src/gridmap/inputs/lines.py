"""Read roads and barriers: lines of the classes that are wanted, in WGS 84 on the lattice, joined where they meet."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap import catalogue
from gridmap.domain.inputs import Lines
from gridmap.domain.plan_settings import LineSource
from gridmap.errors import BadValue, InvalidGeometry, MissingColumn, Place, UnreadableFile
from gridmap.geometry.datum import Datum
from gridmap.geometry.lattice import Geometries, geometries_to_degrees, to_units
from gridmap.inputs.columns import LINE_CLASS, first_column, listed, named_column
from gridmap.inputs.folding import Texts, fold_word, folded_texts
from gridmap.inputs.line_noding import join_lines
from gridmap.inputs.on_lattice import NODING_DEG, NODING_M, NODING_UNITS
from gridmap.inputs.polygons import check_vertex_count
from gridmap.inputs.staging import staged
from gridmap.inputs.vector import VectorLayer, datum_of, read_layer
from gridmap.inputs.whereabouts import check_as_given, to_checked_wgs84

#: How near a loose end must come to another line to be joined to it, in the file's own unit: six decimals of a degree,
#: the coarsest that maps are commonly written with, leave a junction so far apart.
_REACH_DEG, _REACH_M = 1e-6, 0.1

_MOST_ROUNDS = 4
_CLASSES_SHOWN = 20


def read_lines(
    source: LineSource, base_dir: Path, *, outlines: bool = False, repair: bool = False
) -> tuple[Lines, tuple[str, ...]]:
    """Read lines from any vector file.

    They are joined where they meet before they are converted, so that a junction stays one in every datum; multi-part
    lines are split into their parts.

    Parameters
    ----------
    source : file, datum, and which classes of which column are used; default: the first of ``class``, ``highway``,
        ``等级`` and their like, and every line
    base_dir : folder that ``source.path`` is relative to
    outlines : take the outlines of polygons (rivers, lakes) too, instead of refusing polygons
    repair : close rings of polygons that are open, instead of refusing them

    Returns
    -------
    The lines, in an order that does not depend on that of the file, and what was noticed, already worded.

    Raises
    ------
    MissingColumn
        If classes are asked for and there is no column of classes.
    BadValue
        If a class asked for is not in the file, naming those that are.
    InvalidGeometry
        If a feature that is wanted has no geometry or is no line, or nothing of any length is left.
    UnreadableFile, TooLarge, UnknownDatum, OutOfPlace
        With file, layer, feature and place of the first fault.
    """
    path = base_dir / source.path
    place = Place(file=path.name)
    with staged(path, layer=source.layer, encoding=source.encoding) as file:
        if not file.format.is_vector:
            raise UnreadableFile("inputs.not_lines", place, kind=file.format.shown)
        found = read_layer(file, place, repair=repair)
    used, datum_warnings = datum_of(source.datum, found.crs, found.place)
    row, class_of, class_warnings = _wanted(found, source)
    lines, owner, collected = _line_parts(found, row, outlines)
    if not len(lines):
        raise InvalidGeometry("inputs.no_lines_left", found.place, count=len(found.geometry))
    coordinates, line = shapely.get_coordinates(lines, return_index=True)
    check_as_given(coordinates, used, lambda vertex: found.place_of(int(owner[line[vertex]])))
    units = _onto_lattice(lines, owner, used, found)
    lengthy = shapely.length(units) > 0
    if not lengthy.any():
        raise InvalidGeometry("inputs.no_lines_left", found.place, count=len(found.geometry))
    warnings = [*found.warnings, *datum_warnings, *class_warnings, *collected]
    if not lengthy.all():
        where = found.place_of(int(owner[~lengthy][0])).describe()
        warnings.append(catalogue.text("inputs.without_length", place=where, count=int((~lengthy).sum())))
    units = shapely.remove_repeated_points(units[lengthy], 0.0)
    kind = class_of[owner[lengthy]]
    # From west to east, so that the order of the features in the file decides nothing.
    drawn = [shapely.get_coordinates(line).tolist() for line in units]
    order = np.array(sorted(range(len(units)), key=lambda number: (drawn[number], kind[number])), dtype=np.intp)
    return Lines(geometries_to_degrees(units[order]), kind[order], str(found.place.file)), tuple(warnings)


def _wanted(found: VectorLayer, source: LineSource) -> tuple[NDArray[np.intp], Texts, list[str]]:
    """Rows of the features of the classes that are used, and the class of every feature, "" where it has none."""
    frame, chosen = found.attributes, source.class_column
    field = named_column(frame, chosen, found.place) if chosen else first_column(frame, LINE_CLASS)
    class_of = np.full(len(frame), "", dtype=object)
    if field is not None:
        class_of[:] = [text or "" for text in folded_texts(frame[field])]
    if source.classes is None:
        return np.arange(len(frame)), class_of, []
    if field is None:
        raise MissingColumn("inputs.needs_class", found.place, columns=listed(frame))
    folded = [fold_word(text) for text in class_of]
    unknown = [name for name in source.classes if not fold_word(name) or fold_word(name) not in folded]
    if unknown:
        there = sorted(Counter(name for name in class_of if name).items(), key=lambda one: (-one[1], one[0]))
        known = [f"{name} ({count:,})" for name, count in there[:_CLASSES_SHOWN]]
        more = ["…"] if len(there) > _CLASSES_SHOWN else []
        place = replace(found.place, field=field)
        raise BadValue("inputs.unknown_classes", place, names=", ".join(unknown), known=", ".join([*known, *more]))
    warnings = []
    unclassed = folded.count("")
    if unclassed:
        warnings.append(catalogue.text("inputs.without_class", file=found.place.file, field=field, count=unclassed))
    used = {fold_word(name) for name in source.classes}
    return np.flatnonzero([name in used for name in folded]), class_of, warnings


def _line_parts(
    found: VectorLayer, row: NDArray[np.intp], outlines: bool
) -> tuple[Geometries, NDArray[np.intp], list[str]]:
    """Lines of the features wanted, part by part, the row of the feature each is of, and what was left out."""
    geometry = found.geometry[row]
    missing = np.flatnonzero(shapely.is_missing(geometry) | shapely.is_empty(geometry))
    if len(missing):
        raise InvalidGeometry("inputs.no_geometry", found.place_of(int(row[missing[0]])), count=len(missing))
    check_vertex_count(geometry, found.place)
    parts, owner = geometry, np.arange(len(geometry))
    while (shapely.get_type_id(parts) > shapely.GeometryType.POLYGON).any():
        parts, of_part = shapely.get_parts(parts, return_index=True)
        owner = owner[of_part]
    kind = shapely.get_type_id(parts)
    is_line = (kind == shapely.GeometryType.LINESTRING) & ~shapely.is_empty(parts)
    is_ground = (kind == shapely.GeometryType.POLYGON) & ~shapely.is_empty(parts) & outlines
    usable = is_line | is_ground
    warnings = []
    for feature in np.unique(owner[~usable]).tolist():
        mixed = shapely.get_type_id(geometry[feature]) == shapely.GeometryType.GEOMETRYCOLLECTION
        place = found.place_of(int(row[feature]))
        if not (mixed and usable[owner == feature].any()):
            raise InvalidGeometry("inputs.not_a_line", place, kind=geometry[feature].geom_type)
        warnings.append(catalogue.text("inputs.took_lines", place=place.describe()))
    rings, of_ground = shapely.get_rings(parts[is_ground], return_index=True)
    coordinates, of_ring = shapely.get_coordinates(rings, return_index=True)
    drawn = shapely.linestrings(coordinates, indices=of_ring) if len(rings) else rings
    lines = np.concatenate([parts[is_line], drawn])
    return lines, row[np.r_[owner[is_line], owner[is_ground][of_ground]]], warnings


def _onto_lattice(lines: Geometries, owner: NDArray[np.intp], used: Datum, found: VectorLayer) -> Geometries:
    """Join the lines, convert them vertex by vertex, round them, and join what rounding parted."""
    tolerance, reach = (NODING_M, _REACH_M) if used.is_projected else (NODING_DEG, _REACH_DEG)
    joined = join_lines(lines, tolerance, reach)
    coordinates, line = shapely.get_coordinates(joined, return_index=True)
    lonlat = to_checked_wgs84(coordinates, used, lambda vertex: found.place_of(int(owner[line[vertex]])))
    units = np.asarray(shapely.set_coordinates(joined.copy(), to_units(lonlat)))
    for _ in range(_MOST_ROUNDS):
        vertices = shapely.get_num_coordinates(units).sum()
        units = join_lines(units, NODING_UNITS, NODING_UNITS)
        if shapely.get_num_coordinates(units).sum() == vertices:
            break
    return units
