"""What a plan comes to, in sentences: the summary of the command line, gaps and rules by the names of their places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import shapely

from gridmap import catalogue
from gridmap.catalogue import Language
from gridmap.domain.plan import Plan, RuleResult
from gridmap.exports.words import amount, area, area_names, count, distance, is_exact, names_by_code, percent, word
from gridmap.exports.words import short_digest as digest_of

#: A gap whose middle lies nearer to the middle of its area than this share of the area's size has no direction.
CENTRAL_SHARE = 0.12
DIRECTIONS = ("e", "ne", "n", "nw", "w", "sw", "s", "se")


def summary_lines(plan: Plan, directory: Path | None = None, lang: Language | None = None) -> list[str]:
    """Conclusion of a plan in a few lines: size and proof, coverage and faults, the largest gap, where it is.

    Parameters
    ----------
    plan
        The plan.
    directory
        Where it was written, as the user named it; adds the last line.
    lang
        Language; that of the process where None.
    """
    lang = lang or catalogue.language()
    lines = [_made(plan, lang), _covered(plan, lang), _largest_gap(plan, lang)]
    if directory is not None:
        page = directory / "index.html"
        lines.append(catalogue.text("report.summary_written", lang, directory=f"{directory}/", page=page))
    return lines


def _made(plan: Plan, lang: Language) -> str:
    return catalogue.text(
        "report.summary_made" if is_exact(plan) else "report.summary_made_unproved",
        lang,
        name=plan.settings.plan.name,
        grids=counted("grids", len(plan.grids), lang),
        cells=counted("cells", len(plan.cells), lang),
        digest=digest_of(plan.certificate),
    )


def _covered(plan: Plan, lang: Language) -> str:
    coverage, demand = plan.indicators["coverage"]["all"], plan.indicators["demand"]
    # Where no villages are given the rule looks at rural grids instead.
    without = (
        "villages_without_cash_point" if plan.indicators["villages"]["all"]["total"] else "grids_without_cash_point"
    )
    return catalogue.text(
        "report.summary_covered_ground" if demand["stands_in"] else "report.summary_covered",
        lang,
        people=percent(coverage["covered_demand_share"]),
        unit=word("unit", demand["unit"], lang),
        ground=percent(coverage["covered_area_share"]),
        villages=counted(without, broken(plan, "rural_cash_point_per_village"), lang),
        outlets=counted("outlets_over_capacity", broken(plan, "capacity_not_exceeded"), lang),
    )


def broken(plan: Plan, rule: str) -> int:
    """How many break a rule; 0 where the plan has no such rule."""
    return sum(len(result.broken_by) for result in plan.rules if result.rule == rule)


def _largest_gap(plan: Plan, lang: Language) -> str:
    if not len(plan.gaps):
        return catalogue.text("report.summary_no_gap", lang)
    gap = plan.gaps.sort_values("rank").iloc[0]
    kinds = dict(zip(plan.facilities["facility_id"], plan.facilities["kind"], strict=True))
    nearest = catalogue.text("report.gap_no_facility", lang)
    if gap["nearest_facility_id"] in kinds:
        kind = word("kind", kinds[gap["nearest_facility_id"]], lang)
        far = distance(gap["nearest_distance_m"])
        nearest = catalogue.text("report.gap_nearest", lang, kind=kind, distance=far)
    demand = amount(gap["demand"], plan.indicators["demand"]["unit"], lang)
    place = gap_places(plan, plan.gaps.loc[[gap.name]], lang)[0]
    return catalogue.text("report.summary_gap", lang, place=place, demand=demand, nearest=nearest)


def counted(key: str, number: int, lang: Language) -> str:
    """``37 grids``, ``1 grid``."""
    return catalogue.text(f"report.{key}_one" if number == 1 else f"report.{key}", lang, n=count(number))


def gap_places(plan: Plan, gaps: pd.DataFrame, lang: Language) -> list[str]:
    """Where each gap lies: names of its areas and the side of the lowest one, ``樟村坪镇 羊角山村, north``."""
    names = area_names(plan)
    polygons = dict(zip(plan.areas["area_code"], plan.areas["geometry"], strict=True))
    places = []
    for code, polygon in zip(gaps["area_code"], gaps["geometry"], strict=True):
        place = names.get(code, str(code))
        places.append(_towards(place, polygon, polygons[code], lang) if code in polygons else place)
    return places


def _towards(place: str, part: shapely.Geometry, whole: shapely.Geometry, lang: Language) -> str:
    if shapely.area(part) > shapely.area(whole):
        return catalogue.text("report.place_around", lang, place=place)
    side = _side(part, whole)
    if side is None:
        return place
    return catalogue.text(
        "report.place_towards", lang, place=place, direction=catalogue.text(f"report.direction_{side}", lang)
    )


def _side(part: shapely.Geometry, whole: shapely.Geometry) -> str | None:
    """Side of ``whole`` on which ``part`` lies, by their middles; None where it is central."""
    here, middle = shapely.centroid(part), shapely.centroid(whole)
    shrink = np.cos(np.radians(shapely.get_y(middle)))
    east = (shapely.get_x(here) - shapely.get_x(middle)) * shrink
    north = shapely.get_y(here) - shapely.get_y(middle)
    west_edge, south_edge, east_edge, north_edge = shapely.bounds(whole)
    size = np.hypot((east_edge - west_edge) * shrink, north_edge - south_edge)
    if np.hypot(east, north) < CENTRAL_SHARE * size:
        return None
    return DIRECTIONS[int(np.rint(np.degrees(np.arctan2(north, east)) / 45)) % 8]


def gap_sentences(plan: Plan, most: int, lang: Language) -> list[str]:
    """Say of each of the ``most`` largest gaps what it holds and how far service is, as Markdown."""
    gaps = plan.gaps.sort_values("rank").head(most)
    names = names_by_code(plan)
    kinds = dict(zip(plan.facilities["facility_id"], plan.facilities["kind"], strict=True))
    unit = plan.indicators["demand"]["unit"]
    sentences = []
    for place, (_, gap) in zip(gap_places(plan, gaps, lang), gaps.iterrows(), strict=True):
        facility = gap["nearest_facility_id"]
        nearest = catalogue.text("report.gap_no_facility", lang)
        if facility in kinds:
            nearest = catalogue.text(
                "report.gap_nearest_named",
                lang,
                name=literal(names.get(facility, facility)),
                kind=word("kind", kinds[facility], lang),
                distance=distance(gap["nearest_distance_m"]),
            )
        sentences.append(
            catalogue.text(
                "report.gap_sentence_area" if unit == "m2" else "report.gap_sentence",
                lang,
                place=literal(place),
                demand=amount(gap["demand"], unit, lang),
                area=area(gap["area_m2"]),
                settlement=word("settlement", gap["settlement"], lang),
                nearest=nearest,
            )
        )
    return sentences


def rule_name(rule: RuleResult, lang: Language) -> str:
    """Name of a rule, or its identifier where the catalogue has none."""
    key = f"rules.{rule.rule}"
    return catalogue.text(key, lang) if key in catalogue.entries() else rule.rule


def rule_result(rule: RuleResult) -> str:
    """Say how a rule turned out: ``holds``, ``broken``, ``look`` (only a warning), ``empty`` (nothing to check)."""
    if not rule.checked:
        return "empty"
    if rule.holds:
        return "holds"
    return "look" if rule.severity == "warning" else "broken"


def some_of(codes: Iterable[str], names: Mapping[str, str], most: int, lang: Language) -> str:
    """``东塆村 (990101001001), … and 7 more``, as Markdown."""
    listed = list(codes)
    shown = [f"{literal(names[code])} ({literal(code)})" if code in names else literal(code) for code in listed[:most]]
    text = ("、" if lang == "zh" else ", ").join(shown)
    if len(listed) > most:
        text += " " + catalogue.text("report.and_more", lang, n=count(len(listed) - most))
    return text


def literal(text: object) -> str:
    """Text of the user's as Markdown that shows it as it is: no markup, no HTML, one line."""
    one_line = " ".join(str(text).split())
    return "".join(f"\\{character}" if character in "\\`*_[]<>|#~&!" else character for character in one_line)
