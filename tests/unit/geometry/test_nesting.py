"""Levels are proved against the cells they are made of, and the stand-alone verifier agrees or names what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import shapely

from gridmap import verify_level
from gridmap.errors import ProofFailed
from gridmap.geometry.lattice import geometries_to_degrees
from gridmap.geometry.nesting import prove_levels
from gridmap.geometry.partition import Partition, partition_areas
from gridmap.planning.land.dissolve import dissolve

X0, Y0, SIDE = 1_112_000_000, 307_000_000, 100_000


@pytest.fixture(scope="module")
def cells() -> Partition:
    """Cells of two squares side by side, one with a lake."""
    west = shapely.box(X0, Y0, X0 + SIDE, Y0 + SIDE).difference(
        shapely.box(X0 + 9, Y0 + 30_000, X0 + 40_000, Y0 + 70_000)
    )
    east = shapely.box(X0 + SIDE, Y0, X0 + 2 * SIDE, Y0 + SIDE)
    return partition_areas(np.array([west, east]), ["1", "2"], 9)


def grids_of(cells: Partition, count: int) -> tuple[list[str], np.ndarray]:
    group = np.random.default_rng(3).permutation(np.arange(len(cells.cell)) % count)
    return [f"G{number:03d}" for number in range(count)], dissolve(cells.geometry, group, count)


def written(path: Path, key: str, codes: list[str], shapes: np.ndarray) -> str:
    features = [
        {"type": "Feature", "properties": {key: code}, "geometry": json.loads(shapely.to_geojson(shape))}
        for code, shape in zip(codes, geometries_to_degrees(shapes), strict=True)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return str(path)


def certificate(folder: Path, levels: list[dict[str, object]]) -> str:
    path = folder / "certificate.json"
    path.write_text(json.dumps({"levels": levels}), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_scattered_grids_of_cells_are_proved_and_verified(cells: Partition, count: int, tmp_path: Path) -> None:
    codes, shapes = grids_of(cells, count)
    areas = dissolve(cells.geometry, cells.area, 2)
    levels = prove_levels(cells.border, [("township", ["1", "2"], areas), ("grid", codes, shapes)])
    assert [entry["verdict"] for entry in levels] == ["exact", "exact"]
    assert levels[0]["boundary_digest"] == levels[1]["boundary_digest"]
    assert list(levels[0]) == [
        "level",
        "members",
        "edges",
        "boundary_edges",
        "twice_area",
        "boundary_digest",
        "digest",
        "verdict",
    ]
    said = certificate(tmp_path, levels)
    ground = written(tmp_path / "cells.geojson", "area_code", ["1"] * len(cells.cell), cells.geometry)
    grids = written(tmp_path / "grids.geojson", "grid_code", codes, shapes)
    assert verify_level.main(["grid", grids, said, "--cells", ground]) == 0
    towns = written(tmp_path / "townships.geojson", "area_code", ["1", "2"], areas)
    assert verify_level.main(["township", towns, said]) == 0


def test_the_order_of_members_changes_nothing(cells: Partition) -> None:
    codes, shapes = grids_of(cells, 5)
    assert prove_levels(cells.border, [("grid", codes, shapes)]) == prove_levels(
        cells.border, [("grid", codes[::-1], shapes[::-1])]
    )


def test_a_level_with_a_gap_or_an_overlap_is_refused(cells: Partition) -> None:
    codes, shapes = grids_of(cells, 4)
    with pytest.raises(ProofFailed):
        prove_levels(cells.border, [("grid", codes[1:], shapes[1:])])
    with pytest.raises(ProofFailed):
        prove_levels(cells.border, [("grid", [*codes, "G9"], np.append(shapes, shapes[:1]))])
    moved = shapes.copy()
    moved[0] = shapely.transform(shapes[0], lambda xy: xy + np.array([1, 0]))
    with pytest.raises(ProofFailed):
        prove_levels(cells.border, [("grid", codes, moved)])


def test_the_verifier_finds_what_was_changed_after_the_proof(
    cells: Partition, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    codes, shapes = grids_of(cells, 3)
    said = certificate(tmp_path, prove_levels(cells.border, [("grid", codes, shapes)]))
    ground = written(tmp_path / "cells.geojson", "area_code", ["1"] * len(cells.cell), cells.geometry)
    missing = written(tmp_path / "missing.geojson", "grid_code", codes[1:], shapes[1:])
    assert verify_level.main(["grid", missing, said, "--cells", ground]) == 1
    assert "members is 2, not 3" in capsys.readouterr().out
    twice = written(tmp_path / "twice.geojson", "grid_code", [*codes, "G9"], np.append(shapes, shapes[:1]))
    assert verify_level.main(["grid", twice, said]) == 1
    assert "members overlap near 111.2" in capsys.readouterr().out
    swapped = written(tmp_path / "swapped.geojson", "grid_code", codes, shapes[[1, 0, 2]])
    assert verify_level.main(["grid", swapped, said, "--cells", ground]) == 1
    assert "digest is" in capsys.readouterr().out
    assert verify_level.main(["county", missing, said]) == 2
    assert verify_level.main(["grid", str(tmp_path / "none.geojson"), said]) == 2
