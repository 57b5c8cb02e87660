"""Prove a plan's certificate anew from its own cells and levels, by the verifier that stands alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.domain.plan import Plan
from gridmap.errors import InvalidPartition, Place, ProofFailed
from gridmap.verify import UNITS, Point, prove
from gridmap.verify_level import KEYS, prove_level

_UNUSABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
#: A verifier, and the files that it is asked about; the layer that it proves.
_Task = tuple[str, Callable[..., Iterable[tuple[str, Point | None]]], tuple[str | None, ...]]
_Doubt = tuple[str, str, Point | None]


def prove_again(plan: Plan, *, apart: bool = False) -> str:
    """Prove that the cells are the partition that the certificate describes, and so every level that it names.

    Parameters
    ----------
    apart : in a process of its own, so that who does other things at the same time is not slowed down

    Returns
    -------
    The digest of the certificate.

    Raises
    ------
    InvalidPartition
        With the first reason, and its place, why they are not.
    """
    try:
        for layer, reason, at in _doubts(plan, _asked_apart if apart else _asked):
            lon, lat = (at[0] / UNITS, at[1] / UNITS) if at else (None, None)
            raise InvalidPartition("store.not_proved", Place(layer=layer, lon=lon, lat=lat), reason=reason)
        return str(plan.certificate["digest"])
    except _UNUSABLE as fault:
        # A certificate that is none, or coordinates that are off the lattice.
        reason = f"{type(fault).__name__}: {fault}"
        raise InvalidPartition("store.not_proved", reason=reason) from fault


def _doubts(plan: Plan, ask: Callable[[list[_Task]], Iterator[_Doubt]]) -> Iterator[_Doubt]:
    """Layer, reason and place of all that is not proved."""
    with TemporaryDirectory(prefix="gridmap-proof-") as name:
        folder = Path(name)
        certificate = folder / "certificate.json"
        certificate.write_text(json.dumps(plan.certificate), encoding="utf-8")
        cells, areas = folder / "cells.geojson", folder / "areas.geojson"
        _write(cells, plan.cells, "area_code", "area_code")
        proved = {area["area_code"] for area in plan.certificate["areas"]}
        _write(areas, plan.areas[plan.areas["area_code"].isin(proved)], "area_code", "area_code")
        tasks: list[_Task] = [("cells", prove, (str(cells), str(certificate), str(areas)))]
        for entry in plan.certificate.get("levels", ()):
            level = str(entry["level"])
            members = folder / f"{level}.geojson"
            _write(members, _members(plan.levels, level), "code", KEYS.get(level, "area_code"))
            tasks.append((level, prove_level, (level, str(members), str(certificate), None)))
        yield from ask(tasks)


def _asked(tasks: list[_Task]) -> Iterator[_Doubt]:
    for layer, verifier, arguments in tasks:
        yield from ((layer, *doubt) for doubt in verifier(*arguments))


def _asked_apart(tasks: list[_Task]) -> Iterator[_Doubt]:
    # Started afresh: a copy of this process would hold its locks, and never let go of them.
    processes = get_context("spawn")
    answer, telling = processes.Pipe(duplex=False)
    process = processes.Process(target=_tell, args=(telling, tasks), daemon=True)
    process.start()
    telling.close()
    try:
        told = answer.recv()
    except EOFError:
        raise ProofFailed("plans.proof_stopped") from None
    finally:
        process.join()
        answer.close()
    if isinstance(told, Exception):
        raise told
    yield from told


def _tell(telling: Connection, tasks: list[_Task]) -> None:
    """Answer with the first doubt, or what the verifiers raise."""
    try:
        telling.send(list(islice(_asked(tasks), 1)))
    except _UNUSABLE as fault:
        telling.send(fault)


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
