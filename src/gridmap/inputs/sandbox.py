"""Start the reader process with nothing but what it needs, and turn however it ends into data or one clear error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from gridmap.errors import BadValue, InputError, Place, TooLarge, UnreadableFile
from gridmap.inputs.formats import KNOWN_FORMATS, Format
from gridmap.settings import settings

_SCRIPT = Path(__file__).with_name("reader_process.py")
_OSM_CONFIG = Path(__file__).with_name("osmconf.ini")
#: What is read of an OSM file where no layer is chosen: its roads.
_OSM_ROADS = {"layer": "lines", "where": "highway IS NOT NULL"}

#: All China in squares of 100 m; what says it is larger is made to keep the reader busy.
_MOST_PIXELS = 4_000_000_000

#: The one GDAL driver that may open a file of each format.
_DRIVER: Mapping[Format, str] = {
    Format.GEOJSON: "GeoJSON",
    Format.GEOJSON_LINES: "GeoJSONSeq",
    Format.SHAPEFILE: "ESRI Shapefile",
    Format.GEOPACKAGE: "GPKG",
    Format.FLATGEOBUF: "FlatGeobuf",
    Format.KML: "LIBKML",
    Format.OSM: "OSM",
}


@cache
def _all_drivers() -> frozenset[str]:
    import pyogrio

    return frozenset(pyogrio.list_drivers())


def _environment(kind: Format, folder: Path) -> dict[str, str]:
    allowed = _DRIVER.get(kind)
    environment = {
        "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LC_ALL": "C.UTF-8",
        "TMPDIR": str(folder),
        "CPL_TMPDIR": str(folder),
        # No driver but the one the content calls for, no network file system, no network in PROJ.
        "OGR_SKIP": ",".join(sorted(_all_drivers() - {allowed})),
        "GRIDMAP_DRIVERS": allowed or "",
        "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": "none",
        "PROJ_NETWORK": "OFF",
        "SHAPE_RESTORE_SHX": "YES",
        # Our own limits hold; GDAL's would refuse a polygon of three million vertices.
        "OGR_GEOJSON_MAX_OBJ_SIZE": "0",
        "OGR_GEOJSON_DATE_AS_STRING": "YES",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "OSM_CONFIG_FILE": str(_OSM_CONFIG),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    if "LD_LIBRARY_PATH" in os.environ:
        environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    return environment


def read_in_sandbox(
    verb: str, path: Path, kind: Format, place: Place, *, layer: str | None = None, encoding: str | None = None
) -> tuple[dict[str, Any], pa.Table]:
    """Answer of the reader process about a staged file, and the rows it wrote.

    Parameters
    ----------
    verb : ``features``, ``parquet`` or ``raster``
    path : file in a folder of its own, under the extension of its format
    kind : format, as sniffed
    place : how messages name the file

    Raises
    ------
    UnreadableFile
        If GDAL cannot read it, or crashes over it, or it has no or several layers and none was chosen.
    TooLarge
        If it takes more time, memory or vertices than the settings allow.
    """
    output = path.parent / "rows.arrow"
    answer = _ask(verb, path, kind, place, layer, encoding, output)
    with pa.OSFile(str(output)) as source:
        return answer, pa.ipc.open_file(source).read_all()


def layers_in_sandbox(path: Path, kind: Format, place: Place) -> list[str]:
    """Names of the layers with geometry of a staged vector file; raises as ``read_in_sandbox``."""
    answer = _ask("layers", path, kind, place, None, None, path.parent / "nothing")
    return [str(name) for name in answer["layers"]]


def _ask(
    verb: str, path: Path, kind: Format, place: Place, layer: str | None, encoding: str | None, output: Path
) -> dict[str, Any]:
    limits = settings()
    request = {
        "verb": verb,
        "path": str(path),
        "layer": layer,
        "encoding": encoding,
        "output": str(output),
        "max_vertices": limits.max_vertices,
        "max_pixels": _MOST_PIXELS,
        "memory_bytes": limits.read_memory_bytes,
        "timeout_s": limits.read_timeout_s,
        "output_bytes": limits.max_file_bytes,
        **(_OSM_ROADS if kind is Format.OSM and layer is None and verb == "features" else {}),
    }
    try:
        ended = subprocess.run(  # noqa: S603 - our own interpreter and our own script
            [sys.executable, "-P", str(_SCRIPT)],
            input=json.dumps(request).encode(),
            capture_output=True,
            env=_environment(kind, path.parent),
            cwd=path.parent,
            timeout=limits.read_timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TooLarge("inputs.too_slow", place, limit_s=f"{limits.read_timeout_s:g}") from None
    answer = _answer_of(ended, place)
    if "error" in answer:
        raise _error_of(answer, place, layer, kind)
    return answer


def _answer_of(ended: subprocess.CompletedProcess[bytes], place: Place) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = json.loads(ended.stdout)
    except ValueError:
        if b"MemoryError" in ended.stderr or b"bad_alloc" in ended.stderr:
            return {"error": "memory"}
        raise UnreadableFile("inputs.reader_crashed", place, status=ended.returncode) from None
    return answer


def _error_of(answer: dict[str, Any], place: Place, layer: str | None, kind: Format) -> InputError:
    limits = settings()
    names = ", ".join(answer.get("layers", ()))
    reason = answer.get("reason", "")
    match answer["error"]:
        case "memory":
            return TooLarge("inputs.too_much_memory", place, limit_mb=f"{limits.read_memory_bytes / 1e6:,.0f}")
        case "vertices":
            return TooLarge("inputs.too_many_vertices", place, limit=f"{limits.max_vertices:,}")
        case "pixels":
            return TooLarge("inputs.too_many_pixels", place, limit=f"{_MOST_PIXELS:,}")
        case "layer" if not names:
            return UnreadableFile("inputs.no_layers", place)
        case "layer" if layer is None:
            return UnreadableFile("inputs.which_layer", place, layers=names)
        case "layer":
            return UnreadableFile("inputs.no_such_layer", place, layer=layer, layers=names)
        case "not_geoparquet":
            return UnreadableFile("inputs.not_geoparquet", place)
        case "geoparquet_encoding":
            return UnreadableFile("inputs.geoparquet_encoding", place, encoding=reason)
        case "not_georeferenced":
            return UnreadableFile("inputs.not_georeferenced", place)
        case "pixel":
            place = replace(place, lon=answer["xy"][0], lat=answer["xy"][1])
            column, row = answer["pixel"]
            return BadValue("inputs.bad_pixel", place, column=column, row=row, value=answer["value"])
        case _ if "not recognized" in reason:
            return UnreadableFile("inputs.not_as_it_seems", place, kind=kind.shown, known=KNOWN_FORMATS)
        case _:
            return UnreadableFile("inputs.cannot_read", place, reason=_without_paths(reason), known=KNOWN_FORMATS)


def _without_paths(reason: str) -> str:
    """GDAL names the staged copy in full; the user knows the file by its own name."""
    words = [Path(word).name if word.startswith(("/", "'/")) else word for word in reason.split()]
    return " ".join(words) or "?"
