"""Read outlets and devices: points with an id, a kind, and what the bank knows of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gridmap import catalogue
from gridmap.domain.kinds import FacilityKind
from gridmap.domain.plan_settings import FacilitySource
from gridmap.errors import BadValue, DuplicateId, MissingColumn
from gridmap.inputs.columns import FACILITY, check_column_names, column_for, listed
from gridmap.inputs.folding import Texts, fold_code, fold_word, folded_texts, is_cut_code
from gridmap.inputs.points import PointRead, read_points

#: Words for each kind; the identifier itself always counts.
KIND_WORDS: Mapping[FacilityKind, tuple[str, ...]] = {
    FacilityKind.BRANCH: (
        "网点",
        "支行",
        "营业网点",
        "物理网点",
        "银行网点",
        "分行",
        "分理处",
        "储蓄所",
        "营业部",
        "营业厅",
        "营业室",
        "信用社",
        "outlet",
    ),
    FacilityKind.SELF_SERVICE: (
        "自助银行",
        "自助网点",
        "离行式自助银行",
        "24小时自助银行",
        "自助服务区",
        "self_service_bank",
    ),
    FacilityKind.ATM: (
        "自动取款机",
        "取款机",
        "自动柜员机",
        "存取款机",
        "存取款一体机",
        "自动存取款机",
        "atm机",
        "crs",
    ),
    FacilityKind.POS: ("pos机", "pos终端", "刷卡机"),
    FacilityKind.RURAL_CASH_POINT: (
        "助农取款点",
        "助农服务点",
        "助农取款服务点",
        "助农取款",
        "助农点",
        "惠农服务点",
        "惠农取款点",
        "惠农金融服务点",
        "助农金融服务点",
    ),
    FacilityKind.SELF_SERVICE_TERMINAL: ("自助终端", "自助服务终端", "自助机具", "查询终端", "自助查询机"),
}

_LONGEST_RADIUS_M = 1_000_000.0


@dataclass(frozen=True)
class FacilityRead:
    """Facilities of one file.

    Attributes
    ----------
    facilities : WGS 84 points; columns ``facility_id`` (str, unique), ``name``, ``kind`` (FacilityKind value), ``lon``,
        ``lat`` (degrees, WGS 84), ``service_radius_m`` (float, NaN = the plan's), ``capacity`` (float, NaN = unknown),
        ``institution``, ``branch`` (the managing branch, None = unknown), ``line_number`` (bank line number as text,
        leading zeros kept, None = unknown; whether it is valid is a rule of the plan), ``lon_given``, ``lat_given``,
        ``datum`` (as in the file), ``geometry``
    points : the points they were read from, which know the place of each row
    warnings : what was noticed, already worded
    """

    facilities: gpd.GeoDataFrame
    points: PointRead
    warnings: tuple[str, ...]


def read_facilities(source: FacilitySource, base_dir: Path, *, outlets: bool) -> FacilityRead:
    """Read the outlets or the devices of a plan.

    Parameters
    ----------
    source : file, datum, columns, and the kind of all rows where the file has no such column
    base_dir : folder that ``source.path`` is relative to
    outlets : whether the file is meant to hold outlets (else devices); a row of the other sort is kept, with a warning

    Raises
    ------
    UsageError
        If ``source.columns`` names a column that facilities do not have.
    MissingColumn, BadValue, DuplicateId and what ``read_points`` raises
        With file, row and field of the first fault.
    """
    check_column_names(source.columns, FACILITY)
    points = read_points(
        base_dir / source.path,
        layer=source.layer,
        datum=source.datum,
        encoding=source.encoding,
        columns={ours: theirs for ours, theirs in source.columns.items() if ours in ("lon", "lat")},
    )
    found = {ours: column_for(points.attributes, ours, source.columns, FACILITY, points.place) for ours in FACILITY}
    ids = _ids(points, found["id"])
    kinds = _kinds(points, found["kind"], source.kind)
    names = _texts(points, found["name"])
    frame = gpd.GeoDataFrame(
        {
            "facility_id": pd.Series(ids, dtype=object),
            "name": pd.Series([name or "" for name in names], dtype=object),
            "kind": pd.Series(kinds, dtype=object),
            "lon": points.lonlat[:, 0],
            "lat": points.lonlat[:, 1],
            "service_radius_m": _radii(points, found["service_radius_m"]),
            "capacity": _numbers(points, found["capacity"], lowest=0.0),
            "institution": pd.Series([text or "" for text in _texts(points, found["institution"])], dtype=object),
            "branch": pd.Series(_texts(points, found["branch"]), dtype=object),
            "line_number": pd.Series(_line_numbers(points, found["line_number"]), dtype=object),
            "lon_given": points.given[:, 0],
            "lat_given": points.given[:, 1],
            "datum": points.datum,
        },
        geometry=shapely.points(points.lonlat),
        crs="EPSG:4326",
    )
    warnings = [*points.warnings, *_of_other_sort(frame, points, outlets)]
    return FacilityRead(frame, points, tuple(warnings))


def kind_of(text: str) -> FacilityKind | None:
    """Kind that a word names in English or Chinese, or None."""
    return _KIND_OF_WORD.get(fold_word(text))


_KIND_OF_WORD = {fold_word(word): kind for kind, words in KIND_WORDS.items() for word in (kind.value, *words)}


def _ids(points: PointRead, column: str | None) -> Texts:
    if column is None:
        raise MissingColumn("inputs.needs_column", points.place, name="id", columns=listed(points.attributes))
    ids = folded_texts(points.attributes[column], fold_code)
    first: dict[str, int] = {}
    for point, text in enumerate(ids):
        place = points.place_of(point, field=column)
        if text is None:
            raise BadValue("inputs.no_id", place)
        if is_cut_code(text):
            raise BadValue("inputs.cut_code", place, value=text)
        if text in first:
            raise DuplicateId("inputs.duplicate_id", place, value=text, first=points.place_of(first[text]).describe())
        first[text] = point
    return ids


def _kinds(points: PointRead, column: str | None, stated: FacilityKind | None) -> list[str]:
    if column is None:
        if stated is None:
            raise MissingColumn("inputs.needs_kind", points.place, columns=listed(points.attributes))
        return [stated.value] * len(points.attributes)
    kinds = []
    for point, text in enumerate(folded_texts(points.attributes[column])):
        kind = stated if text is None else kind_of(text)
        if kind is None:
            known = ", ".join(f"{known.value} ({KIND_WORDS[known][0]})" for known in FacilityKind)
            place = points.place_of(point, field=column)
            raise BadValue("inputs.no_kind" if text is None else "inputs.unknown_kind", place, value=text, known=known)
        kinds.append(kind.value)
    return kinds


def _texts(points: PointRead, column: str | None) -> Texts:
    if column is None:
        return np.full(len(points.attributes), None, dtype=object)
    return folded_texts(points.attributes[column])


def _line_numbers(points: PointRead, column: str | None) -> Texts:
    if column is None:
        return _texts(points, None)
    numbers = folded_texts(points.attributes[column], fold_code)
    for point, text in enumerate(numbers):
        if text is not None and is_cut_code(text):
            raise BadValue("inputs.cut_code", points.place_of(point, field=column), value=text)
    return numbers


def _numbers(points: PointRead, column: str | None, lowest: float) -> NDArray[np.float64]:
    if column is None:
        return np.full(len(points.attributes), np.nan)
    return points.numbers(column, lowest)


def _radii(points: PointRead, column: str | None) -> NDArray[np.float64]:
    radii = _numbers(points, column, lowest=0.0)
    wrong = (radii == 0) | (radii > _LONGEST_RADIUS_M)
    if wrong.any():
        point = int(np.argmax(wrong))
        raise BadValue("inputs.bad_radius", points.place_of(point, field=column), value=f"{radii[point]:g}")
    return radii


def _of_other_sort(frame: gpd.GeoDataFrame, points: PointRead, outlets: bool) -> list[str]:
    other = [i for i, kind in enumerate(frame["kind"]) if FacilityKind(kind).is_outlet != outlets]
    if not other:
        return []
    kinds = ", ".join(sorted({frame["kind"].iloc[i] for i in other}))
    key = "inputs.devices_among_outlets" if outlets else "inputs.outlets_among_devices"
    return [catalogue.text(key, file=points.place.file, count=len(other), kinds=kinds)]
