"""An answer about sites in files and sentences: ``sites.geojson``, ``siting.json``, ``siting.md``."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from gridmap import catalogue
from gridmap.catalogue import Language
from gridmap.errors import Place, UsageError
from gridmap.exports.beside import written_beside
from gridmap.exports.geojson import write_geojson
from gridmap.exports.json_file import write_json
from gridmap.exports.sentences import literal
from gridmap.exports.words import amount, area_names, count, distance, percent, word
from gridmap.planning.siting.answering import Siting
from gridmap.planning.siting.asking import Aim

FILES = ("sites.geojson", "siting.json", "siting.md")
_SHOWN = 5


def siting_document(siting: Siting) -> dict[str, Any]:
    """Everything an answer says, as JSON has it: metres, demand in the plan's unit, shares of one."""
    question, plan = siting.question, siting.question.plan
    total = float(question.demand.sum())
    names = site_names(siting)
    areas = plan.cells["area_code"].to_numpy(dtype=object)
    sites = [
        {
            "order": at + 1,
            "lon": round(float(siting.lonlat[at, 0]), 7),
            "lat": round(float(siting.lonlat[at, 1]), 7),
            "name": names[at],
            "area_code": str(areas[siting.near_row[at]]),
            "added": float(siting.added[at]),
        }
        for at in range(len(siting.rows))
    ]
    served = float(question.demand[question.served].sum())
    return {
        "kind": question.kind.value,
        "aim": siting.aim.value,
        "asked": siting.asked or None,
        "share_asked": None if np.isnan(siting.share) else siting.share,
        "unit": plan.indicators["demand"]["unit"],
        "demand": total,
        "served_before": served,
        "served_after": served + float(siting.added.sum()),
        "possible": siting.possible,
        "most_possible": siting.most,
        "value": _finite(siting.value),
        "bound": _finite(siting.bound),
        "gap": siting.gap,
        "candidates": len(question.candidates),
        "curve": [{"sites": n, _measure(siting): _finite(value)} for n, value in enumerate(siting.measure.tolist())],
        "sites": sites,
        "beyond": [{"area_code": code, "demand": held} for code, held in _beyond(siting)],
        "gridmap": version("gridmap"),
    }


def siting_lines(siting: Siting, lang: Language | None = None) -> list[str]:
    """Sentences of an answer: what is, what would be, what is proved, then the sites in order."""
    lang = lang or catalogue.language()
    return [*_conclusion(siting, lang), *_site_lines(siting, lang)]


def siting_text(siting: Siting, lang: Language | None = None) -> str:
    """Text of ``siting.md``."""
    lang = lang or catalogue.language()
    kind = word("kind", siting.question.kind.value, lang)
    parts = [
        f"# {catalogue.text('siting.title', lang, kind=kind)} · {literal(siting.question.plan.settings.plan.name)}",
        "\n\n".join(_conclusion(siting, lang)),
    ]
    if len(siting.rows):
        lines = "\n".join(literal(line).replace("\\.", ".", 1) for line in _site_lines(siting, lang))
        parts += [f"## {catalogue.text('siting.sites', lang)}", lines]
        parts += [f"## {catalogue.text('siting.curve', lang)}", _curve(siting, lang)]
    parts.append(catalogue.text("siting.made_with", lang, version=version("gridmap")))
    return "\n\n".join(parts) + "\n"


def write_siting(siting: Siting, directory: str | Path, *, lang: Language | None = None) -> list[Path]:
    """Write the files of an answer; a plan's own directory is refused.

    Raises
    ------
    UsageError
        If the directory holds a plan or cannot be written to.
    StoreError
        If the disk fails.
    """
    folder = Path(directory)
    check_siting_directory(folder)
    document = siting_document(siting)
    sites = document["sites"]
    columns = ("order", "name", "area_code", "added")
    frame = gpd.GeoDataFrame(
        {column: [one[column] for one in sites] for column in columns},
        geometry=shapely.points(siting.lonlat),
        crs="EPSG:4326",
    )
    frame.insert(1, "kind", siting.question.kind.value)
    write_geojson(folder / "sites.geojson", [frame], layer="sites")
    write_json(folder / "siting.json", document)
    with written_beside(folder / "siting.md") as partial:
        partial.write_text(siting_text(siting, lang), encoding="utf-8")
    return [folder / name for name in FILES]


def check_siting_directory(folder: Path) -> None:
    """Refuse a directory that holds a plan."""
    if (folder / "plan.gpkg").exists():
        raise UsageError("siting.output_is_plan", Place(file=str(folder)))


def site_names(siting: Siting, lang: Language | None = None) -> list[str]:
    """Name of each site: its own where the candidates have names, and its township and village."""
    plan = siting.question.plan
    names = area_names(plan)
    codes = plan.cells["area_code"].to_numpy(dtype=object)[siting.near_row]
    given = [siting.question.candidates.names[row] for row in siting.rows.tolist()]
    where = [names.get(code, str(code)) for code in codes]
    return [f"{own}, {place}" if own else place for own, place in zip(given, where, strict=True)]


def _conclusion(siting: Siting, lang: Language) -> list[str]:
    question, plan = siting.question, siting.question.plan
    unit, total = plan.indicators["demand"]["unit"], float(question.demand.sum())
    kind = word("kind", question.kind.value, lang)
    before = float(question.demand[question.served].sum())
    after = before + float(siting.added.sum())

    def people(value: float) -> str:
        return amount(value, unit, lang)

    said = [
        catalogue.text(
            "siting.before", lang, served=people(before), total=people(total), share=percent(before / total), kind=kind
        )
    ]
    values: dict[str, Any] = {"n": count(len(siting.rows)), "served": people(after), "share": percent(after / total)}
    if not siting.possible:
        names = area_names(plan)
        where = [
            catalogue.text("siting.where", lang, name=names.get(code, code), amount=people(held))
            for code, held in _beyond(siting)
        ]
        shown = ", ".join(where[:_SHOWN]) + (" …" if len(where) > _SHOWN else "")
        most = {"served": people(siting.most), "share": percent(siting.most / total)}
        said.append(catalogue.text("siting.impossible", lang, share_asked=percent(siting.share), where=shown, **most))
    elif siting.aim is Aim.SHARE:
        said.append(catalogue.text("siting.after_share", lang, share_asked=percent(siting.share), **values))
        said.append(_proved_share(siting, lang))
    elif not len(siting.rows):
        said.append(catalogue.text("siting.nothing_to_gain", lang))
    elif siting.aim is Aim.MOST:
        said.append(catalogue.text("siting.after_most", lang, gain=people(after - before), **values))
        if len(siting.rows) < siting.asked:
            said.append(catalogue.text("siting.fewer_help", lang, n=count(siting.asked), k=count(len(siting.rows))))
        # Half of one unit of demand is nobody.
        if siting.bound - siting.value < 0.5:
            said.append(catalogue.text("siting.best", lang))
        else:
            said.append(catalogue.text("siting.bound_most", lang, gap=people(siting.bound - siting.value)))
    else:
        first, last = (_way(value) for value in (siting.measure[0], siting.measure[-1]))
        key = "siting.after_mean" if siting.aim is Aim.MEAN else "siting.after_farthest"
        if not np.isfinite(siting.measure[0]):
            key = "siting.first_mean" if siting.aim is Aim.MEAN else "siting.first_farthest"
        said.append(catalogue.text(key, lang, n=count(len(siting.rows)), before=first, after=last))
        if siting.gap < 1e-6:
            said.append(catalogue.text("siting.best", lang))
        else:
            gap = percent(siting.gap)
            said.append(catalogue.text("siting.bound_metres", lang, bound=distance(siting.bound), gap=gap))
    if (question.weight != question.demand).any() and siting.aim is not Aim.SHARE:
        weight = float((question.weight / question.demand).max())
        said.append(catalogue.text("siting.equity", lang, weight=f"{weight:g}"))
    if plan.settings.coverage.distance == "network":
        said.append(catalogue.text("siting.crow", lang))
    return said


def _proved_share(siting: Siting, lang: Language) -> str:
    if siting.bound >= siting.value:
        return catalogue.text("siting.best", lang)
    return catalogue.text("siting.bound_share", lang, bound=count(siting.bound), n=count(siting.value))


def _site_lines(siting: Siting, lang: Language) -> list[str]:
    unit = siting.question.plan.indicators["demand"]["unit"]
    lines = []
    for at, name in enumerate(site_names(siting, lang)):
        lon, lat = (f"{value:.5f}" for value in siting.lonlat[at])
        place = {"at": at + 1, "name": name, "lon": lon, "lat": lat}
        if siting.aim in (Aim.MOST, Aim.SHARE):
            gain = amount(float(siting.added[at]), unit, lang)
            lines.append(catalogue.text("siting.site_gain", lang, gain=gain, **place))
        else:
            after = _way(float(siting.measure[at + 1]))
            lines.append(catalogue.text("siting.site_metres", lang, after=after, **place))
    return lines


def _curve(siting: Siting, lang: Language) -> str:
    unit, total = siting.question.plan.indicators["demand"]["unit"], float(siting.question.demand.sum())
    by_distance = siting.aim in (Aim.MEAN, Aim.FARTHEST)
    rows = [
        [count(n), _way(value)] if by_distance else [count(n), amount(value, unit, lang), percent(value / total)]
        for n, value in enumerate(siting.measure.tolist())
    ]
    columns = ["n", "distance"] if by_distance else ["n", "served", "share"]
    titles = [catalogue.text(f"siting.column_{name}", lang) for name in columns]
    rule = ["---:"] * len(titles)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (titles, rule, *rows))


def _beyond(siting: Siting) -> list[tuple[str, float]]:
    """Demand that nothing can serve by area, most first."""
    question = siting.question
    codes = question.plan.cells["area_code"].to_numpy(dtype=object)[question.row[siting.beyond]]
    held: dict[str, float] = {}
    for code, demand in zip(codes.tolist(), question.demand[siting.beyond].tolist(), strict=True):
        held[str(code)] = held.get(str(code), 0.0) + demand
    return sorted(held.items(), key=lambda one: (-one[1], one[0]))


def _measure(siting: Siting) -> str:
    return {Aim.MEAN: "mean_distance_m", Aim.FARTHEST: "farthest_m"}.get(siting.aim, "served")


def _way(value: float) -> str:
    return distance(_finite(value))


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
