"""Validation as a user meets it: the verdict in every format, and what is mended."""

from __future__ import annotations

import io
import json
from xml.etree import ElementTree

import geopandas as gpd
import pytest

import gridmap

FORMATS = (".geojson", ".gpkg", ".fgb", ".parquet")


def test_validate_answers_in_every_format(run, dirty):
    def said(form: str) -> str:
        ran = run("validate", dirty, "--id", "code", "--format", form)
        assert ran.status == 1
        return ran.out

    assert "invalid" in said("text")
    faults = json.loads(said("json"))["faults"]
    assert {fault["kind"] for fault in faults} == {"gap", "overlap"}
    assert all(set(fault) >= {"kind", "lon", "lat", "area_m2", "width_m", "ids", "message"} for fault in faults)
    assert json.loads(run("validate", dirty, "--id", "code", "--json").out)["faults"] == faults
    suite = ElementTree.parse(io.StringIO(said("junit"))).getroot()  # noqa: S314 - our own output
    assert suite.get("failures") == str(len(faults))
    results = json.loads(said("sarif"))["runs"][0]["results"]
    assert {result["ruleId"] for result in results if result["level"] == "error"} == {"gap", "overlap"}
    assert said("github").count("::error ") == len(faults)


def test_validate_finds_a_lost_piece_by_its_area(run, villages, out):
    cells = out / "cells.geojson"
    assert run("partition", villages, "-r", 7, "-o", cells).status == 0
    document = json.loads(cells.read_bytes())
    lost = document["features"].pop(5)
    cells.write_text(json.dumps(document))
    ran = run("validate", cells, "--areas", villages, "--json")
    assert ran.status == 1
    faults = json.loads(ran.out)["faults"]
    assert [fault["kind"] for fault in faults] == ["gap"]
    assert faults[0]["area_m2"] == pytest.approx(lost["properties"]["area_m2"], rel=1e-6)
    assert run("validate", cells, "--areas", villages, "--quiet").out == ""


def test_validate_takes_the_columns_and_layers_it_is_told(run, villages, tmp_path):
    both = tmp_path / "both.gpkg"
    cells = gridmap.partition(gpd.read_file(villages), 7).cells
    cells.rename(columns={"cell_id": "tag"}).to_file(both, layer="cells")
    # By the column "code" one piece's label fits an area that is not its own.
    nr = gpd.read_file(villages)["area_code"].tolist()
    areas = gpd.read_file(villages).rename(columns={"area_code": "nr"}).assign(code=[nr[1], nr[0], "z"])
    areas.to_file(both, layer="areas")
    asked = ("validate", both, "--layer", "cells", "--areas", both, "--areas-layer", "areas", "--id", "tag")
    assert run(*asked, "--code", "nr").status == 0
    wrong = run(*asked, "--json")
    assert wrong.status == 1
    for option in ("--code", "--id"):
        ran = run(*asked, option, "absent")
        assert ran.status == 2
        assert 'no column "absent"' in ran.err
        assert "nr" in ran.err or "tag" in ran.err
    assert run("validate", both, "--layer", "cells", "--areas", both).status == 2


@pytest.mark.parametrize("extension", FORMATS)
def test_fix_writes_a_mended_partition_and_judges_that(run, dirty, out, extension):
    fixed = out / f"fixed{extension}"
    ran = run("validate", dirty, "--fix", fixed)
    assert ran.status == 0
    assert "valid" in ran.out
    assert ran.err.strip()
    assert run("validate", fixed).status == 0
    frame = gpd.read_parquet(fixed) if extension == ".parquet" else gpd.read_file(fixed)
    assert sorted(frame["code"]) == sorted(gpd.read_file(dirty)["code"])


def test_fix_leaves_wider_faults_and_says_so_by_its_status(run, dirty, out):
    assert run("validate", dirty, "--fix", out / "fixed.geojson", "--tolerance", 0.35).status == 1


def test_what_cannot_be_validated_is_status_two(run, villages, tmp_path):
    assert run("validate", tmp_path / "none.geojson").status == 2
    assert run("validate", villages, "--areas", tmp_path / "none.geojson").status == 2
    assert run("validate", villages, "--fix", tmp_path / "fixed.shp").status == 2
