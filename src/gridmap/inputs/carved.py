"""Read ground that is a grid of its own before any other is drawn: dedicated grids, and locked ones."""

from __future__ import annotations

from pathlib import Path

from gridmap.domain.inputs import Carved
from gridmap.domain.plan_settings import DedicatedSource, LockedSource
from gridmap.geometry.lattice import geometries_to_degrees
from gridmap.inputs.columns import CARVED_NAME, DEDICATED_ID, first_column, named_column
from gridmap.inputs.folding import Texts
from gridmap.inputs.grid_codes import grid_code_column, grid_codes_of
from gridmap.inputs.polygon_layers import (
    identifiers,
    polygons_of,
    read_polygon_layer,
    require_distinct,
    texts_of_column,
)
from gridmap.inputs.vector import VectorLayer


def read_dedicated(source: DedicatedSource, base_dir: Path, *, repair: bool = False) -> tuple[Carved, tuple[str, ...]]:
    """Read the grounds of dedicated grids (malls, campuses, parks) from any vector file.

    Parameters
    ----------
    source : file, datum, columns of identifier and name; without a column of identifiers the row numbers serve
    base_dir : folder that ``source.path`` is relative to
    repair : untangle improper rings instead of refusing them

    Returns
    -------
    The grounds by identifier, and what was noticed, already worded. Whether two overlap is not looked at here.

    Raises
    ------
    MissingColumn, BadValue, DuplicateId, UnreadableFile, TooLarge, UnknownDatum, InvalidGeometry, OutOfPlace
        With file, layer, feature, field and place of the first fault.
    """
    found = _layer(source, base_dir, repair)
    frame = found.attributes
    field = named_column(frame, source.id, found.place) if source.id else first_column(frame, DEDICATED_ID)
    return _carved(found, source, identifiers(found, field, "inputs.no_carved_id"), "inputs.carved_id_twice", repair)


def read_locked(source: LockedSource, base_dir: Path, *, repair: bool = False) -> tuple[Carved, tuple[str, ...]]:
    """Read the grids of an earlier plan that keep their shape and code from any vector file.

    Parameters
    ----------
    source : file, datum, columns of grid code and name
    base_dir : folder that ``source.path`` is relative to
    repair : untangle improper rings instead of refusing them

    Returns
    -------
    The grids by code, and what was noticed, already worded. Whether two overlap is not looked at here.

    Raises
    ------
    MissingColumn, BadValue, DuplicateId, UnreadableFile, TooLarge, UnknownDatum, InvalidGeometry, OutOfPlace
        With file, layer, feature, field and place of the first fault.
    """
    found = _layer(source, base_dir, repair)
    field = grid_code_column(found.attributes, source.code, found.place)
    codes = grid_codes_of(found.attributes, field, lambda row: found.place_of(row, field=field))
    return _carved(found, source, codes, "inputs.grid_code_twice", repair)


def _layer(source: DedicatedSource | LockedSource, base_dir: Path, repair: bool) -> VectorLayer:
    return read_polygon_layer(base_dir / source.path, layer=source.layer, encoding=source.encoding, repair=repair)


def _carved(
    found: VectorLayer, source: DedicatedSource | LockedSource, ids: Texts, twice: str, repair: bool
) -> tuple[Carved, tuple[str, ...]]:
    names = texts_of_column(found, source.name, CARVED_NAME)
    require_distinct(ids, lambda row: found.place_of(row, name=names[row]), twice)
    read = polygons_of(found, source.datum, ids, names, repair=repair)
    # By identifier, so that the order of the rows in the file decides nothing.
    order = sorted(range(len(ids)), key=lambda row: ids[row])
    carved = Carved(
        geometries_to_degrees(read.units[order]),
        tuple(ids[row] for row in order),
        tuple(names[row] or "" for row in order),
        str(found.place.file),
    )
    return carved, read.warnings
