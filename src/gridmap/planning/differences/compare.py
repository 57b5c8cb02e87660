"""Compare two plans."""

from __future__ import annotations

from gridmap.domain.plan import Plan, RuleResult
from gridmap.planning.differences.difference import PlanDifference, RuleChanged
from gridmap.planning.differences.grids import GridDifference
from gridmap.planning.differences.ground import shared_ground
from gridmap.planning.differences.matching import matched
from gridmap.planning.differences.resources import FacilityDifference, StaffDifference, gaps_only
from gridmap.planning.differences.values import documents_changed


def difference_of(before: Plan, after: Plan) -> PlanDifference:
    """Find what changed between two plans, of the same cells or of any others.

    Where both have the same cells their ground is compared cell by cell. Elsewhere the grids are laid over each other:
    areas are then those of what they share, and demand that of the later plan's cells by where their representative
    points lie. Grids are the same where most of the ground of both is, whatever their codes.

    Parameters
    ----------
    before, after : the plans, WGS 84
    """
    shared = shared_ground(before, after)
    grids = GridDifference(before, after, shared, matched(before, after, shared))
    earlier = grids.earlier_codes()
    facilities, staff = FacilityDifference(before, after), StaffDifference(before, after, earlier)
    settings = [plan.settings.model_dump(mode="json", exclude_none=True) for plan in (before, after)]
    return PlanDifference(
        way=shared.way,
        totals=grids.totals(str(after.indicators["demand"]["unit"])),
        grids_added=grids.added(),
        grids_removed=grids.removed(),
        grids_changed=grids.changed(),
        moves=grids.moves(),
        units_moved=grids.units(),
        facilities_opened=facilities.opened(),
        facilities_closed=facilities.closed(),
        facilities_moved=facilities.moved(),
        facilities_changed=facilities.changed(),
        staff_joined=staff.joined(),
        staff_left=staff.left(),
        staff_changed=staff.changed(),
        gaps_new=gaps_only(after.gaps, before.gaps),
        gaps_gone=gaps_only(before.gaps, after.gaps),
        rules=_rules(before.rules, after.rules, {old: new for new, old in earlier.items()}),
        settings=documents_changed(*settings),
        indicators=documents_changed(before.indicators, after.indicators),
        ground=shared.shapes[grids.order()],
    )


def _rules(
    before: tuple[RuleResult, ...], after: tuple[RuleResult, ...], later: dict[str, str]
) -> tuple[RuleChanged, ...]:
    old, new = {one.rule: one for one in before}, {one.rule: one for one in after}
    found = []
    for name in [*new, *(name for name in old if name not in new)]:
        was, now = old.get(name), new.get(name)
        broke = [later.get(code, code) for code in (was.broken_by if was else ())]
        breaks = now.broken_by if now else ()
        newly = tuple(code for code in breaks if code not in set(broke))
        mended = tuple(code for code in broke if code not in set(breaks))
        held, holds = (one.holds if one else None for one in (was, now))
        if newly or mended or held is not holds:
            severity = (now or old[name]).severity
            found.append(RuleChanged(name, severity, held, holds, newly, mended))
    return tuple(found)
