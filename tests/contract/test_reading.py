"""Pages of features hold what the plan holds, in every system, on both stores alike."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from gridmap.domain.access import Scope
from gridmap.domain.crs import CRS84, OutputCrs, gauss_kruger_at, offered_at
from gridmap.domain.filters import Comparison, Operator, Property, Relation, Spatial
from gridmap.domain.layers import LAYERS, ColumnType
from gridmap.domain.plan import Plan
from gridmap.errors import NotStored, UsageError
from gridmap.store import VersionInfo, open_store
from gridmap.store.protocols import Box
from gridmap.store.reading import FeatureQuery, LayerReader
from scoped_county import rows_of
from store_fixtures import KINDS

NAMES = [layer.name for layer in LAYERS]
GEOGRAPHIC = [layer.name for layer in LAYERS if layer.geometry]
TEXTS = ['"塆" \\ / \b\n\t\x1f', "'; DROP TABLE plan; --", "100 % :x", "🏦", "", "}}]", "null"]
NUMBERS = [0.1, 1e-7, 1e22, 123456789.12345678, 1e16, -0.1, 3.0, 5e-324, 1.7976931348623157e308, 0.30000000000000004]
#: Zones of three degrees, and the ground between them.
LONGITUDES = np.arange(75.0, 135.1, 1.5)


def odd_plan(make_plan: Callable[..., Plan]) -> Plan:
    """Plan whose values are hard to write: texts, numbers, columns of every type of the user's own, odd places."""
    plan = make_plan(rings=5)
    cells = plan.cells.copy()
    count = len(cells)
    cells["name"] = [TEXTS[row % len(TEXTS)] for row in range(count)]
    cells["distance_m"] = [NUMBERS[row % len(NUMBERS)] for row in range(count)]
    cells['own "text"'] = pd.Series(
        [None if row % 3 == 0 else TEXTS[row % len(TEXTS)] for row in range(count)], dtype=object
    )
    cells["own's int"] = np.arange(count) * 10**12
    cells["own\\number"] = [NUMBERS[row % len(NUMBERS)] for row in range(count)]
    cells["是否"] = np.arange(count) % 2 == 0
    cells["lists"] = [[TEXTS[row % len(TEXTS)], "b"] if row % 2 else [] for row in range(count)]
    spread = plan.facilities.iloc[np.arange(len(LONGITUDES)) % len(plan.facilities)].copy()
    latitudes = np.linspace(18.0, 53.0, len(LONGITUDES)) + np.pi * 1e-8
    spread["facility_id"] = [f"F{row}" for row in range(len(spread))]
    # The first lies halfway between two places that can be written.
    places = shapely.points(np.where(LONGITUDES == 75.0, 75.00390625, LONGITUDES + 1e-9), latitudes)
    facilities = gpd.GeoDataFrame(spread.drop(columns="geometry").reset_index(drop=True), geometry=places, crs=4326)
    return replace(plan, cells=cells, facilities=facilities)


@pytest.fixture(scope="module")
def plan(make_plan: Callable[..., Plan]) -> Plan:
    return odd_plan(make_plan)


@pytest.fixture(scope="module")
def readers(
    made_url: Callable[[str], str], plan: Plan, make_plan: Callable[..., Plan]
) -> Iterator[dict[str, LayerReader]]:
    """Return a reader of the plan on both stores, between other plans."""
    found, stores = {}, []
    for kind in KINDS:
        store = open_store(made_url(kind))
        stores.append(store)
        store.add_version("before", make_plan(), who="li")
        version: VersionInfo = store.publish(store.add_version("p", plan, who="li"), who="li")
        store.add_version("after", make_plan(), who="li")
        found[kind] = LayerReader(store, version, Scope())
    yield found
    for store in stores:
        store.close()


def features_of(reader: LayerReader, name: str, query: FeatureQuery) -> list[dict[str, Any]]:
    """Every feature, page by page."""
    found, after = [], query.after_fid
    while True:
        page = reader.page(reader.layer(name), replace(query, after_fid=after))
        features = json.loads(b"[" + page.features + b"]")
        assert len(features) == page.returned <= query.limit
        found += features
        if page.next_after is None:
            return found
        assert page.next_after > after
        after = page.next_after


def expected_geometry(shape: Any, crs: OutputCrs) -> Any:
    """Bring a geometry to a system vertex by vertex; None where there is none."""
    if shape is None or shape.is_empty:
        return None
    if crs.srid != 4326:
        transformer = Transformer.from_crs(4326, crs.srid, always_xy=True)
        shape = shapely.transform(shape, lambda xy: np.column_stack(transformer.transform(*xy.T)))
    turned = shapely.transform(shape, lambda xy: xy[:, ::-1] if crs.is_flipped else xy)
    return shapely.geometry.mapping(turned)


def coordinates(geometry: Any) -> list[float]:
    """Numbers of a geometry in their order."""
    if isinstance(geometry, dict):
        return coordinates(geometry["coordinates"])
    if isinstance(geometry, (list, tuple)):
        return [number for part in geometry for number in coordinates(part)]
    return [geometry]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_features_hold_the_values_of_the_plan(readers, plan: Plan, kind: str, name: str):
    reader = readers[kind]
    layer, frame = reader.layer(name), getattr(plan, name)
    features = features_of(reader, name, FeatureQuery(limit=41))
    rows = rows_of(frame.drop(columns="geometry", errors="ignore"))
    key = layer.key[0] if len(layer.key) == 1 else None
    columns = [one.name for one in layer.columns]
    assert set(columns) >= set(frame.columns) - {"geometry"}
    assert len(features) == len(rows) == reader.count(layer)
    for fid, (feature, row) in enumerate(zip(features, rows, strict=True), start=1):
        assert list(feature) == ["type", "id", "geometry", "properties"]
        assert feature["type"] == "Feature"
        assert feature["id"] == (row[key] if key else fid)
        assert list(feature["properties"]) == columns
        assert feature["properties"] == {one: row.get(one) for one in columns}
        for one in layer.columns:
            value = feature["properties"][one.name]
            assert value is None or isinstance(value, bool) == (one.type is ColumnType.BOOLEAN)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", GEOGRAPHIC)
def test_coordinates_come_back_to_the_last_bit(readers, plan: Plan, kind: str, name: str):
    features = features_of(readers[kind], name, FeatureQuery())
    for feature, shape in zip(features, getattr(plan, name).geometry, strict=True):
        told = expected_geometry(shape, CRS84)
        if told is None:
            assert feature["geometry"] is None
        else:
            assert feature["geometry"]["type"] == told["type"]
            assert coordinates(feature["geometry"]) == [round(number, 7) for number in coordinates(told)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["cells", "jurisdictions", "organisation"])
@pytest.mark.parametrize("crs", offered_at(111.3), ids=lambda crs: str(crs.srid))
def test_every_system_is_that_of_proj(readers, plan: Plan, kind: str, name: str, crs: OutputCrs):
    features = features_of(readers[kind], name, FeatureQuery(crs=crs))
    for feature, shape in zip(features, getattr(plan, name).geometry, strict=True):
        told = expected_geometry(shape, crs)
        if told is None:
            assert feature["geometry"] is None
            continue
        assert feature["geometry"]["type"] == told["type"]
        _hold_together(coordinates(feature["geometry"]), coordinates(told), crs)


def _hold_together(found: list[float], told: list[float], crs: OutputCrs) -> None:
    assert len(found) == len(told)
    assert np.abs(np.array(found) - np.array(told)).max() <= 0.51 * 10.0**-crs.decimals
    assert [round(number, crs.decimals) for number in found] == found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("meridian", range(75, 136, 3))
def test_every_zone_is_that_of_proj_with_the_northing_first(readers, plan: Plan, kind: str, meridian: int):
    crs = gauss_kruger_at(float(meridian))
    assert crs is not None
    assert crs.srid == 4534 + (meridian - 75) // 3
    features = features_of(readers[kind], "facilities", FeatureQuery(crs=crs))
    near = 0
    for feature, shape in zip(features, plan.facilities.geometry, strict=True):
        if abs(shape.x - meridian) <= 1.6:
            north, east = feature["geometry"]["coordinates"]
            _hold_together([north, east], coordinates(expected_geometry(shape, crs)), crs)
            assert abs(east - 500_000) < 200_000
            assert abs(north / 111_000 - shape.y) < 0.5
            near += 1
    assert near >= 2


def test_both_stores_write_the_same(readers):
    sqlite, postgis = (readers[kind] for kind in KINDS)
    for name in NAMES:
        for crs in offered_at(111.3) if name in GEOGRAPHIC else [CRS84]:
            pages = [reader.page(reader.layer(name), FeatureQuery(limit=60, crs=crs)) for reader in (sqlite, postgis)]
            first, second = (json.loads(b"[" + page.features + b"]") for page in pages)
            assert first == second
            assert pages[0].next_after == pages[1].next_after
        assert sqlite.extent(sqlite.layer(name)) == postgis.extent(postgis.layer(name))
        assert rows_of(sqlite.frame(sqlite.layer(name))) == rows_of(postgis.frame(postgis.layer(name)))


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_of_any_size_hold_everything_once(readers, plan: Plan, kind: str, data: st.DataObject):
    name = data.draw(st.sampled_from(NAMES))
    limit = data.draw(st.integers(1, 120))
    frame = getattr(plan, name)
    wanted = np.ones(len(frame), dtype=bool)
    bbox = where = None
    if name in GEOGRAPHIC and data.draw(st.booleans()):
        west, south, east, north = plan.cells.total_bounds
        x, y = data.draw(st.floats(west, east)), data.draw(st.floats(south, north))
        bbox = Box(x, y, x + data.draw(st.floats(0, 0.2)), y + data.draw(st.floats(0, 0.2)))
        corners = shapely.MultiPoint(
            [(bbox.west, bbox.south), (bbox.east, bbox.north), (bbox.west, bbox.north), (bbox.east, bbox.south)]
        )
        wanted &= shapely.intersects(frame.geometry.to_numpy(), corners.convex_hull)
    if "demand" in frame and data.draw(st.booleans()):
        least = data.draw(st.sampled_from(sorted(frame["demand"].dropna().tolist()) or [0.0]))
        where = Comparison(Operator.AT_LEAST, Property("demand", ColumnType.NUMBER), (least,))
        wanted &= (frame["demand"] >= least).to_numpy()
    query = FeatureQuery(bbox=bbox, where=where, limit=limit, properties=(), geometry=False)
    reader = readers[kind]
    key = reader.layer(name).key
    ids = [feature["id"] for feature in features_of(reader, name, query)]
    fids = (np.flatnonzero(wanted) + 1).tolist()
    assert ids == (frame[key[0]].to_numpy()[wanted].tolist() if len(key) == 1 else fids)
    assert reader.count(reader.layer(name), query) == len(fids)
    assert [fid for (fid,) in reader.rows(reader.layer(name), ["fid"], bbox=bbox, where=where)] == fids


@pytest.mark.parametrize("kind", KINDS)
def test_filters_by_place_find_what_lies_there(readers, plan: Plan, kind: str):
    reader, shape = readers[kind], plan.grids.geometry.iloc[0]
    query = FeatureQuery(where=Spatial(Relation.INTERSECTS, shapely.to_wkb(shape)))
    told = np.flatnonzero(shapely.intersects(plan.cells.geometry.to_numpy(), shape)) + 1
    assert [one["id"] for one in features_of(reader, "cells", query)] == told.tolist()
    assert 0 < len(told) < len(plan.cells)


@pytest.mark.parametrize("kind", KINDS)
def test_a_feature_is_found_by_its_key_and_written_as_on_its_page(readers, kind: str):
    reader = readers[kind]
    for name in NAMES:
        layer = reader.layer(name)
        for crs in offered_at(111.3):
            page = features_of(reader, name, FeatureQuery(crs=crs))
            for feature in (page[0], page[-1]):
                assert json.loads(reader.feature(layer, str(feature["id"]), crs)) == feature
        for missing in ("0", "x'--", "99999999999999999999", "-1", "\uff11", "", "\0"):
            with pytest.raises(NotStored) as caught:
                reader.feature(layer, missing)
            assert name in caught.value.message("en")


@pytest.mark.parametrize("kind", KINDS)
def test_properties_are_those_asked_for_in_the_order_of_the_layer(readers, kind: str):
    reader = readers[kind]
    asked = ("是否", "lists", "demand", "cell_id", 'own "text"')
    query = FeatureQuery(limit=3, properties=asked, geometry=False)
    for feature in features_of(reader, "cells", query)[:3]:
        assert list(feature["properties"]) == ["cell_id", "demand", 'own "text"', "是否", "lists"]
        assert feature["geometry"] is None
    assert features_of(reader, "cells", replace(query, properties=()))[0]["properties"] == {}
    with pytest.raises(UsageError, match="no property"):
        reader.page(reader.layer("cells"), FeatureQuery(properties=("nope",)))


@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_asked_is_refused(readers, kind: str):
    reader = readers[kind]
    cells = reader.layer("cells")
    with pytest.raises(UsageError):
        reader.page(cells, FeatureQuery(limit=0))
    for box in (Box(math.nan, 0, 1, 1), Box(2, 0, 1, 1), Box(0, 0, math.inf, 1)):
        with pytest.raises(UsageError):
            reader.page(cells, FeatureQuery(bbox=box))
    with pytest.raises(NotStored):
        reader.layer("nope")
    assert reader.page(reader.layer("staff"), FeatureQuery(bbox=Box(-180, -90, 180, 90))).returned == 0


@pytest.mark.parametrize("kind", KINDS)
def test_the_extent_is_that_of_the_geometries(readers, plan: Plan, kind: str):
    reader = readers[kind]
    for name in NAMES:
        told = Box(*getattr(plan, name).total_bounds.tolist()) if name in GEOGRAPHIC else None
        assert reader.extent(reader.layer(name)) == told


@pytest.mark.parametrize("kind", KINDS)
def test_columns_of_frames_are_of_their_types(readers, kind: str):
    reader, plain = readers[kind], {ColumnType.NUMBER: "float64", ColumnType.TEXT: "str", ColumnType.TEXTS: "object"}
    whole = {ColumnType.INTEGER: ("int64", "Int64"), ColumnType.BOOLEAN: ("bool", "boolean")}
    for name in NAMES:
        layer = reader.layer(name)
        frame = reader.frame(layer)
        assert list(frame.columns) == [one.name for one in layer.columns] + (["geometry"] if layer.geometry else [])
        for one in layer.columns:
            full, lacking = whole.get(one.type, (plain.get(one.type),) * 2)
            assert str(frame[one.name].dtype) == (lacking if frame[one.name].isna().any() else full), one.name


@pytest.mark.parametrize("kind", KINDS)
def test_everything_at_once_is_of_one_state(readers, kind: str):
    reader = readers[kind]
    with reader.at_once() as one:
        cells = one.layer("cells")
        assert len(one.connection.execute(one.source(cells).select()).fetchall()) == one.count(cells)
    with pytest.raises(UsageError):
        _ = reader.connection
