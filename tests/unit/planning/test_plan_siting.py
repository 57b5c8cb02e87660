"""Sites for a plan: as good as trying every choice, honest where nothing helps, and what each adds in order."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gridmap.domain.inputs import Demand
from gridmap.domain.kinds import FacilityKind
from gridmap.domain.plan_settings import CoverageSection, GridSection
from gridmap.errors import BadValue, UsageError
from gridmap.exports.siting import siting_document, siting_lines, siting_text, write_siting
from gridmap.planning.pipeline import build_plan
from gridmap.planning.service.reach import GEOD
from gridmap.planning.siting.answering import site
from gridmap.planning.siting.asking import Aim, Candidates, ask
from gridmap.planning.siting.covers import covers_of
from gridmap.planning.siting.dominated import undominated

SPOTS = Candidates(
    np.array([[111.01 + 0.02 * x, 30.01 + 0.015 * y] for x in range(4) for y in range(2)]),
    tuple(f"spot {n}" for n in range(8)),
)


@pytest.fixture(scope="module")
def plan(plan_settings, two_villages):
    rng = np.random.default_rng(5)
    places = np.column_stack([rng.uniform(111.001, 111.149, 25), rng.uniform(30.001, 30.049, 25)])
    people = Demand(shapely.points(places), rng.integers(10, 400, 25).astype(float), "people", "people.csv")
    settings = plan_settings(
        grids=GridSection(base="village"), coverage=CoverageSection(radius_m={"branch": (1500.0, 1500.0)})
    )
    return build_plan(settings, replace(two_villages, demand=people))


def to_spots(question) -> np.ndarray:
    """Geodesic metres from every cell to every candidate, one by one."""
    cells = zip(question.points.lon, question.points.lat, strict=True)
    return np.array([[GEOD.inv(*cell, *spot)[2] for spot in question.candidates.lonlat] for cell in cells])


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("equity", [1.0, 3.0])
def test_most_is_what_trying_every_choice_finds(plan, count, equity):
    question = ask(plan, FacilityKind.BRANCH, candidates=SPOTS, equity=equity)
    serves = (to_spots(question) <= 1500) & ~question.served[:, None]
    best = max(question.weight[serves[:, list(some)].any(axis=1)].sum() for some in combinations(range(8), count))
    found = site(question, Aim.MOST, count=count)
    assert found.value == pytest.approx(best)
    assert found.bound == pytest.approx(best)
    assert found.added.sum() == pytest.approx(question.demand[serves[:, found.rows].any(axis=1)].sum())
    assert found.measure[-1] == pytest.approx(question.demand[question.served].sum() + found.added.sum())


def test_share_takes_as_few_as_any_choice(plan):
    question = ask(plan, FacilityKind.BRANCH, candidates=SPOTS)
    serves = (to_spots(question) <= 1500) | question.served[:, None]
    share = 0.9 * question.demand[serves.any(axis=1)].sum() / question.demand.sum()

    def reached(some: tuple[int, ...]) -> float:
        return float(question.demand[serves[:, list(some)].any(axis=1)].sum() / question.demand.sum())

    least = next(n for n in range(1, 9) if any(reached(some) >= share for some in combinations(range(8), n)))
    found = site(question, Aim.SHARE, share=share)
    assert len(found.rows) == found.bound == least
    assert reached(tuple(found.rows.tolist())) >= share


@pytest.mark.parametrize("aim", [Aim.MEAN, Aim.FARTHEST])
def test_distances_are_the_least_of_every_choice(plan, aim):
    question = ask(plan, FacilityKind.BRANCH, candidates=SPOTS)
    table = np.minimum(to_spots(question), question.existing_m[:, None])

    def of(some: list[int]) -> float:
        near = table[:, some].min(axis=1)
        return float(near.max() if aim is Aim.FARTHEST else np.average(near, weights=question.weight))

    found = site(question, aim, count=2)
    best = min(of(list(some)) for some in combinations(range(8), 2))
    assert found.value == pytest.approx(best, abs=1e-3)
    assert found.measure[-1] == pytest.approx(best, abs=1e-3)
    assert found.bound == pytest.approx(best, abs=1e-3)
    assert (np.diff(found.measure) <= 0).all()


def test_what_cannot_be_reached_is_said_with_the_places(plan):
    found = site(ask(plan, FacilityKind.BRANCH, candidates=SPOTS), Aim.SHARE, share=1.0)
    document, said = siting_document(found), " ".join(siting_lines(found, "en"))
    assert not found.possible
    assert not document["sites"]
    held = sum(area["demand"] for area in document["beyond"])
    assert held == pytest.approx(document["demand"] - document["most_possible"])
    assert "100.0 % cannot be reached" in said
    assert "name of 990101001002" in said


def test_more_sites_than_help_are_not_named(plan):
    question = ask(plan, FacilityKind.BRANCH, candidates=SPOTS)
    found = site(question, count=8)
    assert 0 < len(found.rows) < 8
    assert found.measure[-1] == pytest.approx(found.most)
    assert f"more than {len(found.rows)} add nothing" in " ".join(siting_lines(found, "en"))
    everybody = ask(plan, FacilityKind.BRANCH, candidates=SPOTS, radius_m=100_000)
    assert "No candidate adds anything" in " ".join(siting_lines(site(everybody, count=2), "en"))


def test_a_kind_that_is_not_there_yet_serves_nobody_today(plan):
    question = ask(plan, FacilityKind.ATM, candidates=SPOTS)
    found = site(question, Aim.MEAN, count=2)
    assert not question.served.any()
    assert np.isinf(found.measure[0])
    assert siting_document(found)["curve"][0] == {"sites": 0, "mean_distance_m": None}
    assert "There is none yet; with 2 the mean distance is" in siting_text(found, "en")
    assert "| 0 | – |" in siting_text(found, "en")


@pytest.mark.parametrize(
    ("key", "asked"),
    [
        ("siting.too_few_candidates", lambda plan: site(ask(plan, FacilityKind.ATM, candidates=SPOTS), count=9)),
        (
            "siting.no_candidates",
            lambda plan: ask(plan, FacilityKind.ATM, excluded=np.array([shapely.box(110, 29, 112, 31)])),
        ),
    ],
)
def test_questions_without_an_answer_are_refused(plan, key, asked):
    with pytest.raises(UsageError) as refused:
        asked(plan)
    assert refused.value.key == key


def test_a_plan_without_any_demand_is_refused(plan):
    nobody = replace(plan, cells=plan.cells.assign(demand=0.0))
    with pytest.raises(BadValue) as refused:
        ask(nobody, FacilityKind.ATM)
    assert refused.value.key == "siting.no_demand"


def test_excluded_ground_has_no_sites(plan):
    west = np.array([shapely.box(111.0, 30.0, 111.05, 30.05)])
    found = site(ask(plan, FacilityKind.ATM, excluded=west), count=3)
    assert len(found.rows) == 3
    assert (found.lonlat[:, 0] > 111.05).all()


def test_files_name_the_sites_and_never_touch_a_plan(plan, tmp_path):
    found = site(ask(plan, FacilityKind.BRANCH, candidates=SPOTS), count=2)
    names = [path.name for path in write_siting(found, tmp_path / "sites", lang="zh")]
    assert names == ["sites.geojson", "siting.json", "siting.md"]
    text = (tmp_path / "sites" / "siting.md").read_text("utf-8")
    assert "已证明" in text
    assert SPOTS.names[found.rows[0]] in text
    (tmp_path / "plan.gpkg").write_bytes(b"")
    with pytest.raises(UsageError) as refused:
        write_siting(found, tmp_path)
    assert refused.value.key == "siting.output_is_plan"


@given(st.sets(st.tuples(st.integers(0, 6), st.integers(0, 7)), min_size=1), st.integers(1, 3))
def test_candidates_left_out_change_no_answer(pairs, count):
    demand, candidate = np.array(sorted(pairs)).T
    covers, _ = covers_of(demand, candidate, np.arange(1.0, 8.0), 8)
    left = undominated(covers)

    def best(rows: np.ndarray) -> float:
        size = min(count, len(rows))
        return max(covers.value(np.array(some, dtype=np.int64)) for some in combinations(rows.tolist(), size))

    assert best(left) == best(np.arange(8))
