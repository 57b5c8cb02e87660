"""``gridmap diff``: what changed between two plans."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gridmap.cli.options import Json, help_of, print_json


def diff(
    before: Annotated[Path, typer.Argument(metavar="A", help=help_of("diff_before"))],
    after: Annotated[Path, typer.Argument(metavar="B", help=help_of("diff_after"))],
    as_json: Json = False,
) -> None:
    """Compare two plan directories."""
    from gridmap.exports.differences import difference_lines
    from gridmap.exports.plan_directory import load_plan
    from gridmap.planning.differences.compare import difference_of

    earlier, later = load_plan(before), load_plan(after)
    told = difference_of(earlier, later)
    if as_json:
        print_json({"before": str(before), "after": str(after), **told.document()})
        return
    for line in difference_lines(told, earlier, later):
        typer.echo(line)
