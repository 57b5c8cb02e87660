"""``partition``: areas of an upload cut into cells, with certificate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from gridmap import catalogue
from gridmap.jobs.processes.process import Asker, Inputs, Made, Output, Process, Run, in_each_language
from gridmap.jobs.processes.sources import AreaUpload, Staging, record_of
from gridmap.progress import Told

_MEDIA_TYPES = {
    "geojson": "application/geo+json",
    "gpkg": "application/geopackage+sqlite3",
    "fgb": "application/flatgeobuf",
    "parquet": "application/vnd.apache.parquet",
}


class PartitionInputs(Inputs):
    """What is cut, and how fine."""

    areas: AreaUpload
    resolution: int = Field(ge=0, le=15)
    format: Literal["geojson", "gpkg", "fgb", "parquet"] = "geojson"
    repair: bool = False
    tolerance: float = Field(1.0, ge=0.001, le=1000)


def check(inputs: PartitionInputs, asker: Asker) -> None:
    """Refuse an upload that is not there."""
    record_of(inputs.areas.upload_id, "areas", asker)


def run(inputs: PartitionInputs, run: Run) -> Made:
    """Cut the areas."""
    from gridmap.exports.json_file import write_json
    from gridmap.exports.vector import write_features
    from gridmap.frames import PartitionStream, read_areas, repair_areas

    given = inputs.areas
    file = Staging(run).path(given.upload_id, "areas")
    run.tell(catalogue.text("cli.reading", file=file.name), 0.0)
    options = {"layer": given.layer, "datum": given.datum, "code": given.code, "encoding": given.encoding}
    frame = read_areas(file, **options, repair=inputs.repair)
    if inputs.repair:
        frame = repair_areas(frame, inputs.tolerance, file.name)
    stream = PartitionStream(frame, inputs.resolution)
    cells = run.folder / f"cells.{inputs.format}"
    count = write_features(cells, _counted(stream, run.tell), layer="cells")
    certificate = stream.certificate
    write_json(run.folder / "certificate.json", certificate)
    figures = {
        "areas": len(stream),
        "cells": count,
        "resolution": inputs.resolution,
        "digest": certificate["digest"],
        "verdict": certificate["verdict"],
        "warnings": frame.attrs["warnings"],
    }
    said = {"areas": f"{len(stream):,}", "cells": f"{count:,}", "digest": certificate["digest"][:12]}
    return Made(
        in_each_language("jobs.partitioned", **said),
        {"summary": figures},
        {
            "cells": (cells.name, _MEDIA_TYPES[inputs.format]),
            "certificate": ("certificate.json", "application/json"),
        },
    )


def _counted(stream: Any, tell: Told) -> Iterator[Any]:
    for done, frame in enumerate(stream, start=1):
        tell("partition", 0.1 + 0.85 * done / len(stream))
        yield frame


PROCESS = Process(
    "partition",
    "1.0.0",
    PartitionInputs,
    (
        Output("cells", "application/geo+json", by_value=False, schema={"type": "string", "format": "binary"}),
        Output("certificate"),
        Output("summary"),
    ),
    check,
    run,
)
