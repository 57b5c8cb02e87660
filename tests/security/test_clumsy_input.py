"""Clumsy and hostile files through the command line: one clear message, a status of 1 or 2, and nothing written."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely

from gridmap import cli

RING = [[111.0, 30.0], [111.1, 30.0], [111.1, 30.1], [111.0, 30.1], [111.0, 30.0]]
OUTLETS = "id,name,kind,lon,lat\nW1,一,branch,111.05,30.05\n"
PLAN = """
[plan]
name = "x"
[areas.village]
path = "villages.geojson"
[facilities.outlets]
path = "outlets.csv"
[demand]
path = "people.csv"
value = "people"
[partition]
resolution = 6
"""
PEOPLE = "lon,lat,people\n111.05,30.05,100\n"


def collection(*geometries: object, **properties: object) -> str:
    features = [
        {"type": "Feature", "properties": {"code": f"v{row}", **properties}, "geometry": geometry}
        for row, geometry in enumerate(geometries)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features})


def polygon(ring: list[list[float]]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [ring]}


SQUARE = polygon(RING)
SQUARES = collection(SQUARE)

Check = Callable[..., None]


@pytest.fixture
def chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDMAP_LANGUAGE", "zh")


@pytest.fixture
def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Check:
    """Run and demand one refusal: status 1 or 2, its words, no traceback, no file that was not there before."""

    def check(*arguments: object, words: str, status: int = 2) -> None:
        before = sorted(path for path in tmp_path.rglob("*") if path.name != "out")
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert ended.value.code == status, said.err
        assert said.out == ""
        assert "Traceback" not in said.err
        messages = [line for line in said.err.splitlines() if line.startswith("gridmap: ")]
        assert len(messages) == 1, said.err
        assert re.search(words, said.err), said.err
        assert not re.search(r"\{[a-z_]+\}", messages[0]), "a placeholder is left"
        assert "gridmap-" not in said.err, "names the staged copy"
        assert sorted(path for path in tmp_path.rglob("*") if path.name != "out") == before

    return check


AREAS: dict[str, tuple[str, str | bytes, str, int]] = {
    "an empty file": ("a.geojson", b"", r"a\.geojson", 2),
    "a picture": ("a.geojson", b"\x89PNG\r\n\x1a\n" + bytes(100), r"a\.geojson", 2),
    "a wrong extension": ("a.shp", SQUARES[:40].encode(), r"a\.shp", 2),
    "half a file": ("a.geojson", SQUARES[: len(SQUARES) // 2], r"a\.geojson", 2),
    "no features": ("a.geojson", collection(), r"a\.geojson", 2),
    "swapped": ("a.geojson", collection(polygon([[y, x] for x, y in RING])), r"111", 2),
    "not a number": ("a.geojson", SQUARES.replace("111.0", "NaN"), r"a\.geojson", 2),
    "1e308": ("a.geojson", SQUARES.replace("111.1", "1e308"), r"a\.geojson", 2),
    "an unclosed ring": ("a.geojson", collection(polygon(RING[:3])), r"a\.geojson", 2),
    "a bow-tie": ("a.geojson", collection(polygon([RING[0], RING[2], RING[1], RING[3], RING[0]])), r"30\.05", 2),
    "a point": ("a.geojson", collection({"type": "Point", "coordinates": RING[0]}), r"Point", 2),
    "nothing drawn": ("a.geojson", collection(SQUARE, None), r"v1", 2),
    "a collection of lines": (
        "a.geojson",
        collection({"type": "GeometryCollection", "geometries": [{"type": "LineString", "coordinates": RING}]}),
        r"GeometryCollection",
        2,
    ),
    "a code twice": ("a.geojson", collection(SQUARE, SQUARE, code="x"), r"\bx\b", 2),
    "an area twice": ("a.geojson", collection(SQUARE, SQUARE), r"v0.*v1", 1),
    "the antimeridian": (
        "a.geojson",
        collection(polygon([[179.99, 0.0], [180.0, 0.0], [180.0, 0.1], [179.99, 0.1], [179.99, 0.0]])),
        r"180|179",
        2,
    ),
}


@pytest.mark.parametrize("case", AREAS)
def test_areas_that_cannot_be_cut(case, tmp_path, refused, monkeypatch):
    monkeypatch.setenv("GRIDMAP_LANGUAGE", "en")
    name, content, words, status = AREAS[case]
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    out = tmp_path / "out" / "cells.geojson"
    refused("partition", tmp_path / name, "-r", 6, "-o", out, words=words, status=status)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--datum", "mars"), "mars"),
        (("--datum", "EPSG:999999"), "999999"),
        (("--code", "nothing"), "nothing.*code|nothing"),
        (("--layer", "nothing"), "nothing"),
        (("--encoding", "klingon"), "klingon"),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_options_that_do_not_fit_the_file(options, words, language, tmp_path, refused, monkeypatch):
    monkeypatch.setenv("GRIDMAP_LANGUAGE", language)
    (tmp_path / "a.geojson").write_text(SQUARES)
    out = tmp_path / "out" / "cells.geojson"
    refused("partition", tmp_path / "a.geojson", "-r", 6, "-o", out, *options, words=words)


def test_a_missing_file_a_folder_and_a_name_of_many_characters(tmp_path, refused, chinese):
    (tmp_path / "folder.geojson").mkdir()
    for name in ("none.geojson", "folder.geojson", "夷陵.geojson"):
        refused("partition", tmp_path / name, "-r", 6, "-o", tmp_path / "out" / "c.geojson", words=re.escape(name))
    long = tmp_path / ("x" * 300)
    refused("partition", long, "-r", 6, "-o", tmp_path / "out" / "c.geojson", words="x" * 300)


@pytest.mark.parametrize("part", [".shp", ".shx", ".dbf"])
def test_a_shapefile_with_a_part_of_no_bytes(part, tmp_path, refused, chinese):
    gpd.GeoDataFrame({"code": ["a"]}, geometry=[shapely.box(111, 30, 111.1, 30.1)], crs=4326).to_file(
        tmp_path / "a.shp"
    )
    (tmp_path / f"a{part}").write_bytes(b"")
    refused("partition", tmp_path / "a.shp", "-r", 6, "-o", tmp_path / "out" / "c.gpkg", words=r"a\.(shp|shx|dbf)")


def test_an_archive_that_reaches_out_of_its_folder(tmp_path, refused, chinese):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("../../evil.geojson", SQUARES)
    refused("partition", tmp_path / "a.zip", "-r", 6, "-o", tmp_path / "out" / "c.geojson", words=r"a\.zip")


def test_more_vertices_than_the_stated_limit(tmp_path, refused, monkeypatch):
    from gridmap.settings import settings

    monkeypatch.setenv("GRIDMAP_LANGUAGE", "en")
    monkeypatch.setenv("GRIDMAP_MAX_VERTICES", "4")
    settings.cache_clear()
    try:
        (tmp_path / "a.geojson").write_text(SQUARES)
        refused("partition", tmp_path / "a.geojson", "-r", 6, "-o", tmp_path / "out" / "c.geojson", words="limit.*4|4")
    finally:
        monkeypatch.undo()
        settings.cache_clear()


PLANS: dict[str, tuple[str, str, str]] = {
    "no TOML": ("plan.toml", "[plan\nname = ", r"plan\.toml"),
    "an unknown key": ("plan.toml", PLAN.replace("resolution", "resolutoin"), "resolution"),
    "a resolution that is none": ("plan.toml", PLAN.replace("= 6", "= 16"), r"partition\.resolution"),
    "a file that is not there": ("plan.toml", PLAN.replace("outlets.csv", "shops.csv"), r"shops\.csv"),
    "a datum that is none": ("plan.toml", PLAN.replace('"outlets.csv"', '"outlets.csv"\ndatum = "mars"'), "mars"),
    "no column of longitudes": ("outlets.csv", OUTLETS.replace("lon", "where"), r"outlets\.csv"),
    "no column of kinds": ("outlets.csv", OUTLETS.replace("kind", "sort").replace("branch", "?"), r"outlets\.csv"),
    "an id twice": ("outlets.csv", OUTLETS + "W1,二,branch,111.06,30.06\n", "W1"),
    "swapped": ("outlets.csv", OUTLETS.replace("111.05,30.05", "30.05,111.05"), r"outlets\.csv.*row 2"),
    "not a number": ("outlets.csv", OUTLETS.replace("111.05", "NaN"), r"row 2"),
    "1e308": ("outlets.csv", OUTLETS.replace("111.05", "1e308"), r"row 2"),
    "an unknown kind": ("outlets.csv", OUTLETS.replace("branch", "castle"), "castle"),
    "an outlet in the sea": ("outlets.csv", OUTLETS.replace("111.05,30.05", "125.0,25.0"), "W1"),
    "an empty table": ("outlets.csv", "", r"outlets\.csv"),
    "no column of people": ("people.csv", PEOPLE.replace("people", "sheep"), "people"),
    "people less than none": ("people.csv", PEOPLE.replace("100", "-100"), r"people\.csv"),
    "people without number": ("people.csv", PEOPLE.replace("100", "many"), "many"),
}


@pytest.mark.parametrize("case", PLANS)
def test_plans_that_cannot_be_made(case, tmp_path, refused, monkeypatch):
    monkeypatch.setenv("GRIDMAP_LANGUAGE", "en")
    name, content, words = PLANS[case]
    whole = {"plan.toml": PLAN, "villages.geojson": SQUARES, "outlets.csv": OUTLETS, "people.csv": PEOPLE}
    for file, text in (whole | {name: content}).items():
        (tmp_path / file).write_text(text, encoding="utf-8")
    refused("plan", tmp_path / "plan.toml", "-o", tmp_path / "out", words=words)


@pytest.mark.parametrize("case", ["an empty file", "half a file", "no features", "1e308"])
def test_partitions_that_cannot_be_judged(case, tmp_path, refused, chinese):
    name, content, _, _ = AREAS[case]
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    refused("validate", tmp_path / name, "--fix", tmp_path / "out" / "fixed.geojson", words=r"a\.geojson")


@pytest.mark.parametrize("case", ["a point", "nothing drawn"])
def test_pieces_beyond_mending_are_named_and_not_written(case, tmp_path, capsys, chinese):
    name, content, _, _ = AREAS[case]
    (tmp_path / name).write_text(str(content))
    with pytest.raises(SystemExit) as ended:
        cli.main(["validate", str(tmp_path / name), "--json", "--fix", str(tmp_path / "fixed.geojson")])
    said = capsys.readouterr()
    assert ended.value.code == 1
    assert "invalid" in {fault["kind"] for fault in json.loads(said.out)["faults"]}
    assert "fixed.geojson" in said.err
    assert [path.name for path in tmp_path.iterdir()] == [name]
