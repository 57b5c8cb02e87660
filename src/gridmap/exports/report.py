"""``report.json`` for programs and ``report.md`` for planners: conclusion first, then what it rests on."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from gridmap import catalogue
from gridmap.catalogue import Language
from gridmap.domain.kinds import AreaLevel, FacilityKind, SettlementClass
from gridmap.domain.plan import GEOGRAPHIC_FRAMES, TABLES, Plan, RuleResult
from gridmap.exports.beside import written_beside
from gridmap.exports.columns import types_of
from gridmap.exports.grid_sections import balance_section, levels_section, people_section
from gridmap.exports.markdown import bullets, paragraphs, section, table
from gridmap.exports.sentences import gap_sentences, literal, rule_name, rule_result, some_of, summary_lines
from gridmap.exports.words import amount, area, count, distance, names_by_code, percent, word

GAPS_SHOWN = 10
BREAKERS_SHOWN = 10


def report_document(plan: Plan) -> dict[str, Any]:
    """Make the content of ``report.json``.

    ``settings``, ``indicators`` (see ``gridmap.planning.findings.indicators``), ``rules``, then what the plan's report
    holds (``warnings``, ``timings_s``, ``versions``, ``demand``), ``report_keys`` naming those, and ``columns``: for
    each layer of ``plan.gpkg`` the type of each column (``list`` stands for texts joined by ";").
    """
    frames = {name: getattr(plan, name) for name in (*GEOGRAPHIC_FRAMES, *TABLES)}
    return {
        "made_by": "gridmap",
        "format_version": 1,
        "settings": plan.settings.model_dump(mode="json", exclude_none=True),
        "indicators": plan.indicators,
        "rules": [dataclasses.asdict(rule) for rule in plan.rules],
        **plan.report,
        "report_keys": list(plan.report),
        "columns": {name: types_of(frame) for name, frame in frames.items()},
    }


def write_report(plan: Plan, path: Path, lang: Language | None = None) -> None:
    """Write ``report.md`` in ``lang``, or in the language of the process."""
    with written_beside(path) as partial:
        partial.write_text(report_text(plan, lang or catalogue.language()), encoding="utf-8")


def report_text(plan: Plan, lang: Language) -> str:
    """Text of ``report.md``."""
    sections = [
        _conclusion(plan, lang),
        section("heading_attention", _attention(plan, lang), lang),
        section("heading_gaps", _gaps(plan, lang), lang),
        section("heading_rules", _rules(plan, lang), lang),
        section("heading_balance", balance_section(plan, lang), lang),
        section("heading_people", people_section(plan, lang), lang),
        section("heading_levels", levels_section(plan, lang), lang),
        section("heading_coverage", _coverage(plan, lang), lang),
        section("heading_areas", _areas(plan, lang), lang),
        section("heading_load", _load(plan, lang), lang),
        section("heading_warnings", _warnings(plan, lang), lang),
        section("heading_files", _files(lang), lang),
        section("heading_made", _made(plan, lang), lang),
    ]
    return "\n\n".join(sections) + "\n"


def _conclusion(plan: Plan, lang: Language) -> str:
    institution = plan.settings.plan.institution
    lines = [f"# {literal(plan.settings.plan.name)}"]
    if institution:
        lines.append(catalogue.text("report.title_institution", lang, institution=literal(institution)))
    return "\n\n".join([*lines, "\n".join(f"> {literal(line)}  " for line in summary_lines(plan, lang=lang))])


def _attention(plan: Plan, lang: Language) -> str:
    names = names_by_code(plan)
    demand, gaps = plan.indicators["demand"], plan.indicators["gaps"]
    points = [
        catalogue.text(
            "report.attention_rule",
            lang,
            name=rule_name(rule, lang),
            n=count(len(rule.broken_by)),
            checked=count(rule.checked),
            first=some_of(rule.broken_by[:1], names, 1, lang),
        )
        for rule in plan.rules
        if not rule.holds and rule.severity == "rule"
    ]
    if gaps["count"]:
        key = "report.attention_gaps_area" if demand["stands_in"] else "report.attention_gaps"
        held = amount(gaps["demand"], demand["unit"], lang)
        points.append(catalogue.text(key, lang, n=count(gaps["count"]), demand=held, area=area(gaps["area_m2"])))
    shortfalls = plan.report.get("shortfalls", ())
    if shortfalls:
        heading = catalogue.text("report.heading_balance", lang)
        points.append(catalogue.text("report.attention_shortfalls", lang, n=count(len(shortfalls)), heading=heading))
    if demand["stands_in"]:
        points.append(catalogue.text("report.attention_stands_in", lang))
    if demand["outside"]:
        lost = amount(demand["outside"], demand["unit"], lang)
        points.append(catalogue.text("report.attention_outside", lang, demand=lost))
    return bullets(points) or catalogue.text("report.attention_nothing", lang)


def _gaps(plan: Plan, lang: Language) -> str:
    if not len(plan.gaps):
        return catalogue.text("report.gaps_none", lang)
    lines = [f"{at}. {sentence}" for at, sentence in enumerate(gap_sentences(plan, GAPS_SHOWN, lang), 1)]
    if len(plan.gaps) > GAPS_SHOWN:
        lines += ["", catalogue.text("report.gaps_more", lang, n=count(len(plan.gaps) - GAPS_SHOWN))]
    return "\n".join(lines)


def _rules(plan: Plan, lang: Language) -> str:
    names = names_by_code(plan)
    rows = []
    for rule in plan.rules:
        rows.append(
            [
                rule_name(rule, lang),
                catalogue.text(f"report.rule_{rule_result(rule)}", lang),
                count(rule.checked),
                count(len(rule.broken_by)),
                some_of(rule.broken_by, names, BREAKERS_SHOWN, lang),
            ]
        )
    shown = table(["rule", "result", "checked", "broken", "broken_by"], rows, lang, numbers=(2, 3))
    return paragraphs([shown, _mends(plan, lang)])


def _mends(plan: Plan, lang: Language) -> str:
    """Say of every broken rule what would mend it."""
    mends = [(rule_name(rule, lang), _mend(rule, lang)) for rule in plan.rules if not rule.holds]
    known = [catalogue.text("report.rule_mend", lang, name=name, mend=mend) for name, mend in mends if mend]
    return paragraphs([catalogue.text("report.rules_mend", lang), bullets(known)]) if known else ""


def _mend(rule: RuleResult, lang: Language) -> str | None:
    key = f"rules.{rule.rule}"
    return catalogue.mend(key, lang) if key in catalogue.entries() else None


def _coverage(plan: Plan, lang: Language) -> str:
    unit, of_class = plan.indicators["demand"]["unit"], plan.indicators["coverage"]
    by_class = [
        [
            word("settlement", name, lang),
            area(of_class[name]["area_m2"]),
            amount(of_class[name]["demand"], unit, lang),
            percent(of_class[name]["covered_area_share"]),
            percent(of_class[name]["covered_demand_share"]),
            distance(of_class[name]["mean_distance_m"]),
            distance(of_class[name]["p95_distance_m"]),
        ]
        for name in ("all", *SettlementClass)
    ]
    by_kind = [
        [
            word("kind", kind.value, lang),
            count(figures["facilities"]),
            f"{distance(figures['radius_urban_m'])} / {distance(figures['radius_rural_m'])}",
            percent(figures["all"]["covered_area_share"]),
            percent(figures["all"]["covered_demand_share"]),
            distance(figures["all"]["mean_distance_m"]),
            distance(figures["all"]["p95_distance_m"]),
        ]
        for kind in FacilityKind
        for figures in [plan.indicators["coverage_by_kind"][kind.value]]
    ]
    shares = ["ground_covered", "demand_covered", "mean_distance", "p95_distance"]
    crossing = plan.indicators["crossing"]
    mean = "–" if crossing["mean"] is None else f"{crossing['mean']:.2f}"
    return "\n\n".join(
        [
            catalogue.text("report.coverage_of_class", lang),
            table(["class", "ground", "demand_of", *shares], by_class, lang, numbers=range(1, 7)),
            catalogue.text("report.coverage_of_kind", lang),
            table(["kind", "facilities", "radius", *shares], by_kind, lang, numbers=range(1, 7)),
            catalogue.text("report.crossing_line", lang, mean=mean, max=count(crossing["max"])),
        ]
    )


def _areas(plan: Plan, lang: Language) -> str:
    columns = ("fully_covered", "with_outlet", "with_cash_point", "with_basic_service")
    rows = []
    for level, key in ((AreaLevel.VILLAGE, "villages"), (AreaLevel.TOWNSHIP, "townships")):
        figures = plan.indicators[key]["all"]
        if figures["total"]:
            shares = [f"{count(figures[name])} ({percent(figures[f'{name}_share'])})" for name in columns]
            rows.append([word("level", level.value, lang), count(figures["total"]), *shares])
    entry = catalogue.text("report.entry_rate", lang, share=percent(plan.indicators["grids"]["entry_rate"]))
    return "\n\n".join([table(["level", "total", *columns], rows, lang, numbers=range(1, 6))] * bool(rows) + [entry])


def _load(plan: Plan, lang: Language) -> str:
    load, demand = plan.indicators["load"], plan.indicators["demand"]
    return catalogue.text(
        "report.load_line_area" if demand["stands_in"] else "report.load_line",
        lang,
        outlets=count(load["outlets"]),
        demand=amount(load["demand_assigned"], demand["unit"], lang),
        stated=count(load["outlets_with_capacity"]),
        over=count(load["over_capacity"]),
        excess=amount(load["excess_demand"], demand["unit"], lang),
    )


def _warnings(plan: Plan, lang: Language) -> str:
    return bullets([literal(line) for line in plan.report.get("warnings", ())]) or catalogue.text(
        "report.warnings_none", lang
    )


def _files(lang: Language) -> str:
    names = ("page", "geopackage", "ledger", "geojson", "proof", "report")
    return bullets([catalogue.text(f"report.files_{name}", lang) for name in names])


def _made(plan: Plan, lang: Language) -> str:
    demand = plan.indicators["demand"]
    lines = [catalogue.text("report.made_cells", lang, resolution=plan.settings.partition.resolution)]
    if not demand["stands_in"]:
        total = amount(demand["total"], demand["unit"], lang)
        lines.append(catalogue.text("report.made_demand", lang, total=total, source=literal(demand["source"])))
    versions = ", ".join(f"{name} {version}" for name, version in plan.report.get("versions", {}).items())
    if versions:
        lines.append(catalogue.text("report.made_versions", lang, versions=literal(versions)))
    timings = ", ".join(f"{name} {seconds:.2f}" for name, seconds in plan.report.get("timings_s", {}).items())
    if timings:
        lines.append(catalogue.text("report.made_timings", lang, timings=literal(timings)))
    return bullets(lines)
