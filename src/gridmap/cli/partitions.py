"""``gridmap partition`` and ``gridmap validate``: cut areas into cells, prove that pieces tile them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from gridmap import catalogue
from gridmap.cli.options import (
    Json,
    Layer,
    Output,
    Quiet,
    Repair,
    Tolerance,
    check_output,
    help_of,
    print_json,
    print_warnings,
    progress,
)
from gridmap.progress import Told


class FindingsFormat(StrEnum):
    """Formats of ``gridmap validate``."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    SARIF = "sarif"
    GITHUB = "github"


def partition(
    areas: Annotated[Path, typer.Argument(metavar="AREAS", help=help_of("areas"))],
    resolution: Annotated[int, typer.Option("-r", "--resolution", min=0, max=15, help=help_of("resolution"))],
    output: Output,
    datum: Annotated[str | None, typer.Option("--datum", help=help_of("datum"))] = None,
    code: Annotated[str | None, typer.Option("--code", help=help_of("code"))] = None,
    layer: Layer = None,
    encoding: Annotated[str | None, typer.Option("--encoding", help=help_of("encoding"))] = None,
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
    check_output(output, [areas], also=certificate_file)
    with progress(quiet or as_json) as tell:
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
        print_json(
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
    print_warnings(warnings, as_json)


def validate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=help_of("pieces"))],
    areas: Annotated[Path | None, typer.Option("--areas", help=help_of("validate_areas"))] = None,
    layer: Layer = None,
    areas_layer: Annotated[str | None, typer.Option("--areas-layer", help=help_of("areas_layer"))] = None,
    id_column: Annotated[str | None, typer.Option("--id", help=help_of("id"))] = None,
    code: Annotated[str | None, typer.Option("--code", help=help_of("area_code_column"))] = None,
    form: Annotated[FindingsFormat, typer.Option("--format", help=help_of("format"))] = FindingsFormat.TEXT,
    fix: Annotated[Path | None, typer.Option("--fix", metavar="OUT", help=help_of("fix"))] = None,
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
        check_output(fix, [file, areas] if areas else [file])
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


def _counted(stream: Any, tell: Told) -> Iterator[Any]:
    for done, frame in enumerate(stream, start=1):
        tell(catalogue.text("cli.cutting"), done / len(stream))
        yield frame
