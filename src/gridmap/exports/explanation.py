"""Why ground lies in its grid, in sentences: what ``gridmap explain`` says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from gridmap import catalogue
from gridmap.catalogue import Language
from gridmap.exports.words import NOTHING, amount, area, count, deviation, distance, percent, word
from gridmap.planning.explaining.explanation import (
    FORBIDDING,
    Alternative,
    Drawing,
    Explanation,
    Held,
    Objection,
    Outcome,
    Verdict,
)

#: Facilities in reach that are named; the rest are counted.
MOST_SERVING = 6
_SIGNS = {Verdict.FORBIDDEN: "✕", Verdict.WORSE: "–", Verdict.EVEN: "=", Verdict.BETTER: "+"}


def explanation_document(told: Explanation, unit: str) -> dict[str, Any]:
    """Explanation as one JSON object; ``demand_unit`` says what demand counts."""
    return {"demand_unit": unit, **asdict(told)}


def explanation_lines(told: Explanation, unit: str, lang: Language | None = None) -> list[str]:
    """Lines that explain one piece of ground: where it is, its grid, what each move would do, and the verdict.

    Parameters
    ----------
    told
        What is known.
    unit
        What demand counts: ``Plan.indicators["demand"]["unit"]``.
    lang
        Language; that of the process where None.
    """
    return _Words(told, unit, lang or catalogue.language()).lines()


class _Words:
    def __init__(self, told: Explanation, unit: str, lang: Language) -> None:
        self.told, self.unit, self.lang = told, unit, lang

    def lines(self) -> list[str]:
        told = self.told
        lines = [*self._place(), *self._grid()]
        if told.alternatives and told.outcome is not Outcome.CARVED:
            lines.append(self.say("explain.moving_cell" if told.unit.kind == "cells" else "explain.moving_unit"))
            for alternative in told.alternatives:
                lines += self._move(alternative)
        best = told.alternatives[0].other.name if told.alternatives else NOTHING
        lines.append(self.say(f"explain.outcome_{told.outcome.value}", name=best))
        return [*lines, self.say("explain.barriers")] if told.barriers and told.alternatives else lines

    def say(self, key: str, **values: object) -> str:
        return catalogue.text(key, self.lang, **values)

    def _place(self) -> list[str]:
        place, told = self.told.place, self.told
        served = self.say(
            "explain.served" if told.covered else "explain.not_served",
            outlets=told.crossing_degree,
            share=percent(told.covered_share),
        )
        names = [name for _, name in place.areas]
        lines = [
            self.say(
                "explain.place",
                cell=place.cell_id,
                where=" ".join(names[1:] or names),
                area=place.area_code,
                lon=f"{place.lon:.5f}",
                lat=f"{place.lat:.5f}",
            ),
            self.say(
                "explain.ground_area" if self.unit == "m2" else "explain.ground",
                demand=amount(place.demand, self.unit, self.lang),
                size=area(place.area_m2),
                settlement=word("settlement", place.settlement, self.lang),
                served=served,
            ),
        ]
        if told.served_by:
            shown = [
                f"{one.name} ({word('kind', one.kind, self.lang)}, {distance(one.distance_m)})"
                for one in told.served_by[:MOST_SERVING]
            ]
            if len(told.served_by) > MOST_SERVING:
                shown.append(self.say("explain.more", n=len(told.served_by) - MOST_SERVING))
            lines.append(self.say("explain.served_by", who=self._joined(shown)))
        return lines

    def _grid(self) -> list[str]:
        told, grid = self.told, self.told.grid
        held = self.say(
            "explain.held_no_target" if grid.target is None else "explain.held",
            demand=amount(grid.demand, self.unit, self.lang),
            target=amount(grid.target, self.unit, self.lang),
            deviation=deviation(grid.deviation),
        )
        drawn = self.say(f"explain.drawn_{told.drawn.value}", tolerance=percent(told.tolerance))
        bounded = told.parent_name is not None and told.drawn not in (Drawing.DEDICATED, Drawing.LOCKED)
        lines = [
            self.say("explain.grid", name=grid.name, code=grid.grid_code, held=held),
            self.say("explain.how_within", drawn=drawn, parent=told.parent_name)
            if bounded
            else self.say("explain.how", drawn=drawn),
            self._unit(),
        ]
        outlet = told.outlet
        if outlet is None:
            lines.append(self.say("explain.outlet_none"))
        else:
            far = distance(outlet.distance_m)
            lines.append(self.say("explain.outlet", name=outlet.name, code=outlet.facility_id, distance=far))
        nobody = self.say("explain.nobody")
        officers = self._joined(told.officers) or nobody
        lines.append(self.say("explain.people", manager=told.manager or nobody, officers=officers))
        return [*lines, *(self.say("explain.not_met", message=message) for message in told.shortfalls)]

    def _unit(self) -> str:
        unit = self.told.unit
        if unit.kind == "cells":
            return self.say("explain.unit_cells")
        return self.say(
            "explain.unit_area" if self.unit == "m2" else "explain.unit",
            unit=unit.code,
            kind=self.say(f"explain.kind_{unit.kind}"),
            demand=amount(unit.demand, self.unit, self.lang),
            size=area(unit.area_m2),
            cells=count(unit.cells),
        )

    def _move(self, move: Alternative) -> list[str]:
        own, other = move.own, move.other
        lines = [
            self.say(
                "explain.move",
                sign=_SIGNS[move.verdict],
                name=other.name,
                code=other.grid_code,
                why=self._why(move),
            ),
            self.say(
                "explain.move_balance",
                own=own.name,
                before=self._loaded(own.demand, own),
                after=self._loaded(own.demand_after, own, after=True),
                other=other.name,
                there=self._loaded(other.demand, other),
                there_after=self._loaded(other.demand_after, other, after=True),
            ),
        ]
        change = _with_sign(move.border_change_m)
        if move.outlet is None:
            return [*lines, self.say("explain.move_border_no_outlet", change=change)]
        border = self.say(
            "explain.move_border",
            change=change,
            outlet=move.outlet.name,
            distance=distance(move.outlet.mean_distance_m),
            difference=_with_sign(self._farther_m(move)),
        )
        return [*lines, border]

    def _loaded(self, demand: float, held: Held, *, after: bool = False) -> str:
        shown = amount(demand, self.unit, self.lang)
        share = held.deviation_after if after else held.deviation
        if share is None:
            return shown
        return self.say("explain.amount_and_deviation", demand=shown, deviation=deviation(share))

    def _why(self, move: Alternative) -> str:
        listed = _weightiest(move)
        reasons = self._joined([self._reason(one, move) for one in listed])
        if move.verdict in (Verdict.FORBIDDEN, Verdict.WORSE):
            return self.say(f"explain.verdict_{move.verdict.value}", reasons=reasons)
        key = f"explain.verdict_{move.verdict.value}"
        return self.say(f"{key}_but", reasons=reasons) if reasons else self.say(key)

    def _reason(self, objection: Objection, move: Alternative) -> str:
        own, other, told = move.own, move.other, self.told
        deviations = [abs(one.deviation_after) for one in (own, other) if one.deviation_after is not None]
        length = self._farther_m(move) if objection is Objection.DISTANCE else move.border_change_m
        outlet = told.outlet if objection is Objection.LOSES_OUTLET else move.outlet
        parts = own.parts_after if objection is Objection.BREAKS else other.parts_after
        return self.say(
            f"explain.objection_{objection.value}",
            own=own.name,
            other=other.name,
            parent=told.parent_name,
            parts=parts,
            outlet=outlet.name if outlet else NOTHING,
            deviation=percent(max(deviations, default=0.0)),
            tolerance=percent(told.tolerance),
            load=amount(move.outlet_load_after, self.unit, self.lang),
            capacity=amount(move.outlet_capacity, self.unit, self.lang),
            length=distance(length),
        )

    def _farther_m(self, move: Alternative) -> float | None:
        """How much farther the other grid's outlet is, on average over what would move."""
        own, other = self.told.outlet, move.outlet
        if own is None or other is None or own.mean_distance_m is None or other.mean_distance_m is None:
            return None
        return other.mean_distance_m - own.mean_distance_m

    def _joined(self, parts: Iterable[str]) -> str:
        return ("、" if self.lang == "zh" else ", ").join(parts)


def _weightiest(move: Alternative) -> list[Objection]:
    """Objections that settle a move: what forbids it, else bounds, balance and capacity, else all."""
    forbidding: list[Objection] = [one for one in move.objections if one in FORBIDDING]
    lesser: list[Objection] = [one for one in move.objections if one not in (Objection.BORDER, Objection.DISTANCE)]
    return forbidding or (lesser if move.verdict is Verdict.WORSE else []) or list(move.objections)


def _with_sign(metres: float | None) -> str:
    if metres is None:
        return NOTHING
    return ("+" if metres >= 0.5 else "-" if metres <= -0.5 else "±") + distance(abs(metres))
