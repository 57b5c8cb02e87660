"""How far a scope reaches into one version."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, exists, func, select

from gridmap.domain.access import Scope
from gridmap.errors import LostUpdate, NotStored
from gridmap.store.kept import Kept
from gridmap.store.models import FID, VERSION, layer_tables, plan, plan_version
from gridmap.store.protocols import Status, VersionInfo
from gridmap.store.scope.areas import NOT_STATED, beyond_areas, in_areas
from gridmap.store.scope.gaps import gaps_within


@dataclass(frozen=True, slots=True)
class Reach:
    """A scope as it bears on a version.

    Attributes
    ----------
    row : row number of the version
    area_prefixes : empty where all areas are in reach
    institutions : empty where the plan and all facilities are of institutions in the scope
    is_none : the plan is another institution's
    gap_fids : gaps all of whose ground is in reach, where not all areas are
    cell_fids : first and last ``fid`` of cells in reach, where not all areas are; 1 and 0 without cells
    """

    row: int
    area_prefixes: tuple[str, ...] = ()
    institutions: tuple[str, ...] = ()
    is_none: bool = False
    gap_fids: tuple[int, ...] = ()
    cell_fids: tuple[int, int] = (1, 0)

    @property
    def is_whole(self) -> bool:
        """Whether all of the version is in reach."""
        return not (self.area_prefixes or self.institutions or self.is_none)


def reach_of(connection: Connection, version: VersionInfo, scope: Scope, kept: Kept) -> Reach:
    """Find out how far a scope reaches into a version.

    Raises
    ------
    NotStored
        If the version is gone.
    LostUpdate
        If it is a draft, and its content is no longer what was seen.
    """
    if scope.is_whole and version.status is not Status.DRAFT:
        return Reach(version.row)
    # Asked each time: plans pass to other institutions, drafts change.
    state = connection.execute(
        select(plan_version.c.digest, plan.c.institution)
        .join_from(plan_version, plan, plan_version.c.plan_id == plan.c.id)
        .where(plan_version.c.id == version.row)
    ).first()
    if state is None:
        raise NotStored("store.no_version", id=version.plan_id, number=version.number)
    if state.digest != version.digest:
        raise LostUpdate("store.lost_update", id=version.plan_id, number=version.number)
    if not scope.has_institution(state.institution):
        return Reach(version.row, is_none=True)
    if scope.is_whole:
        return Reach(version.row)
    return kept.get(("reach", version.row, version.digest, scope), lambda: _found_out(connection, version.row, scope))


def _found_out(connection: Connection, row: int, scope: Scope) -> Reach:
    prefixes = scope.area_prefixes if _has_areas_beyond(connection, row, scope.area_prefixes) else ()
    institutions = scope.institutions if _has_others(connection, row, scope.institutions) else ()
    if not prefixes:
        return Reach(row, institutions=institutions)
    cells = layer_tables["cells"]
    span = connection.execute(
        select(func.min(cells.c[FID]), func.max(cells.c[FID])).where(
            cells.c[VERSION] == row, in_areas(cells.c.area_code, prefixes)
        )
    ).one()
    return Reach(
        row,
        prefixes,
        institutions,
        gap_fids=gaps_within(connection, row, prefixes),
        cell_fids=(1, 0) if span[0] is None else (span[0], span[1]),
    )


def _has_areas_beyond(connection: Connection, row: int, prefixes: tuple[str, ...]) -> bool:
    if not prefixes:
        return False
    areas = layer_tables["areas"]
    beyond = exists().where(areas.c[VERSION] == row, beyond_areas(areas.c.area_code, prefixes))
    # A version without areas is nobody's.
    some = exists().where(areas.c[VERSION] == row)
    return bool(connection.execute(select(beyond | ~some)).scalar_one())


def _has_others(connection: Connection, row: int, institutions: tuple[str, ...]) -> bool:
    if not institutions:
        return False
    facilities = layer_tables["facilities"]
    others = exists().where(facilities.c[VERSION] == row, facilities.c.institution.not_in((*institutions, NOT_STATED)))
    return bool(connection.execute(select(others)).scalar_one())
