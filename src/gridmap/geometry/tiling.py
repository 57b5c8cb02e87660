"""Refuse areas that overlap or leave gaps between them, before anything is made of them."""

from __future__ import annotations

from collections.abc import Sequence

from gridmap import catalogue
from gridmap.errors import CoverageFault, Place
from gridmap.geometry.faults import Fault, coverage_faults, degrees
from gridmap.geometry.lattice import Geometries

_SHOWN = 20


def require_tiling(polygons: Geometries, area_codes: Sequence[str], file: str | None = None) -> None:
    """Raise unless the areas neither overlap nor leave gaps or slivers between neighbours.

    Parameters
    ----------
    polygons : (n,) polygons or multipolygons, lattice frame
    area_codes : their codes
    file : file they came from, for the message

    Raises
    ------
    CoverageFault
        Naming each fault with its place, width, area and the areas on both sides.
    """
    faults = coverage_faults(polygons, area_codes)
    if faults:
        raise CoverageFault(
            "validation.not_a_tiling", Place(file=file), count=len(faults), listing="\n".join(fault_lines(faults))
        )


def fault_lines(faults: Sequence[Fault], lang: catalogue.Language | None = None) -> list[str]:
    """One line a fault, the first twenty: what, how wide, which areas, where, how large."""
    lines = [
        catalogue.text(
            "validation.fault_line",
            lang,
            message=fault.message(lang),
            lon=degrees(fault.lon),
            lat=degrees(fault.lat),
            area=f"{fault.area_m2:,.3g}" if fault.area_m2 < 100 else f"{fault.area_m2:,.0f}",
        )
        for fault in faults[:_SHOWN]
    ]
    if len(faults) > _SHOWN:
        lines.append(catalogue.text("validation.more_faults", lang, count=len(faults) - _SHOWN))
    return lines
