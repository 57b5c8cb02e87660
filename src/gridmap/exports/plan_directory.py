"""A plan as a directory: every file of it, written beside and put in place at once, and read back.

==========================  =========================================================================================
``plan.gpkg``               all frames of the plan: layers, and tables where they have no geometry; coordinates bit for
                            bit, lists of ids joined by ";"
``cells.geojson`` …         also ``grids``, ``levels``, ``gaps``, ``facilities``: RFC 7946, WGS 84, seven decimals
``cells.parquet``           GeoParquet
``certificate.json``        the partition certificate
``report.json``             settings, indicators, rules, warnings, timings, versions, and the types of all columns
``report.md``               the same for a planner to read
``ledger.xlsx``             one row a grid, and a sheet a kind of object
``index.html``              one page with the map, for looking at without a server
==========================  =========================================================================================

``plan.gpkg``, ``report.json`` and ``certificate.json`` hold the whole plan; ``load_plan`` needs no other file.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd

from gridmap.catalogue import Language
from gridmap.domain.plan import GEOGRAPHIC_FRAMES, TABLES, Plan, RuleResult
from gridmap.domain.plan_settings import PlanSettings
from gridmap.errors import GridmapError, Place, UnreadableFile, UsageError
from gridmap.exports.beside import GDAL_FAULTS, disk_faults_named
from gridmap.exports.columns import restored
from gridmap.exports.geojson import write_geojson
from gridmap.exports.json_file import read_json, write_json
from gridmap.exports.ledger import write_ledger
from gridmap.exports.page import write_page
from gridmap.exports.report import report_document, write_report
from gridmap.exports.vector import append_layer, read_layer, write_features

GEOJSON_FRAMES = ("cells", "grids", "levels", "gaps", "facilities")
#: Every file of a plan, in the order in which they are written and listed.
FILES = (
    "plan.gpkg",
    *(f"{name}.geojson" for name in GEOJSON_FRAMES),
    "cells.parquet",
    "certificate.json",
    "report.json",
    "report.md",
    "ledger.xlsx",
    "index.html",
)


def write_plan(plan: Plan, directory: str | Path, *, lang: Language | None = None) -> list[Path]:
    """Write every file of ``plan``, see the top of this module.

    All is written into a directory beside and renamed when it is whole: an error or Ctrl-C leaves ``directory`` as it
    was. An earlier plan is replaced; files of the user's beside its own are kept.

    Parameters
    ----------
    plan
        The plan.
    directory
        Directory to write; new, empty, or holding an earlier plan.
    lang
        Language of ``report.md`` and ``ledger.xlsx``; that of the process where None. The page speaks both.

    Returns
    -------
    list of Path
        The files, in the order of ``FILES``.

    Raises
    ------
    UsageError
        If ``directory`` holds something else or cannot be written to.
    StoreError
        If the disk fails.
    """
    directory = Path(directory).resolve()
    check_output_directory(directory)
    with disk_faults_named(directory), _swapped_in(directory) as partial:
        _write_files(plan, partial, lang)
    return [directory / name for name in FILES]


def check_output_directory(directory: Path) -> None:
    """Refuse a directory that ``write_plan`` may not replace; call it before long work.

    Raises
    ------
    UsageError
        If ``directory`` is a file, or holds files and no plan of gridmap's.
    """
    with disk_faults_named(directory):
        if not directory.exists():
            return
        if any(directory.iterdir()) and not _is_ours(directory):
            raise UsageError("exports.foreign_directory", Place(file=str(directory)))


def _is_ours(directory: Path) -> bool:
    try:
        document = read_json(directory / "report.json")
    except UnreadableFile:
        return False
    return isinstance(document, dict) and document.get("made_by") == "gridmap"


def _write_files(plan: Plan, directory: Path, lang: Language | None) -> None:
    for name in (*GEOGRAPHIC_FRAMES, *TABLES):
        append_layer(directory / "plan.gpkg", [getattr(plan, name)], name)
    for name in GEOJSON_FRAMES:
        write_geojson(directory / f"{name}.geojson", [getattr(plan, name)], layer=name)
    write_features(directory / "cells.parquet", [plan.cells])
    write_json(directory / "certificate.json", plan.certificate)
    write_json(directory / "report.json", report_document(plan))
    write_report(plan, directory / "report.md", lang)
    write_ledger(plan, directory / "ledger.xlsx", lang)
    write_page(plan, directory / "index.html")


@contextmanager
def _swapped_in(directory: Path) -> Iterator[Path]:
    """Yield an empty directory; when the block ends well its files stand in ``directory``."""
    # A mount point (a volume of a container) cannot be renamed: its files are then replaced one by one.
    fixed = directory.exists() and (os.path.ismount(directory) or not os.access(directory.parent, os.W_OK))
    beside = directory if fixed else directory.parent
    partial = beside / f".{directory.name}.partial-{os.getpid()}"
    partial.mkdir(parents=True)
    try:
        yield partial
        if fixed:
            for name in FILES:
                (partial / name).replace(directory / name)
        elif directory.exists():
            _replace_directory(directory, partial)
        else:
            partial.rename(directory)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _replace_directory(directory: Path, partial: Path) -> None:
    retired = directory.with_name(f".{directory.name}.retired-{os.getpid()}")
    shutil.copymode(directory, partial)
    directory.rename(retired)
    try:
        partial.rename(directory)
    except BaseException:
        retired.rename(directory)
        raise
    for entry in retired.iterdir():
        if entry.name not in FILES:
            entry.rename(directory / entry.name)
    shutil.rmtree(retired)


def load_plan(directory: str | Path) -> Plan:
    """Read back a plan that ``write_plan`` wrote: equal frames, geometry bit for bit.

    A multi-polygon of one part comes back as a polygon; rows are numbered from 0.

    Raises
    ------
    UnreadableFile
        If a file of the plan is missing, broken or not gridmap's.
    """
    directory = Path(directory)
    document = read_json(directory / "report.json")
    if not isinstance(document, dict) or document.get("made_by") != "gridmap":
        raise UnreadableFile("exports.no_plan", Place(file=str(directory)), missing="report.json")
    certificate = read_json(directory / "certificate.json")
    geopackage = directory / "plan.gpkg"
    if not geopackage.exists():
        raise UnreadableFile("exports.no_plan", Place(file=str(directory)), missing=geopackage.name)
    try:
        types = document["columns"]
        frames: dict[str, Any] = {name: restored(read_layer(geopackage, name), types[name]) for name in types}
        frames |= {name: gpd.GeoDataFrame(frames[name], geometry="geometry", crs=4326) for name in GEOGRAPHIC_FRAMES}
        return Plan(
            settings=PlanSettings.model_validate(document["settings"]),
            indicators=document["indicators"],
            rules=tuple(_rule(entry) for entry in document["rules"]),
            certificate=certificate,
            report={key: document[key] for key in document["report_keys"]},
            **frames,
        )
    except GridmapError:
        raise
    except (KeyError, TypeError, ValueError, *GDAL_FAULTS) as fault:
        reason = f"{type(fault).__name__}: {fault}"
        raise UnreadableFile("exports.broken_plan", Place(file=str(directory)), reason=reason) from fault


def _rule(entry: dict[str, Any]) -> RuleResult:
    return RuleResult(**{**entry, "broken_by": tuple(entry["broken_by"])})
