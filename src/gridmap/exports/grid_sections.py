"""What ``report.md`` says of the grids themselves: how they balance, who holds them, how the levels add up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from gridmap import catalogue
from gridmap.catalogue import Language
from gridmap.domain.plan import Plan
from gridmap.exports.markdown import bullets, paragraphs, table
from gridmap.exports.sentences import literal, some_of
from gridmap.exports.words import amount, area, count, deviation, names_by_code, percent, unit_names, word
from gridmap.planning.findings.shortfalls import reason_name, reason_of, what_and_why, what_helps

#: Grids, shortfalls and people listed before "and N more".
MOST_SHOWN = 10
MOST_PARENTS = 30


def balance_section(plan: Plan, lang: Language) -> str:
    """Deviation from the targets: in all, by parent, of the worst grids, and what cannot be met and why."""
    figures = plan.indicators["balance"]
    if not figures["grids"]:
        return paragraphs([catalogue.text("report.balance_none", lang), _shortfalls(plan, lang)])
    line = catalogue.text(
        "report.balance_line",
        lang,
        grids=count(figures["grids"]),
        within=count(figures["within_tolerance"]),
        share=percent(figures["within_tolerance_share"]),
        tolerance=percent(figures["tolerance"]),
        max=percent(figures["max"]),
        mean=percent(figures["mean"]),
    )
    bound = catalogue.text("report.balance_bound", lang, bound=percent(figures["bound"])) if figures["bound"] else ""
    return paragraphs([line, bound, _by_parent(plan, lang), _worst(plan, lang), _shortfalls(plan, lang)])


def _by_parent(plan: Plan, lang: Language) -> str:
    parents, names = plan.indicators["balance"]["by_parent"], names_by_code(plan)
    if len(parents) < 2:
        return ""
    worst_first = sorted(parents, key=lambda figures: (-figures["max"], figures["code"]))
    rows = [
        [
            some_of([figures["code"]], names, 1, lang) if figures["code"] else "–",
            count(figures["grids"]),
            percent(figures["within_tolerance_share"]),
            percent(figures["max"]),
            percent(figures["mean"]),
        ]
        for figures in worst_first[:MOST_PARENTS]
    ]
    shown = table(["parent", "grids", "within", "max", "mean"], rows, lang, numbers=range(1, 5))
    left = len(parents) - MOST_PARENTS
    return paragraphs([shown, catalogue.text("report.and_more_rows", lang, n=count(left)) if left > 0 else ""])


def _worst(plan: Plan, lang: Language) -> str:
    """Table of the grids that deviate most, of those beyond the tolerance."""
    size = plan.grids["deviation"].abs()
    beyond = plan.grids[size > plan.indicators["balance"]["tolerance"] + 1e-9]
    if not len(beyond):
        return ""
    worst = beyond.assign(size=size).sort_values(["size", "grid_code"], ascending=[False, True]).head(MOST_SHOWN)
    unit, names = plan.indicators["demand"]["unit"], names_by_code(plan)
    rows = [
        [
            some_of([grid["grid_code"]], names, 1, lang),
            amount(grid["demand"], unit, lang),
            amount(grid["target_demand"], unit, lang),
            deviation(grid["deviation"]),
        ]
        for _, grid in worst.iterrows()
    ]
    shown = table(["grid", "demand_of", "target", "deviation"], rows, lang, numbers=range(1, 4))
    left = len(beyond) - len(worst)
    return paragraphs(
        [
            catalogue.text("report.balance_worst", lang),
            shown,
            catalogue.text("report.and_more_rows", lang, n=count(left)) if left else "",
        ]
    )


def _shortfalls(plan: Plan, lang: Language) -> str:
    entries = plan.report.get("shortfalls", ())
    if not entries:
        return ""
    names, unit = {**unit_names(plan), **names_by_code(plan)}, plan.indicators["demand"]["unit"]
    by_reason: dict[str, list[Mapping[str, Any]]] = {}
    for entry in sorted(entries, key=_seriousness, reverse=True):
        by_reason.setdefault(reason_of(entry), []).append(entry)
    lines = []
    for alike in by_reason.values():
        alike_line = catalogue.text(
            "report.shortfalls_alike",
            lang,
            reason=reason_name(alike[0], lang),
            n=count(len(alike)),
            mend=literal(what_helps(alike[0], lang)),
        )
        lines.append(f"- {alike_line}")
        lines += [f"  - {literal(what_and_why(entry, names, unit, lang))}" for entry in alike[:MOST_SHOWN]]
        if len(alike) > MOST_SHOWN:
            lines.append(f"  - {catalogue.text('report.and_more', lang, n=count(len(alike) - MOST_SHOWN))}")
    return paragraphs([catalogue.text("report.balance_shortfalls", lang), "\n".join(lines)])


def _seriousness(entry: Mapping[str, Any]) -> float:
    """How far off it is, as a share of what was asked."""
    return abs(entry["got"] / entry["wanted"] - 1) if entry["wanted"] > 0 else 0.0


def people_section(plan: Plan, lang: Language) -> str:
    """Who holds grids, who holds none, who is missing."""
    figures = plan.indicators["staffing"]
    given = catalogue.text("report.people_none", lang)
    if figures["people"]:
        given = catalogue.text(
            "report.people_line",
            lang,
            people=count(figures["people"]),
            managers=count(figures["managers"]),
            officers=count(figures["officers"]),
            part_time=count(figures["part_time"]),
            placed=count(figures["placed"]),
            unplaced=count(figures["unplaced"]),
        )
    return paragraphs([given, bullets(_lacking(plan, lang) + _without_grid(plan, lang))])


def _lacking(plan: Plan, lang: Language) -> list[str]:
    figures, grids, names = plan.indicators["staffing"], plan.grids, names_by_code(plan)
    lines = []
    lacking = grids[grids["managers_missing"]].sort_values(["demand", "grid_code"], ascending=[False, True])
    if len(lacking):
        some = some_of(lacking["grid_code"], names, MOST_SHOWN, lang)
        lines.append(catalogue.text("report.people_managers_missing", lang, n=count(len(lacking)), grids=some))
    short = grids[grids["officers_missing"] > 0].sort_values(
        ["officers_missing", "demand", "grid_code"], ascending=[False, False, True]
    )
    if len(short):
        some = some_of(short["grid_code"], names, MOST_SHOWN, lang)
        missing = count(figures["officers_missing"])
        lines.append(
            catalogue.text("report.people_officers_missing", lang, n=count(len(short)), missing=missing, grids=some)
        )
    return lines or [catalogue.text("report.people_complete", lang)]


def _without_grid(plan: Plan, lang: Language) -> list[str]:
    lines = []
    for status, key in (("unplaced", "report.people_unplaced"), ("misplaced", "report.people_misplaced")):
        people: pd.DataFrame = plan.staff[plan.staff["status"] == status]
        if len(people):
            names = {who: name for who, name in zip(people["person_id"], people["name"], strict=True) if name == name}
            some = some_of(people["person_id"], {k: v for k, v in names.items() if v}, MOST_SHOWN, lang)
            lines.append(catalogue.text(key, lang, n=count(len(people)), people=some))
    return lines


def levels_section(plan: Plan, lang: Language) -> str:
    """Members and sums of every level."""
    unit = plan.indicators["demand"]["unit"]
    rows = [
        [
            word("level", level, lang),
            count(figures["members"]),
            count(figures["grids"] or None),
            count(figures["cells"]),
            area(figures["area_m2"]),
            amount(figures["demand"], unit, lang),
        ]
        for level, figures in plan.indicators["levels"].items()
    ]
    shown = table(["level", "total", "grids", "cells", "ground", "demand_of"], rows, lang, numbers=range(1, 6))
    return paragraphs([shown, catalogue.text("report.levels_line", lang)])
