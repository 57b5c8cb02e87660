"""The Python API over GeoDataFrames: frames at the edge, arrays inside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import h3.api.numpy_int as h3
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gridmap import catalogue, inputs
from gridmap.errors import BadValue, InvalidGeometry, MissingColumn, Place
from gridmap.geometry.certificate import AreaProof, certificate
from gridmap.geometry.datum import Datum
from gridmap.geometry.faults import metres
from gridmap.geometry.lattice import Geometries, geometries_to_degrees, geometries_to_units
from gridmap.geometry.measure import area_m2
from gridmap.geometry.partition import cut_areas, partition_areas
from gridmap.geometry.repair import TOLERANCE_M, FixedPartition, fix_partition, repair_coverage
from gridmap.geometry.tiling import require_tiling
from gridmap.geometry.validation import Report, validate_partition
from gridmap.inputs.on_lattice import onto_lattice

WGS84 = "EPSG:4326"
RESOLUTIONS = range(16)

#: Columns that name an area, and a piece, where the caller names none; the first that is there counts.
AREA_COLUMNS = ("area_code", "adcode", "code", "id")
PIECE_COLUMNS = ("cell_id", "grid_code", "id")


@dataclass(frozen=True)
class Partition:
    """Areas cut into cells, with proof.

    Attributes
    ----------
    cells : frame in WGS 84, columns ``cell_id`` (H3 index, hexadecimal text), ``area_code``, ``area_m2``, ``geometry``;
        one row a cell and area, every coordinate a multiple of 1e-7 degree
    certificate : as ``certificate.json`` holds it; ``gridmap.verify`` re-proves it from the exported cells
    adjacency : frame of row numbers ``a``, ``b`` of ``cells`` that share a border, and its length ``shared_m``, metres
    """

    cells: gpd.GeoDataFrame
    certificate: dict[str, Any]
    adjacency: pd.DataFrame


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
    areas : polygons in any CRS that the frame states (none: WGS 84), one row an area; its code stands in the first of
        ``AREA_COLUMNS`` that is there, else the row number is taken
    resolution : H3 resolution, 0 to 15

    Raises
    ------
    InvalidGeometry
        If a ring crosses itself or the area ends in a needle narrower than the lattice.
    CoverageFault
        If areas overlap or leave gaps between them.
    OutOfPlace
        If a coordinate is not on Earth, or an area reaches the antimeridian or a pole.
    """
    check_resolution(resolution)
    codes, polygons = area_polygons(areas)
    require_tiling(polygons, codes)
    cut = partition_areas(polygons, codes, resolution)
    cells = cell_frame(cut.cell, np.array(codes, dtype=object)[cut.area], cut.geometry)
    adjacency = pd.DataFrame({"a": cut.adjacency[:, 0], "b": cut.adjacency[:, 1], "shared_m": cut.shared_m})
    return Partition(cells, cut.certificate, adjacency)


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
            code = np.full(len(pieces.cell), pieces.proof.area_code, dtype=object)
            yield cell_frame(pieces.cell, code, pieces.geometry)
            self._proofs.append(pieces.proof)

    @property
    def certificate(self) -> dict[str, Any]:
        """The certificate of all areas taken so far."""
        return certificate(self._proofs, self._resolution)


def check_resolution(resolution: int) -> None:
    """Raise ``BadValue`` unless H3 has this resolution."""
    if resolution not in RESOLUTIONS:
        raise BadValue("inputs.no_such_resolution", resolution=resolution)


def cell_frame(cell: NDArray[np.uint64], code: NDArray[np.object_], geometry: Geometries) -> gpd.GeoDataFrame:
    """Frame of cells from arrays of the kernel (geometry in the lattice frame)."""
    names = [h3.int_to_str(index) for index in cell.tolist()]
    columns = {"cell_id": pd.Series(names, dtype=object), "area_code": pd.Series(code, dtype=object)}
    columns["area_m2"] = pd.Series(area_m2(geometry))
    return gpd.GeoDataFrame(columns, geometry=geometries_to_degrees(geometry), crs=WGS84)


def repair_areas(areas: gpd.GeoDataFrame, tolerance_m: float = TOLERANCE_M, file: str = "") -> gpd.GeoDataFrame:
    """Close gaps and overlaps between areas up to a width; what it moved is said in ``attrs["warnings"]``.

    Faults that are wider stay, and ``partition`` names them.
    """
    codes = names_of(areas, AREA_COLUMNS)
    repaired = repair_coverage(geometries_to_units(areas.geometry.to_numpy()), tolerance_m, codes)
    mended = areas.set_geometry(gpd.GeoSeries(geometries_to_degrees(repaired.polygons), index=areas.index, crs=WGS84))
    mended.attrs["warnings"] = list(areas.attrs.get("warnings", []))
    if repaired.fixed:
        farthest = int(repaired.shift_m.argmax())
        mended.attrs["warnings"].append(
            catalogue.text(
                "validation.repaired",
                file=file,
                fixed=len(repaired.fixed),
                code=codes[farthest],
                shift=metres(float(repaired.shift_m[farthest])),
                moved=int(np.count_nonzero(repaired.shift_m)),
                area=metres(float(np.abs(repaired.area_change_m2).max())),
            )
        )
    return mended


def validate(
    pieces: gpd.GeoDataFrame, areas: gpd.GeoDataFrame | None = None, *, id_column: str | None = None
) -> Report:
    """Prove that pieces partition the areas, or their own outline, or list each fault.

    Parameters
    ----------
    pieces, areas : polygons in one CRS; coordinates are taken bit for bit
    id_column : column that names a piece, else the first of ``PIECE_COLUMNS``, else the row number

    Raises
    ------
    BadValue
        If there is no piece, or the two differ in CRS.
    MissingColumn
        If there is no such column.
    """
    return validate_partition(**_validation_arguments(pieces, areas, id_column), to_degrees=_plane_of(pieces))


def fix(
    pieces: gpd.GeoDataFrame,
    areas: gpd.GeoDataFrame | None = None,
    *,
    id_column: str | None = None,
    tolerance_m: float = TOLERANCE_M,
) -> tuple[gpd.GeoDataFrame, FixedPartition]:
    """Close faults of a partition up to a width: the mended frame in WGS 84, and what was found before and after."""
    in_degrees = pieces if pieces.crs is None else pieces.to_crs(WGS84)
    ground = areas if areas is None or areas.crs is None else areas.to_crs(WGS84)
    fixed = fix_partition(**_validation_arguments(in_degrees, ground, id_column), tolerance_m=tolerance_m)
    return in_degrees.set_geometry(gpd.GeoSeries(fixed.pieces, index=pieces.index, crs=WGS84)), fixed


def _validation_arguments(
    pieces: gpd.GeoDataFrame, areas: gpd.GeoDataFrame | None, id_column: str | None
) -> dict[str, Any]:
    if areas is not None and pieces.crs != areas.crs:
        raise BadValue("validation.crs_differ", pieces=str(pieces.crs), areas=str(areas.crs))
    arguments: dict[str, Any] = {
        "pieces": pieces.geometry.to_numpy(),
        "ids": names_of(pieces, PIECE_COLUMNS, id_column),
    }
    if areas is None:
        return arguments
    area_ids = names_of(areas, AREA_COLUMNS)
    row_of = {code: row for row, code in enumerate(area_ids)}
    named = "area_code" in pieces.columns and len(areas) > 1
    of_piece = np.array([row_of.get(str(code), -1) for code in pieces["area_code"]]) if named else None
    return arguments | {"areas": areas.geometry.to_numpy(), "area_ids": area_ids, "area_of_piece": of_piece}


def _plane_of(frame: gpd.GeoDataFrame) -> Any:
    if frame.crs is None or frame.crs.is_geographic:
        return None
    return Datum.of_crs(frame.crs.to_wkt()).to_wgs84


def names_of(frame: gpd.GeoDataFrame, usual: tuple[str, ...], column: str | None = None) -> list[str]:
    """Text of ``column``, else of the first of ``usual`` that is there, else the row numbers.

    Raises
    ------
    MissingColumn
        If ``column`` is not there.
    """
    if column is not None and column not in frame.columns:
        known = ", ".join(name for name in frame.columns if name != frame.geometry.name)
        raise MissingColumn("inputs.no_such_column", name=column, columns=known)
    chosen = column or next((name for name in usual if name in frame.columns), None)
    if chosen is None:
        return [str(row) for row in range(len(frame))]
    return [str(value) for value in frame[chosen]]


def area_polygons(areas: gpd.GeoDataFrame) -> tuple[list[str], Geometries]:
    """Codes of areas and their polygons in the lattice frame, noded where neighbours adjoin."""
    codes = names_of(areas, AREA_COLUMNS)
    geometry = areas.geometry.to_numpy()
    datum = Datum.parse("wgs84") if areas.crs is None else Datum.of_crs(areas.crs.to_wkt())

    def place_of(row: int) -> Place:
        return Place(feature=row, code=codes[row])

    if not len(geometry):
        raise BadValue("inputs.no_areas")
    for row in np.flatnonzero(~np.isin(shapely.get_type_id(geometry), (3, 6)) | ~shapely.is_valid(geometry)):
        reason = shapely.is_valid_reason(geometry[row])
        raise InvalidGeometry("inputs.not_a_valid_polygon", place_of(int(row)), reason=reason)
    units, _ = onto_lattice(geometry, datum, place_of)
    return codes, units
