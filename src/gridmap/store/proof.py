"""Prove a plan's certificate anew from its own cells and levels, by the verifier that stands alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.domain.plan import Plan
from gridmap.errors import InvalidPartition, Place
from gridmap.verify import UNITS, Point, prove
from gridmap.verify_level import KEYS, prove_level


def prove_again(plan: Plan) -> str:
    """Prove that the cells are the partition that the certificate describes, and so every level that it names.

    Returns
    -------
    The digest of the certificate.

    Raises
    ------
    InvalidPartition
        With the first reason, and its place, why they are not.
    """
    try:
        for layer, reason, at in _doubts(plan):
            lon, lat = (at[0] / UNITS, at[1] / UNITS) if at else (None, None)
            raise InvalidPartition("store.not_proved", Place(layer=layer, lon=lon, lat=lat), reason=reason)
        return str(plan.certificate["digest"])
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as fault:
        # A certificate that is none, or coordinates that are off the lattice.
        reason = f"{type(fault).__name__}: {fault}"
        raise InvalidPartition("store.not_proved", reason=reason) from fault


def _doubts(plan: Plan) -> Iterator[tuple[str, str, Point | None]]:
    """Layer, reason and place of all that is not proved."""
    with TemporaryDirectory(prefix="gridmap-proof-") as name:
        folder = Path(name)
        certificate = folder / "certificate.json"
        certificate.write_text(json.dumps(plan.certificate), encoding="utf-8")
        cells, areas = folder / "cells.geojson", folder / "areas.geojson"
        _write(cells, plan.cells, "area_code", "area_code")
        proved = {area["area_code"] for area in plan.certificate["areas"]}
        _write(areas, plan.areas[plan.areas["area_code"].isin(proved)], "area_code", "area_code")
        yield from (("cells", *doubt) for doubt in prove(str(cells), str(certificate), str(areas)))
        for entry in plan.certificate.get("levels", ()):
            level = str(entry["level"])
            members = folder / f"{level}.geojson"
            _write(members, _members(plan.levels, level), "code", KEYS.get(level, "area_code"))
            yield from ((level, *doubt) for doubt in prove_level(level, str(members), str(certificate), None))


def _members(levels: gpd.GeoDataFrame, level: str) -> gpd.GeoDataFrame:
    """Take the sets that make up a level; a grid without super-grid or sub-grids stands for itself."""
    own, grids = levels[levels["level"] == level], levels[levels["level"] == "grid"]
    if level == "super":
        return pd.concat([own, grids[~grids["parent_code"].isin(own["code"])]])
    if level == "sub":
        return pd.concat([own, grids[~grids["code"].isin(own["parent_code"])]])
    return own


def _write(path: Path, frame: gpd.GeoDataFrame, column: str, key: str) -> None:
    """Write codes and shapes as GeoJSON, coordinates to the last bit."""
    shapes = shapely.to_geojson(frame.geometry.to_numpy())
    codes = frame[column].to_numpy(dtype=object)
    with path.open("w", encoding="utf-8") as file:
        file.write('{"type": "FeatureCollection", "features": [')
        for row, (code, shape) in enumerate(zip(codes, np.atleast_1d(shapes), strict=True)):
            comma = "," if row else ""
            file.write(f'{comma}\n{{"type": "Feature", "properties": {json.dumps({key: code})}, "geometry": {shape}}}')
        file.write("]}")
