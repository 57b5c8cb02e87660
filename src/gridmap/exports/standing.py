"""Service in depth, in sentences and as JSON: distances, second choices, tiers, the village rule, loads, presets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from gridmap import catalogue
from gridmap.catalogue import Language
from gridmap.domain.kinds import AreaLevel, FacilityKind
from gridmap.domain.plan import Plan
from gridmap.domain.presets import Preset
from gridmap.exports.place_words import PlaceWords, Shown
from gridmap.exports.words import amount, count, distance, percent, word
from gridmap.planning.access.distributions import Distribution, distribution
from gridmap.planning.access.standing import Standing
from gridmap.planning.access.tiers import Tier, cash_points_on_urban_ground, tier, villages_without_cash_point
from gridmap.planning.access.verdicts import Verdict, judge
from gridmap.planning.findings.indicators import WITHDRAWAL_KINDS
from gridmap.planning.what_ifs.figures import figures, service_figures

#: Places that sentences name; the rest are counted, and stand in the JSON.
MOST_TOLD = 6


def standing_document(
    plan: Plan, standing: Standing, presets: Mapping[str, Preset], lang: Language | None = None
) -> dict[str, Any]:
    """Everything of one standing as plain values; places and facilities carry their names."""
    words = PlaceWords(plan, [standing], lang or catalogue.language())
    villages, without = villages_without_cash_point(standing)
    load = standing.outlet_loads
    outlets = standing.facilities.outlets.tolist()
    return {
        "demand_unit": plan.indicators["demand"]["unit"],
        "figures": asdict(figures(standing)),
        "institutions": [asdict(service_figures(standing, one)) for one in standing.by_institution()],
        "distributions": [
            {
                "service": one.name,
                "nearest_m": asdict(_spread(standing, one.nearest_m)),
                "second_m": asdict(_spread(standing, one.second_m)),
            }
            for one in standing.services
        ],
        "tiers": [asdict(one) for one in _tiers(standing)],
        "village_rule": {
            "villages": villages,
            "without": [{**asdict(one), "name": words.plain(one.level, one.code)} for one in without],
        },
        "cash_points_on_urban_ground": cash_points_on_urban_ground(standing),
        "outlets": [
            {
                "facility_id": str(standing.facilities.ids[row]),
                "name": words.plain("facility", str(standing.facilities.ids[row])),
                "demand": float(load.load[row]),
                "capacity": None if np.isnan(load.capacity[row]) else float(load.capacity[row]),
                "excess": float(load.excess[row]),
            }
            for row in outlets
        ],
        "presets": [verdict_document(judge(standing, name, one), one, words) for name, one in presets.items()],
    }


def verdict_document(verdict: Verdict, preset: Preset, words: PlaceWords) -> dict[str, Any]:
    """Verdict of a preset with its names."""
    document = asdict(verdict)
    named = [{**entry, "name": words.plain(entry["level"], entry["code"])} for entry in document["named"]]
    return {**document, "name": preset.name.model_dump(), "modelled_on": preset.modelled_on, "named": named}


def standing_lines(
    plan: Plan, standing: Standing, presets: Mapping[str, Preset], lang: Language | None = None, shown: Shown = str
) -> list[str]:
    """Service as it stands, in sentences."""
    return _Words(plan, standing, lang or catalogue.language(), shown).lines(presets)


def verdict_lines(
    plan: Plan, standing: Standing, presets: Mapping[str, Preset], lang: Language | None = None, shown: Shown = str
) -> list[str]:
    """How presets turn out, in sentences."""
    said = _Words(plan, standing, lang or catalogue.language(), shown)
    return [line for name, preset in presets.items() for line in said.verdict(judge(standing, name, preset), preset)]


class _Words:
    def __init__(self, plan: Plan, standing: Standing, lang: Language, shown: Shown) -> None:
        self._standing, self._lang = standing, lang
        self._title = shown(plan.settings.plan.name)
        self._unit = str(plan.indicators["demand"]["unit"])
        self._names = PlaceWords(plan, [standing], lang, shown)

    def lines(self, presets: Mapping[str, Preset]) -> list[str]:
        standing = self._standing
        head = self._say("head", plan=self._title, facilities=count(len(standing.facilities)))
        nobody = [] if standing.terrain.demand.any() else [catalogue.text("what_ifs.said_no_demand", self._lang)]
        return [
            head,
            *nobody,
            *self._services(),
            *self._tiers(),
            *self._villages(),
            *self._loads(),
            *(line for name, one in presets.items() for line in self.verdict(judge(standing, name, one), one)),
        ]

    def verdict(self, verdict: Verdict, preset: Preset) -> list[str]:
        name = preset.name.zh if self._lang == "zh" else preset.name.en
        if verdict.test == "alone":
            lines = [self._say("alone", name=name, n=count(len(verdict.named)))]
        else:
            key = {True: "holds", False: "fails", None: "open"}[verdict.holds]
            asked = percent(verdict.asked_share)
            lines = [self._say(key, name=name, asked=asked)]
        for step in verdict.steps:
            missing = self._amount(step.missing_demand)
            share = percent(step.demand_share)
            if step.level is not None:
                level = word("level", step.level, self._lang)
                lines.append("  " + self._say("step_level", level=level, share=share, missing=missing))
            else:
                urban, rural = distance(step.urban_m), distance(step.rural_m)
                lines.append("  " + self._say("step", urban=urban, rural=rural, share=share, missing=missing))
        told = [
            "  "
            + self._say(
                "alone_at" if one.level == "facility" else "missed_at",
                place=self._names.place(one.level, one.code),
                demand=self._amount(one.demand),
            )
            for one in verdict.named[:MOST_TOLD]
        ]
        return [*lines, *told, *self._more(len(verdict.named))]

    def _services(self) -> list[str]:
        found = []
        for service in self._standing.services:
            if not len(service.rows):
                found.append(self._say("no_facility"))
                continue
            told = service_figures(self._standing, service)
            spread = _spread(self._standing, service.nearest_m)
            half, nine = (spread.deciles[4], spread.deciles[8]) if spread.deciles else (None, None)
            found.append(
                self._say(
                    "service",
                    what=self._names.service(service.name),
                    n=count(told.facilities),
                    people=percent(told.covered_demand_share),
                    ground=percent(told.covered_area_share),
                    half=distance(half),
                    nine=distance(nine),
                    second=distance(told.mean_second_m),
                )
            )
        return found

    def _tiers(self) -> list[str]:
        return [
            self._say(
                f"tier_{one.level}",
                n=count(one.places - len(one.lacking)),
                places=count(one.places),
                share=percent(one.demand_share),
            )
            for one in _tiers(self._standing)
        ]

    def _villages(self) -> list[str]:
        villages, without = villages_without_cash_point(self._standing)
        lines = [self._say("villages", n=count(len(without)), villages=count(villages))] if villages else []
        for one in without[:MOST_TOLD]:
            key = "village_without" if one.nearest is not None else "village_without_any"
            lines.append(
                "  "
                + self._say(
                    key,
                    place=self._names.place(one.level, one.code),
                    demand=self._amount(one.demand),
                    nearest=self._names.facility(one.nearest),
                    distance=distance(one.distance_m),
                )
            )
        lines += self._more(len(without))
        urban = cash_points_on_urban_ground(self._standing)
        if urban:
            first = self._names.facility(urban[0])
            lines.append(self._say("urban_cash_points", n=count(len(urban)), first=first))
        return lines

    def _loads(self) -> list[str]:
        load = self._standing.outlet_loads
        stated = int((~np.isnan(load.capacity[self._standing.facilities.outlets])).sum())
        if not stated:
            return []
        over = count(int((load.excess > 0).sum()))
        excess = self._amount(float(load.excess.sum()))
        return [self._say("loads", over=over, stated=count(stated), excess=excess)]

    def _more(self, there: int) -> list[str]:
        return ["  " + self._say("more", n=count(there - MOST_TOLD))] if there > MOST_TOLD else []

    def _amount(self, demand: float) -> str:
        return amount(demand, self._unit, self._lang)

    def _say(self, key: str, **values: object) -> str:
        return catalogue.text(f"standing.said_{key}", self._lang, **values)


def _tiers(standing: Standing) -> list[Tier]:
    basic = tier(standing, AreaLevel.VILLAGE, WITHDRAWAL_KINDS)
    full = tier(standing, AreaLevel.TOWNSHIP, [FacilityKind.BRANCH])
    return [one for one in (basic, full) if one is not None]


def _spread(standing: Standing, value: np.ndarray[Any, np.dtype[np.float64]]) -> Distribution:
    terrain = standing.terrain
    return distribution(value, terrain.demand if terrain.demand.any() else terrain.ground.area_m2)
