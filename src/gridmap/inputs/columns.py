"""Find the column that is meant, by the names people give it in English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pandas as pd

from gridmap.errors import MissingColumn, Place, UsageError
from gridmap.inputs.folding import fold

#: Names of the columns of areas, likeliest first. ``id`` comes last: programs write it where nobody asked.
AREA_CODE = ("area_code", "adcode", "code", "行政区划代码", "行政区代码", "区划代码", "区划编码", "编码", "代码", "id")
AREA_NAME = ("name", "名称", "行政区划名称", "行政区名称", "区划名称", "地名", "area_name")

#: Names of the columns of facilities, ours first.
FACILITY: Mapping[str, Sequence[str]] = {
    "id": (
        "id",
        "facility_id",
        "编号",
        "编码",
        "网点编号",
        "机具编号",
        "设备编号",
        "终端编号",
        "终端号",
        "网点代码",
        "机构编码",
        "代码",
        "code",
        "序号",
    ),
    "name": ("name", "名称", "网点名称", "机具名称", "设备名称", "机构网点名称", "地点"),
    "kind": ("kind", "type", "类型", "类别", "种类", "网点类型", "机具类型", "设备类型"),
    "lon": ("lon", "lng", "long", "longitude", "经度", "东经", "x"),
    "lat": ("lat", "latitude", "纬度", "北纬", "y"),
    "service_radius_m": ("service_radius_m", "service_radius", "radius_m", "radius", "服务半径", "半径"),
    "capacity": ("capacity", "服务能力", "能力", "容量"),
    "institution": ("institution", "bank", "机构", "所属机构", "机构名称", "银行", "所属银行"),
    "branch": (
        "branch",
        "managing_branch",
        "管辖行",
        "管辖支行",
        "上级支行",
        "上级行",
        "上级机构",
        "所属支行",
        "管理支行",
        "管理行",
    ),
    "line_number": (
        "line_number",
        "bank_line_number",
        "cnaps",
        "cnaps_code",
        "支付行号",
        "联行号",
        "支付系统行号",
        "大额行号",
        "大额支付行号",
        "行号",
    ),
}

#: Names of the columns of staff, ours first.
STAFF: Mapping[str, Sequence[str]] = {
    "id": ("id", "staff_id", "person_id", "工号", "员工编号", "员工号", "人员编号", "柜员号", "编号", "序号"),
    "name": ("name", "姓名", "员工姓名", "人员姓名", "名称"),
    "role": ("role", "角色", "岗位", "网格角色", "网格岗位", "岗位名称", "职务"),
    "employment": ("employment", "用工", "用工形式", "用工性质", "用工类型", "专兼职", "全职兼职"),
    "outlet_id": (
        "outlet_id",
        "outlet",
        "网点编号",
        "网点编码",
        "网点代码",
        "所属网点编号",
        "所属网点",
        "机构编号",
        "机构编码",
        "网点",
    ),
    "grid_code": ("grid_code", "grid_codes", "网格编码", "网格代码", "网格编号", "负责网格", "责任网格", "包干网格"),
}

#: Names of the column of the class of a line, ours first; ``type`` and its like come last: they may say anything.
LINE_CLASS = (
    "class",
    "road_class",
    "highway",
    "fclass",
    "等级",
    "道路等级",
    "公路等级",
    "技术等级",
    "行政等级",
    "道路类型",
    "railway",
    "waterway",
    "类别",
    "类型",
    "type",
    "kind",
)

DEDICATED_ID = ("id", "dedicated_id", "编号", "编码", "代码", "code", "序号")
CARVED_NAME = ("网格名称", "专属网格名称", "单位名称", *AREA_NAME)
GRID_CODE = ("grid_code", "网格编码", "网格代码", "网格编号", "code", "编码", "代码")
#: Columns that say yes where a grid is retired, and columns that say in a word what has become of it.
GRID_RETIRED = ("retired", "is_retired", "是否停用", "是否撤销", "停用")
GRID_STATUS = ("status", "状态", "网格状态")

DEMAND_VALUE = (
    "value",
    "demand",
    "people",
    "population",
    "pop",
    "人口",
    "人口数",
    "常住人口",
    "需求",
    "客户数",
    "数值",
)


def fold_header(name: object) -> str:
    """Fold a column's name: half-width, lower case, no unit in brackets, one underscore for any space or hyphen."""
    folded = fold(str(name)).lower()
    without_unit = re.sub(r"\s*[(\[].*?[)\]]\s*$", "", folded) or folded
    return re.sub(r"[\s_-]+", "_", without_unit).strip("_")


def named_column(frame: pd.DataFrame, name: str, place: Place) -> str:
    """Column a user names, exactly or else folded.

    Raises
    ------
    MissingColumn
        If there is none, naming those there are.
    """
    columns = [str(column) for column in frame.columns]
    if name in columns:
        return name
    alike = [column for column in columns if fold_header(column) == fold_header(name)]
    if not alike:
        raise MissingColumn("inputs.no_such_column", place, name=name, columns=listed(frame))
    return alike[0]


def first_column(frame: pd.DataFrame, names: Sequence[str]) -> str | None:
    """First of the names that is a column and not wholly empty, or None."""
    by_fold: dict[str, str] = {}
    for column in frame.columns:
        by_fold.setdefault(fold_header(column), str(column))
    for name in names:
        found = by_fold.get(fold_header(name))
        if found is not None and (frame[found].notna().any() or not len(frame)):
            return found
    return None


def column_for(
    frame: pd.DataFrame, ours: str, chosen: Mapping[str, str], usual: Mapping[str, Sequence[str]], place: Place
) -> str | None:
    """Column of the file for one of ours: the one the user names, else the first of the usual names, else None.

    Raises
    ------
    MissingColumn
        If the user names one that is not there.
    """
    if ours in chosen:
        return named_column(frame, chosen[ours], place)
    return first_column(frame, usual[ours])


def check_column_names(chosen: Mapping[str, str], usual: Mapping[str, Sequence[str]]) -> None:
    """Refuse a ``columns`` setting that speaks of a column we do not have.

    Raises
    ------
    UsageError
        Naming it and those we have.
    """
    for name in sorted(set(chosen) - set(usual))[:1]:
        raise UsageError("inputs.unknown_column_name", None, name=name, known=", ".join(usual))


def listed(frame: pd.DataFrame) -> str:
    """Columns of a frame, as messages list them."""
    return ", ".join(str(column) for column in frame.columns) or "-"
