"""What is said of service and of what-ifs where there is little to say: no facility, nobody, strange names, roads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gridmap.domain.kinds import FacilityKind
from gridmap.exports.coverage_directory import write_coverage
from gridmap.exports.sentences import literal
from gridmap.exports.standing import standing_document, standing_lines
from gridmap.exports.what_ifs import plain_table, play, scenario_lines, side_by_side
from gridmap.inputs.presets import read_presets
from gridmap.planning.access.places import place_frame
from gridmap.planning.access.standing import Standing
from gridmap.planning.what_ifs.changes import Close, Open
from gridmap.planning.what_ifs.scenarios import Scenario


def closing(plan, *ids):
    return {"a": Scenario("what <b>if</b>", tuple(Close(one) for one in ids or plan.facilities["facility_id"]))}


def test_when_the_last_facility_closes_nobody_is_served(plan):
    (told,) = play(Standing.of(plan), closing(plan))
    lines = scenario_lines(plan, told, "en")
    demand = plan.cells["demand"]
    assert any("none is left" in line for line in lines)
    assert any(line.startswith("any kind:") and "→ 0.0 % of demand covered" in line for line in lines)
    assert told.told.changes[0].lost == pytest.approx(demand[told.told.before.coverage.covered].sum())
    assert "there is no facility: nobody is served" in standing_lines(plan, told.told.after, read_presets(), "en")
    assert standing_document(plan, told.told.after, read_presets())["figures"]["gap_demand"] == demand.sum()


def test_demand_that_is_zero_everywhere_is_said(plan):
    nobody = replace(plan, cells=plan.cells.assign(demand=0.0))
    (told,) = play(Standing.of(nobody), closing(plan, "D1"))
    for lines in (standing_lines(nobody, told.told.before, {}, "en"), scenario_lines(nobody, told, "en")):
        assert "the plan has no demand anywhere: nobody can be counted, only ground" in lines
    assert "方案各处需求均为零" in "\n".join(scenario_lines(nobody, told, "zh"))


def test_names_of_the_users_are_no_markup(make_plan, tmp_path):
    plan = make_plan(names={"facility": "<script>x</script> | *bold*", "village": "a|b", "plan": "# p"})
    standing = Standing.of(plan)
    told = play(standing, closing(plan, "A1"))
    write_coverage(tmp_path, plan, standing, told, {}, {}, "en")
    text = (tmp_path / "coverage.md").read_text("utf-8")
    assert "<script>" not in text
    assert "<b>" not in text
    assert literal("<script>x</script> | *bold*") in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {4}


def test_a_table_stands_in_even_columns_in_both_languages(plan):
    standing = Standing.of(plan)
    told = play(standing, closing(plan, "A1"))
    for lang in ("en", "zh"):
        lines = plain_table(side_by_side(plan, standing, told, lang))
        assert len({sum(2 if ord(sign) > 0x2E80 else 1 for sign in line) for line in lines}) == 1


def test_measures_by_place_equal_a_plain_count(plan):
    standing = Standing.of(plan)
    frame = place_frame(standing).set_index(["level", "code", "service"])
    cells, service = plan.cells, standing.of_kind(FacilityKind.ATM)
    for code in sorted(set(cells["grid_code"])):
        rows = np.flatnonzero(cells["grid_code"] == code)
        row = frame.loc[("grid", code, "atm")]
        people = [(service.nearest_m[i], cells["demand"][i]) for i in rows]
        whole = sum(weight for _, weight in people)
        assert row["demand"] == whole
        assert row["nearest_mean_m"] == pytest.approx(sum(d * w for d, w in people) / whole, abs=1e-3)
        line = sorted(d for d, w in people for _ in range(int(w)))
        assert row["nearest_p95_m"] == pytest.approx(line[int(np.ceil(0.95 * len(line))) - 1], abs=1e-3)
        covered = sum(cells["demand"][i] for i in rows if service.covered[i])
        assert row["covered_demand_share"] == pytest.approx(covered / whole)
        score = sum(service.access.score[i] * cells["demand"][i] for i in rows) / whole
        assert row["access_2sfca"] == pytest.approx(score)


def test_an_institution_is_measured_by_its_own_facilities(plan):
    standing = Standing.of(plan)
    row = place_frame(standing).set_index(["level", "code"]).loc[("institution", "示例银行")]
    own = {"A1", "A;2"}
    reached = [
        bool(own & {standing.facilities.ids[f] for f in standing.coverage.in_reach.facility[at]})
        for at in (np.flatnonzero(standing.coverage.in_reach.point == cell) for cell in range(len(plan.cells)))
    ]
    demand = plan.cells["demand"].to_numpy()
    assert row["covered_demand_share"] == pytest.approx(demand[reached].sum() / demand.sum())
    (service,) = standing.by_institution()
    assert {standing.facilities.ids[f] for f in {*service.nearest.tolist(), *service.second.tolist()}} == own


def test_what_opens_is_told_by_its_name(plan):
    new = Open(111.3, 30.82, FacilityKind.BRANCH, "N1", "新支行")
    (told,) = play(Standing.of(plan), {"a": Scenario("x", (new,))})
    assert any("新支行 (branch)" in line for line in scenario_lines(plan, told, "en"))
