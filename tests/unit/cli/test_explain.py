"""``gridmap explain`` as a user meets it: a place or a cell, in words or JSON, and what it refuses."""

from __future__ import annotations

import json

import pytest

import gridmap


@pytest.fixture
def made(run, villages, out):
    folder = out / "plan"
    assert run("plan", villages.with_name("plan.toml"), "-o", folder, "--quiet").status == 0
    return folder


def test_a_place_is_explained_in_words(run, made, monkeypatch):
    ran = run("explain", made, "--lon", "111.05", "--lat", "30.05")
    grid = gridmap.explain(gridmap.load_plan(made), 111.05, 30.05).grid
    assert (ran.status, ran.err) == (0, "")
    assert f"{grid.name} ({grid.grid_code})" in ran.out
    assert "东塆支行" in ran.out
    assert ran.out.rstrip().split("\n")[-1].startswith("It stays")
    monkeypatch.setenv("GRIDMAP_LANGUAGE", "zh")
    assert "结论：" in run("explain", made, "--lon", "111.05", "--lat", "30.05").out


def test_a_cell_is_explained_as_json_once_for_each_area_it_lies_in(run, made):
    cells = gridmap.load_plan(made).cells
    shared = cells["cell_id"].value_counts().idxmax()
    areas = sorted(cells.loc[cells["cell_id"] == shared, "area_code"])
    assert len(areas) > 1
    ran = run("explain", made, "--cell", shared, "--json")
    told = json.loads(ran.out)["explained"]
    assert (ran.status, ran.err) == (0, "")
    assert [one["place"]["area_code"] for one in told] == areas
    assert {"unit", "grid", "alternatives", "outcome", "outlet", "demand_unit"} <= set(told[0])
    (alone,) = json.loads(run("explain", made, "--cell", shared, "--area", areas[1], "--json").out)["explained"]
    assert alone == told[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--lon", "30.05", "--lat", "111.05"), "is no place on Earth"),
        (("--lon", "121.5", "--lat", "31.2"), "lies outside every area"),
        (("--lon", "111.05", "--lat", "30.05", "--datum", "mars"), "mars"),
        (("--cell", "8940a1353ffffff"), "no cell 8940a1353ffffff"),
        (("--cell", "8940a1353ffffff", "--lon", "111.05"), "either --cell, or"),
        (("--lon", "111.05"), "either --cell, or"),
        ((), "either --cell, or"),
        (("--lon", "111.05", "--lat", "30.05", "--area", "990101001001"), "goes with --cell"),
        (("--lon", "east", "--lat", "30.05"), "valid number"),
    ],
)
def test_what_cannot_be_explained_is_refused_in_a_sentence(run, made, arguments, words):
    ran = run("explain", made, *arguments)
    assert (ran.status, ran.out) == (2, "")
    assert words in ran.err


def test_a_folder_without_a_plan_is_refused(run, out):
    ran = run("explain", out, "--lon", "111.05", "--lat", "30.05")
    assert (ran.status, ran.out) == (2, "")
    assert "there is no plan here" in ran.err
