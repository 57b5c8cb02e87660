"""What ``gridmap plan`` says of the grids: carved ground, balance, people, rules, what could not be met."""

from __future__ import annotations

from typing import Any

import pandas as pd

from gridmap import catalogue
from gridmap.catalogue import Language
from gridmap.domain.kinds import GridKind
from gridmap.domain.plan import Plan, RuleResult
from gridmap.exports.sentences import rule_name, rule_result
from gridmap.exports.words import count, deviation, names_by_code, percent, unit_names
from gridmap.planning.findings.shortfalls import shortfall_message

#: Breakers of a rule, and things not met, that are named; the rest are counted.
MOST_BREAKERS, MOST_SHORTFALLS = 3, 5
#: What the JSON object names of each.
MOST_LISTED = 10


def broken_rules(plan: Plan) -> tuple[RuleResult, ...]:
    """Rules that do not hold; those that only deserve a look are not among them."""
    return tuple(rule for rule in plan.rules if rule_result(rule) == "broken")


def finding_lines(plan: Plan, lang: Language | None = None) -> list[str]:
    """Say how the grids balance, who is missing, which rules are broken and what could not be met.

    Parameters
    ----------
    plan
        The plan.
    lang
        Language; that of the process where None.
    """
    lang = lang or catalogue.language()
    names = {**unit_names(plan), **names_by_code(plan)}
    return [
        *_carved(plan, lang),
        *_balance(plan, names, lang),
        _people(plan, names, lang),
        *_rules(plan, names, lang),
        *_not_met(plan, names, lang),
    ]


def findings_document(plan: Plan, lang: Language | None = None) -> dict[str, Any]:
    """Make what the JSON object of ``gridmap plan`` says beside indicators: ``rules``, ``rules_broken``, ``grids``."""
    names = {**unit_names(plan), **names_by_code(plan)}
    grids, unit = plan.grids, plan.indicators["demand"]["unit"]
    worst = _worst(plan)
    without = list(grids.loc[grids["managers_missing"], "grid_code"])
    shortfalls = plan.report.get("shortfalls", ())
    return {
        "rules": [
            {
                "rule": rule.rule,
                "result": rule_result(rule),
                "severity": rule.severity,
                "holds": rule.holds,
                "checked": rule.checked,
                "broken": len(rule.broken_by),
                "broken_by": list(rule.broken_by[:MOST_LISTED]),
            }
            for rule in plan.rules
        ],
        "rules_broken": [rule.rule for rule in broken_rules(plan)],
        "grids": {
            "total": len(grids),
            "dedicated": int((grids["kind"] == GridKind.DEDICATED).sum()),
            "locked": int(grids["locked"].sum()),
            "largest_deviation": None if worst is None else float(worst["deviation"]),
            "largest_deviation_in": None if worst is None else str(worst["grid_code"]),
            "without_manager": len(without),
            "without_manager_in": without[:MOST_LISTED],
            "officers_missing": int(grids["officers_missing"].sum()),
        },
        "shortfalls": [shortfall_message(entry, names, unit, lang) for entry in shortfalls],
    }


def _carved(plan: Plan, lang: Language) -> list[str]:
    dedicated, locked = int((plan.grids["kind"] == GridKind.DEDICATED).sum()), int(plan.grids["locked"].sum())
    if not dedicated + locked:
        return []
    return [catalogue.text("summary.carved", lang, dedicated=count(dedicated), locked=count(locked))]


def _balance(plan: Plan, names: dict[str, str], lang: Language) -> list[str]:
    figures, worst = plan.indicators["balance"], _worst(plan)
    if worst is None:
        return []
    beyond = figures["grids"] - figures["within_tolerance"]
    said = catalogue.text(
        "summary.unbalanced" if beyond else "summary.balanced",
        lang,
        beyond=count(beyond),
        grids=count(figures["grids"]),
        tolerance=percent(figures["tolerance"]),
        deviation=deviation(worst["deviation"]),
        grid=_named([str(worst["grid_code"])], names, lang),
    )
    return [said]


def _worst(plan: Plan) -> pd.Series[Any] | None:
    """Grid that deviates most from its target; the lowest code of several, None where no grid has one."""
    drawn = plan.grids[plan.grids["deviation"].notna()]
    if not len(drawn):
        return None
    order = drawn.assign(size=drawn["deviation"].abs()).sort_values(["size", "grid_code"], ascending=[False, True])
    worst: pd.Series[Any] = order.iloc[0]
    return worst


def _people(plan: Plan, names: dict[str, str], lang: Language) -> str:
    figures, grids = plan.indicators["staffing"], plan.grids
    without = list(grids.loc[grids["managers_missing"], "grid_code"])
    officers = count(figures["officers_missing"])
    if not figures["people"]:
        return catalogue.text("summary.no_staff", lang, managers=count(len(without)), officers=officers)
    if not without and not figures["officers_missing"]:
        return catalogue.text("summary.staffed", lang, unplaced=count(figures["unplaced"]))
    return catalogue.text(
        "summary.managers_missing" if without else "summary.officers_missing",
        lang,
        n=count(len(without)),
        grids=count(len(grids)),
        some=_named(without, names, lang),
        officers=officers,
        unplaced=count(figures["unplaced"]),
    )


def _rules(plan: Plan, names: dict[str, str], lang: Language) -> list[str]:
    broken = broken_rules(plan)
    looks = [rule for rule in plan.rules if rule_result(rule) == "look"]
    if not broken and not looks:
        return [catalogue.text("summary.rules_hold", lang)]
    key = "summary.rules_broken" if broken else "summary.rules_look"
    lines = [catalogue.text(key, lang, broken=count(len(broken)), looks=count(len(looks)))]
    for rule in (*broken, *looks):
        lines.append(
            catalogue.text(
                "summary.rule",
                lang,
                sign="✕" if rule in broken else "!",
                rule=rule_name(rule, lang),
                n=count(len(rule.broken_by)),
                checked=count(rule.checked),
                some=_named(list(rule.broken_by), names, lang),
            )
        )
    return lines


def _not_met(plan: Plan, names: dict[str, str], lang: Language) -> list[str]:
    entries, unit = list(plan.report.get("shortfalls", ())), plan.indicators["demand"]["unit"]
    if not entries:
        return []
    entries.sort(key=lambda entry: -abs(entry["got"] - entry["wanted"]) / max(entry["wanted"], 1e-9))
    lines = [catalogue.text("summary.not_met", lang, n=count(len(entries)))]
    lines += [f"  – {shortfall_message(entry, names, unit, lang)}" for entry in entries[:MOST_SHORTFALLS]]
    if len(entries) > MOST_SHORTFALLS:
        lines.append("  " + catalogue.text("summary.more", lang, n=count(len(entries) - MOST_SHORTFALLS)))
    return lines


def _named(codes: list[str], names: dict[str, str], lang: Language) -> str:
    """``东塆村 (990101001001), …``: the first few by name and code, the rest counted."""
    form = "{name}（{code}）" if lang == "zh" else "{name} ({code})"
    shown = [form.format(name=names[code], code=code) if code in names else code for code in codes[:MOST_BREAKERS]]
    listed = ("、" if lang == "zh" else ", ").join(shown)
    left = len(codes) - MOST_BREAKERS
    return f"{listed} {catalogue.text('report.and_more', lang, n=count(left))}" if left > 0 else listed
