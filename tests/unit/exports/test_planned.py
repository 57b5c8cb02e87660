"""Plans that the planner really makes, the barest ones too, are written, read back and put into words."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gridmap.domain.inputs import PlanInputs
from gridmap.domain.kinds import AreaLevel
from gridmap.domain.plan import GEOGRAPHIC_FRAMES, TABLES, Plan
from gridmap.domain.plan_settings import PlanSettings
from gridmap.exports.plan_directory import load_plan, write_plan
from gridmap.exports.sentences import summary_lines
from gridmap.planning.pipeline import build_plan

CODES = {AreaLevel.COUNTY: "990101", AreaLevel.TOWNSHIP: "990101001", AreaLevel.VILLAGE: "990101001001"}


def planned(level: AreaLevel, branches: int) -> Plan:
    areas = gpd.GeoDataFrame(
        {
            "area_code": pd.array([CODES[level]], dtype=object),
            "name": pd.array(["方塆"], dtype=object),
            "level": [str(level)],
            "settlement": pd.array([None], dtype=object),
        },
        geometry=[shapely.box(111, 30, 111.05, 30.05)],
        crs=4326,
    )
    lon, lat = np.linspace(111.005, 111.02, branches), np.linspace(30.005, 30.01, branches)
    facilities = gpd.GeoDataFrame(
        {
            "facility_id": pd.array([f"F{i}" for i in range(branches)], dtype=object),
            "name": pd.array([f"网点{i}" for i in range(branches)], dtype=object),
            "kind": pd.array(["branch"] * branches, dtype=object),
            "lon": lon,
            "lat": lat,
            "service_radius_m": np.full(branches, 2500.0),
            "capacity": np.full(branches, np.nan),
            "institution": pd.array([None] * branches, dtype=object),
            "lon_given": lon,
            "lat_given": lat,
            "datum": pd.array(["wgs84"] * branches, dtype=object),
        },
        geometry=shapely.points(lon, lat),
        crs=4326,
    )
    settings = PlanSettings.model_validate(
        {"plan": {"name": "方案"}, "areas": {level: {"path": "areas.geojson"}}, "partition": {"resolution": 8}}
    )
    return build_plan(settings, PlanInputs({level: areas}, facilities))


@pytest.mark.parametrize("branches", [0, 1, 3])
@pytest.mark.parametrize("level", list(AreaLevel))
def test_a_bare_plan_survives_the_disk(level: AreaLevel, branches: int, tmp_path: Path) -> None:
    plan = planned(level, branches)
    write_plan(plan, tmp_path / "out")
    back = load_plan(tmp_path / "out")
    for name in (*GEOGRAPHIC_FRAMES, *TABLES):
        before, after = getattr(plan, name), getattr(back, name)
        pd.testing.assert_frame_equal(
            pd.DataFrame(after.drop(columns="geometry", errors="ignore")),
            pd.DataFrame(before.drop(columns="geometry", errors="ignore")),
        )
        if name in GEOGRAPHIC_FRAMES:
            assert shapely.to_wkb(after.geometry).tolist() == shapely.to_wkb(before.geometry).tolist()
    assert back.indicators == plan.indicators
    assert back.certificate == plan.certificate
    made, covered, gap = summary_lines(back, lang="en")
    assert "partition exact" in made
    assert "of ground" in covered
    assert ("no facility at all" in gap) == (branches == 0)
