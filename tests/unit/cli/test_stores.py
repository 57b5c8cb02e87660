"""Plans go into the store and come out of it by the command line, the same and proved."""

from __future__ import annotations

import filecmp
import json
import shutil
from pathlib import Path

import pytest

from gridmap import load_plan
from gridmap.settings import settings
from gridmap.store import open_store
from same_plan import assert_same_plan

KEPT = ("cells.geojson", "grids.geojson", "levels.geojson", "certificate.json", "report.json", "cells.parquet")


@pytest.fixture
def folder(run, villages, out: Path) -> Path:
    assert run("plan", villages.with_name("plan.toml"), "-o", out / "three-villages", "-q").status == 0
    return out / "three-villages"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that gridmap runs in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GRIDMAP_DATABASE_URL", raising=False)
    settings.cache_clear()
    return tmp_path


def test_a_plan_goes_through_the_store_without_a_bit_changing(run, folder: Path, here: Path):
    stored = run("import", folder, "--publish")
    assert stored.status == 0, stored.err
    assert "three-villages" in stored.out
    assert "gridmap.sqlite" in stored.out
    given = run("export", "three-villages", "-o", here / "again")
    assert given.status == 0, given.err
    assert_same_plan(load_plan(here / "again"), load_plan(folder))
    assert [name for name in KEPT if not filecmp.cmp(folder / name, here / "again" / name, shallow=False)] == []


def test_versions_are_added_and_the_one_in_force_is_given(run, folder: Path, here: Path):
    said = [json.loads(run("import", folder, "--id", "p", "--json", *more).out) for more in (["--publish"], [])]
    assert [(one["plan"], one["version"], one["status"]) for one in said] == [("p", 1, "published"), ("p", 2, "draft")]
    assert said[0]["digest"] == said[1]["digest"]
    assert said[0]["certificate"] == json.loads((folder / "certificate.json").read_text())["digest"]
    for asked, number in (([], 1), (["--version", "2"], 2)):
        given = json.loads(run("export", "p", "-o", here / "out-again", "--json", *asked).out)
        assert given["version"] == number
    store = open_store("gridmap.sqlite")
    assert [entry.action for entry in store.audit()] == ["create", "add", "publish", "add"]
    assert {entry.who for entry in store.audit()} != {""}
    store.close()


def test_the_setting_names_the_store_and_the_option_another(run, folder: Path, here: Path, monkeypatch):
    monkeypatch.setenv("GRIDMAP_DATABASE_URL", f"sqlite:///{here / 'set.sqlite'}")
    settings.cache_clear()
    assert run("import", folder, "--id", "p", "-q") == (0, "", "")
    assert run("import", folder, "--id", "p", "-q", "--database", "given.sqlite") == (0, "", "")
    assert {path.name for path in here.glob("*.sqlite")} == {"set.sqlite", "given.sqlite"}


def test_a_plan_whose_certificate_does_not_hold_is_not_kept(run, folder: Path):
    stated = json.loads((folder / "certificate.json").read_text())
    stated["areas"][1]["twice_area"] += "0"
    (folder / "certificate.json").write_text(json.dumps(stated))
    refused = run("import", folder, "--id", "p", "--publish")
    assert refused.status == 1
    assert "twice_area" in refused.err
    assert run("export", "p", "-o", folder.parent / "x").status == 2
    store = open_store("gridmap.sqlite")
    assert store.versions("p") == []
    store.close()


def test_a_level_that_is_not_proved_is_noticed(run, folder: Path):
    stated = json.loads((folder / "certificate.json").read_text())
    stated["levels"][-1]["digest"] = "0" * 64
    (folder / "certificate.json").write_text(json.dumps(stated))
    refused = run("import", folder, "--id", "p")
    assert refused.status == 1
    assert stated["levels"][-1]["level"] in refused.err


@pytest.mark.parametrize("stated", [{}, {"areas": 1}, {"areas": [{}], "digest": 1}])
def test_a_certificate_that_is_none_is_a_message(run, folder: Path, stated: dict):
    (folder / "certificate.json").write_text(json.dumps(stated))
    refused = run("import", folder, "--id", "p", "--publish")
    assert refused.status == 1
    assert "certificate" in refused.err


def test_the_tables_are_made_and_checked(run, here: Path):
    assert run("db", "check").status == 2
    made = run("db", "upgrade")
    assert made.status == 0, made.err
    assert json.loads(run("db", "check", "--json").out) == {"store": "gridmap.sqlite", "revision": "0002"}
    (here / "gridmap.sqlite").unlink()
    for left in here.glob("gridmap.sqlite-*"):
        left.unlink()
    (here / "gridmap.sqlite").touch()
    outdated = run("db", "check")
    assert outdated.status == 3
    assert "gridmap db upgrade" in outdated.err


def test_what_is_not_there_is_a_message(run, folder: Path, here: Path):
    assert run("import", folder, "--id", "不行").status == 2
    assert not (here / "gridmap.sqlite").exists()
    assert run("export", "p", "-o", here / "x").status == 2
    assert run("import", here / "none").status == 2
    assert run("import", folder, "--id", "p", "-q").status == 0
    for wrong in (["q"], ["p", "--version", "7"]):
        refused = run("export", *wrong, "-o", here / "x")
        assert refused.status == 2
        assert wrong[0] in refused.err
    assert run("export", "p", "-o", here, "--version", "1").status == 2
    assert not (here / "x").exists()
    assert run("db", "repair").status == 2


def test_a_folder_with_a_name_that_is_no_identifier_asks_for_one(run, folder: Path):
    chinese = folder.with_name("夷陵区")
    shutil.copytree(folder, chinese)
    refused = run("import", chinese)
    assert refused.status == 2
    assert "--id" in refused.err


def test_a_store_that_cannot_be_made_is_a_message(run, folder: Path, here: Path):
    (here / "file").touch()
    refused = run("import", folder, "--database", here / "file" / "x.sqlite")
    assert refused.status == 3
    assert "x.sqlite" in refused.err
