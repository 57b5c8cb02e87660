"""``gridmap site``: where to add facilities of a kind."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gridmap import catalogue
from gridmap.cli.options import Json, Quiet, help_of, print_json, progress
from gridmap.domain.kinds import FacilityKind
from gridmap.errors import UsageError
from gridmap.planning.siting.asking import Aim


def _help(key: str) -> str:
    return catalogue.text(f"siting.option_{key}")


def site(
    directory: Annotated[Path, typer.Argument(metavar="PLAN_DIR", help=help_of("plan_dir"))],
    kind: Annotated[FacilityKind, typer.Option("--kind", help=_help("kind"))],
    number: Annotated[int | None, typer.Option("-n", "--number", min=1, help=_help("n"))] = None,
    radius: Annotated[float | None, typer.Option("--radius", min=1, max=1_000_000, help=_help("radius"))] = None,
    aim: Annotated[Aim, typer.Option("--aim", help=_help("aim"))] = Aim.MOST,
    share: Annotated[float | None, typer.Option("--share", min=0, max=1, help=_help("share"))] = None,
    candidates: Annotated[str, typer.Option("--candidates", help=_help("candidates"))] = "cells",
    exclude: Annotated[Path | None, typer.Option("--exclude", help=_help("exclude"))] = None,
    equity: Annotated[float, typer.Option("--equity", min=0.01, max=100, help=_help("equity"))] = 1.0,
    output: Annotated[Path | None, typer.Option("-o", "--output", help=_help("output"))] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Choose sites for new facilities of a plan."""
    from gridmap.exports.plan_directory import load_plan
    from gridmap.exports.siting import check_siting_directory, siting_document, siting_lines, write_siting
    from gridmap.inputs.areas import read_areas
    from gridmap.inputs.candidates import read_candidates
    from gridmap.planning.siting.answering import site as choose
    from gridmap.planning.siting.asking import ask

    if (number is None) == (aim is not Aim.SHARE) or (share is not None and aim is not Aim.SHARE):
        raise UsageError("siting.number_needed")
    if output is not None:
        check_siting_directory(output)
    plan = load_plan(directory)
    places = None if candidates in ("cells", "villages") else read_candidates(Path(candidates))
    excluded = None if exclude is None else read_areas(exclude).areas.geometry.to_numpy()
    question = ask(
        plan,
        kind,
        radius_m=radius,
        candidates=places,
        villages=candidates == "villages",
        excluded=excluded,
        equity=equity,
    )
    with progress(quiet or as_json) as tell:
        found = choose(
            question,
            aim,
            count=number or 1,
            share=1.0 if share is None else share,
            told=lambda done: tell(catalogue.text("siting.choosing"), done),
        )
        tell(catalogue.text("siting.choosing"), 1.0)
    written = [] if output is None else [path.name for path in write_siting(found, output)]
    if as_json:
        print_json({"plan": str(directory), "files": written, **siting_document(found)})
    elif not quiet:
        for line in siting_lines(found):
            typer.echo(line)
