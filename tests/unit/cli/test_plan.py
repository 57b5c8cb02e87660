"""Plans as a user meets them: what is written, what is never replaced, and the demo."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import shapely

import gridmap
from gridmap import verify
from gridmap.cli import plans
from gridmap.domain.plan import GEOGRAPHIC_FRAMES, TABLES


def test_a_plan_is_written_and_loads_as_it_was_built(run, villages, out, names):
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
    for name in (*GEOGRAPHIC_FRAMES, *TABLES):
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


def test_a_plan_as_json_is_one_object_and_quiet_is_silent(run, villages, out, names):
    ran = run("plan", villages.with_name("plan.toml"), "-o", out / "plan", "--json")
    said = json.loads(ran.out)
    assert (ran.status, ran.err) == (0, "")
    assert said["verdict"] == "exact"
    assert set(said["files"]) == set(names(out / "plan"))
    assert {"digest", "indicators", "rules", "warnings", "output"} <= set(said)
    again = run("plan", villages.with_name("plan.toml"), "-o", out / "plan", "--quiet")
    assert (again.status, again.out) == (0, "")


def test_a_plan_does_not_replace_a_folder_of_the_users(run, villages, out, names):
    (out / "thesis.docx").write_text("years of work")
    ran = run("plan", villages.with_name("plan.toml"), "-o", out)
    assert ran.status == 2
    assert names(out) == ["thesis.docx"]


def test_a_plan_does_not_replace_its_own_inputs(run, villages, out, plan_files):
    folder = out / "plan"
    assert run("plan", villages.with_name("plan.toml"), "-o", folder, "--quiet").status == 0
    text = plan_files["plan.toml"].replace('"villages.geojson"', f'"{folder.name}/grids.geojson"')
    (out / "again.toml").write_text(text, encoding="utf-8")
    before = (folder / "grids.geojson").read_bytes()
    ran = run("plan", out / "again.toml", "-o", folder)
    assert ran.status == 2
    assert "would replace an input" in ran.err
    assert (folder / "grids.geojson").read_bytes() == before


def test_repair_of_a_plan_names_the_file(run, dirty, out, names, plan_files):
    for name, content in plan_files.items():
        (dirty.parent / name).write_text(content.replace("villages.geojson", dirty.name), encoding="utf-8")
    refused = run("plan", dirty.parent / "plan.toml", "-o", out / "plan")
    assert refused.status == 1
    assert names(out) == []
    ran = run("plan", dirty.parent / "plan.toml", "-o", out / "plan", "--repair")
    assert ran.status == 0, ran.err
    assert "dirty.geojson: 2 faults between areas closed" in ran.err


def test_the_demo_finds_its_samples_and_says_where_it_wrote(run, out, monkeypatch):
    asked: list[Path] = []
    monkeypatch.setattr(plans, "make_plan", lambda file, folder, *_, **__: asked.extend([file, folder]))
    assert run("demo", "-o", out).status == 0
    assert asked[0].read_text("utf-8").startswith("#")
    assert asked[1] == out
    monkeypatch.setattr(plans, "files", lambda _: out)
    monkeypatch.setattr(plans, "__file__", str(out / "a" / "b" / "cli" / "plans.py"))
    ran = run("demo", "-o", out)
    assert ran.status == 2
    assert "not installed" in ran.err


def test_strict_makes_a_broken_rule_an_exit_status_after_everything_is_written(run, villages, out, names):
    told = run("plan", villages.with_name("plan.toml"), "-o", out / "plan")
    assert told.status == 0
    assert "rules: " in told.out
    assert "✕" in told.out
    strict = run("plan", villages.with_name("plan.toml"), "-o", out / "strict", "--strict")
    assert strict.status == 1
    assert "rules do not hold" in strict.err
    assert strict.out.replace("out/strict", "out/plan") == told.out
    assert names(out / "strict") == names(out / "plan")
    said = json.loads(run("plan", villages.with_name("plan.toml"), "-o", out / "plan", "--strict", "--json").out)
    broken = [rule["rule"] for rule in said["rules"] if rule["result"] == "broken"]
    assert broken == said["rules_broken"] != []
    assert all(rule["broken_by"] for rule in said["rules"] if rule["result"] == "broken")
