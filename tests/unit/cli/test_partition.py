"""Partition as a user meets it: what is printed where, which status, and which files appear."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import geopandas as gpd
import pytest

from gridmap import frames, verify
from gridmap.errors import ProofFailed

FORMATS = (".geojson", ".gpkg", ".fgb", ".parquet")


@pytest.mark.parametrize("extension", FORMATS)
def test_partition_validate_and_verifier_agree(run, villages, out, extension, names):
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


def test_json_is_one_object_and_all_there_is(run, villages, out, names):
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
    assert run("partition", villages, "-r", 7, "-o", out / "cells.geojson", "--quiet") == (0, "", "")
    assert run("validate", villages, "--quiet") == (0, "", "")


def test_progress_is_plain_lines_where_there_is_no_terminal(run, villages, out):
    said = run("partition", villages, "-r", 7, "-o", out / "cells.geojson").err
    assert said.splitlines() == ["reading villages.geojson …", "cutting …"]


@pytest.mark.parametrize("extension", FORMATS)
@pytest.mark.parametrize("fault", [ProofFailed("geometry.unproved", lon="1", lat="2"), KeyboardInterrupt()])
def test_a_failure_in_the_midst_of_the_areas_leaves_nothing(run, villages, out, monkeypatch, extension, fault, names):
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


def test_a_certificate_that_cannot_be_written_takes_the_cells_with_it(run, villages, out, monkeypatch, names):
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
def test_a_folder_in_the_place_of_an_output_is_refused_before_any_work(run, tmp_path, out, name, names):
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
def test_an_interrupt_leaves_nothing(villages, out, sent, names):
    # Ninety-odd thousand cells: long enough to be met in the midst of it.
    status, said = interrupted(["partition", str(villages), "-r", "11", "-o", str(out / "cells.geojson")], out, sent)
    assert status == 130, said
    assert "interrupted; nothing is left half-written" in said
    assert "Traceback" not in said
    assert names(out) == []


# --- repair ----------------------------------------------------------------------------------------------------------


def test_dirty_areas_are_named_with_both_ids_width_and_place(run, dirty, out, names):
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


def test_repair_refuses_what_is_wider_than_the_tolerance(run, dirty, out, names):
    ran = run("partition", dirty, "-r", 7, "-o", out / "cells.geojson", "--repair", "--tolerance", 0.35)
    assert ran.status == 1
    assert "overlap" in ran.err
    assert "gap" not in ran.err
    assert names(out) == []
