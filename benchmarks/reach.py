"""Reach and coverage beside what one would write with geopandas, shapely or scikit-learn.

``python benchmarks/reach.py`` runs each method in a process of its own on the same seeded data and prints, for each,
its CPU seconds from coordinates to answer (imports left out), its peak memory (imports and data included), and how
many of its answers are wrong. Truth is the geodesic (``pyproj.Geod``) over all pairs that a box of latitude and
longitude leaves, and, for shares, an overlay of the very same circles.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import Geod

GEOD = Geod(ellps="WGS84")
#: An equal-area plane of the province, as a careful user would choose it.
PLANE = "+proj=aea +lat_1=24 +lat_2=29 +lat_0=26.5 +lon_0=110 +datum=WGS84"
WEST, EAST, SOUTH, NORTH = 105.0, 115.0, 22.0, 31.0
#: Distances that differ by less count as equal, for every method.
ROUNDING_M = 1e-6

Arrays = dict[str, NDArray[Any]]


def province(cells: int, facilities: int) -> Arrays:
    """Points of cells all over a province, and facilities, six in ten of them around 300 towns."""
    rng = np.random.default_rng(3)
    towns = rng.uniform([WEST, SOUTH], [EAST, NORTH], (300, 2))
    near_town = towns[rng.integers(0, 300, facilities)] + rng.normal(0, 0.08, (facilities, 2))
    anywhere = rng.uniform([WEST, SOUTH], [EAST, NORTH], (facilities, 2))
    return {
        "points": rng.uniform([WEST, SOUTH], [EAST, NORTH], (cells, 2)),
        "facilities": np.where(rng.random(facilities)[:, None] < 0.6, near_town, anywhere),
    }


def reach_truth(data: Arrays, radius_m: float) -> Arrays:
    """Every pair within the radius, by geodesics over all pairs a box of degrees leaves."""
    points, facilities = data["points"], data["facilities"]
    order = np.argsort(points[:, 1])
    high, wide = radius_m / 110_000, radius_m / (110_000 * np.cos(np.radians(NORTH + 1)))
    first, last = (np.searchsorted(points[order, 1], facilities[:, 1] + shift) for shift in (-high, high))
    found = []
    for row, (start, end) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        near = order[start:end]
        near = near[np.abs(points[near, 0] - facilities[row, 0]) <= wide]
        lon, lat = np.full(len(near), facilities[row, 0]), np.full(len(near), facilities[row, 1])
        distance_m = GEOD.inv(points[near, 0], points[near, 1], lon, lat)[2]
        kept = distance_m <= radius_m
        found.append(np.column_stack([near[kept], np.full(kept.sum(), row), distance_m[kept]]))
    pairs = np.concatenate(found)
    return {"point": pairs[:, 0].astype(np.int64), "facility": pairs[:, 1].astype(np.int64), "distance_m": pairs[:, 2]}


def reach_gridmap(data: Arrays, radius_m: float) -> Arrays:
    """Tree of earth-centred points, the ring settled by geodesics."""
    from gridmap.planning.service.reach import EarthPoints, nearest, within

    points, facilities = EarthPoints(*data["points"].T), EarthPoints(*data["facilities"].T)
    index, distance_m = nearest(points, facilities)
    pairs = within(points, facilities, np.array(radius_m))
    return {"nearest": np.where(distance_m <= radius_m, index, -1), "point": pairs.point, "facility": pairs.facility}


def reach_geopandas(data: Arrays, radius_m: float) -> Arrays:
    """``sjoin_nearest`` and ``sjoin(predicate="dwithin")`` in a projected plane."""
    import geopandas as gpd

    def frame(lonlat: NDArray[np.float64], name: str) -> Any:
        shapes = gpd.points_from_xy(lonlat[:, 0], lonlat[:, 1])
        return gpd.GeoDataFrame({name: np.arange(len(lonlat))}, geometry=shapes, crs=4326).to_crs(PLANE)

    points, facilities = frame(data["points"], "point"), frame(data["facilities"], "facility")
    near = gpd.sjoin_nearest(points, facilities, max_distance=radius_m).drop_duplicates("point")
    found = np.full(len(points), -1)
    found[near["point"]] = near["facility"]
    pairs = gpd.sjoin(facilities, points, predicate="dwithin", distance=radius_m)
    return {"nearest": found, "point": pairs["point"].to_numpy(), "facility": pairs["facility"].to_numpy()}


def reach_balltree(data: Arrays, radius_m: float) -> Arrays:
    """scikit-learn's ``BallTree`` with the haversine distance on a sphere."""
    from sklearn.neighbors import BallTree

    sphere_m = 6_371_008.8
    tree = BallTree(np.radians(data["facilities"][:, ::-1]), metric="haversine")
    asked = np.radians(data["points"][:, ::-1])
    distance, index = tree.query(asked, k=1)
    rows = tree.query_radius(asked, radius_m / sphere_m)
    count = np.fromiter(map(len, rows), np.int64, len(rows))
    return {
        "nearest": np.where(distance[:, 0] * sphere_m <= radius_m, index[:, 0], -1),
        "point": np.repeat(np.arange(len(rows)), count),
        "facility": np.concatenate(rows),
    }


def reach_errors(answer: Arrays, truth: Arrays, data: Arrays) -> Arrays:
    """Wrong pairs, wrong flags (in reach of anything or not), wrong nearest among the points in reach."""
    count, facilities = len(data["points"]), len(data["facilities"])
    expected = truth["point"] * facilities + truth["facility"]
    given = answer["point"].astype(np.int64) * facilities + answer["facility"]
    least_m = np.full(count, np.inf)
    np.minimum.at(least_m, truth["point"], truth["distance_m"])
    flagged, in_reach = answer["nearest"] >= 0, np.isfinite(least_m)
    both = np.flatnonzero(flagged & in_reach)
    chosen = data["facilities"][answer["nearest"][both]]
    points = data["points"][both]
    chosen_m = GEOD.inv(points[:, 0], points[:, 1], chosen[:, 0], chosen[:, 1])[2]
    return {
        "answers": np.array(len(given)),
        "wrong pairs": np.array(len(np.setxor1d(given, expected))),
        "wrong flags": np.array((flagged != in_reach).sum()),
        "wrong nearest": np.array((chosen_m > least_m[both] + ROUNDING_M).sum()),
    }


def county(cells: int, facilities: int) -> Arrays:
    """Hexagons of resolution 9 around a place, in metres of a plane, and circles of 1 to 3 km."""
    import h3
    import shapely

    from gridmap.geometry.measure import LocalPlane
    from gridmap.planning.service.circles import draw_circles
    from gridmap.planning.service.reach import EarthPoints

    rng = np.random.default_rng(1)
    rings = int(np.ceil((np.sqrt(12 * cells - 3) - 3) / 6))
    ids = h3.grid_disk(h3.latlng_to_cell(30.9, 111.3, 9), rings)
    centres = np.array([h3.cell_to_latlng(ids[row])[::-1] for row in rng.choice(len(ids), facilities, replace=False)])
    shapes = shapely.polygons(
        [[(round(lon * 1e7), round(lat * 1e7)) for lat, lon in h3.cell_to_boundary(c)] for c in ids]
    )
    plane = LocalPlane.around(shapes)
    circles = draw_circles(EarthPoints(*centres.T), rng.choice([1000.0, 2000.0, 3000.0], facilities), plane)
    return {
        "cells": shapely.to_wkb(plane.project(shapes)),
        "circles": shapely.to_wkb(circles.polygon),
        "centre": circles.centre,
        "inner_m": circles.inner_m,
        "outer_m": circles.outer_m,
    }


def share_gridmap(data: Arrays) -> Arrays:
    """Distances settle what they can, the rim is cut circle by circle."""
    import shapely

    from gridmap.planning.service.circles import Circles, Outlines, covered_share

    cells, polygons = shapely.from_wkb(data["cells"]), shapely.from_wkb(data["circles"])
    circles = Circles(polygons, data["centre"], data["inner_m"], data["outer_m"])
    return {"share": covered_share(Outlines.of(cells), circles)}


def share_overlay(data: Arrays) -> Arrays:
    """``geopandas.overlay`` of the cells with the union of the circles."""
    import geopandas as gpd
    import shapely

    cells, polygons = shapely.from_wkb(data["cells"]), shapely.from_wkb(data["circles"])
    frame = gpd.GeoDataFrame({"row": np.arange(len(cells))}, geometry=cells)
    union = gpd.GeoDataFrame(geometry=[shapely.union_all(polygons)])
    cut = gpd.overlay(frame, union, how="intersection")
    return {"share": np.bincount(cut["row"], cut.area, len(cells)) / shapely.area(cells)}


def share_pairs(data: Arrays) -> Arrays:
    """``geopandas.overlay`` of the cells with each circle, dissolved by cell."""
    import geopandas as gpd
    import shapely

    cells, polygons = shapely.from_wkb(data["cells"]), shapely.from_wkb(data["circles"])
    frame = gpd.GeoDataFrame({"row": np.arange(len(cells))}, geometry=cells)
    cut = gpd.overlay(frame, gpd.GeoDataFrame(geometry=polygons), how="intersection").dissolve("row")
    share = np.zeros(len(cells))
    share[cut.index] = cut.area
    return {"share": share / shapely.area(cells)}


#: Methods and the modules they need.
REACH: dict[str, tuple[Callable[[Arrays, float], Arrays], str]] = {
    "gridmap": (reach_gridmap, "gridmap.planning.service.reach"),
    "geopandas sjoin": (reach_geopandas, "geopandas"),
    "scikit-learn BallTree": (reach_balltree, "sklearn.neighbors"),
}
SHARE: dict[str, tuple[Callable[[Arrays], Arrays], str]] = {
    "gridmap": (share_gridmap, "gridmap.planning.service.circles"),
    "geopandas overlay, union": (share_overlay, "geopandas"),
    "geopandas overlay, pairs": (share_pairs, "geopandas"),
}


def peak_mb() -> float:
    """Most memory this process has held, MB."""
    status = Path("/proc/self/status")
    if status.exists():
        # Linux hands the parent's ru_maxrss on to its children; this line is the child's own.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run_one(task: str, method: str, folder: Path, radius_m: float) -> None:
    """Run one method on the data in ``folder``: the child process."""
    with np.load(folder / f"{task}.npz", allow_pickle=True) as stored:
        data = {name: stored[name] for name in stored.files}
    importlib.import_module((REACH if task == "reach" else SHARE)[method][1])
    start = time.process_time()
    answer = REACH[method][0](data, radius_m) if task == "reach" else SHARE[method][0](data)
    cpu_s = time.process_time() - start
    np.savez(folder / "answer.npz", **answer)
    print(json.dumps({"cpu_s": cpu_s, "peak_mb": peak_mb()}))


def measured(task: str, method: str, folder: Path, radius_m: float) -> tuple[dict[str, float], Arrays]:
    """CPU seconds, peak memory and answer of a method, from a process of its own."""
    command = [sys.executable, __file__, "--one", task, method, str(folder), "--radius", str(radius_m)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    with np.load(folder / "answer.npz") as stored:
        return json.loads(told.splitlines()[-1]), {name: stored[name] for name in stored.files}


def compare_reach(folder: Path, cells: int, facilities: int, radius_m: float) -> None:
    """Print the table of reach."""
    data = province(cells, facilities)
    np.savez(folder / "reach.npz", **data)
    truth = reach_truth(data, radius_m)
    print(f"\nReach: {cells:,} points x {facilities:,} facilities, {radius_m:,.0f} m", end="")
    print(f"; {len(truth['point']):,} true pairs\n")
    print("| method | CPU s | peak MB | wrong pairs | wrong flags | wrong nearest |")
    print("|---|---:|---:|---:|---:|---:|")
    for method, (_, needs) in REACH.items():
        if importlib.util.find_spec(needs.split(".")[0]) is None:
            print(f"| {method} | not installed | | | | |")
            continue
        cost, answer = measured("reach", method, folder, radius_m)
        wrong = {name: int(number) for name, number in reach_errors(answer, truth, data).items()}
        print(
            f"| {method} | {cost['cpu_s']:.2f} | {cost['peak_mb']:,.0f} | {wrong['wrong pairs']:,} "
            f"| {wrong['wrong flags']:,} | {wrong['wrong nearest']:,} |",
            flush=True,
        )


def compare_share(folder: Path, cells: int, facilities: int) -> None:
    """Print the table of covered shares."""
    data = county(cells, facilities)
    np.savez(folder / "share.npz", **data)
    print(f"\nCovered share: {len(data['cells']):,} cells x {facilities:,} circles of 256 points\n")
    print("| method | CPU s | peak MB | largest difference from the first |")
    print("|---|---:|---:|---:|")
    first: NDArray[np.float64] | None = None
    for method in SHARE:
        cost, answer = measured("share", method, folder, 0.0)
        first = answer["share"] if first is None else first
        unlike = float(np.abs(answer["share"] - first).max())
        print(f"| {method} | {cost['cpu_s']:.2f} | {cost['peak_mb']:,.0f} | {unlike:.1e} |", flush=True)


def main() -> None:
    """Read the options and run."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cells", type=int, default=1_000_000)
    options.add_argument("--facilities", type=int, default=10_000)
    options.add_argument("--radius", type=float, default=5000.0, help="metres")
    options.add_argument("--share-cells", type=int, default=38_000)
    options.add_argument("--circles", type=int, default=400)
    options.add_argument("--one", nargs=3, metavar=("TASK", "METHOD", "FOLDER"), help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.one:
        run_one(chosen.one[0], chosen.one[1], Path(chosen.one[2]), chosen.radius)
        return
    with tempfile.TemporaryDirectory() as folder:
        compare_reach(Path(folder), chosen.cells, chosen.facilities, chosen.radius)
        compare_share(Path(folder), chosen.share_cells, chosen.circles)


if __name__ == "__main__":
    main()
