"""``gridmap diff`` as a user meets it."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def made(run, villages, out):
    """Return folders of two plans, the second with larger grids and a branch closed."""
    plan = villages.with_name("plan.toml")
    assert run("plan", plan, "-o", out / "one", "--quiet").status == 0
    outlets = villages.with_name("outlets.csv")
    outlets.write_text("\n".join(outlets.read_text("utf-8").splitlines()[:-1]) + "\n", encoding="utf-8")
    plan.write_text(plan.read_text("utf-8") + "[grids]\ncount = 2\n", encoding="utf-8")
    assert run("plan", plan, "-o", out / "two", "--quiet").status == 0
    return out / "one", out / "two"


def test_two_plans_are_compared_in_words(run, made, monkeypatch):
    ran = run("diff", *made)
    assert (ran.status, ran.err) == (0, "")
    assert "facilities closed: 1\n  西漷支行 (W2)" in ran.out
    assert "grids.count – → 2" in ran.out
    assert "went to another grid" in ran.out
    assert ran.out.rstrip().endswith("both plans have the same cells")
    monkeypatch.setenv("GRIDMAP_LANGUAGE", "zh")
    assert "撤销服务点：1 个" in run("diff", *made).out
    assert "没有变化" in run("diff", made[0], made[0]).out


def test_json_has_everything_that_changed(run, made):
    told = json.loads(run("diff", *made, "--json").out)
    assert [one["code"] for one in told["facilities_closed"]] == ["W2"]
    assert told["totals"]["moved_area_m2"] > 0
    assert sum(one["area_m2"] for one in told["moves"]) == pytest.approx(told["totals"]["moved_area_m2"])
    assert {one["field"] for one in told["settings"]} >= {"grids.count"}
    assert json.loads(run("diff", made[1], made[1], "--json").out)["moves"] == []


def test_what_is_no_plan_is_refused(run, made, out):
    ran = run("diff", made[0], out / "nothing")
    assert ran.status == 2
    assert "nothing" in ran.err
    assert run("diff", made[0]).status == 2
