"""``gridmap coverage``: service of a plan in depth, and what would become of it if facilities changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridmap import catalogue
from gridmap.cli.options import Json, help_of, print_json, print_warnings
from gridmap.errors import UsageError

if TYPE_CHECKING:
    from gridmap.domain.plan import Plan
    from gridmap.exports.what_ifs import Played
    from gridmap.planning.what_ifs.changes import Change
    from gridmap.planning.what_ifs.scenarios import Scenario

#: Name of the scenario that the options of the command line make up.
ASKED = "changes"


def coverage(
    directory: Annotated[Path, typer.Argument(metavar="PLAN_DIR", help=help_of("plan_dir"))],
    radius: Annotated[list[str] | None, typer.Option("--radius", help=help_of("coverage_radius"))] = None,
    close: Annotated[list[str] | None, typer.Option("--close", help=help_of("coverage_close"))] = None,
    opened: Annotated[list[str] | None, typer.Option("--open", help=help_of("coverage_open"))] = None,
    move: Annotated[list[str] | None, typer.Option("--move", help=help_of("coverage_move"))] = None,
    datum: Annotated[str, typer.Option("--datum", help=help_of("coverage_datum"))] = "wgs84",
    scenarios: Annotated[Path | None, typer.Option("--scenarios", help=help_of("coverage_scenarios"))] = None,
    preset: Annotated[list[str] | None, typer.Option("--preset", help=help_of("coverage_preset"))] = None,
    presets: Annotated[Path | None, typer.Option("--presets", help=help_of("coverage_presets"))] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help=help_of("coverage_output"))] = None,
    as_json: Json = False,
) -> None:
    """Measure service, and play what-ifs on it."""
    from gridmap.exports.coverage_directory import write_coverage
    from gridmap.exports.plan_directory import load_plan
    from gridmap.exports.standing import standing_document, standing_lines, verdict_lines
    from gridmap.exports.what_ifs import plain_table, play, scenario_document, scenario_lines, side_by_side
    from gridmap.inputs.presets import preset_named, read_presets
    from gridmap.inputs.scenarios import read_scenarios
    from gridmap.planning.access.standing import Standing

    known = read_presets(presets)
    judged = {name: preset_named(known, name) for name in preset or ()}
    asked = _asked(_changes(radius or [], close or [], opened or [], move or []), datum)
    asked |= read_scenarios(scenarios, datum) if scenarios else {}
    _check_output(output, directory)
    plan = load_plan(directory)
    standing = Standing.of(plan)
    told = play(standing, asked)
    warnings = _warnings(plan, told)
    print_warnings(warnings, as_json)
    if output is not None or as_json:
        document: dict[str, Any] = {
            "plan": str(directory),
            **standing_document(plan, standing, judged),
            "scenarios": [
                {**scenario_document(plan, one), "presets": standing_document(plan, one.told.after, judged)["presets"]}
                for one in told
            ],
            "warnings": warnings,
        }
        if output is not None:
            write_coverage(output, plan, standing, told, judged, document)
        if as_json:
            print_json(document)
            return
    # With changes, what they do comes first and alone: service as it stands is one call without them away.
    lines = [] if told else standing_lines(plan, standing, judged)
    for one in told:
        lines += [*scenario_lines(plan, one), *verdict_lines(plan, one.told.after, judged), ""]
    if told:
        lines += plain_table(side_by_side(plan, standing, told, catalogue.language()))
    if output is not None:
        lines.append(catalogue.text("cli.coverage_written", directory=f"{output}/"))
    for line in lines:
        typer.echo(line)


def _asked(changes: list[Change], datum: str) -> dict[str, Scenario]:
    from gridmap.planning.what_ifs.scenarios import Scenario

    title = catalogue.text("what_ifs.title_options")
    return {ASKED: Scenario(title, tuple(changes), None, datum)} if changes else {}


def _changes(radius: list[str], close: list[str], opened: list[str], move: list[str]) -> list[Change]:
    """Read the options as changes: what closes, moves, opens, then radii."""
    from gridmap.domain.kinds import FacilityKind
    from gridmap.planning.what_ifs.changes import Close, Move, Open, Reach

    found: list[Change] = [Close(one) for one in close]
    for one in move:
        identifier, lon, lat = _three(one, "--move", from_right=True)
        found.append(Move(identifier, _number(lon, "--move", one), _number(lat, "--move", one)))
    for one in opened:
        lon, lat, kind = _three(one, "--open", from_right=False)
        if kind.strip() not in set(FacilityKind):
            raise _unusable("--open", one)
        place = _number(lon, "--open", one), _number(lat, "--open", one)
        found.append(Open(*place, FacilityKind(kind.strip())))
    for one in radius:
        of, _, metres = one.rpartition("=")
        urban, _, rural = metres.partition("/")
        lengths = [_number(part, "--radius", one) for part in (urban, rural or urban)]
        if not of or not all(0 < length <= 1_000_000 for length in lengths):
            raise _unusable("--radius", one)
        found.append(Reach(of.strip(), *lengths))
    return found


def _three(value: str, option: str, *, from_right: bool) -> list[str]:
    """Three parts between commas; an identifier may hold commas of its own."""
    parts = value.rsplit(",", 2) if from_right else value.split(",")
    if len(parts) != 3 or not parts[0].strip():
        raise _unusable(option, value)
    return parts


def _number(value: str, option: str, whole: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise _unusable(option, whole) from None


def _unusable(option: str, value: str) -> UsageError:
    from gridmap.domain.kinds import FacilityKind

    return UsageError("what_ifs.bad_option", option=option, value=value, kinds=", ".join(FacilityKind))


def _check_output(output: Path | None, directory: Path) -> None:
    from gridmap.cli.options import keep_inputs
    from gridmap.exports.beside import check_writable

    if output is not None:
        keep_inputs([output], [directory])
        check_writable(output / "coverage.json")


def _warnings(plan: Plan, told: list[Played]) -> list[str]:
    """Say what makes the answer another one than it seems."""
    from gridmap.planning.what_ifs.changes import Move, Open

    found = [catalogue.text("what_ifs.network")] if plan.settings.coverage.distance == "network" else []
    for one in told:
        if not any(isinstance(change, Move | Open) for change in one.changes):
            continue
        known = {
            str(ident): cell for ident, cell in zip(one.told.before.facilities.ids, one.told.before.cells, strict=True)
        }
        for ident, cell in zip(one.told.after.facilities.ids, one.told.after.cells.tolist(), strict=True):
            if cell < 0 and known.get(str(ident), 0) >= 0:
                said = catalogue.text("what_ifs.outside", id=ident)
                found.append(f"{said}; {catalogue.mend('what_ifs.outside', id=ident)}")
    return list(dict.fromkeys(found))
