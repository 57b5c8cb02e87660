"""Read grid codes: fifteen digits or ``AREA-001``, as ``gridmap.planning.territory.codes`` gives them."""

from __future__ import annotations

import pandas as pd

from gridmap.errors import BadValue, MissingColumn, Place
from gridmap.inputs.columns import GRID_CODE, first_column, listed, named_column
from gridmap.inputs.folding import Texts, fold_code, folded_texts, is_cut_code
from gridmap.inputs.whereabouts import PlaceOf
from gridmap.planning.territory.codes import is_grid_code


def grid_code_column(frame: pd.DataFrame, chosen: str | None, place: Place) -> str:
    """Column of the grid codes: the one the user names, else the first usual one.

    Raises
    ------
    MissingColumn
        If there is none.
    """
    if chosen is not None:
        return named_column(frame, chosen, place)
    found = first_column(frame, GRID_CODE)
    if found is None:
        raise MissingColumn("inputs.needs_grid_code", place, columns=listed(frame))
    return found


def grid_codes_of(frame: pd.DataFrame, field: str, place_of: PlaceOf) -> Texts:
    """Grid codes of a column.

    Parameters
    ----------
    place_of : place of the value in the i-th row

    Returns
    -------
    (n,) str

    Raises
    ------
    BadValue
        If one is empty, rounded by a spreadsheet, or not of a form that grid codes have.
    """
    codes = folded_texts(frame[field], fold_code)
    for row, code in enumerate(codes):
        if code is None:
            raise BadValue("inputs.no_grid_code", place_of(row))
        check_grid_code(code, place_of(row))
    return codes


def check_grid_code(code: str, place: Place) -> None:
    """Refuse what no grid code looks like.

    Raises
    ------
    BadValue
        Saying what it was.
    """
    if is_cut_code(code):
        raise BadValue("inputs.cut_code", place, value=code)
    if not is_grid_code(code):
        raise BadValue("inputs.bad_grid_code", place, value=code)
