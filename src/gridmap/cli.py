"""The command line: parse, call, print."""

from __future__ import annotations

import io
import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from enum import StrEnum
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, NoReturn

import orjson
import typer
from typer.core import TyperGroup

from gridmap import catalogue
from gridmap.errors import GridmapError, InputError, Place, StoreError, UsageError
from gridmap.progress import Told, progress_on

#: Exit status of a program that an interrupt ended, and of one whose reader went away.
INTERRUPTED, READER_GONE = 130, 141


class _Ended(Exception):  # noqa: N818 - not an error
    """Brings an ending, which Typer would give an exit status of its own, past it."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Verbs(TyperGroup):
    def invoke(self, ctx: Any) -> Any:
        """Run a verb."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise _Ended(INTERRUPTED) from None
        except BrokenPipeError:
            raise _Ended(READER_GONE) from None


app = typer.Typer(
    cls=_Verbs,
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


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"gridmap {version('gridmap')}")
        raise typer.Exit


@app.callback()
def options_before_the_verb(
    _version: Annotated[
        bool, typer.Option("--version", help=_help("version"), callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Answer ``--version``."""


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
    from gridmap.exports.beside import written_beside
    from gridmap.exports.json_file import write_json
    from gridmap.exports.vector import write_features
    from gridmap.frames import PartitionStream, read_areas, repair_areas

    began = time.perf_counter()
    certificate_file = output.with_name("certificate.json")
    _check_output(output, [areas], also=certificate_file)
    with _progress(quiet or as_json) as tell:
        tell(catalogue.text("cli.reading", file=areas.name), 0.0)
        frame = read_areas(areas, layer=layer, datum=datum, code=code, encoding=encoding, repair=repair)
        if repair:
            frame = repair_areas(frame, tolerance, areas.name)
        stream = PartitionStream(frame, resolution)
        # Both take their names when both are whole: cells without their certificate prove nothing.
        with written_beside(output) as partial_cells, written_beside(certificate_file) as partial_certificate:
            cells = write_features(partial_cells, _counted(stream, tell), layer="cells")
            write_json(partial_certificate, stream.certificate)
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
    areas_layer: Annotated[str | None, typer.Option("--areas-layer", help=_help("areas_layer"))] = None,
    id_column: Annotated[str | None, typer.Option("--id", help=_help("id"))] = None,
    code: Annotated[str | None, typer.Option("--code", help=_help("area_code_column"))] = None,
    form: Annotated[FindingsFormat, typer.Option("--format", help=_help("format"))] = FindingsFormat.TEXT,
    fix: Annotated[Path | None, typer.Option("--fix", metavar="OUT", help=_help("fix"))] = None,
    tolerance: Tolerance = 1.0,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Prove a partition, or list its faults."""
    from gridmap import frames
    from gridmap.exports.findings import fix_summary, write_findings
    from gridmap.exports.vector import write_features
    from gridmap.geometry.faults import FaultKind
    from gridmap.inputs import read_pieces

    if fix:
        _check_output(fix, [file, areas] if areas else [file])
    pieces = read_pieces(file, layer=layer)
    ground = read_pieces(areas, layer=areas_layer) if areas else None
    summary = None
    if fix:
        mended, fixed = frames.fix(pieces, ground, id_column=id_column, code_column=code, tolerance_m=tolerance)
        report, summary = fixed.after, fix_summary(fixed)
        if any(fault.kind is FaultKind.INVALID for fault in report.faults):
            # A piece that is no polygon, or not on Earth, has no place in a partition.
            summary += "\n" + catalogue.text("cli.not_mended", output=fix)
        else:
            write_features(fix, [mended], layer="cells")
    else:
        report = frames.validate(pieces, ground, id_column=id_column, code_column=code)
    chosen = FindingsFormat.JSON if as_json else form
    if chosen is not FindingsFormat.TEXT:
        # For programs: UTF-8 whatever the terminal speaks.
        typer.echo(write_findings(report, chosen.value, file.name).encode(), nl=False)
    elif not quiet:
        typer.echo(write_findings(report, chosen.value, file.name), nl=False)
    if summary and not quiet:
        typer.echo(summary, err=True)
    if report.verdict == "invalid":
        raise typer.Exit(1)


def _plan(plan_file: Path, output: Path, *, repair: bool, tolerance_m: float, quiet: bool, as_json: bool) -> None:
    from gridmap.exports.plan_directory import FILES, check_output_directory, write_plan
    from gridmap.exports.sentences import summary_lines
    from gridmap.inputs import read_plan_file, read_plan_inputs
    from gridmap.planning.pipeline import build_plan

    settings = read_plan_file(plan_file)
    check_output_directory(output)
    _keep_inputs((output / name for name in FILES), [plan_file, *_files_of(settings, plan_file.parent)])
    with _progress(quiet or as_json) as tell:
        inputs = read_plan_inputs(settings, plan_file.parent, repair=repair, progress=tell)
        if repair:
            inputs = _repaired(inputs, tolerance_m, settings)
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


def _files_of(settings: Any, folder: Path) -> list[Path]:
    """Every file that a plan reads."""
    facilities = settings.facilities.outlets, settings.facilities.devices
    others = settings.demand, settings.dedicated, settings.roads, settings.staff
    return [folder / source.path for source in (*settings.areas.values(), *facilities, *others) if source]


def _repaired(inputs: Any, tolerance_m: float, settings: Any) -> Any:
    from dataclasses import replace

    from gridmap.frames import repair_areas

    areas = {
        level: repair_areas(frame, tolerance_m, Path(settings.areas[level].path).name)
        for level, frame in inputs.areas.items()
    }
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


def _check_output(output: Path, inputs: list[Path], also: Path | None = None) -> None:
    """Refuse an output that cannot be, before any work is done."""
    from gridmap.exports.beside import check_writable
    from gridmap.exports.vector import check_format

    check_format(output)
    outputs = [output, also] if also else [output]
    for one in outputs:
        check_writable(one)
    _keep_inputs(outputs, inputs)


def _keep_inputs(outputs: Iterable[Path], inputs: list[Path]) -> None:
    """Refuse to write over what is read."""
    for output in outputs:
        if output.exists() and any(source.exists() and output.samefile(source) for source in inputs):
            raise UsageError("cli.output_is_input", Place(file=str(output)))


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
    options = orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY
    typer.echo(orjson.dumps(document, option=options), nl=False)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line; errors of the user's become one message and an exit status, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that lacks a character must not cost the user the result.
            stream.reconfigure(errors="backslashreplace")
    if arguments is None:
        # Ended from outside (a time limit, a container that stops), a run cleans up as after Ctrl-C.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        if not sys.warnoptions:
            # Those of libraries, with lines of their code: what a user should know, we say ourselves.
            warnings.simplefilter("ignore")
    sys.exit(_status(arguments))


def _status(arguments: list[str] | None) -> int:
    try:
        outcome = app(args=arguments, standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except GridmapError as error:
        return _refused(error)
    except _Ended as end:
        if end.status == INTERRUPTED:
            typer.echo(catalogue.text("cli.interrupted"), err=True)
        else:
            _drop_output()
        return end.status
    except BrokenPipeError:
        _drop_output()
        return READER_GONE
    except MemoryError:
        return _refused(StoreError("cli.out_of_memory"))
    except OSError as error:
        _drop_output()
        place = Place(file=os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else None
        return _refused(StoreError("cli.system_refused", place, reason=error.strerror or str(error)))
    except Exception as error:
        return _unforeseen(error)
    return outcome if isinstance(outcome, int) else 0


def _refused(error: GridmapError) -> int:
    typer.echo(f"gridmap: {error}", err=True)
    return error.exit_code


def _drop_output() -> None:
    """Let what is still to be flushed go nowhere: the interpreter would complain of it as it ends."""
    output = sys.__stdout__
    if output is not None and sys.stdout is output:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, output.fileno())
        os.close(nowhere)


def _unforeseen(error: Exception) -> int:
    """Status of what is none of our errors: a call that Typer refuses, a setting that is none, or a bug."""
    from pydantic import ValidationError

    if hasattr(error, "show"):
        error.show()
        return int(getattr(error, "exit_code", InputError.exit_code))
    if isinstance(error, ValidationError) and error.title == "Settings":
        fault = error.errors()[0]
        variable = f"GRIDMAP_{fault['loc'][0]}".upper()
        return _refused(UsageError("cli.bad_setting", variable=variable, value=fault["input"], reason=fault["msg"]))
    traceback.print_exception(error)
    return _refused(StoreError("cli.bug", fault=f"{type(error).__name__}: {error}"))
