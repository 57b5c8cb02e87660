"""The command line as a user meets it: what is printed where, which status, and which files appear."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import gridmap
from gridmap import cli, frames, verify
from gridmap.errors import ProofFailed

FORMATS = (".geojson", ".gpkg", ".fgb", ".parquet")
CODES = ["990101001001", "990101001002", "990101001003"]
BOXES = [shapely.box(west, 30.0, east, 30.1) for west, east in ((111.0, 111.1), (111.1, 111.2), (111.2, 111.3))]
OUTLETS = "id,name,kind,lon,lat\nW1,东塆支行,branch,111.05,30.05\nW2,西漷支行,branch,111.25,30.05\n"
DEVICES = "id,kind,lon,lat\nD1,rural_cash_point,111.15,30.05\n"
PLAN = """
[plan]
name = "三村网格"
[areas.village]
path = "villages.geojson"
[facilities.outlets]
path = "outlets.csv"
[facilities.devices]
path = "devices.csv"
[partition]
resolution = 7
"""


class Ran(NamedTuple):
    status: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process."""

    def ran(*arguments: object) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert "Traceback" not in said.err, said.err
        return Ran(int(ended.value.code or 0), said.out, said.err)

    return ran


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDMAP_LANGUAGE", "en")


@pytest.fixture
def villages(tmp_path: Path) -> Path:
    """Three villages in a file, with all that a plan needs beside it."""
    path = tmp_path / "villages.geojson"
    gpd.GeoDataFrame({"area_code": CODES}, geometry=BOXES, crs=4326).to_file(path)
    (tmp_path / "outlets.csv").write_text(OUTLETS, encoding="utf-8")
    (tmp_path / "devices.csv").write_text(DEVICES, encoding="utf-8")
    (tmp_path / "plan.toml").write_text(PLAN, encoding="utf-8")
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# --- the program itself ----------------------------------------------------------------------------------------------


def test_version(run):
    ran = run("--version")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("gridmap 0.")


@pytest.mark.parametrize("verb", ["demo", "plan", "partition", "validate"])
def test_every_verb_has_help_with_an_example(run, verb):
    assert verb in run("--help").out
    ran = run(verb, "--help")
    assert ran.status == 0
    assert f"gridmap {verb}" in ran.out


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((), ""),
        (("nonsense",), "nonsense"),
        (("partition",), "AREAS"),
        (("partition", "a.geojson"), "resolution"),
        (("partition", "a.geojson", "-r", "16", "-o", "b.geojson"), "resolution"),
        (("partition", "a.geojson", "-r", "eight", "-o", "b.geojson"), "integer"),
        (("validate", "a.geojson", "--format", "pdf"), "pdf"),
        (("validate", "a.geojson", "--tolerance", "-1"), "tolerance"),
        (("plan", "plan.toml"), "output"),
        (("partition", "a.geojson", "--no-such-option"), "no-such-option"),
    ],
)
def test_a_call_that_cannot_be_meant(run, arguments, word):
    ran = run(*arguments)
    assert ran.status == 2
    assert word in ran.err + ran.out


def test_a_bug_of_ours_is_said_to_be_one(run, villages, out, monkeypatch, capsys):
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("three")

    monkeypatch.setattr(frames, "read_areas", broken)
    with pytest.raises(SystemExit) as ended:
        cli.main(["partition", str(villages), "-r", "7", "-o", str(out / "cells.geojson")])
    said = capsys.readouterr().err
    assert ended.value.code == 3
    assert "a fault of gridmap" in said
    assert "ZeroDivisionError: three" in said
    assert names(out) == []


@pytest.mark.parametrize(
    ("fault", "status", "word"),
    [
        (MemoryError(), 3, "memory"),
        (OSError(28, "No space left on device", "scratch"), 3, "scratch: the system refused: No space left"),
        (ProofFailed("geometry.unproved", lon="1", lat="2"), 3, "could not be proved"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_what_may_befall_a_run(run, villages, out, monkeypatch, fault, status, word):
    def fails(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(frames, "read_areas", fails)
    ran = run("partition", villages, "-r", 7, "-o", out / "cells.geojson")
    assert (ran.status, ran.out) == (status, "")
    assert word in ran.err
    assert names(out) == []


def test_a_setting_that_is_none_is_named(villages):
    ran = subprocess.run(
        [sys.executable, "-m", "gridmap", "validate", str(villages)],
        env={**os.environ, "GRIDMAP_MAX_VERTICES": "many"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert 'GRIDMAP_MAX_VERTICES is "many"' in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_terminal_without_our_characters_costs_no_result(villages):
    ran = subprocess.run(
        [sys.executable, "-m", "gridmap", "validate", str(villages)],
        env={**os.environ, "GRIDMAP_LANGUAGE": "zh", "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0
    assert b"\\u6709\\u6548" in ran.stdout
    assert b"Traceback" not in ran.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_behind_standard_output(villages):
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "gridmap", "validate", str(villages)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ran.returncode == 3
    assert "No space left on device" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "Exception ignored" not in ran.stderr


def test_a_reader_that_goes_away_is_no_error(villages):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as gone:
        ran = subprocess.run(
            [sys.executable, "-m", "gridmap", "validate", str(villages)],
            stdout=gone,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (ran.returncode, ran.stderr) == (141, "")


# --- partition -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("extension", FORMATS)
def test_partition_validate_and_verifier_agree(run, villages, out, extension):
    cells = out / f"cells{extension}"
    ran = run("partition", villages, "-r", 7, "-o", cells)
    assert ran.status == 0
    assert "partition exact" in ran.out
    assert names(out) == sorted([cells.name, "certificate.json"])
    assert run("validate", cells, "--areas", villages).status == 0
    back = out / "back.geojson"
    frame = gpd.read_parquet(cells) if extension == ".parquet" else gpd.read_file(cells)
    assert set(frame.columns) == {"cell_id", "area_code", "area_m2", "geometry"}
    if extension != ".geojson":
        from gridmap.exports.vector import write_features

        write_features(back, [frame.set_crs(4326, allow_override=True)])
    proved = back if back.exists() else cells
    assert verify.main([str(proved), str(out / "certificate.json"), "--areas", str(villages)]) == 0


def test_partition_twice_gives_equal_bytes(run, villages, tmp_path):
    made = []
    for name in ("first", "second"):
        folder = tmp_path / name
        assert run("partition", villages, "-r", 7, "-o", folder / "cells.geojson").status == 0
        made.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert made[0] == made[1]
    assert set(made[0]) == {"cells.geojson", "certificate.json"}


def test_json_is_one_object_and_all_there_is(run, villages, out):
    ran = run("partition", villages, "-r", 7, "-o", out / "cells.geojson", "--json")
    said = json.loads(ran.out)
    certificate = json.loads((out / "certificate.json").read_bytes())
    assert (ran.status, ran.err) == (0, "")
    assert said["digest"] == certificate["digest"]
    assert (said["verdict"], said["areas"], said["warnings"]) == ("exact", 3, [])
    assert said["cells"] == len(json.loads((out / "cells.geojson").read_bytes())["features"])
    assert {said["output"], said["certificate"]} == {str(out / name) for name in names(out)}


def test_json_of_a_failure_is_silence_on_standard_output(run, tmp_path, out):
    ran = run("partition", tmp_path / "none.geojson", "-r", 7, "-o", out / "cells.geojson", "--json")
    assert (ran.status, ran.out) == (2, "")
    assert "none.geojson" in ran.err


def test_quiet_says_nothing_of_what_went_well(run, villages, out):
    assert run("partition", villages, "-r", 7, "-o", out / "cells.geojson", "--quiet") == Ran(0, "", "")
    assert run("validate", villages, "--quiet") == Ran(0, "", "")


def test_progress_is_plain_lines_where_there_is_no_terminal(run, villages, out):
    said = run("partition", villages, "-r", 7, "-o", out / "cells.geojson").err
    assert said.splitlines() == ["reading villages.geojson …", "cutting …"]


@pytest.mark.parametrize("extension", FORMATS)
@pytest.mark.parametrize("fault", [ProofFailed("geometry.unproved", lon="1", lat="2"), KeyboardInterrupt()])
def test_a_failure_in_the_midst_of_the_areas_leaves_nothing(run, villages, out, monkeypatch, extension, fault):
    whole = frames.cut_areas

    def third_fails(*arguments: object) -> object:
        for done, pieces in enumerate(whole(*arguments)):
            if done == 2:
                raise fault
            yield pieces

    monkeypatch.setattr(frames, "cut_areas", third_fails)
    ran = run("partition", villages, "-r", 7, "-o", out / f"cells{extension}")
    assert ran.status == (130 if isinstance(fault, KeyboardInterrupt) else 3)
    assert names(out) == []


def test_a_certificate_that_cannot_be_written_takes_the_cells_with_it(run, villages, out, monkeypatch):
    from gridmap.exports import json_file

    (out / "cells.geojson").write_text("older")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(json_file, "write_json", full)
    ran = run("partition", villages, "-r", 7, "-o", out / "cells.geojson")
    assert ran.status == 3
    assert "No space left on device" in ran.err
    assert names(out) == ["cells.geojson"]
    assert (out / "cells.geojson").read_text() == "older"


@pytest.mark.parametrize("name", ["cells.zip", "cells", "cells.shp", "cells.geojson.gz", ".geojson"])
def test_an_unknown_extension_is_refused_before_any_work(run, tmp_path, out, name):
    ran = run("partition", tmp_path / "not-even-read.geojson", "-r", 7, "-o", out / name)
    assert ran.status == 2
    assert ".gpkg" in ran.err
    assert "not-even-read" not in ran.err


@pytest.mark.parametrize("name", ["cells.geojson", "certificate.json"])
def test_a_folder_in_the_place_of_an_output_is_refused_before_any_work(run, tmp_path, out, name):
    (out / name).mkdir()
    ran = run("partition", tmp_path / "not-even-read.geojson", "-r", 7, "-o", out / "cells.geojson")
    assert ran.status == 2
    assert f"{name}: cannot write here" in ran.err
    assert names(out) == [name]


def test_an_output_below_a_file_is_refused_before_any_work(run, tmp_path, villages):
    ran = run("partition", tmp_path / "not-even-read.geojson", "-r", 7, "-o", villages / "deep" / "cells.geojson")
    assert ran.status == 2
    assert "cannot write here" in ran.err


def test_an_output_that_is_the_input_is_refused(run, villages, out, tmp_path):
    before = villages.read_bytes()
    link = tmp_path / "link.geojson"
    link.symlink_to(villages)
    for output in (villages, link, out / ".." / villages.name):
        ran = run("partition", villages, "-r", 7, "-o", output)
        assert ran.status == 2
        assert "would replace an input" in ran.err
    assert run("validate", villages, "--fix", villages).status == 2
    assert villages.read_bytes() == before


def interrupted(arguments: list[str], folder: Path, sent: signal.Signals) -> tuple[int, str]:
    """Start the program, send it a signal when it has begun to write into a folder; its status and standard error."""
    running = subprocess.Popen(
        [sys.executable, "-m", "gridmap", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "GRIDMAP_LANGUAGE": "en"},
    )
    until = time.monotonic() + 60
    while running.poll() is None and time.monotonic() < until and not any(folder.iterdir()):
        time.sleep(0.01)
    assert running.poll() is None, "it ended before it could be interrupted"
    running.send_signal(sent)
    _, said = running.communicate(timeout=60)
    return running.returncode, said


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_an_interrupt_leaves_nothing(villages, out, sent):
    # Ninety-odd thousand cells: long enough to be met in the midst of it.
    status, said = interrupted(["partition", str(villages), "-r", "11", "-o", str(out / "cells.geojson")], out, sent)
    assert status == 130, said
    assert "interrupted; nothing is left half-written" in said
    assert "Traceback" not in said
    assert names(out) == []


# --- repair ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def dirty(tmp_path: Path) -> Path:
    """Write areas with a gap of 0.3 m between north and south-west, an overlap of 0.4 m of north and south-east."""
    metre = 1 / 111_320
    path = tmp_path / "dirty.geojson"
    squares = [
        shapely.box(111.0, 30.1, 111.2, 30.2),
        shapely.box(111.0, 30.0, 111.1, 30.1 - 0.3 * metre),
        shapely.box(111.1, 30.0, 111.2, 30.1 + 0.4 * metre),
        shapely.box(110.9, 30.0, 111.0, 30.2),
    ]
    codes = ["north", "south-west", "south-east", "west"]
    gpd.GeoDataFrame({"code": codes}, geometry=squares, crs=4326).to_file(path, COORDINATE_PRECISION=9)
    return path


def test_dirty_areas_are_named_with_both_ids_width_and_place(run, dirty, out):
    ran = run("partition", dirty, "-r", 7, "-o", out / "cells.geojson")
    assert ran.status == 1
    lines = [line for line in ran.err.splitlines() if line.lstrip().startswith("- ")]
    gap = next(line for line in lines if "gap" in line)
    overlap = next(line for line in lines if "overlap" in line)
    assert len(lines) == 2
    assert {"north", "south-west"} <= set(gap.replace(",", " ").replace(";", " ").split())
    assert {"north", "south-east"} <= set(overlap.replace(",", " ").replace(";", " ").split())
    for line, width in ((gap, 0.3), (overlap, 0.4)):
        said = float(line.split(" m wide")[0].split()[-1])
        assert said == pytest.approx(width, rel=0.02)
        assert "at 111." in line
    assert "--repair" in ran.err
    assert names(out) == []


def test_repair_closes_and_reports(run, dirty, out):
    ran = run("partition", dirty, "-r", 7, "-o", out / "cells.geojson", "--repair")
    assert ran.status == 0
    assert "dirty.geojson: 2 faults between areas closed" in ran.err
    assert run("validate", out / "cells.geojson").status == 0


def test_repair_refuses_what_is_wider_than_the_tolerance(run, dirty, out):
    ran = run("partition", dirty, "-r", 7, "-o", out / "cells.geojson", "--repair", "--tolerance", 0.35)
    assert ran.status == 1
    assert "overlap" in ran.err
    assert "gap" not in ran.err
    assert names(out) == []


# --- validate --------------------------------------------------------------------------------------------------------


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
    areas = gpd.read_file(villages).rename(columns={"area_code": "nr"}).assign(code=["x", "y", "z"])
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


# --- plan ------------------------------------------------------------------------------------------------------------


def test_a_plan_is_written_and_loads_as_it_was_built(run, villages, out):
    folder = out / "plan"
    ran = run("plan", villages.with_name("plan.toml"), "-o", folder)
    assert ran.status == 0, ran.err
    assert "三村网格" in ran.out
    assert {"plan.gpkg", "cells.geojson", "certificate.json", "report.md", "index.html"} <= set(names(folder))
    settings = gridmap.read_plan_file(villages.with_name("plan.toml"))
    built = gridmap.build_plan(settings, gridmap.read_plan_inputs(settings, villages.parent))
    loaded = gridmap.load_plan(folder)
    assert loaded.settings == built.settings
    assert loaded.certificate == built.certificate
    assert loaded.indicators == built.indicators
    assert loaded.rules == built.rules
    for name in ("areas", "cells", "grids", "facilities", "assignments", "gaps", "jurisdictions"):
        there, here = getattr(loaded, name), getattr(built, name)
        assert set(there.columns) == set(here.columns), name
        pd.testing.assert_frame_equal(
            pd.DataFrame(there).drop(columns="geometry", errors="ignore"),
            pd.DataFrame(here).drop(columns="geometry", errors="ignore").reset_index(drop=True),
            check_dtype=False,
            check_like=True,
        )
        if "geometry" in here:
            assert shapely.equals_identical(there.geometry.to_numpy(), np.asarray(here.geometry)).all(), name
    proof = [str(folder / "cells.geojson"), str(folder / "certificate.json"), "--areas", str(villages)]
    assert verify.main(proof) == 0
    assert run("validate", folder / "cells.geojson", "--areas", villages).status == 0
    layers = ("--layer", "cells", "--areas", folder / "plan.gpkg", "--areas-layer", "areas")
    assert run("validate", folder / "plan.gpkg", *layers).status == 0


def test_a_plan_as_json_is_one_object_and_quiet_is_silent(run, villages, out):
    ran = run("plan", villages.with_name("plan.toml"), "-o", out / "plan", "--json")
    said = json.loads(ran.out)
    assert (ran.status, ran.err) == (0, "")
    assert said["verdict"] == "exact"
    assert set(said["files"]) == set(names(out / "plan"))
    assert {"digest", "indicators", "rules", "warnings", "output"} <= set(said)
    again = run("plan", villages.with_name("plan.toml"), "-o", out / "plan", "--quiet")
    assert (again.status, again.out) == (0, "")


def test_a_plan_does_not_replace_a_folder_of_the_users(run, villages, out):
    (out / "thesis.docx").write_text("years of work")
    ran = run("plan", villages.with_name("plan.toml"), "-o", out)
    assert ran.status == 2
    assert names(out) == ["thesis.docx"]


def test_a_plan_does_not_replace_its_own_inputs(run, villages, out):
    folder = out / "plan"
    assert run("plan", villages.with_name("plan.toml"), "-o", folder, "--quiet").status == 0
    text = PLAN.replace('"villages.geojson"', f'"{folder.name}/grids.geojson"')
    (out / "again.toml").write_text(text, encoding="utf-8")
    before = (folder / "grids.geojson").read_bytes()
    ran = run("plan", out / "again.toml", "-o", folder)
    assert ran.status == 2
    assert "would replace an input" in ran.err
    assert (folder / "grids.geojson").read_bytes() == before


def test_repair_of_a_plan_names_the_file(run, dirty, out):
    text = PLAN.replace("villages.geojson", dirty.name)
    for name, content in (("plan.toml", text), ("outlets.csv", OUTLETS), ("devices.csv", DEVICES)):
        (dirty.parent / name).write_text(content, encoding="utf-8")
    refused = run("plan", dirty.parent / "plan.toml", "-o", out / "plan")
    assert refused.status == 1
    assert names(out) == []
    ran = run("plan", dirty.parent / "plan.toml", "-o", out / "plan", "--repair")
    assert ran.status == 0, ran.err
    assert "dirty.geojson: 2 faults between areas closed" in ran.err


def test_the_demo_finds_its_samples_and_says_where_it_wrote(run, out, monkeypatch):
    asked: list[Path] = []
    monkeypatch.setattr(cli, "_plan", lambda file, folder, **_: asked.extend([file, folder]))
    assert run("demo", "-o", out).status == 0
    assert asked[0].read_text("utf-8").startswith("#")
    assert asked[1] == out
    monkeypatch.setattr(cli, "files", lambda _: out)
    monkeypatch.setattr(cli, "__file__", str(out / "a" / "b" / "cli.py"))
    ran = run("demo", "-o", out)
    assert ran.status == 2
    assert "not installed" in ran.err
