"""``gridmap demo`` and ``gridmap plan``: the whole job, on the sample county and on the user's files."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridmap import catalogue
from gridmap.cli.options import (
    Json,
    Output,
    Quiet,
    Repair,
    Strict,
    Tolerance,
    help_of,
    keep_inputs,
    print_json,
    print_warnings,
    progress,
)
from gridmap.errors import RuleBroken, UsageError

if TYPE_CHECKING:
    from gridmap.domain.plan import Plan


def demo(
    output: Output = Path("gridmap-demo"), strict: Strict = False, quiet: Quiet = False, as_json: Json = False
) -> None:
    """Plan the sample county."""
    saying = Saying(strict, quiet, as_json)
    make_plan(_samples() / "plan.toml", output, saying, repair=False, tolerance_m=1.0)


def plan(
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN.toml", help=help_of("plan_file"))],
    output: Output,
    repair: Repair = False,
    tolerance: Tolerance = 1.0,
    strict: Strict = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Plan the user's files."""
    make_plan(plan_file, output, Saying(strict, quiet, as_json), repair=repair, tolerance_m=tolerance)


@dataclass(frozen=True, slots=True)
class Saying:
    """How a run says what it comes to: with an exit status for broken rules, in silence, as JSON."""

    strict: bool
    quiet: bool
    as_json: bool


def make_plan(plan_file: Path, output: Path, saying: Saying, *, repair: bool, tolerance_m: float) -> None:
    """Make a plan, write it, say what it comes to.

    Raises
    ------
    RuleBroken
        When asked to be strict, if a rule does not hold; all is written and said before.
    """
    from gridmap.exports.plan_directory import FILES, check_output_directory, write_plan
    from gridmap.exports.sentences import rule_name
    from gridmap.exports.summary import broken_rules
    from gridmap.frames import repair_inputs
    from gridmap.inputs import read_plan_file, read_plan_inputs
    from gridmap.planning.pipeline import build_plan

    settings = read_plan_file(plan_file)
    check_output_directory(output)
    keep_inputs((output / name for name in FILES), [plan_file, *_files_of(settings, plan_file.parent)])
    with progress(saying.quiet or saying.as_json) as tell:
        inputs = read_plan_inputs(settings, plan_file.parent, repair=repair, progress=tell)
        if repair:
            inputs = repair_inputs(inputs, settings, tolerance_m)
        made = build_plan(settings, inputs, tell)
        tell(catalogue.text("cli.writing", output=output), 0.0)
        written = write_plan(made, output)
        tell(catalogue.text("cli.writing", output=output), 1.0)
    _say(made, output, [path.name for path in written], saying)
    broken = broken_rules(made)
    if saying.strict and broken:
        names = [rule_name(rule, catalogue.language()) for rule in broken]
        raise RuleBroken("cli.rules_broken", n=len(broken), rules=" · ".join(names))


def _say(made: Plan, output: Path, written: list[str], saying: Saying) -> None:
    from gridmap.exports.sentences import summary_lines
    from gridmap.exports.summary import finding_lines, findings_document

    if saying.as_json:
        print_json(
            {
                "output": str(output),
                "files": written,
                "digest": made.certificate["digest"],
                "verdict": made.certificate["verdict"],
                "indicators": made.indicators,
                **findings_document(made),
                "warnings": made.report["warnings"],
            }
        )
    elif not saying.quiet:
        *conclusion, where = summary_lines(made, output)
        for line in (*conclusion, *finding_lines(made), where):
            typer.echo(line)
    print_warnings(made.report["warnings"], saying.as_json)


def _files_of(settings: Any, folder: Path) -> list[Path]:
    """Every file that a plan reads."""
    sources = (
        *settings.areas.values(),
        settings.facilities.outlets,
        settings.facilities.devices,
        settings.demand,
        settings.dedicated,
        settings.locked,
        settings.roads,
        settings.barriers,
        settings.staff,
        settings.previous,
    )
    return [folder / source.path for source in sources if source]


def _samples() -> Path:
    """Folder of the sample county: inside the installed package, or beside the sources."""
    installed = Path(str(files("gridmap"))) / "samples"
    beside = Path(__file__).parents[3] / "data" / "samples"
    for folder in (installed, beside):
        if (folder / "plan.toml").is_file():
            return folder
    raise UsageError("cli.no_samples")
