"""Files made to do harm: each is refused with one clear message, and nothing is read, fetched or written."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pytest
import shapely

from gridmap.errors import BadValue, InputError, TooLarge, UnreadableFile
from gridmap.inputs import formats, read_areas, read_points
from gridmap.inputs import sandbox as sandbox_module
from gridmap.settings import Settings

SQUARE = shapely.box(111.0, 30.0, 111.1, 30.1)


@pytest.fixture
def square(tmp_path: Path) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"code": ["420506"], "name": ["夷陵"]}, geometry=[SQUARE], crs=4326)


@pytest.mark.parametrize("name", ["a.vrt", "a.geojson", "a.shp", "a.kml", "a.gpkg"])
def test_a_vrt_under_any_name_fetches_nothing(tmp_path, refused, canary, name):
    port, asked = canary
    source = f"<SrcDataSource>/vsicurl/http://127.0.0.1:{port}/ssrf.geojson</SrcDataSource>"
    (tmp_path / name).write_text(f'<OGRVRTDataSource><OGRVRTLayer name="x">{source}</OGRVRTLayer></OGRVRTDataSource>')
    with refused(UnreadableFile, name, "OGRVRTDataSource"):
        read_areas(tmp_path / name)
    assert asked == []


def test_a_vrt_reads_no_file_of_the_machine(tmp_path, refused):
    secret = tmp_path / "secret.csv"
    secret.write_text("x,y,password\n111,30,hunter2\n")
    (tmp_path / "a.geojson").write_text(
        f'<OGRVRTDataSource><OGRVRTLayer name="secret"><SrcDataSource>CSV:{secret}</SrcDataSource></OGRVRTLayer>'
        "</OGRVRTDataSource>"
    )
    with refused(UnreadableFile, "a.geojson"):
        read_points(tmp_path / "a.geojson")


def test_links_within_geojson_are_not_followed(tmp_path, canary, square):
    port, asked = canary
    document = json.loads(square.to_json())
    document["links"] = [{"rel": "next", "href": f"http://127.0.0.1:{port}/next"}]
    (tmp_path / "a.geojson").write_text(json.dumps(document))
    assert len(read_areas(tmp_path / "a.geojson").areas) == 1
    assert asked == []


def test_network_links_within_kml_are_not_followed(tmp_path, canary):
    port, asked = canary
    ring = " ".join(f"{x},{y},0" for x, y in SQUARE.exterior.coords)
    (tmp_path / "a.kml").write_text(
        '<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
        f"<NetworkLink><Link><href>http://127.0.0.1:{port}/net.kml</href></Link></NetworkLink>"
        "<Placemark><name>a</name><Polygon><outerBoundaryIs><LinearRing><coordinates>"
        f"{ring}</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></Document></kml>"
    )
    assert read_areas(tmp_path / "a.kml").areas["name"].tolist() == ["a"]
    assert asked == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    "entities",
    [
        '<!ENTITY a "lol">' + "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9)),
        '<!ENTITY j SYSTEM "file:///etc/passwd">',
    ],
    ids=["billion laughs", "external entity"],
)
def test_kml_with_entities_is_refused(tmp_path, refused, entities, encoding):
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE kml [{entities}]>'
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>&j;</name><Point><coordinates>1,2'
        "</coordinates></Point></Placemark></Document></kml>"
    )
    (tmp_path / "a.kml").write_text(text, encoding=encoding)
    with refused(UnreadableFile, "a.kml", "entities"):
        read_areas(tmp_path / "a.kml")


def test_deeply_nested_json_is_one_error(tmp_path, refused):
    deep = "[" * 200_000 + "]" * 200_000
    (tmp_path / "deep.geojson").write_text(
        f'{{"type":"Feature","properties":{{}},"geometry":{{"type":"Polygon","coordinates":{deep}}}}}'
    )
    with refused(UnreadableFile, "deep.geojson"):
        read_areas(tmp_path / "deep.geojson")


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path, refused):
    with (
        zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open("x.geojson", "w") as member,
    ):
        for _ in range(120):
            member.write(b" " * 1_000_000)
    with refused(TooLarge, "bomb.zip", "times"):
        read_areas(tmp_path / "bomb.zip")


def test_an_archive_larger_than_the_limit_is_refused(tmp_path, refused, monkeypatch, square):
    square.to_file(tmp_path / "a.geojson")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "a.geojson", "a.geojson")
        archive.writestr("noise.bin", np.random.default_rng(1).bytes(20_000))
    monkeypatch.setattr("gridmap.inputs.archives.settings", lambda: Settings(max_file_bytes=10_000))
    with refused(TooLarge, "a.zip"):
        read_areas(tmp_path / "a.zip")


def test_a_zip_that_lies_about_its_size_does_not_fill_the_disk(tmp_path, refused, monkeypatch):
    """The sizes in the directory are patched to 1 byte; what comes out is counted, or found not to match."""
    path = tmp_path / "liar.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.geojson", b"{" + b" " * 1_000_000 + b"}")
    content = path.read_bytes()
    true_size = (1_000_002).to_bytes(4, "little")
    assert content.count(true_size) == 2
    path.write_bytes(content.replace(true_size, (1).to_bytes(4, "little")))
    with refused(UnreadableFile, "liar.zip"):
        read_areas(path)


@pytest.mark.parametrize("name", ["../evil.geojson", "a/../../evil.geojson", "/evil.geojson", "..\\evil.geojson"])
def test_a_zip_entry_that_would_land_outside_is_refused(tmp_path, refused, name):
    with zipfile.ZipFile(tmp_path / "out.zip", "w") as archive:
        archive.writestr(name, "{}")
    with refused(UnreadableFile, "out.zip", "outside"):
        read_areas(tmp_path / "out.zip")
    assert sorted(entry.name for entry in tmp_path.rglob("*")) == ["out.zip"]


def test_a_link_in_a_zip_is_refused(tmp_path, refused):
    link = zipfile.ZipInfo("link.shp")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with refused(UnreadableFile, "link.zip", "link"):
        read_areas(tmp_path / "link.zip")


def test_a_zip_of_very_many_entries_is_refused(tmp_path, refused):
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(10_001):
            archive.writestr(f"{number}.txt", "")
    with refused(TooLarge, "many.zip"):
        read_areas(tmp_path / "many.zip")


def test_a_workbook_bomb_is_refused(tmp_path, refused):
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("xl/workbook.xml", b" " * 100_000_000)
    with refused(TooLarge, "bomb.xlsx"):
        read_points(tmp_path / "bomb.xlsx")


def test_a_workbook_with_a_billion_laughs_is_refused(tmp_path, refused):
    entities = '<!ENTITY a "lol">' + "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9))
    with zipfile.ZipFile(tmp_path / "lol.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("[Content_Types].xml", "xl/workbook.xml"):
            archive.writestr(name, f'<?xml version="1.0"?><!DOCTYPE x [{entities}]><workbook>&j;</workbook>')
    with refused(UnreadableFile, "lol.xlsx"):
        read_points(tmp_path / "lol.xlsx")


def test_a_database_that_is_no_geopackage_is_refused(tmp_path, refused):
    with sqlite3.connect(tmp_path / "a.gpkg") as database:
        database.execute("CREATE TABLE secrets (x)")
    with refused(UnreadableFile, "a.gpkg"):
        read_areas(tmp_path / "a.gpkg")


def test_a_csv_with_one_endless_field_is_refused(tmp_path, refused):
    (tmp_path / "a.csv").write_text('id,lon,lat\n"' + "x" * 1_000_000)
    with refused(UnreadableFile, "a.csv"):
        read_points(tmp_path / "a.csv")


def test_a_file_beyond_the_limit_of_vertices_is_refused_with_the_limit(tmp_path, refused, monkeypatch, square):
    square.geometry = shapely.buffer(square.geometry.to_numpy(), 0.1, quad_segs=64)
    square.to_file(tmp_path / "a.gpkg")
    monkeypatch.setattr("gridmap.inputs.polygons.settings", lambda: Settings(max_vertices=200))
    with refused(TooLarge, "a.gpkg", "200"):
        read_areas(tmp_path / "a.gpkg")


def test_a_file_beyond_the_limit_of_bytes_is_refused_with_the_limit(tmp_path, refused, monkeypatch, square):
    square.to_file(tmp_path / "a.gpkg")
    monkeypatch.setattr("gridmap.inputs.staging.settings", lambda: Settings(max_file_bytes=1000))
    with refused(TooLarge, "a.gpkg", "GRIDMAP_MAX_FILE_BYTES"):
        read_areas(tmp_path / "a.gpkg")


def test_a_reader_that_takes_too_long_is_stopped(tmp_path, refused, monkeypatch, square):
    square.to_file(tmp_path / "a.gpkg")
    monkeypatch.setattr("gridmap.inputs.sandbox.settings", lambda: Settings(read_timeout_s=0.01))
    with refused(TooLarge, "a.gpkg", "0.01 s"):
        read_areas(tmp_path / "a.gpkg")


def test_a_reader_that_wants_too_much_memory_is_stopped(tmp_path, refused, monkeypatch, square):
    (tmp_path / "a.geojson").write_text(square.to_json() + " " * 1_000)
    monkeypatch.setattr("gridmap.inputs.sandbox.settings", lambda: Settings(read_memory_bytes=60_000_000))
    with refused(TooLarge, "a.geojson", "60 MB"):
        read_areas(tmp_path / "a.geojson")


@pytest.mark.parametrize("code", ["import os; os.abort()", "import os; os.kill(os.getpid(), 11)", "print('{')"])
def test_a_reader_that_crashes_is_one_error(tmp_path, refused, monkeypatch, square, code):
    square.to_file(tmp_path / "a.gpkg")
    script = tmp_path / "crash.py"
    script.write_text(code)
    monkeypatch.setattr(sandbox_module, "_SCRIPT", script)
    with refused(UnreadableFile, "a.gpkg", "crashed"):
        read_areas(tmp_path / "a.gpkg")


def test_the_reader_has_no_driver_but_the_one_it_needs(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", "import pyogrio; print(sorted(pyogrio.list_drivers()))"],
        env=sandbox_module._environment(formats.Format.GEOJSON, tmp_path),
        capture_output=True,
        check=True,
        text=True,
    )
    assert ended.stdout.strip() == "['GeoJSON']"


def written(kind: str, folder: Path) -> Path:
    frame = gpd.GeoDataFrame(
        {"code": ["420506", "420507"], "name": ["夷陵", "塆子"]},
        geometry=[SQUARE, shapely.box(111.1, 30.0, 111.2, 30.1)],
        crs=4326,
    )
    path = folder / f"whole.{kind}"
    if kind == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_file(path, driver="LIBKML" if kind == "kml" else None)
    return path


@pytest.mark.parametrize("kind", ["geojson", "gpkg", "fgb", "kml", "parquet", "shp"])
def test_a_damaged_file_is_read_or_refused_and_never_a_crash(tmp_path, kind):
    """Cut short at several places, and with single bytes changed."""
    content = written(kind, tmp_path).read_bytes()
    random = np.random.default_rng(20)
    damaged = [content[: len(content) * cut // 5] for cut in (1, 3, 4)]
    for _ in range(3):
        one = bytearray(content)
        for position in random.integers(0, len(content), 8):
            one[position] ^= int(random.integers(1, 256))
        damaged.append(bytes(one))
    for number, version in enumerate(damaged):
        path = tmp_path / f"damaged{number}.{kind}"
        path.write_bytes(version)
        # Either outcome is right; anything but an InputError fails the test by itself.
        with contextlib.suppress(InputError):
            assert shapely.is_valid(read_areas(path).areas.geometry.to_numpy()).all()


def test_a_damaged_workbook_is_read_or_refused_and_never_a_crash(tmp_path):
    """Every byte changed that a seeded choice falls on; broken compression is among them."""
    book = openpyxl.Workbook()
    for row in (["id", "kind", "lon", "lat"], ["1", "atm", 111.1, 30.1]):
        book.active.append(row)
    book.save(tmp_path / "whole.xlsx")
    content = (tmp_path / "whole.xlsx").read_bytes()
    random = np.random.default_rng(22)
    outcomes = set()
    for _ in range(150):
        one = bytearray(content)
        for position in random.integers(0, len(content), 5):
            one[position] = int(random.integers(256))
        (tmp_path / "damaged.xlsx").write_bytes(one)
        try:
            outcomes.add(len(read_points(tmp_path / "damaged.xlsx").lonlat))
        except InputError as error:
            outcomes.add(error.key)
    assert "inputs.cannot_read" in outcomes


def test_arbitrary_bytes_after_a_known_magic_are_refused(tmp_path):
    random = np.random.default_rng(21)
    for number, magic in enumerate((b"SQLite format 3\x00", b"fgb\x03", b"PAR1", b"\x00\x00\x27\x0a", b"PK\x03\x04")):
        path = tmp_path / f"noise{number}.bin"
        path.write_bytes(magic + random.bytes(5000))
        with pytest.raises((UnreadableFile, TooLarge, BadValue)):
            read_areas(path)
