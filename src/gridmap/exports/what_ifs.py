"""What-ifs in sentences, as JSON, tables and map layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np

from gridmap import catalogue
from gridmap.catalogue import Language
from gridmap.domain.plan import Plan
from gridmap.exports.place_words import PlaceWords, Shown
from gridmap.exports.words import NOTHING, amount, count, distance, percent
from gridmap.planning.access.standing import ALL, Standing
from gridmap.planning.land.dissolve import dissolve
from gridmap.planning.tables.frame_columns import geographic, looked_up, settlement_names, text, to_millimetre
from gridmap.planning.what_ifs.changes import Change, Close, Move, Open
from gridmap.planning.what_ifs.comparison import Comparison, CoverChange
from gridmap.planning.what_ifs.figures import figures
from gridmap.planning.what_ifs.scenarios import Scenario, chain_of_changes, played

#: Places that sentences name at each change; the rest are counted, and stand in the JSON.
MOST_TOLD = 6


@dataclass(frozen=True)
class Played:
    """One scenario played on a plan.

    Attributes
    ----------
    name : of its table, or of the options of the command line
    title : as reports call it
    changes : all of them, those of the scenarios it comes after first
    told : the plan as it is, and after the changes
    """

    name: str
    title: str
    changes: tuple[Change, ...]
    told: Comparison


def play(standing: Standing, scenarios: Mapping[str, Scenario]) -> list[Played]:
    """Play scenarios on service as it stands; errors as ``played``."""
    after = played(standing, scenarios)
    return [
        Played(name, one.title, tuple(chain_of_changes(name, scenarios)), Comparison(standing, after[name]))
        for name, one in scenarios.items()
    ]


def scenario_document(plan: Plan, scenario: Played, lang: Language | None = None) -> dict[str, Any]:
    """Everything of one scenario as plain values: changes, figures before and after, who loses and gains where."""
    told = scenario.told
    words = PlaceWords(plan, [told.before, told.after], lang or catalogue.language())
    changes = []
    for change in told.changes:
        document = asdict(change)
        places = [{**place, "name": words.plain(place["level"], place["code"])} for place in document["places"]]
        changes.append({**document, "places": places})
    return {
        "name": scenario.name,
        "title": scenario.title,
        "changes": [{"change": type(one).__name__.lower(), **asdict(one)} for one in scenario.changes],
        "before": asdict(figures(told.before)),
        "after": asdict(figures(told.after)),
        "cover": changes,
    }


def scenario_lines(plan: Plan, scenario: Played, lang: Language | None = None, shown: Shown = str) -> list[str]:
    """Say what a scenario does: the changes, who loses and gains cover and where, gaps, cash points, loads."""
    return _Words(plan, scenario, lang or catalogue.language(), shown).lines()


def side_by_side(
    plan: Plan, before: Standing, scenarios: Sequence[Played], lang: Language, shown: Shown = str
) -> list[list[str]]:
    """Rows of a table, its heads first: figures of the plan as it is, and after each scenario."""
    unit = str(plan.indicators["demand"]["unit"])
    heads = [_text("table_figure", lang), _text("table_now", lang), *(shown(one.title) for one in scenarios)]
    standings = [before, *(one.told.after for one in scenarios)]
    all_figures = [figures(one) for one in standings]
    names = scenarios[0].told.names if len(scenarios) == 1 else _names(scenarios)
    words = PlaceWords(plan, standings, lang)
    rows = [heads]
    for name in names:
        of_kind = [next((one for one in told.services if one.service == name), None) for told in all_figures]
        service = words.service(name)
        shares = [percent(one.covered_demand_share) if one else NOTHING for one in of_kind]
        means = [distance(one.mean_distance_m) if one else NOTHING for one in of_kind]
        told = {_text("table_covered", lang, what=service): shares, _text("table_distance", lang, what=service): means}
        # Of kinds, only what differs.
        rows += [[head, *cells] for head, cells in told.items() if name == ALL or len(set(cells)) > 1]
    rows.append([_text("table_second", lang), *(distance(one.services[0].mean_second_m) for one in all_figures)])
    rows.append([_text("table_gaps", lang), *(count(one.gaps) for one in all_figures)])
    rows.append([_text("table_gap_demand", lang), *(amount(one.gap_demand, unit, lang) for one in all_figures)])
    rows.append([_text("table_villages", lang), *(count(one.villages_without_cash_point) for one in all_figures)])
    rows.append([_text("table_excess", lang), *(amount(one.excess_demand, unit, lang) for one in all_figures)])
    return rows


def gap_layer(standing: Standing, plan: Plan) -> gpd.GeoDataFrame:
    """Coverage gaps as they would be, by rank; columns as the layer ``gaps`` of the plan has them, less the kind."""
    gaps, terrain = standing.gaps, standing.terrain
    codes = np.unique(plan.cells["area_code"].astype(str).to_numpy(dtype=object))
    return geographic(
        dissolve(terrain.ground.geometry, gaps.gap_of_cell, len(gaps)),
        gap_id=text([f"G{rank:03d}" for rank in range(1, len(gaps) + 1)]),
        area_code=looked_up(codes, gaps.area),
        settlement=settlement_names(gaps.settlement),
        area_m2=gaps.area_m2,
        demand=gaps.demand,
        nearest_facility_id=looked_up(standing.facilities.ids, gaps.nearest_facility),
        nearest_distance_m=to_millimetre(gaps.nearest_distance_m),
        rank=np.arange(1, len(gaps) + 1),
    )


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as a Markdown table, numbers to the right; texts are Markdown already."""
    rule = [":--", *["--:"] * (len(rows[0]) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [rows[0], rule, *rows[1:]])


def plain_table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines of even columns; a Chinese character is as wide as two others."""
    widths = [max(_width(row[at]) for row in rows) for at in range(len(rows[0]))]
    return [
        "  ".join(_padded(cell, width, left=at == 0) for at, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    ]


def file_name(name: str, taken: Path) -> Path:
    """Name of the map layer of a scenario: letters, digits, - and _ stay."""
    return taken / ("".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in name) + ".geojson")


class _Words:
    def __init__(self, plan: Plan, scenario: Played, lang: Language, shown: Shown) -> None:
        self._scenario, self._told, self._lang = scenario, scenario.told, lang
        self._title = shown(scenario.title)
        self._unit = str(plan.indicators["demand"]["unit"])
        self._names = PlaceWords(plan, [self._told.after, self._told.before], lang, shown)
        # A facility that moves keeps its name; one that opens has it from the standing after.
        self._lowest = self._told.before.terrain.lowest.level

    def lines(self) -> list[str]:
        changed = [one for one in self._told.changes if one.lost or one.gained or one.cells_lost or one.cells_gained]
        lines = [self._say("head", title=self._title), *("  " + self._change(one) for one in self._scenario.changes)]
        if not self._told.before.terrain.demand.any():
            lines.append(self._say("no_demand"))
        if not changed:
            lines.append(self._say("nobody"))
        for one in changed:
            lines += self._cover(one)
        farther = next(one for one in self._told.changes if one.service == ALL).farther
        if farther:
            lines.append(self._say("farther", demand=self._amount(farther)))
        return [*lines, *self._figures()]

    def _change(self, change: Change) -> str:
        if isinstance(change, Close):
            return self._say("close", what=self._names.facility(change.facility_id))
        if isinstance(change, Open):
            kind = self._names.service(change.kind.value)
            return self._say("open", kind=kind, lon=f"{change.lon:.6f}", lat=f"{change.lat:.6f}")
        if isinstance(change, Move):
            what = self._names.facility(change.facility_id)
            return self._say("move", what=what, lon=f"{change.lon:.6f}", lat=f"{change.lat:.6f}")
        known = change.of in self._names.kinds
        of = self._names.facility(change.of) if known else self._names.service(change.of)
        return self._say("reach", of=of, urban=distance(change.urban_m), rural=distance(change.rural_m))

    def _cover(self, change: CoverChange) -> list[str]:
        whole = change.demand
        lines = [
            self._say(
                "cover",
                what=self._names.service(change.service),
                before=percent(change.covered_before / whole if whole else None),
                after=percent(change.covered_after / whole if whole else None),
                lost=self._amount(change.lost),
                gained=self._amount(change.gained),
            )
        ]
        places = change.at(self._lowest)
        # Ground without people is told of only where no people are concerned at all.
        places = [place for place in places if place.lost or place.gained] or places
        for place in places[:MOST_TOLD]:
            losing = "place_loses" if place.nearest_after is not None else "place_loses_last"
            key = losing if place.cells_lost else "place_gains"
            demand = place.lost if place.cells_lost else place.gained
            lines.append(
                "  "
                + self._say(
                    key,
                    place=self._names.place(place.level, place.code),
                    demand=self._amount(demand),
                    nearest=self._names.facility(place.nearest_after),
                    after=distance(place.after_m),
                    before=distance(place.before_m),
                )
            )
        if len(places) > MOST_TOLD:
            lines.append("  " + self._say("more", n=count(len(places) - MOST_TOLD)))
        return lines

    def _figures(self) -> list[str]:
        before, after = figures(self._told.before), figures(self._told.after)
        lines = []
        if (before.gaps, before.gap_demand) != (after.gaps, after.gap_demand):
            demands = {"held": self._amount(before.gap_demand), "held_after": self._amount(after.gap_demand)}
            lines.append(self._say("gaps", before=count(before.gaps), after=count(after.gaps), **demands))
        if before.villages_without_cash_point != after.villages_without_cash_point:
            numbers = (before.villages_without_cash_point, after.villages_without_cash_point)
            lines.append(self._say("villages", before=count(numbers[0]), after=count(numbers[1])))
        if before.excess_demand != after.excess_demand:
            excess = [self._amount(one.excess_demand) for one in (before, after)]
            lines.append(self._say("excess", before=excess[0], after=excess[1]))
        return lines

    def _amount(self, demand: float) -> str:
        return amount(demand, self._unit, self._lang)

    def _say(self, key: str, **values: object) -> str:
        return catalogue.text(f"what_ifs.said_{key}", self._lang, **values)


def _names(scenarios: Sequence[Played]) -> list[str]:
    """Services of any of the scenarios, in their order."""
    known = {name for one in scenarios for name in one.told.names}
    longest = sorted(scenarios, key=lambda one: -len(one.told.names))[0].told.names
    return [*longest, *sorted(known - set(longest))]


def _text(key: str, lang: Language, **values: object) -> str:
    return catalogue.text(f"what_ifs.{key}", lang, **values)


def _width(cell: str) -> int:
    return sum(2 if ord(sign) > 0x2E80 else 1 for sign in cell)


def _padded(cell: str, width: int, *, left: bool) -> str:
    space = " " * (width - _width(cell))
    return cell + space if left else space + cell
