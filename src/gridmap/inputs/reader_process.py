"""Read one file with GDAL, in a process of its own: whatever a hostile file does to it, gridmap lives on.

Run as a script, never imported by gridmap: it takes a request as JSON on standard input, writes the features as an
Arrow stream into the file the request names and answers with one JSON object on standard output. It imports pyogrio and
pyarrow (rasterio for a raster) and nothing else that takes time. The drivers GDAL may use are limited by the
environment it is started with.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from typing import Any


def main() -> None:
    """Serve the one request."""
    request = json.load(sys.stdin)
    limit_self(request)
    try:
        answer = serve(request)
    except MemoryError:
        answer = {"error": "memory"}
    except Exception as error:
        said = " ".join(str(error).split())
        hungry = any(word in said.lower() for word in ("malloc", "allocat", "out of memory", "failed to map"))
        answer = {"error": "memory" if hungry else "reader", "reason": said[:500]}
    json.dump(answer, sys.stdout)


def limit_self(request: dict[str, Any]) -> None:
    """Cap memory, processor time and the size of what is written; leave no core file."""
    cpu_s = max(1, int(request["timeout_s"]))
    for kind, limit in (
        (resource.RLIMIT_AS, request["memory_bytes"]),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, request["output_bytes"]),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def serve(request: dict[str, Any]) -> dict[str, Any]:
    """Do what the request asks and return the answer."""
    return {"layers": layers, "features": features, "parquet": parquet, "raster": raster}[request["verb"]](request)


def import_pyogrio() -> Any:
    """Return pyogrio without the pandas stack, which it would import for frames that are not wanted here."""
    for heavy in ("pandas", "geopandas", "shapely"):
        sys.modules[heavy] = None  # type: ignore[assignment]
    import pyogrio.raw

    extra = sorted(set(pyogrio.list_drivers()) - set(os.environ["GRIDMAP_DRIVERS"].split(",")))
    if extra:
        raise RuntimeError(f"more drivers than allowed: {', '.join(extra)}")
    return pyogrio


def layers(request: dict[str, Any]) -> dict[str, Any]:
    """Name the layers with geometry."""
    pyogrio = import_pyogrio()
    return {"layers": [str(name) for name, kind in pyogrio.list_layers(request["path"]) if kind is not None]}


def features(request: dict[str, Any]) -> dict[str, Any]:
    """Write the features of one layer as Arrow: WKB and attributes."""
    pyogrio = import_pyogrio()
    names = [str(name) for name, kind in pyogrio.list_layers(request["path"]) if kind is not None]
    layer = request["layer"]
    if layer is None and len(names) == 1:
        layer = names[0]
    if layer not in names:
        return {"error": "layer", "layers": names}
    with pyogrio.raw.open_arrow(
        request["path"],
        layer=layer,
        encoding=request["encoding"],
        where=request.get("where"),
        use_pyarrow=True,
        return_fids=True,
    ) as (meta, reader):
        geometry = meta["geometry_name"] or "wkb_geometry"
        too_many = write_batches(reader, geometry, request)
    if too_many:
        return {"error": "vertices"}
    crs = meta["crs"]
    return {"layer": layer, "layers": names, "geometry": geometry, "crs": crs, "fid": meta["fid_column"] or "OGC_FID"}


def parquet(request: dict[str, Any]) -> dict[str, Any]:
    """Write the rows of a GeoParquet file as Arrow: WKB and attributes."""
    import pyarrow.parquet

    source = pyarrow.parquet.ParquetFile(request["path"])
    # Of the file, not of its Arrow schema: a streaming writer knows it only when the schema has long been written.
    described = (source.metadata.metadata or {}).get(b"geo")
    if described is None:
        return {"error": "not_geoparquet"}
    geo = json.loads(described)
    geometry = geo["primary_column"]
    column = geo["columns"][geometry]
    if column.get("encoding") != "WKB":
        return {"error": "geoparquet_encoding", "reason": str(column.get("encoding"))}
    others = [name for name in geo["columns"] if name != geometry]
    wanted = [name for name in source.schema_arrow.names if name not in others]
    reader = pyarrow.RecordBatchReader.from_batches(
        pyarrow.schema([source.schema_arrow.field(name) for name in wanted]),
        (batch.select(wanted) for batch in source.iter_batches(batch_size=10_000, columns=wanted)),
    )
    if write_batches(reader, geometry, request):
        return {"error": "vertices"}
    # The format says: no crs member means OGC:CRS84, null means unknown.
    crs = column.get("crs", "OGC:CRS84")
    return {"geometry": geometry, "crs": json.dumps(crs) if isinstance(crs, dict) else crs}


def write_batches(reader: Any, geometry: str, request: dict[str, Any]) -> bool:
    """Write record batches as they come; stop, and say so, at more vertices than allowed (16 bytes each)."""
    import pyarrow as pa

    room = request["max_vertices"] * 16
    with pa.OSFile(request["output"], "wb") as sink, pa.ipc.new_file(sink, reader.schema) as writer:
        for batch in reader:
            room -= batch.column(geometry).nbytes
            # Headers of rings and parts take bytes too: leave the exact count to the caller.
            if room < -request["max_vertices"] * 16:
                return True
            writer.write_batch(batch)
    return False


def raster(request: dict[str, Any]) -> dict[str, Any]:
    """Write the pixels of the first band that are above zero as Arrow: ``x``, ``y``, ``value`` of their centres."""
    import numpy as np
    import pyarrow as pa
    import rasterio

    schema = pa.schema([("x", pa.float64()), ("y", pa.float64()), ("value", pa.float64())])
    with (
        rasterio.open(request["path"], driver="GTiff") as source,
        pa.OSFile(request["output"], "wb") as sink,
        pa.ipc.new_file(sink, schema) as writer,
    ):
        if source.width * source.height > request["max_pixels"]:
            return {"error": "pixels"}
        if source.transform.is_identity:
            return {"error": "not_georeferenced"}
        for _, window in source.block_windows(1):
            block = source.read(1, window=window, masked=True)
            value = block.filled(0).astype(np.float64) * source.scales[0] + np.where(
                np.ma.getmaskarray(block), 0.0, source.offsets[0]
            )
            bad = np.argwhere(~np.isfinite(value) | (value < 0))
            rows, columns = np.nonzero(value > 0)
            if len(bad):
                rows, columns = bad[:1].T
            across, down = columns + window.col_off + 0.5, rows + window.row_off + 0.5
            frame = source.transform
            x, y = frame.a * across + frame.b * down + frame.c, frame.d * across + frame.e * down + frame.f
            if len(bad):
                pixel = [int(columns[0] + window.col_off), int(rows[0] + window.row_off)]
                return {"error": "pixel", "pixel": pixel, "value": str(value[rows[0], columns[0]]), "xy": [x[0], y[0]]}
            writer.write_batch(pa.record_batch([x, y, value[rows, columns]], schema=schema))
        return {"crs": source.crs.to_wkt() if source.crs else None}


if __name__ == "__main__":
    main()
