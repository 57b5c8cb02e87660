"""The command line as a user meets it: calls, help, statuses, and what may befall any run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gridmap import cli, frames
from gridmap.errors import ProofFailed


def test_version(run):
    ran = run("--version")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("gridmap 0.")


@pytest.mark.parametrize("verb", ["demo", "plan", "explain", "partition", "validate"])
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


def test_a_bug_of_ours_is_said_to_be_one(run, villages, out, monkeypatch, capsys, names):
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
def test_what_may_befall_a_run(run, villages, out, monkeypatch, fault, status, word, names):
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
