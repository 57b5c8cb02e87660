"""Maps as style documents that MapLibre reads, version 8 of Mapbox's specification.

No font is fetched: without ``glyphs`` MapLibre draws text with the fonts of the machine.
"""

from __future__ import annotations

from typing import Any

from gridmap import catalogue
from gridmap.cartography import palette
from gridmap.cartography.legend import GROUNDS, legend_of
from gridmap.cartography.measures import Measure
from gridmap.cartography.styles import MapStyle, Sheet, Subject
from gridmap.cartography.symbols import UNSERVED, UNSTAFFED
from gridmap.domain.kinds import FacilityKind

SOURCE = "plan"
FONTS = ["Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "sans-serif"]
Layer = dict[str, Any]
#: Zooms from which on single cells have borders, grids and villages are named, devices are drawn.
_CELL_BORDERS, _GRID_NAMES, _POINTS = 13, 11, 8


def maplibre_style(
    style: MapStyle, tilejson: str, sprite: str, title: str, view: tuple[float, float, float] | None
) -> dict[str, Any]:
    """Write a style.

    Parameters
    ----------
    tilejson : address of the description of tiles that hold ``style.layers``
    sprite : address of the symbols, without ending
    view : longitude, latitude and zoom to begin with
    """
    middle = _sheet_layers(style.sheet) if style.sheet else []
    if style.measure is not None:
        middle += _measure_layers(style.measure)
    document: dict[str, Any] = {
        "version": 8,
        "name": title,
        "metadata": {"gridmap:legend": [entry.document() for entry in legend_of(style)]},
        "sprite": sprite,
        "sources": {SOURCE: {"type": "vector", "url": tilejson}},
        "layers": [{"id": "background", "type": "background", "paint": {"background-color": palette.PAPER}}, *middle],
    }
    if view is not None:
        document["center"], document["zoom"] = list(view[:2]), view[2]
    return document


def explained(style: MapStyle, lang: catalogue.Language) -> str:
    """Say in a line what a map shows."""
    return catalogue.text(f"cartography.about_{'sheet' if style.sheet else 'measure'}", lang)


def _layer(identifier: str, kind: str, source: str, **members: Any) -> Layer:
    return {"id": identifier, "type": kind, "source": SOURCE, "source-layer": source, **members}


def _sheet_layers(sheet: Sheet) -> list[Layer]:
    is_shown = ["in", ["coalesce", ["get", "settlement"], ""], ["literal", ["", *map(str, sheet.settlements)]]]
    if sheet.subject is Subject.STAFF:
        # The number at the end of the code: neighbours are numbered one after the other.
        number = ["%", ["to-number", ["slice", ["coalesce", ["get", "grid_code"], "0"], -2], 0], len(palette.GROUPS)]
        steps = [part for place, colour in enumerate(palette.GROUPS[1:], 1) for part in (place, colour)]
        ground: Any = ["match", number, *steps, palette.GROUPS[0]]
    else:
        known = [part for one in sheet.settlements for part in (str(one), GROUNDS[one])]
        ground = ["match", ["coalesce", ["get", "settlement"], ""], *known, palette.NO_VALUE]
    fill = {"fill-color": ["case", is_shown, ground, palette.BESIDE], "fill-antialias": False}
    layers = [_layer("grids", "fill", "grids", paint=fill)]
    if sheet.subject is Subject.STAFF:
        missing = ["all", is_shown, ["==", ["get", "managers_missing"], True]]
        layers.append(
            _layer("grids-unstaffed", "fill", "grids", filter=missing, paint={"fill-pattern": UNSTAFFED.name})
        )
    else:
        layers.append(_layer("gaps", "fill", "gaps", filter=is_shown, paint={"fill-pattern": UNSERVED.name}))
    layers += _lines()
    if sheet.subject is Subject.STAFF:
        wide = {"line-color": palette.OUTLET_LINE, "line-width": _by_zoom(8, 1.5, 14, 4)}
        layers.append(_layer("jurisdictions", "line", "jurisdictions", paint=wide))
    layers.append(_facilities(sheet.facilities, is_shown))
    label: Any = ["get", "grid_code"]
    if sheet.subject is Subject.STAFF:
        label = ["concat", ["get", "grid_code"], "\n", ["coalesce", ["get", "manager_id"], "—"]]
    return [*layers, *_labels(label, is_shown)]


def _measure_layers(measure: Measure) -> list[Layer]:
    value = ["get", measure.attribute]
    steps = [part for pair in zip(measure.breaks, measure.colours[1:], strict=True) for part in pair]
    colour = [
        "case",
        ["==", value, None],
        palette.NO_VALUE,
        ["step", ["to-number", value, 0], measure.colours[0], *steps],
    ]
    border = {"line-color": palette.CELL_LINE, "line-width": 0.4, "line-opacity": 0.35}
    return [
        _layer("cells", "fill", "cells", paint={"fill-color": colour, "fill-antialias": False}),
        _layer("cells-borders", "line", "cells", minzoom=_CELL_BORDERS, paint=border),
        *_lines(),
        _facilities((FacilityKind.BRANCH,), None),
        *_labels(["get", "name"], None),
    ]


def _lines() -> list[Layer]:
    """Borders of grids and areas, the lesser below the greater."""
    special = {"line-color": palette.GRID_LINE, "line-width": _by_zoom(10, 1, 14, 2.5), "line-dasharray": [2, 1.5]}
    widths = {"village": (0.3, 1.0), "township": (0.8, 2.2), "county": (1.4, 3.6)}
    return [
        _layer(
            "grids-borders",
            "line",
            "grids",
            paint={"line-color": palette.GRID_LINE, "line-width": _by_zoom(8, 0.4, 14, 1.4)},
        ),
        _layer("grids-dedicated", "line", "grids", filter=["==", ["get", "kind"], "dedicated"], paint=special),
        *(
            _layer(
                f"areas-{level}",
                "line",
                "areas",
                filter=["==", ["get", "level"], level],
                paint={"line-color": palette.BORDER, "line-width": _by_zoom(8, low, 14, high)},
            )
            for level, (low, high) in widths.items()
        ),
    ]


def _facilities(kinds: tuple[FacilityKind, ...], is_shown: Any) -> Layer:
    of_kind = ["in", ["get", "kind"], ["literal", [str(kind) for kind in kinds]]]
    return _layer(
        "facilities",
        "symbol",
        "facilities",
        minzoom=_POINTS,
        filter=of_kind if is_shown is None else ["all", of_kind, is_shown],
        layout={
            "icon-image": ["get", "kind"],
            # Every one is drawn: what was left out would look like ground without service.
            "icon-allow-overlap": True,
            "icon-ignore-placement": True,
            "icon-size": _by_zoom(8, 0.6, 13, 1.0),
        },
    )


def _labels(of_grid: Any, is_shown: Any) -> list[Layer]:
    halo = {"text-color": palette.INK, "text-halo-color": palette.HALO, "text-halo-width": 1.4}
    grids = _layer(
        "grids-labels",
        "symbol",
        "grids",
        minzoom=_GRID_NAMES,
        layout={"text-field": of_grid, "text-font": FONTS, "text-size": 11, "text-max-width": 12},
        paint=halo,
    )
    if is_shown is not None:
        grids["filter"] = is_shown
    townships = _layer(
        "areas-labels",
        "symbol",
        "areas",
        maxzoom=_GRID_NAMES,
        filter=["==", ["get", "level"], "township"],
        layout={"text-field": ["get", "name"], "text-font": FONTS, "text-size": 13},
        paint=halo,
    )
    return [grids, townships]


def _by_zoom(low: float, at_low: float, high: float, at_high: float) -> list[Any]:
    return ["interpolate", ["linear"], ["zoom"], low, at_low, high, at_high]
