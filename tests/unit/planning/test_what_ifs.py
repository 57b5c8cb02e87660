"""What-ifs against the plan built anew with the changed facilities: the sample county at resolution 7."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from gridmap.domain.kinds import FacilityKind
from gridmap.domain.plan_settings import GridSection, PartitionSection
from gridmap.errors import OutOfPlace, UnknownDatum, UsageError
from gridmap.geometry.datum import Datum
from gridmap.inputs import read_plan_file, read_plan_inputs
from gridmap.planning.access.standing import Standing
from gridmap.planning.pipeline import build_plan
from gridmap.planning.service.facilities import KINDS
from gridmap.planning.what_ifs.changes import Close, Move, Open, Reach, changed
from gridmap.planning.what_ifs.comparison import Comparison
from gridmap.planning.what_ifs.figures import figures

SAMPLES = Path(__file__).resolve().parents[3] / "data" / "samples"


@pytest.fixture(scope="module")
def county():
    settings = read_plan_file(SAMPLES / "plan.toml")
    # Every village a grid: how grids are drawn changes nothing of service, and takes most of the time.
    simple = {"partition": PartitionSection(resolution=7), "grids": GridSection(), "roads": None, "dedicated": None}
    settings = settings.model_copy(update={**simple, "staff": None})
    inputs = read_plan_inputs(settings, SAMPLES)
    return settings, inputs, build_plan(settings, inputs)


@pytest.fixture(scope="module")
def standing(county):
    return Standing.of(county[2])


def equal_to_the_plan(standing, plan):
    coverage, cells, ids = standing.coverage, plan.cells, np.append(standing.facilities.ids, None)
    assert coverage.covered.tolist() == cells["covered"].tolist()
    assert coverage.covered_share.tolist() == cells["covered_share"].tolist()
    assert coverage.crossing_degree.tolist() == cells["crossing_degree"].tolist()
    for row, kind in enumerate(KINDS):
        assert coverage.covered_by[row].tolist() == cells[f"covered_by_{kind}"].tolist()
        theirs = [one if isinstance(one, str) else None for one in cells[f"nearest_{kind}_id"]]
        assert ids[coverage.nearest[row]].tolist() == theirs
        there = coverage.nearest[row] >= 0
        assert np.round(coverage.nearest_m[row][there], 3).tolist() == cells[f"nearest_{kind}_m"][there].tolist()
    gaps = standing.gaps
    assert len(gaps) == len(plan.gaps) > 0
    assert gaps.demand.tolist() == plan.gaps["demand"].tolist()
    assert gaps.area_m2.tolist() == plan.gaps["area_m2"].tolist()
    lowest = np.unique(cells["area_code"].astype(str))
    assert lowest[gaps.area].tolist() == plan.gaps["area_code"].tolist()
    assert [KINDS[kind].value for kind in gaps.kind_missing] == plan.gaps["kind_missing"].tolist()
    assert ids[gaps.nearest_facility].tolist() == plan.gaps["nearest_facility_id"].tolist()


def test_without_changes_service_is_that_of_the_plan(county, standing):
    equal_to_the_plan(standing, county[2])


def test_service_after_changes_is_that_of_the_plan_built_anew(county, standing):
    settings, inputs, plan = county
    first, second = plan.facilities.loc[plan.facilities["kind"] == "branch", "facility_id"].iloc[[0, 5]]
    lon, lat = 111.28, 30.83
    after = changed(
        standing,
        [
            Close(first),
            Move(second, lon, lat),
            Open(lon + 0.02, lat, FacilityKind.ATM, "A-new"),
            Reach("atm", 800, 2500),
            Reach("D0002", 4000, 4000),
        ],
    )
    given = inputs.facilities[inputs.facilities["facility_id"] != first].copy()
    given.loc[given["facility_id"] == second, ["lon", "lat"]] = [lon, lat]
    given.loc[given["facility_id"] == "D0002", "service_radius_m"] = 4000.0
    row = {"facility_id": "A-new", "name": "A-new", "kind": "atm", "lon": lon + 0.02, "lat": lat}
    point = gpd.points_from_xy([row["lon"]], [row["lat"]])
    given = pd.concat([given, gpd.GeoDataFrame([row], geometry=point, crs=4326)], ignore_index=True)
    given = given.set_geometry(gpd.points_from_xy(given["lon"], given["lat"], crs=4326))
    radii = {**settings.coverage.radius_m, FacilityKind.ATM: (800.0, 2500.0)}
    anew = build_plan(
        settings.model_copy(update={"coverage": settings.coverage.model_copy(update={"radius_m": radii})}),
        replace(inputs, facilities=given),
    )
    equal_to_the_plan(after, anew)
    assert (anew.cells["covered"] != plan.cells["covered"]).any()


def test_who_loses_and_gains_is_counted_cell_by_cell(county, standing):
    plan = county[2]
    branch = plan.facilities.loc[plan.facilities["kind"] == "branch", "facility_id"].iloc[-1]
    told = Comparison(standing, changed(standing, [Close(branch), Open(111.28, 30.83, FacilityKind.BRANCH)]))
    row = KINDS.index(FacilityKind.BRANCH)
    change = next(one for one in told.changes if one.service == "branch")
    demand = plan.cells["demand"].to_numpy()
    before, after = (one.coverage.covered_by[row] for one in (told.before, told.after))
    lost = {
        code: sum(demand[i] for i in range(len(demand)) if before[i] and not after[i] and code == grids[i])
        for grids in [plan.cells["grid_code"].tolist()]
        for code in set(grids)
    }
    assert change.lost == pytest.approx(sum(lost.values())) != 0
    for place in change.at("grid"):
        assert place.lost == pytest.approx(lost.pop(place.code))
    assert set(lost.values()) <= {0.0}
    for level in ("township", "village", "grid", "settlement"):
        losses = [place.lost for place in change.at(level)]
        assert losses == sorted(losses, reverse=True)
        assert sum(losses) == pytest.approx(change.lost)
        assert sum(place.gained for place in change.at(level)) == pytest.approx(change.gained)
    assert change.covered_after == pytest.approx(change.covered_before - change.lost + change.gained)
    frame = told.cell_frame(plan)
    assert sorted(frame["cell_id"]) == sorted(
        plan.cells.loc[np.any([told._lost(n) | told._gained(n) for n in told.names], axis=0), "cell_id"]
    )


def test_closing_what_was_opened_leaves_everything_as_it_was(standing):
    there = changed(standing, [Open(111.3, 30.8, FacilityKind.BRANCH)])
    back = changed(there, [Close("new-1")])
    assert not back.frame["facility_id"].isin(["new-1"]).any()
    for one in Comparison(standing, back).changes:
        assert (one.lost, one.gained, one.farther, one.places) == (0.0, 0.0, 0.0, ())
    assert figures(back) == figures(standing)


def test_coordinates_of_another_datum_are_converted(standing):
    said = Datum.parse("gcj02")
    after = changed(standing, [Open(111.306, 30.797, FacilityKind.ATM)], "gcj02")
    row = after.frame.set_index("facility_id").loc["new-1"]
    expected = said.to_wgs84(np.array([[111.306, 30.797]]))[0]
    assert (row["lon"], row["lat"]) == tuple(expected)
    assert abs(row["lon"] - 111.306) > 0.003


@pytest.mark.parametrize(
    ("change", "datum", "leaf", "words"),
    [
        (Close("DD0002"), "wgs84", UsageError, "nearest is D0002 "),
        (Move("云泊长门支", 111.3, 30.8), "wgs84", UsageError, "云泊长门支行"),
        (Reach("atn", 5, 5), "wgs84", UsageError, "atm"),
        (Reach("W001", 5, 6), "wgs84", UsageError, "two radii"),
        (Open(111.3, 30.8, FacilityKind.ATM, "W001"), "wgs84", UsageError, "W001 already"),
        (Open(30.8, 111.3, FacilityKind.ATM), "wgs84", OutOfPlace, "no place"),
        (Open(float("nan"), 30, FacilityKind.ATM), "wgs84", OutOfPlace, "no place"),
        (Open(111.3, 30.8, FacilityKind.ATM), "mars", UnknownDatum, "mars"),
    ],
)
def test_what_cannot_be_is_refused_with_the_nearest_known(standing, change, datum, leaf, words):
    with pytest.raises(leaf) as refused:
        changed(standing, [change], datum)
    said = refused.value
    assert words in f"{said.message('en')} {said.mend('en')}"
    assert "{" not in said.message("zh")


def test_an_opened_outlet_has_the_mean_capacity_of_its_kind_where_all_state_theirs(standing):
    known = standing.frame.loc[standing.frame["kind"] == "branch", "capacity"]
    opened = changed(standing, [Open(111.3, 30.8, FacilityKind.BRANCH)]).frame.set_index("facility_id").loc["new-1"]
    assert known.notna().all()
    assert opened["capacity"] == pytest.approx(known.mean())
