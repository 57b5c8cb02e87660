"""The Python API over GeoDataFrames: frames at the edge, arrays inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gridmap import catalogue, inputs
from gridmap.domain.inputs import PlanInputs
from gridmap.domain.plan_settings import PlanSettings
from gridmap.errors import BadValue, DuplicateId, OutOfPlace, Place
from gridmap.geometry.area_cut import AreaPieces
from gridmap.geometry.certificate import AreaProof, certificate
from gridmap.geometry.datum import Datum
from gridmap.geometry.faults import metres
from gridmap.geometry.lattice import Geometries, geometries_to_degrees, to_degrees, to_units
from gridmap.geometry.partition import Partition as PartitionArrays
from gridmap.geometry.partition import cut_areas, partition_areas
from gridmap.geometry.repair import TOLERANCE_M, FixedPartition, fix_partition, repair_coverage
from gridmap.geometry.tiling import require_tiling
from gridmap.geometry.validation import Remark, Report, validate_partition
from gridmap.inputs.columns import AREA_CODE, first_column, named_column
from gridmap.inputs.folding import fold, fold_code, folded_texts, is_cut_code
from gridmap.inputs.on_lattice import onto_lattice
from gridmap.inputs.polygons import polygons_only, valid_polygons
from gridmap.inputs.whereabouts import check_as_given

WGS84 = "EPSG:4326"
RESOLUTIONS = range(16)

#: No coordinate of a place on Earth is larger: longitudes of maps across the antimeridian, false eastings with a zone.
_MOST_DEGREES, _MOST_METRES = 360.0, 2e8

#: Columns that name a piece, where the caller names none; the first that is there counts.
PIECE_COLUMNS = ("cell_id", "grid_code", "id", "area_code")


@dataclass(frozen=True)
class Partition:
    """Areas cut into cells, with proof.

    Attributes
    ----------
    cells : frame in WGS 84, columns ``cell_id`` (H3 index, hexadecimal text), ``area_code``, ``area_m2``, ``geometry``;
        one row a cell and area, every coordinate a multiple of 1e-7 degree
    certificate : as ``certificate.json`` holds it; ``gridmap.verify`` re-proves it from the exported cells
    """

    cells: gpd.GeoDataFrame
    certificate: dict[str, Any]
    _arrays: PartitionArrays = field(repr=False)

    @cached_property
    def adjacency(self) -> pd.DataFrame:
        """Row numbers ``a``, ``b`` of ``cells`` that share a border, and its length ``shared_m``, metres."""
        pairs = self._arrays.adjacency
        return pd.DataFrame({"a": pairs[:, 0], "b": pairs[:, 1], "shared_m": self._arrays.shared_m})


def read_areas(path: str | Path, **options: Any) -> gpd.GeoDataFrame:
    """Read polygons of any vector file as areas in WGS 84 on the lattice; options as ``gridmap.inputs.read_areas``.

    What was noticed stands in the frame's ``attrs["warnings"]``.
    """
    read = inputs.read_areas(path, **options)
    read.areas.attrs["warnings"] = list(read.warnings)
    return read.areas


def partition(areas: gpd.GeoDataFrame, resolution: int) -> Partition:
    """Cut areas exactly into H3 cells.

    Parameters
    ----------
    areas : polygons in any CRS that the frame states (none: WGS 84), one row an area; its code stands in the first
        column that ``read_areas`` would take, else the row number is taken
    resolution : H3 resolution, 0 to 15

    Raises
    ------
    BadValue
        If there are no areas, one has no code, or H3 has no such resolution.
    DuplicateId
        If a code stands twice.
    InvalidGeometry
        If a row is no polygon, a ring crosses itself, or a cell cuts off a sharp corner within the rounding.
    CoverageFault
        If areas overlap or leave gaps between them.
    OutOfPlace
        If a coordinate is not on Earth, or an area reaches the antimeridian or a pole.
    TooLarge
        If an area would come to more cells than the settings allow.

    Examples
    --------
    >>> import geopandas, gridmap, shapely
    >>> box = shapely.box(111.0, 30.0, 111.1, 30.1)
    >>> villages = geopandas.GeoDataFrame({"area_code": ["990101001001"]}, geometry=[box], crs="EPSG:4326")
    >>> made = gridmap.partition(villages, resolution=7)
    >>> made.certificate["verdict"], len(made.cells) == made.certificate["areas"][0]["pieces"]
    ('exact', True)
    """
    check_resolution(resolution)
    codes, polygons = area_polygons(areas)
    require_tiling(polygons, codes)
    cut = partition_areas(polygons, codes, resolution)
    cells = cell_frame(cut.pieces)
    return Partition(cells, cut.certificate, cut)


class PartitionStream:
    """Frames of cells, one an area, made as they are taken; the certificate is there when all have been."""

    def __init__(self, areas: gpd.GeoDataFrame, resolution: int) -> None:
        check_resolution(resolution)
        self._codes, self._polygons = area_polygons(areas)
        require_tiling(self._polygons, self._codes)
        self._resolution = resolution
        self._proofs: list[AreaProof] = []

    def __len__(self) -> int:
        """Count the areas."""
        return len(self._codes)

    def __iter__(self) -> Iterator[gpd.GeoDataFrame]:
        """Cut one area after the other."""
        self._proofs = []
        for pieces in cut_areas(self._polygons, self._codes, self._resolution):
            yield cell_frame([pieces])
            self._proofs.append(pieces.proof)

    @property
    def certificate(self) -> dict[str, Any]:
        """The certificate of all areas taken so far."""
        return certificate(self._proofs, self._resolution)


def check_resolution(resolution: int) -> None:
    """Raise ``BadValue`` unless H3 has this resolution."""
    if isinstance(resolution, bool) or resolution not in RESOLUTIONS:
        raise BadValue("inputs.no_such_resolution", resolution=resolution)


def cell_frame(areas: Sequence[AreaPieces]) -> gpd.GeoDataFrame:
    """Frame of the cells of areas, one area after the other."""
    names = [f"{index:x}" for pieces in areas for index in pieces.cell.tolist()]
    codes = np.repeat(
        np.array([pieces.proof.area_code for pieces in areas], dtype=object), [len(pieces.cell) for pieces in areas]
    )
    columns = {"cell_id": pd.Series(names, dtype=object), "area_code": pd.Series(codes, dtype=object)}
    columns["area_m2"] = pd.Series(np.concatenate([pieces.shapes.area_m2() for pieces in areas]))
    geometry = np.concatenate([pieces.shapes.in_degrees() for pieces in areas])
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=WGS84)


def repair_areas(areas: gpd.GeoDataFrame, tolerance_m: float = TOLERANCE_M, file: str = "") -> gpd.GeoDataFrame:
    """Untangle rings, and close gaps and overlaps between areas up to a width.

    Parameters
    ----------
    areas : as ``partition`` takes them
    tolerance_m : widest gap or overlap that is closed, metres, above 0 and at most 1,000
    file : name of the file they came from, for messages

    Returns
    -------
    The same rows in WGS 84 on the lattice; what moved, and how far, is said in ``attrs["warnings"]``. Faults that are
    wider stay, and ``partition`` names them.

    Raises
    ------
    BadValue
        If the tolerance is out of range, or the areas are not usable as ``partition`` says.
    """
    codes, polygons, said = _areas_on_lattice(areas, repair=True)
    repaired = repair_coverage(polygons, tolerance_m, codes)
    mended = areas.set_geometry(gpd.GeoSeries(geometries_to_degrees(repaired.polygons), index=areas.index, crs=WGS84))
    mended.attrs["warnings"] = [*areas.attrs.get("warnings", []), *said]
    if repaired.fixed:
        farthest = int(repaired.shift_m.argmax())
        mended.attrs["warnings"].append(
            catalogue.text(
                "validation.repaired",
                file=file or catalogue.text("cli.areas_of_frame"),
                fixed=len(repaired.fixed),
                code=codes[farthest],
                shift=metres(float(repaired.shift_m[farthest])),
                moved=int(np.count_nonzero(repaired.shift_m)),
                area=metres(float(np.abs(repaired.area_change_m2).max())),
            )
        )
    return mended


def repair_inputs(given: PlanInputs, settings: PlanSettings, tolerance_m: float) -> PlanInputs:
    """Repair the areas of a plan, level by level, as ``repair_areas`` does; what moved is said in its warnings."""
    areas = {
        level: repair_areas(frame, tolerance_m, Path(settings.areas[level].path).name)
        for level, frame in given.areas.items()
    }
    said = [warning for frame in areas.values() for warning in frame.attrs.get("warnings", [])]
    return replace(given, areas=areas, warnings=(*given.warnings, *said))


def validate(
    pieces: gpd.GeoDataFrame,
    areas: gpd.GeoDataFrame | None = None,
    *,
    id_column: str | None = None,
    code_column: str | None = None,
) -> Report:
    """Prove that pieces partition the areas, or their own outline, or list each fault.

    Parameters
    ----------
    pieces, areas : polygons in one CRS; coordinates are taken bit for bit. Where the pieces lie on the lattice, as
        those of ``partition`` do, the areas may be in any CRS and as fine as they are: they are brought onto it first
    id_column : column that names a piece, else the first of ``PIECE_COLUMNS``, else the row number
    code_column : column of ``areas`` that names an area, else the first that ``read_areas`` would take, else the row
        number; where the pieces have a column ``area_code``, each must lie in the area that it names

    Raises
    ------
    BadValue
        If there is no piece, or the two differ in CRS.
    OutOfPlace
        If a coordinate is larger than any on Earth.
    MissingColumn
        If there is no such column.
    """
    ground, remark = _ground_under(pieces, areas)
    arguments = _validation_arguments(pieces, ground, id_column, code_column)
    report = validate_partition(**arguments, to_degrees=_plane_of(pieces))
    return replace(report, warnings=(*report.warnings, remark)) if remark else report


def _ground_under(
    pieces: gpd.GeoDataFrame, areas: gpd.GeoDataFrame | None
) -> tuple[gpd.GeoDataFrame | None, Remark | None]:
    """Areas as they must be for pieces on the lattice: brought onto it as ``partition`` does, which is remarked on."""
    if areas is None or not len(areas) or not _on_lattice(pieces) or _on_lattice(areas):
        return areas, None
    codes = [str(row) for row in range(len(areas))]
    units, _ = _polygons_on_lattice(areas, codes, repair=False)
    degrees = geometries_to_degrees(units)
    first = shapely.get_coordinates(degrees[0])[0].tolist()
    remark = Remark("rounded", ((first[0], first[1]),), {})
    return areas.set_geometry(gpd.GeoSeries(degrees, index=areas.index, crs=pieces.crs)), remark


def _on_lattice(frame: gpd.GeoDataFrame) -> bool:
    """Whether a frame is in WGS 84 and every coordinate a multiple of 1e-7 degree."""
    if frame.crs is not None and Datum.of_crs(frame.crs.to_wkt()).name != "wgs84":
        return False
    coordinates = shapely.get_coordinates(frame.geometry.to_numpy())
    return bool(np.isfinite(coordinates).all()) and bool((to_degrees(to_units(coordinates)) == coordinates).all())


def fix(
    pieces: gpd.GeoDataFrame,
    areas: gpd.GeoDataFrame | None = None,
    *,
    id_column: str | None = None,
    code_column: str | None = None,
    tolerance_m: float = TOLERANCE_M,
) -> tuple[gpd.GeoDataFrame, FixedPartition]:
    """Close faults of a partition up to a width: the mended frame in WGS 84, and what was found before and after."""
    in_degrees = pieces if pieces.crs is None else pieces.to_crs(WGS84)
    ground = areas if areas is None or areas.crs is None else areas.to_crs(WGS84)
    arguments = _validation_arguments(in_degrees, ground, id_column, code_column)
    fixed = fix_partition(**arguments, tolerance_m=tolerance_m)
    return in_degrees.set_geometry(gpd.GeoSeries(fixed.pieces, index=pieces.index, crs=WGS84)), fixed


def _validation_arguments(
    pieces: gpd.GeoDataFrame, areas: gpd.GeoDataFrame | None, id_column: str | None, code_column: str | None
) -> dict[str, Any]:
    for frame in (pieces, areas):
        if frame is not None:
            _require_on_earth(frame)
    arguments: dict[str, Any] = {
        "pieces": pieces.geometry.to_numpy(),
        "ids": _names(pieces, PIECE_COLUMNS, id_column),
    }
    if areas is None:
        return arguments
    if not _same_plane(pieces.crs, areas.crs):
        raise BadValue("validation.crs_differ", pieces=str(pieces.crs), areas=str(areas.crs))
    area_ids = _names(areas, AREA_CODE, code_column, fold_code)
    return arguments | {
        "areas": areas.geometry.to_numpy(),
        "area_ids": area_ids,
        "area_of_piece": _area_of_piece(pieces, areas, area_ids, code_column),
    }


def _require_on_earth(frame: gpd.GeoDataFrame) -> None:
    """Refuse coordinates too large for any place: differences of such are lost in rounding, and prove nothing."""
    in_degrees = frame.crs is None or frame.crs.is_geographic
    coordinates, owner = shapely.get_coordinates(frame.geometry.to_numpy(), return_index=True)
    beyond = np.flatnonzero((np.abs(coordinates) > (_MOST_DEGREES if in_degrees else _MOST_METRES)).any(axis=1))
    if len(beyond):
        x, y = coordinates[beyond[0]]
        place = Place(file=frame.attrs.get("file"), feature=int(owner[beyond[0]]))
        raise OutOfPlace("inputs.not_on_earth", place, lon=f"{x:.10g}", lat=f"{y:.10g}")


def _same_plane(one: Any, other: Any) -> bool:
    """Whether coordinates mean the same; files give longitude first, whatever order of axes their CRS has."""
    if one is None or other is None:
        return one is other
    return bool(one.equals(other, ignore_axis_order=True))


def _area_of_piece(
    pieces: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, area_ids: list[str], code_column: str | None
) -> NDArray[np.intp] | None:
    """Row of the area that each piece names, -1 for one that is not there; None where that is not to be told."""
    row_of = {code: row for row, code in enumerate(area_ids)}
    has_codes = (code_column or first_column(_attributes(areas), AREA_CODE)) is not None
    if "area_code" not in pieces.columns or not has_codes or not 1 < len(areas) == len(row_of):
        return None
    codes = folded_texts(pieces["area_code"], fold_code)
    named = np.array([row_of.get(code, -1) for code in codes], dtype=np.intp)
    if (named >= 0).any():
        return named
    # Pieces that are areas themselves, villages of townships: their codes begin with those of their areas.
    widths = {len(code) for code in row_of}
    begun = [{row_of[code[:width]] for width in widths if code and code[:width] in row_of} for code in codes]
    return np.array([min(rows) for rows in begun], dtype=np.intp) if all(begun) else None


def _plane_of(frame: gpd.GeoDataFrame) -> Any:
    if frame.crs is None or frame.crs.is_geographic:
        return None
    return Datum.of_crs(frame.crs.to_wkt()).to_wgs84


def _attributes(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    return pd.DataFrame(frame.drop(columns=frame.geometry.name))


def _names(
    frame: gpd.GeoDataFrame,
    usual: tuple[str, ...],
    column: str | None = None,
    folding: Callable[[str], str] = fold,
) -> list[str]:
    """Text of ``column``, else of the first of ``usual`` that is there; the row number where there is none.

    Raises
    ------
    MissingColumn
        If ``column`` is not there.
    """
    attributes = _attributes(frame)
    chosen = named_column(attributes, column, Place()) if column else first_column(attributes, usual)
    if chosen is None:
        return [str(row) for row in range(len(frame))]
    return [str(row) if name is None else name for row, name in enumerate(folded_texts(attributes[chosen], folding))]


def area_polygons(areas: gpd.GeoDataFrame) -> tuple[list[str], Geometries]:
    """Codes of areas and their polygons in the lattice frame, noded where neighbours adjoin."""
    codes, polygons, _ = _areas_on_lattice(areas, repair=False)
    return codes, polygons


def _areas_on_lattice(areas: gpd.GeoDataFrame, *, repair: bool) -> tuple[list[str], Geometries, list[str]]:
    """Codes, polygons in the lattice frame, and what was noticed, already worded."""
    if not len(areas):
        raise BadValue("inputs.no_areas")
    codes = _unique_codes(areas)
    units, noticed = _polygons_on_lattice(areas, codes, repair=repair)
    return codes, units, noticed


def _polygons_on_lattice(
    areas: gpd.GeoDataFrame, codes: Sequence[str], *, repair: bool
) -> tuple[Geometries, list[str]]:
    datum = Datum.parse("wgs84") if areas.crs is None else Datum.of_crs(areas.crs.to_wkt())

    def place_of(row: int) -> Place:
        return Place(feature=row, code=codes[row])

    polygons, collected = polygons_only(areas.geometry.to_numpy(), place_of)
    coordinates, owner = shapely.get_coordinates(polygons, return_index=True)
    check_as_given(coordinates, datum, lambda row: place_of(int(owner[row])))
    polygons, untangled = valid_polygons(polygons, place_of, repair=repair, is_projected=datum.is_projected)
    units, _ = onto_lattice(polygons, datum, place_of)
    return units, [*collected, *(one.describe() for one in untangled)]


def _unique_codes(areas: gpd.GeoDataFrame) -> list[str]:
    """Codes that a certificate can hold: none empty, none cut short by a spreadsheet, none twice."""
    attributes = _attributes(areas)
    column = first_column(attributes, AREA_CODE)
    if column is None:
        return [str(row) for row in range(len(areas))]
    codes = folded_texts(attributes[column], fold_code)
    row_of: dict[str, int] = {}
    for row, code in enumerate(codes):
        if code is None:
            raise BadValue("inputs.no_code", Place(feature=row, field=column))
        if is_cut_code(code):
            raise BadValue("inputs.cut_code", Place(feature=row, field=column), value=code)
        if code in row_of:
            raise DuplicateId("inputs.duplicate_code", Place(feature=row, field=column), value=code, first=row_of[code])
        row_of[code] = row
    return list(row_of)
