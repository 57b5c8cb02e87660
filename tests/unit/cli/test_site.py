"""``gridmap site`` as a user meets it: sentences, files, JSON, and what it refuses."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def made(run, villages, out):
    folder = out / "plan"
    assert run("plan", villages.with_name("plan.toml"), "-o", folder, "--quiet").status == 0
    return folder


def test_sites_are_told_in_sentences_and_written(run, made, out, names):
    before = names(made)
    told = run("site", made, "--kind", "atm", "-n", 2, "--candidates", "villages", "-o", out / "sites")

    assert told.status == 0, told.err
    assert "With 2 more it would be" in told.out
    assert "Proved: no other choice is better." in told.out
    assert names(out / "sites") == ["sites.geojson", "siting.json", "siting.md"]
    assert names(made) == before
    document = json.loads((out / "sites" / "siting.json").read_text("utf-8"))
    assert (
        len(document["sites"]) == len(json.loads((out / "sites" / "sites.geojson").read_text("utf-8"))["features"]) == 2
    )
    assert document["served_after"] == pytest.approx(sum(site["added"] for site in document["sites"]))


def test_a_file_of_places_in_json(run, made, out):
    places = out / "places.csv"
    places.write_text("名称,经度,纬度\n东站,111.05,30.05\n西站,111.25,30.05\n", encoding="utf-8")
    told = run("site", made, "--kind", "atm", "-n", 1, "--candidates", places, "--radius", 3000, "--json")
    document = json.loads(told.out)
    assert document["sites"][0]["name"].startswith(("东站, ", "西站, "))
    assert document["candidates"] == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "say how many to add"),
        (("-n", 2, "--aim", "share"), "say how many to add"),
        (("-n", 99, "--candidates", "villages"), "only 3 candidates"),
        (("-n", 1, "--candidates", "nowhere.csv"), "nowhere.csv"),
    ],
)
def test_what_cannot_be_answered_is_refused(run, made, options, said):
    told = run("site", made, "--kind", "atm", *options)
    assert told.status == 2
    assert said in told.err


def test_the_plan_s_own_directory_is_no_place_for_an_answer(run, made):
    told = run("site", made, "--kind", "atm", "-n", 1, "-o", made)
    assert told.status == 2
    assert "written into the plan" in told.err
