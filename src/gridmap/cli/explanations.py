"""``gridmap explain``: why ground lies in its grid, and what the alternatives would do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gridmap.cli.options import Json, help_of, print_json
from gridmap.errors import UsageError


def explain(
    directory: Annotated[Path, typer.Argument(metavar="PLAN_DIR", help=help_of("plan_dir"))],
    cell: Annotated[str | None, typer.Option("--cell", help=help_of("explain_cell"))] = None,
    area: Annotated[str | None, typer.Option("--area", help=help_of("explain_area"))] = None,
    lon: Annotated[float | None, typer.Option("--lon", help=help_of("explain_lon"))] = None,
    lat: Annotated[float | None, typer.Option("--lat", help=help_of("explain_lat"))] = None,
    datum: Annotated[str, typer.Option("--datum", help=help_of("explain_datum"))] = "wgs84",
    as_json: Json = False,
) -> None:
    """Explain a cell or a place of a plan."""
    from gridmap.exports.explanation import explanation_document, explanation_lines
    from gridmap.exports.plan_directory import load_plan
    from gridmap.planning.explaining.explain import explain_row, row_at, rows_of_cell

    by_place = lon is not None and lat is not None
    if (cell is None) == (not by_place) or (cell is not None and (lon is not None or lat is not None)):
        raise UsageError("explain.one_of_two")
    if area is not None and cell is None:
        raise UsageError("explain.area_without_cell")
    plan = load_plan(directory)
    if cell is not None:
        rows = rows_of_cell(plan, cell, area)
    else:
        rows = [row_at(plan, float(lon or 0.0), float(lat or 0.0), datum=datum)]
    told = [explain_row(plan, row) for row in rows]
    unit = str(plan.indicators["demand"]["unit"])
    if as_json:
        print_json({"plan": str(directory), "explained": [explanation_document(one, unit) for one in told]})
        return
    for number, one in enumerate(told):
        if number:
            typer.echo()
        for line in explanation_lines(one, unit):
            typer.echo(line)
