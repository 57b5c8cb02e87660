"""``gridmap coverage`` as a planner meets it: service in depth, what-ifs, scenarios, presets, and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

import gridmap

SCENARIOS = """
[west]
name = "West closes"
changes = [{ close = "W1" }]

[moved]
after = "west"
changes = [
  { open = [111.05, 30.02], kind = "atm", id = "N1", name = "New ATM" },
  { move = "D1", to = [111.06, 30.06] },
  { radius = "branch", metres = [1500, 6000] },
]
"""


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return tmp_path_factory.mktemp("kept") / "plan"


@pytest.fixture
def made(run, villages, out, kept):
    """Copy the plan, which is made once, so that a test may look for what was left in it."""
    if not kept.exists():
        assert run("plan", villages.with_name("plan.toml"), "-o", kept, "--quiet").status == 0
    return Path(shutil.copytree(kept, out / "plan"))


def test_service_is_told_in_words_of_both_languages(run, made, monkeypatch):
    ran = run("coverage", made)
    assert (ran.status, ran.err) == (0, "")
    assert "service of 3 facilities" in ran.out
    assert "branch (2):" in ran.out
    assert "rural cash points: 2 of 3 rural villages have none" in ran.out
    monkeypatch.setenv("GRIDMAP_LANGUAGE", "zh")
    assert "助农取款点：3 个农村村（社区）中 2 个没有" in run("coverage", made).out


def test_closing_an_outlet_says_who_loses_it_and_leaves_the_plan_as_it_is(run, made):
    before = {path.name: path.read_bytes() for path in made.iterdir()}
    ran = run("coverage", made, "--close", "W1", "--json")
    assert (ran.status, ran.err) == (0, "")
    (scenario,) = json.loads(ran.out)["scenarios"]
    branch = next(one for one in scenario["cover"] if one["service"] == "branch")
    plan = gridmap.load_plan(made)
    reached = plan.cells[plan.cells["covered_by_branch"]]
    west = reached["nearest_branch_id"] == "W1"
    assert branch["lost"] == pytest.approx(reached.loc[west, "demand"].sum())
    assert branch["places"][0]["nearest_after"] == "W2"
    assert "close 东塆支行 (branch)" in run("coverage", made, "--close", "W1").out
    assert {path.name: path.read_bytes() for path in made.iterdir()} == before


def test_everything_is_written_to_a_folder(run, made, out, names):
    folder = out / "what-if"
    ran = run("coverage", made, "--close", "W1", "--preset", "uk_cash", "-o", folder)
    assert (ran.status, ran.err) == (0, "")
    assert names(folder) == ["cells.geojson", "changes", "coverage.json", "coverage.md", "gaps", "places.csv"]
    document = json.loads((folder / "coverage.json").read_text("utf-8"))
    changes = gpd.read_file(folder / "changes" / "changes.geojson")
    assert len(changes) >= document["scenarios"][0]["cover"][0]["cells_lost"] > 0
    assert set(changes["covered_after"]) == {False, True} or not changes["covered_after"].any()
    gaps = gpd.read_file(folder / "gaps" / "changes.geojson")
    assert len(gaps) == document["scenarios"][0]["after"]["gaps"]
    assert gaps["demand"].sum() == pytest.approx(document["scenarios"][0]["after"]["gap_demand"])
    plan = gridmap.load_plan(made)
    places = pd.read_csv(folder / "places.csv", dtype={"code": str})
    village = places[(places["level"] == "village") & (places["service"] == "all")].set_index("code")
    stated = plan.areas[plan.areas["level"] == "village"].set_index("area_code")
    assert village["covered_area_share"].to_dict() == pytest.approx(stated["covered_share"].to_dict())
    assert len(gpd.read_file(folder / "cells.geojson")) == len(plan.cells)
    text = (folder / "coverage.md").read_text("utf-8")
    assert "# 三村网格" in text
    assert "| figure | now |" in text
    assert "Access to cash" in text


def test_scenarios_follow_each_other_and_stand_side_by_side(run, made, tmp_path):
    file = tmp_path / "scenarios.toml"
    file.write_text(SCENARIOS, encoding="utf-8")
    ran = run("coverage", made, "--scenarios", file, "--json")
    assert (ran.status, ran.err) == (0, "")
    west, moved = json.loads(ran.out)["scenarios"]
    assert [one["change"] for one in moved["changes"]] == ["close", "open", "move", "reach"]
    assert [one["change"] for one in west["changes"]] == ["close"]
    alone = json.loads(run("coverage", made, "--close", "W1", "--json").out)["scenarios"][0]
    assert west["cover"] == alone["cover"]
    options = ("--open", "111.05,30.02,atm", "--move", "D1,111.06,30.06", "--radius", "branch=1500/6000")
    together = json.loads(run("coverage", made, "--close", "W1", *options, "--json").out)["scenarios"][0]
    for ours, theirs in zip(moved["cover"], together["cover"], strict=True):
        assert {key: ours[key] for key in ours if key != "places"} == {
            key: theirs[key] for key in ours if key != "places"
        }
    words = run("coverage", made, "--scenarios", file).out
    assert "West closes" in words.split("\nfigure ")[1].splitlines()[0]
    assert "New ATM (ATM)" in words


def test_coordinates_of_another_datum_are_converted(run, made):
    lon, lat = 111.15, 30.05
    said = json.loads(run("coverage", made, "--move", f"D1,{lon},{lat}", "--json").out)["scenarios"][0]
    assert all(one["lost"] == one["gained"] == 0 for one in said["cover"])
    shifted = json.loads(run("coverage", made, "--move", f"D1,{lon},{lat}", "--datum", "bd09", "--json").out)
    point = next(one for one in shifted["scenarios"][0]["cover"] if one["service"] == "rural_cash_point")
    assert point["farther"] > 0


def test_a_place_outside_the_plan_is_warned_of(run, made):
    ran = run("coverage", made, "--open", "112.9,30.05,atm")
    assert ran.status == 0
    assert "new-1 would stand outside every area" in ran.err
    assert "nobody gains or loses cover" in ran.out


def test_presets_are_judged_before_and_after(run, made, tmp_path):
    own = tmp_path / "own.toml"
    own.write_text(
        '[near]\nname.en = "Near"\nname.zh = "就近"\ntest = "reach"\nkinds = ["branch"]\nradius_m = [[9000, 9000]]\n'
        "share = 0.5\n",
        encoding="utf-8",
    )
    ran = run("coverage", made, "--presets", own, "--preset", "near", "--close", "W1", "--json")
    document = json.loads(ran.out)
    (now,), (then,) = document["presets"], document["scenarios"][0]["presets"]
    assert now["holds"] is True
    assert then["holds"] is False
    assert then["named"][0]["code"] == "990101001001"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--close", "W11"), "nearest is W1 (东塆支行)"),
        (("--close", "东塆支"), "nearest is W1 (东塆支行)"),
        (("--open", "111.05,30.05,bank"), "kinds are branch, self_service"),
        (("--open", "111.05,30.05"), "--open LON,LAT,KIND"),
        (("--open", "east,30.05,atm"), "--open east,30.05,atm cannot be read"),
        (("--open", "30.05,111.05,atm"), "is no place on Earth"),
        (("--move", "W1,111.05"), "--move W1,111.05 cannot be read"),
        (("--radius", "atm"), "--radius atm cannot be read"),
        (("--radius", "atm=-5"), "--radius atm=-5 cannot be read"),
        (("--radius", "atm=nan"), "--radius atm=nan cannot be read"),
        (("--radius", "bank=500"), "neither a kind nor a facility"),
        (("--open", "111.05,30.05,atm", "--datum", "mars"), "mars"),
        (("--preset", "uk"), "nearest is uk_cash"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(run, made, arguments, words):
    ran = run("coverage", made, *arguments)
    assert (ran.status, ran.out) == (2, "")
    assert words in ran.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[a]\nchanges = []\n", "a.changes"),
        ('[a]\nafter = "b"\nchanges = [{ close = "W1" }]\n[c]\nchanges = [{ close = "W1" }]\n', "no scenario b"),
        (
            '[a]\nafter = "b"\nchanges = [{ close = "W1" }]\n[b]\nafter = "a"\nchanges = [{ close = "W1" }]\n',
            "after it",
        ),
        ('[a]\nafter = "a"\nchanges = [{ close = "W1" }]\n', "after it"),
        ('[a]\nchanges = [{ close = "W1", move = "W2" }]\n', "given are close, move"),
        ("[a]\nchanges = [{ }]\n", "given are –"),
        ('[a]\nchanges = [{ move = "W2" }]\n', "without to"),
        ('[a]\nchanges = [{ close = "W2", kind = "atm" }]\n', "without kind"),
        ('[a]\nchanges = [{ open = [111, 30], kind = "atn" }]\n', "changes.[0].kind"),
        ('[a]\nchanges = [{ clos = "W2" }]\n', 'did you mean "close"?'),
        ('[a]\nchanges = [{ close = "W1" }, { close = "W1" }]\n', "no facility W1"),
    ],
)
def test_a_file_of_scenarios_that_is_none_is_refused(run, made, tmp_path, text, words):
    file = tmp_path / "s.toml"
    file.write_text(text, encoding="utf-8")
    ran = run("coverage", made, "--scenarios", file)
    assert (ran.status, ran.out) == (2, "")
    assert words in ran.err


def test_nothing_is_written_over_the_plan(run, made):
    ran = run("coverage", made, "-o", made)
    assert (ran.status, ran.out) == (2, "")
    assert "coverage.json" not in {path.name for path in made.iterdir()}


def test_a_plan_that_measures_along_roads_is_warned_of(run, made):
    document = json.loads((made / "report.json").read_text("utf-8"))
    document["settings"]["coverage"]["distance"] = "network"
    (made / "report.json").write_text(json.dumps(document), encoding="utf-8")
    ran = run("coverage", made, "--close", "W1")
    assert ran.status == 0
    assert "the plan measures along roads" in ran.err
