"""Read places where facilities could stand."""

from __future__ import annotations

from pathlib import Path

from gridmap.inputs.columns import FACILITY, first_column
from gridmap.inputs.folding import folded_texts
from gridmap.inputs.points import read_points
from gridmap.planning.siting.asking import Candidates


def read_candidates(path: str | Path, *, datum: str | None = None) -> Candidates:
    """Read candidates from a table or any vector file of points.

    Parameters
    ----------
    datum : of the coordinates, where the file does not say; default: WGS 84

    Raises
    ------
    InputError
        As ``read_points``.
    """
    read = read_points(path, datum=datum)
    column = first_column(read.attributes, FACILITY["name"])
    names = (
        [""] * len(read.lonlat) if column is None else [text or "" for text in folded_texts(read.attributes[column])]
    )
    return Candidates(read.lonlat, tuple(names))
