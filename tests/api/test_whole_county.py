"""A whole county put into a store, published and paged through: no cell lost, none doubled, none mixed up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import geopandas as gpd
import h3
import numpy as np
import orjson
import pandas as pd
import pytest
import shapely

from gridmap.domain.plan import Plan
from live_service import Live
from made_plan import CENTRE, made_plan
from shared_services import served
from store_fixtures import KINDS

NORMAL, LARGE = 20_000, 300_000


@cache
def county_of(count: int) -> Plan:
    """Make a plan of so many cells, each with a demand of its own."""
    plan = made_plan()
    rings = next(k for k in range(1, 1000) if 3 * k * (k + 1) + 1 >= count)
    ids = sorted(h3.grid_disk(h3.latlng_to_cell(*CENTRE, 10), rings))[:count]
    corners = [[(lon, lat) for lat, lon in h3.cell_to_boundary(cell)] for cell in ids]
    shapes = np.array([shapely.Polygon(np.rint(np.array(ring) * 1e7) / 1e7) for ring in corners], dtype=object)
    columns = pd.DataFrame(np.repeat(plan.cells.drop(columns="geometry").iloc[[0]].to_numpy(), count, axis=0))
    columns.columns = plan.cells.columns.drop("geometry")
    columns = columns.astype(plan.cells.drop(columns="geometry").dtypes.to_dict())
    cells = gpd.GeoDataFrame(columns.assign(cell_id=ids, demand=np.arange(count) / 8), geometry=shapes, crs=4326)
    return replace(plan, cells=cells)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [NORMAL, pytest.param(LARGE, marks=pytest.mark.slow)])
def test_every_cell_of_a_county_comes_once(
    kind: str, count: int, made_url: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
):
    plan = county_of(count)
    with served(kind, made_url, tmp_path_factory) as live:
        live.store.publish(live.store.add_version("county", plan, who="test"), who="test")
        features, pages = paged(live, "/collections/county.cells/items?limit=7000")

    assert len(features) == count
    assert [one["properties"]["cell_id"] for one in features] == plan.cells["cell_id"].to_list()
    assert [one["properties"]["demand"] for one in features] == plan.cells["demand"].to_list()
    some = np.linspace(0, count - 1, 500).astype(int)
    found = shapely.from_geojson([orjson.dumps(features[place]["geometry"]) for place in some])
    assert shapely.equals_exact(found, plan.cells.geometry.to_numpy()[some], 0).all()
    assert pages == -(-count // 7000)


def paged(live: Live, path: str) -> tuple[list[dict], int]:
    """Follow the next links; features of all pages, and how many these were."""
    features, pages, following = [], 0, path
    while following:
        page = orjson.loads(live.get(following).content)
        assert page["numberReturned"] == len(page["features"])
        features, pages = features + page["features"], pages + 1
        following = next((one["href"] for one in page["links"] if one["rel"] == "next"), "")
    return features, pages
