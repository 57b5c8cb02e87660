"""Weigh what moving ground from one grid to another would do."""

from __future__ import annotations

from collections.abc import Iterable

from gridmap.domain.kinds import BaseUnitKind
from gridmap.planning.explaining.explanation import FORBIDDING, Alternative, Held, Objection, Outcome, Verdict

#: Borders and distances that differ by less are alike, metres.
ALIKE_M = 0.5
#: Deviations that differ by less are alike.
ALIKE_SHARE = 1e-9
#: Base units that were carved out and stay what they are.
CARVED_KINDS = (BaseUnitKind.DEDICATED, BaseUnitKind.LOCKED)


def outcome_of(kind: BaseUnitKind, alternatives: Iterable[Alternative]) -> Outcome:
    """Weigh all moves of a base unit of this kind together."""
    verdicts = {one.verdict for one in alternatives}
    if kind in CARVED_KINDS:
        return Outcome.CARVED
    if not verdicts:
        return Outcome.ALONE
    if Verdict.BETTER in verdicts:
        return Outcome.COULD_MOVE
    if Verdict.EVEN in verdicts:
        return Outcome.EVEN
    return Outcome.BEST_HERE if Verdict.WORSE in verdicts else Outcome.ONLY_HERE


def verdict_of(objections: Iterable[Objection], mends_balance: bool, gain_m: float) -> Verdict:
    """Weigh one move.

    Parameters
    ----------
    mends_balance
        It would shrink a deviation that is beyond the tolerance.
    gain_m
        How much shorter borders would be, or the way to the outlet where grids follow it; metres.
    """
    said = set(objections)
    if said & FORBIDDING:
        return Verdict.FORBIDDEN
    if said & {Objection.LIMITS, Objection.BALANCE, Objection.CAPACITY}:
        return Verdict.WORSE
    if mends_balance or gain_m > ALIKE_M:
        return Verdict.BETTER
    return Verdict.WORSE if gain_m < -ALIKE_M else Verdict.EVEN


def _worst(own: Held, other: Held) -> tuple[float, float]:
    """Larger deviation of two grids, before and after; those without a target do not count."""
    before = [abs(one.deviation) for one in (own, other) if one.deviation is not None]
    after = [abs(one.deviation_after) for one in (own, other) if one.deviation_after is not None]
    return max(before, default=0.0), max(after, default=0.0)


def unbalances(own: Held, other: Held, tolerance: float) -> bool:
    """Whether the larger deviation would grow beyond the tolerance."""
    before, after = _worst(own, other)
    return after > tolerance + ALIKE_SHARE and after > before + ALIKE_SHARE


def balances(own: Held, other: Held, tolerance: float) -> bool:
    """Whether a deviation beyond the tolerance would shrink."""
    before, after = _worst(own, other)
    return before > tolerance + ALIKE_SHARE and after < before - ALIKE_SHARE


def deviation(demand: float, target: float | None) -> float | None:
    """``demand / target - 1``, None without a target."""
    return None if target is None or target <= 0 else demand / target - 1
