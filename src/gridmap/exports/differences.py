"""What changed between two plans, in sentences for planners: the conclusion first, then where to look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gridmap import catalogue
from gridmap.catalogue import Language
from gridmap.domain.plan import Plan
from gridmap.exports.words import NOTHING, amount, area, count, distance, names_by_code, percent
from gridmap.planning.differences.difference import Change, GridChanged, Named, PlanDifference, RuleChanged

#: Entries of a list that are told of; the rest are counted.
MOST_TOLD = 8
#: Figures that are told of; all that changed stand in the JSON.
_SHARES = ("coverage.all.covered_demand_share", "coverage.all.covered_area_share")
_COUNTS = ("counts.grids", "counts.cells", "counts.gaps")
#: Columns of grids that say who is responsible.
_RESPONSIBLE = ("primary_outlet_id", "cooperating_outlet_ids", "manager_id", "officer_ids")


def difference_lines(told: PlanDifference, before: Plan, after: Plan, lang: Language | None = None) -> list[str]:
    """Lines that say what changed.

    Parameters
    ----------
    told : what is known
    before, after : the plans, for their names
    lang : language; that of the process where None
    """
    return _Words(told, before, after, lang or catalogue.language()).lines()


class _Words:
    def __init__(self, told: PlanDifference, before: Plan, after: Plan, lang: Language) -> None:
        self._told, self._lang = told, lang
        self._names_before, self._names = names_by_code(before), names_by_code(after)
        self._people = {
            str(code): str(name)
            for plan in (before, after)
            for code, name in zip(plan.staff["person_id"], plan.staff["name"], strict=True)
            if isinstance(name, str)
        }
        self._title_before, self._title = before.settings.plan.name, after.settings.plan.name

    def lines(self) -> list[str]:
        head = self._say("head", before=self._title_before, after=self._title)
        if self._told.is_nothing:
            return [head, self._say("nothing")]
        return [
            head,
            *self._ground(),
            *self._grids(),
            *self._facilities(),
            *self._staff(),
            *self._gaps(),
            *self._rules(),
            *self._figures(),
            *self._settings(),
            catalogue.text(f"differences.way_{self._told.way.value}", self._lang),
        ]

    def _say(self, key: str, **values: object) -> str:
        return catalogue.text(f"differences.{key}", self._lang, **values)

    def _amount(self, demand: float | None) -> str:
        return amount(demand, self._told.totals.demand_unit, self._lang)

    def _list(self, lines: Iterable[str]) -> list[str]:
        """Indent the first lines, and say how many more there are."""
        every = list(lines)
        more = [self._say("more", count=count(len(every) - MOST_TOLD))] if len(every) > MOST_TOLD else []
        return [f"  {line}" for line in (*every[:MOST_TOLD], *more)]

    def _ground(self) -> list[str]:
        told, totals = self._told, self._told.totals
        if not told.moves:
            return [self._say("ground_still")]
        values = {
            "share": percent(totals.moved_demand_share),
            "demand": self._amount(totals.moved_demand),
            "ground_share": percent(totals.moved_area_share),
            "ground": area(totals.moved_area_m2),
        }
        lines = [self._say("ground_moved", **values)]
        lines += self._list(
            self._say(
                "move",
                demand=self._amount(one.demand),
                ground=area(one.area_m2),
                before=self._grid(one.code_from, self._names_before),
                after=self._grid(one.code_to, self._names),
            )
            for one in told.moves
        )
        if told.units_moved:
            lines.append(self._say("units_moved", count=count(len(told.units_moved))))
        return lines

    def _grids(self) -> list[str]:
        told = self._told
        numbers = [len(one) for one in (told.grids_added, told.grids_removed, told.grids_changed)]
        if not any(numbers):
            return []
        new, gone, changed = map(count, numbers)
        lines = [self._say("grids", new=new, gone=gone, changed=changed)]
        for key, grids in (("grid_new", told.grids_added), ("grid_gone", told.grids_removed)):
            lines += self._list(self._named(key, one) for one in grids)
        responsible = [(one, changes) for one in told.grids_changed if (changes := self._responsible(one))]
        if responsible:
            lines.append(self._say("responsible", count=count(len(responsible))))
            lines += self._list(
                f"{self._grid(one.code, self._names)}: {self._say('separator').join(changes)}"
                for one, changes in responsible
            )
        return lines

    def _responsible(self, grid: GridChanged) -> list[str]:
        return [
            catalogue.text(
                f"differences.column_{one.field}",
                self._lang,
                before=self._who(one.before),
                after=self._who(one.after),
            )
            for one in grid.changes
            if one.field in _RESPONSIBLE
        ]

    def _who(self, value: Any) -> str:
        codes = value if isinstance(value, list) else [value] if value is not None else []
        names = {**self._names_before, **self._names, **self._people}
        return self._say("comma").join(str(names.get(code, code)) for code in codes) or NOTHING

    def _facilities(self) -> list[str]:
        told = self._told
        lines = []
        for key, facilities in (("opened", told.facilities_opened), ("closed", told.facilities_closed)):
            if facilities:
                lines.append(self._say(key, count=count(len(facilities))))
                lines += self._list(f"{one.name or one.code} ({one.code})" for one in facilities)
        if told.facilities_moved:
            lines.append(self._say("moved", count=count(len(told.facilities_moved))))
            lines += self._list(
                f"{one.name or one.code} ({one.code}): {distance(one.distance_m)}" for one in told.facilities_moved
            )
        if told.facilities_changed:
            lines.append(self._say("facilities_changed", count=count(len(told.facilities_changed))))
            lines += self._list(
                f"{one.name or one.code} ({one.code}): {self._changes(one.changes)}" for one in told.facilities_changed
            )
        return lines

    def _staff(self) -> list[str]:
        told = self._told
        numbers = [len(one) for one in (told.staff_joined, told.staff_left, told.staff_changed)]
        if not any(numbers):
            return []
        joined, left, changed = map(count, numbers)
        return [self._say("staff", joined=joined, left=left, changed=changed)]

    def _gaps(self) -> list[str]:
        lines = []
        for key, gaps in (("gaps_new", self._told.gaps_new), ("gaps_gone", self._told.gaps_gone)):
            if gaps:
                demand = self._amount(sum(one.demand or 0.0 for one in gaps))
                lines.append(self._say(key, count=count(len(gaps)), demand=demand))
        return lines

    def _rules(self) -> list[str]:
        if not self._told.rules:
            return []
        return [self._say("rules"), *(f"  {self._rule(one)}" for one in self._told.rules)]

    def _rule(self, one: RuleChanged) -> str:
        name = f"rules.{one.rule}"
        said = catalogue.text(name, self._lang) if name in catalogue.entries() else one.rule
        state = "rule_now_holds" if one.holds else "rule_now_broken" if one.held_before else "rule_still_broken"
        return self._say(state, rule=said, newly=count(len(one.newly_broken_by)), mended=count(len(one.mended)))

    def _figures(self) -> list[str]:
        changed = {one.field: one for one in self._told.indicators}
        lines = []
        for fields, shown in ((_SHARES, percent), (_COUNTS, count)):
            for one in (changed[field] for field in fields if field in changed):
                if shown(one.before) == shown(one.after):
                    continue
                key = f"differences.figure_{one.field.rsplit('.', 1)[-1]}"
                lines.append(catalogue.text(key, self._lang, before=shown(one.before), after=shown(one.after)))
        more = len(changed) - len(lines)
        if more:
            lines.append(self._say("figures_more", count=count(more)))
        return lines

    def _settings(self) -> list[str]:
        if not self._told.settings:
            return []
        return [self._say("settings"), *(f"  {self._changes((one,))}" for one in self._told.settings)]

    def _changes(self, changes: tuple[Change, ...]) -> str:
        return self._say("separator").join(f"{one.field} {_shown(one.before)} → {_shown(one.after)}" for one in changes)

    def _named(self, key: str, one: Named) -> str:
        grid = f"{one.name} ({one.code})" if one.name else one.code
        return self._say(key, grid=grid, demand=self._amount(one.demand), ground=area(one.area_m2))

    def _grid(self, code: str | None, names: Mapping[str, str]) -> str:
        if code is None:
            return self._say("no_grid")
        return f"{names[code]} ({code})" if code in names else code


def _shown(value: Any) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, list):
        return ", ".join(map(str, value)) or NOTHING
    if isinstance(value, float):
        return f"{value:,.6g}" if value != int(value) else f"{value:,.0f}"
    return str(value)
