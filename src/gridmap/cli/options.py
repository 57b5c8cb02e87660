"""What the verbs share: options, progress, warnings, the one JSON object, outputs that replace no input."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from gridmap import catalogue
from gridmap.errors import Place, UsageError
from gridmap.progress import Told, progress_on


def help_of(key: str) -> str:
    """Help of a verb, an argument or an option, in the language of the process."""
    return catalogue.text(f"cli.{key}")


Output = Annotated[Path, typer.Option("-o", "--output", help=help_of("output"))]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help=help_of("quiet"))]
Json = Annotated[bool, typer.Option("--json", help=help_of("json"))]
Repair = Annotated[bool, typer.Option("--repair", help=help_of("repair"))]
Tolerance = Annotated[float, typer.Option("--tolerance", min=0.001, max=1000.0, help=help_of("tolerance"))]
Strict = Annotated[bool, typer.Option("--strict", help=help_of("strict"))]
Layer = Annotated[str | None, typer.Option("--layer", help=help_of("layer"))]


def check_output(output: Path, inputs: list[Path], also: Path | None = None) -> None:
    """Refuse an output that cannot be, before any work is done."""
    from gridmap.exports.beside import check_writable
    from gridmap.exports.vector import check_format

    check_format(output)
    outputs = [output, also] if also else [output]
    for one in outputs:
        check_writable(one)
    keep_inputs(outputs, inputs)


def keep_inputs(outputs: Iterable[Path], inputs: list[Path]) -> None:
    """Refuse to write over what is read."""
    for output in outputs:
        if output.exists() and any(source.exists() and output.samefile(source) for source in inputs):
            raise UsageError("cli.output_is_input", Place(file=str(output)))


@contextmanager
def progress(silent: bool) -> Iterator[Told]:
    """Where a run tells how far it is: a bar, plain lines, or nowhere."""
    with nullcontext(lambda _stage, _share: None) if silent else progress_on(sys.stderr) as tell:
        yield tell


def print_warnings(warnings: list[str], as_json: bool) -> None:
    """Warnings go to stderr; in JSON they are part of the object."""
    if not as_json:
        for warning in warnings:
            typer.echo(catalogue.text("cli.warning", warning=warning), err=True)


def print_json(document: dict[str, Any]) -> None:
    """Print one object, and nothing else, on standard output."""
    options = orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY
    typer.echo(orjson.dumps(document, option=options), nl=False)
