"""OWSLib browses, filters and pages a published plan, on both stores."""

from __future__ import annotations

import pytest
import shapely
from owslib.ogcapi.features import Features

from gridmap.domain.layers import LAYER_BY_NAME, LAYERS
from gridmap.domain.plan import Plan
from live_service import Live


@pytest.fixture
def features(county: Live) -> Features:
    return Features(county.url)


def test_owslib_reads_what_the_service_is(features: Features, county: Live):
    assert features.api()["openapi"] == "3.0.3"
    assert features.conformance() == county.json("/conformance")
    assert set(features.feature_collections()) == {f"county.{layer.name}" for layer in LAYERS}


def test_owslib_reads_a_collection_with_its_queryables(features: Features):
    described = features.collection("county.grids")
    queryables = features.collection_queryables("county.grids")
    schema = features.collection_schema("county.grids")

    assert described["itemType"] == "feature"
    names = {one.name for one in LAYER_BY_NAME["grids"].columns} | {"geometry"}
    assert set(queryables["properties"]) == set(schema["properties"]) == names


def test_owslib_reads_features_by_box_filter_and_property(features: Features, county_plan: Plan):
    cells = county_plan.cells
    centre = shapely.centroid(shapely.box(*cells.total_bounds))
    box = centre.buffer(0.03).bounds
    code = cells["grid_code"].iloc[0]

    found = features.collection_items("county.cells", bbox=list(box), limit=10_000)
    assert found["numberMatched"] == cells.intersects(shapely.box(*box)).sum() > 0
    found = features.collection_items("county.cells", filter="demand > 50 AND settlement = 'rural'", limit=1)
    assert found["numberMatched"] == ((cells["demand"] > 50) & (cells["settlement"] == "rural")).sum() > 0
    found = features.collection_items("county.cells", grid_code=code, limit=10_000)
    assert found["numberReturned"] == (cells["grid_code"] == code).sum() > 0


def test_owslib_reads_a_feature_by_its_code(features: Features, county_plan: Plan):
    grid = county_plan.grids.iloc[0]
    found = features.collection_item("county.grids", grid["grid_code"])

    assert found["id"] == found["properties"]["grid_code"] == grid["grid_code"]
    assert shapely.normalize(shapely.geometry.shape(found["geometry"])) == shapely.normalize(grid.geometry)


def test_owslib_pages_along_the_next_links(features: Features, county: Live, county_plan: Plan):
    page, found = features.collection_items("county.units", limit=50), []
    while True:
        found += [feature["id"] for feature in page["features"]]
        following = [one["href"] for one in page["links"] if one["rel"] == "next"]
        if not following:
            break
        page = county.json(following[0])

    assert len(found) == len(set(found))
    assert sorted(found) == sorted(county_plan.units["unit_code"])
