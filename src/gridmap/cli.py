"""The command line: parse, call, print."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, NoReturn

import orjson
import typer

from gridmap import catalogue
from gridmap.errors import GridmapError, UsageError
from gridmap.progress import Told, progress_on

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=catalogue.text("cli.help"),
)


def _help(key: str) -> str:
    return catalogue.text(f"cli.{key}")


Output = Annotated[Path, typer.Option("-o", "--output", help=_help("output"))]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help=_help("quiet"))]
Json = Annotated[bool, typer.Option("--json", help=_help("json"))]
Repair = Annotated[bool, typer.Option("--repair", help=_help("repair"))]
Tolerance = Annotated[float, typer.Option("--tolerance", min=0.001, max=1000.0, help=_help("tolerance"))]
Layer = Annotated[str | None, typer.Option("--layer", help=_help("layer"))]


class FindingsFormat(StrEnum):
    """Formats of ``gridmap validate``."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    SARIF = "sarif"
    GITHUB = "github"


@app.command(help=_help("demo"), epilog="gridmap demo -o out")
def demo(output: Output = Path("gridmap-demo"), quiet: Quiet = False, as_json: Json = False) -> None:
    """Plan the sample county."""
    _plan(_samples() / "plan.toml", output, repair=False, tolerance_m=1.0, quiet=quiet, as_json=as_json)


@app.command(help=_help("plan"), epilog="gridmap plan plan.toml -o out")
def plan(
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN.toml", help=_help("plan_file"))],
    output: Output,
    repair: Repair = False,
    tolerance: Tolerance = 1.0,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Plan the user's files."""
    _plan(plan_file, output, repair=repair, tolerance_m=tolerance, quiet=quiet, as_json=as_json)


@app.command(help=_help("partition"), epilog="gridmap partition villages.geojson -r 9 -o cells.geojson --datum gcj02")
def partition(
    areas: Annotated[Path, typer.Argument(metavar="AREAS", help=_help("areas"))],
    resolution: Annotated[int, typer.Option("-r", "--resolution", min=0, max=15, help=_help("resolution"))],
    output: Output,
    datum: Annotated[str | None, typer.Option("--datum", help=_help("datum"))] = None,
    code: Annotated[str | None, typer.Option("--code", help=_help("code"))] = None,
    layer: Layer = None,
    encoding: Annotated[str | None, typer.Option("--encoding", help=_help("encoding"))] = None,
    repair: Repair = False,
    tolerance: Tolerance = 1.0,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Cut areas into cells, with certificate."""
    from gridmap.exports.json_file import write_json
    from gridmap.exports.vector import check_format, write_features
    from gridmap.frames import PartitionStream, read_areas, repair_areas

    began = time.perf_counter()
    check_format(output)
    with _progress(quiet or as_json) as tell:
        tell(catalogue.text("cli.reading", file=areas.name), 0.0)
        frame = read_areas(areas, layer=layer, datum=datum, code=code, encoding=encoding, repair=repair)
        if repair:
            frame = repair_areas(frame, tolerance, areas.name)
        stream = PartitionStream(frame, resolution)
        cells = write_features(output, _counted(stream, tell), layer="cells")
        certificate_file = output.with_name("certificate.json")
        write_json(certificate_file, stream.certificate)
    certificate = stream.certificate
    warnings = frame.attrs["warnings"]
    seconds = round(time.perf_counter() - began, 2)
    if as_json:
        _print_json(
            {
                "output": str(output),
                "certificate": str(certificate_file),
                "areas": len(stream),
                "cells": cells,
                "resolution": resolution,
                "digest": certificate["digest"],
                "verdict": certificate["verdict"],
                "warnings": warnings,
                "seconds": seconds,
            }
        )
    elif not quiet:
        typer.echo(
            catalogue.text(
                "cli.partitioned",
                areas=f"{len(stream):,}",
                cells=f"{cells:,}",
                digest=certificate["digest"][:12],
                seconds=f"{seconds:.1f}",
            )
        )
        typer.echo(catalogue.text("cli.written", output=output, certificate=certificate_file))
    _warn(warnings, as_json)


@app.command(help=_help("validate"), epilog="gridmap validate cells.geojson --areas villages.geojson --format sarif")
def validate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=_help("pieces"))],
    areas: Annotated[Path | None, typer.Option("--areas", help=_help("validate_areas"))] = None,
    layer: Layer = None,
    id_column: Annotated[str | None, typer.Option("--id", help=_help("id"))] = None,
    form: Annotated[FindingsFormat, typer.Option("--format", help=_help("format"))] = FindingsFormat.TEXT,
    fix: Annotated[Path | None, typer.Option("--fix", metavar="OUT", help=_help("fix"))] = None,
    tolerance: Tolerance = 1.0,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Prove a partition, or list its faults."""
    from gridmap import frames
    from gridmap.exports.findings import fix_summary, write_findings
    from gridmap.exports.vector import check_format, write_features
    from gridmap.inputs import read_pieces

    if fix:
        check_format(fix)
    pieces = read_pieces(file, layer=layer)
    ground = read_pieces(areas) if areas else None
    report = frames.validate(pieces, ground, id_column=id_column)
    chosen = FindingsFormat.JSON if as_json else form
    if fix:
        mended, fixed = frames.fix(pieces, ground, id_column=id_column, tolerance_m=tolerance)
        report = fixed.after
        write_features(fix, [mended], layer="cells")
    if not (quiet and chosen is FindingsFormat.TEXT):
        sys.stdout.write(write_findings(report, chosen.value, file.name))
    if fix and not quiet:
        typer.echo(fix_summary(fixed), err=True)
    if report.verdict == "invalid":
        raise typer.Exit(1)


def _plan(plan_file: Path, output: Path, *, repair: bool, tolerance_m: float, quiet: bool, as_json: bool) -> None:
    from gridmap.exports.plan_directory import check_output_directory, write_plan
    from gridmap.exports.sentences import summary_lines
    from gridmap.inputs import read_plan_file, read_plan_inputs
    from gridmap.planning.pipeline import build_plan

    settings = read_plan_file(plan_file)
    check_output_directory(output)
    with _progress(quiet or as_json) as tell:
        inputs = read_plan_inputs(settings, plan_file.parent, repair=repair, progress=tell)
        if repair:
            inputs = _repaired(inputs, tolerance_m)
        made = build_plan(settings, inputs, tell)
        tell(catalogue.text("cli.writing", output=output), 0.0)
        written = write_plan(made, output)
        tell(catalogue.text("cli.writing", output=output), 1.0)
    if as_json:
        _print_json(
            {
                "output": str(output),
                "files": [path.name for path in written],
                "digest": made.certificate["digest"],
                "verdict": made.certificate["verdict"],
                "indicators": made.indicators,
                "rules": [{"rule": rule.rule, "holds": rule.holds, "checked": rule.checked} for rule in made.rules],
                "warnings": made.report["warnings"],
            }
        )
    elif not quiet:
        for line in summary_lines(made, output):
            typer.echo(line)
    _warn(made.report["warnings"], as_json)


def _repaired(inputs: Any, tolerance_m: float) -> Any:
    from dataclasses import replace

    from gridmap.frames import repair_areas

    areas = {level: repair_areas(frame, tolerance_m, level.value) for level, frame in inputs.areas.items()}
    said = [warning for frame in areas.values() for warning in frame.attrs.get("warnings", [])]
    return replace(inputs, areas=areas, warnings=(*inputs.warnings, *said))


def _samples() -> Path:
    """Folder of the sample county: inside the installed package, or beside the sources."""
    installed = Path(str(files("gridmap"))) / "samples"
    beside = Path(__file__).parents[2] / "data" / "samples"
    for folder in (installed, beside):
        if (folder / "plan.toml").is_file():
            return folder
    raise UsageError("cli.no_samples")


def _counted(stream: Any, tell: Told) -> Iterator[Any]:
    for done, frame in enumerate(stream, start=1):
        tell(catalogue.text("cli.cutting"), done / len(stream))
        yield frame


@contextmanager
def _progress(silent: bool) -> Iterator[Told]:
    with nullcontext(lambda _stage, _share: None) if silent else progress_on(sys.stderr) as tell:
        yield tell


def _warn(warnings: list[str], as_json: bool) -> None:
    """Warnings go to stderr; in JSON they are part of the object."""
    if not as_json:
        for warning in warnings:
            typer.echo(catalogue.text("cli.warning", warning=warning), err=True)


def _print_json(document: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY))


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line; errors of the user's become one message and an exit status, never a traceback."""
    sys.exit(_status(lambda: app(args=arguments, standalone_mode=False)))


def _status(run: Callable[[], Any]) -> int:
    try:
        outcome = run()
    except GridmapError as error:
        typer.echo(f"gridmap: {error}", err=True)
        return error.exit_code
    except typer.Exit as leaving:
        return leaving.exit_code
    except (typer.Abort, KeyboardInterrupt):
        typer.echo(catalogue.text("cli.interrupted"), err=True)
        return 130
    except BrokenPipeError:
        # The reader of our output went away; say nothing into a closed pipe.
        sys.stderr.close()
        return 141
    except Exception as error:
        show = getattr(error, "show", None)
        if show is None:
            raise
        show()
        return int(getattr(error, "exit_code", 2))
    return outcome if isinstance(outcome, int) else 0
