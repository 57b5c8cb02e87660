"""What the grids of each lowest-level area are made of: the area whole, blocks between roads, or cells."""

from __future__ import annotations

from typing import Literal

from gridmap.domain.kinds import AreaLevel, BaseUnitKind, SettlementClass
from gridmap.domain.plan_settings import GridSection
from gridmap.planning.land.ground import CLASSES
from gridmap.planning.service.reach import Rows

Base = Literal["village", "block", "cell"]

_RURAL = CLASSES.index(SettlementClass.RURAL)


def usable_base(asked: Base | None, lowest: AreaLevel, has_roads: bool) -> BaseUnitKind:
    """Return what can be had of what is asked: villages need villages, blocks need roads, cells are always there."""
    if asked in (None, "village") and lowest is AreaLevel.VILLAGE:
        return BaseUnitKind.VILLAGE
    if asked in (None, "village", "block") and has_roads:
        return BaseUnitKind.BLOCK
    if asked == "block" and lowest is AreaLevel.VILLAGE:
        return BaseUnitKind.VILLAGE
    return BaseUnitKind.CELLS


def bases(settings: GridSection, lowest: AreaLevel, settlement: Rows, has_roads: bool) -> tuple[BaseUnitKind, ...]:
    """Choose the base of each lowest-level area.

    Parameters
    ----------
    settlement : (k,) int64, class of each area, index into ``CLASSES``
    """
    country = usable_base(settings.base, lowest, has_roads)
    town = usable_base(settings.urban_base or settings.base, lowest, has_roads)
    return tuple(country if number == _RURAL else town for number in settlement.tolist())


def not_to_be_had(settings: GridSection, lowest: AreaLevel, has_roads: bool) -> list[str]:
    """Return keys of ``[grids]`` that ask for a base this plan cannot have."""
    wanted = {"village": BaseUnitKind.VILLAGE, "block": BaseUnitKind.BLOCK, "cell": BaseUnitKind.CELLS}
    asked: dict[str, Base | None] = {"grids.base": settings.base, "grids.urban_base": settings.urban_base}
    return [
        key
        for key, base in asked.items()
        if base is not None and usable_base(base, lowest, has_roads) is not wanted[base]
    ]
