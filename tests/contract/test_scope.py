"""Who may see a part of a plan sees that part and nothing of the rest: row by row, against a plain telling of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import orjson
import pytest

from gridmap.domain.access import Scope
from gridmap.domain.filters import Comparison, Operator, Property
from gridmap.domain.layers import LAYER_BY_NAME, LAYERS, ColumnType
from gridmap.domain.plan import Plan
from gridmap.errors import NotStored
from gridmap.store import VersionInfo, open_store
from gridmap.store.protocols import Box
from gridmap.store.reading import FeatureQuery, LayerReader
from gridmap.store.sql import SqlStore
from scoped_county import BANK, OTHER, InReach, rows_of, sample_county
from store_fixtures import KINDS

NAMES = [layer.name for layer in LAYERS]
#: Towns, villages, two at once, half a digit, nothing, all; with banks and without.
SCOPES = {
    "town": Scope(("990101001",)),
    "other town": Scope(("990101100",)),
    "both towns": Scope(("990101001", "990101100")),
    "village": Scope(("990101105206",)),
    "towns by half a code": Scope(("9901012",)),
    "nothing there": Scope(("42",)),
    "county": Scope(("990101",)),
    "county of the bank": Scope(("990101",), (BANK,)),
    "bank": Scope((), (BANK,)),
    "both banks": Scope((), (BANK, OTHER)),
    "town of the bank": Scope(("990101001",), (BANK,)),
}


@pytest.fixture(scope="module")
def plan() -> Plan:
    return sample_county()


@pytest.fixture(scope="module")
def stores(made_url: Callable[[str], str], plan: Plan) -> Iterator[dict[str, tuple[SqlStore, VersionInfo]]]:
    """Both stores with the county, published, among other versions."""
    found = {}
    for kind in KINDS:
        store = open_store(made_url(kind))
        store.add_version("before", plan, who="li")
        found[kind] = store, store.publish(store.add_version("county", plan, who="li"), who="li")
    yield found
    for store, _ in found.values():
        store.close()


@pytest.fixture(scope="module")
def told(plan: Plan) -> Callable[[str], InReach]:
    made: dict[str, InReach] = {}

    def of(name: str) -> InReach:
        if name not in made:
            made[name] = InReach(plan, SCOPES[name].area_prefixes, SCOPES[name].institutions)
        return made[name]

    return of


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SCOPES)
def test_every_layer_shows_what_is_in_reach_and_nothing_else(stores, told, kind: str, name: str):
    store, version = stores[kind]
    reader = LayerReader(store, version, SCOPES[name])
    for layer in map(reader.layer, NAMES):
        assert rows_of(reader.frame(layer)) == _in_order(layer, told(name).rows(layer.name)), layer.name
        assert reader.count(layer) == len(told(name).rows(layer.name)), layer.name


def _in_order(layer, rows):
    """Columns of the users' own come last."""
    names = [one.name for one in layer.columns] + (["geometry"] if layer.geometry else [])
    return [{name: row[name] for name in names} for row in rows]


def test_every_rule_bites(told):
    town = told("town")
    for layer in NAMES:
        shown, there = town.rows(layer), town.all[layer]
        assert 0 < len(shown) < len(there), layer
    masked = {
        "cells": ("primary_outlet_id", "nearest_branch_id", "facility_ids_in_reach"),
        "grids": ("super_code", "parent_code"),
        "facilities": ("branch",),
        "assignments": ("outlet_id",),
        "staff": ("grid_code", "outlet_id"),
        "organisation": ("parent_id",),
        "levels": ("parent_code",),
        "areas": ("parent_code",),
    }
    for layer, columns in masked.items():
        raw = {str(row): row for row in town.all[layer]}
        for column in columns:
            before = [row[column] for row in raw.values()]
            after = [row[column] for row in town.rows(layer)]
            assert any(value for value in after), (layer, column)
            assert set(map(str, before)) - set(map(str, after)), (layer, column)
    village = told("village")
    assert any(row["gap_id"] not in village.gaps and village.is_area(row["area_code"]) for row in village.all["gaps"])
    assert "990101000000001" in told("both towns").supers
    assert "990101000000001" not in town.supers
    assert "person/P0001" in told("both towns").nodes
    assert "person/P0001" not in town.nodes


@pytest.mark.parametrize("kind", KINDS)
def test_pages_counts_items_and_boxes_agree_with_the_rows(stores, kind: str):
    store, version = stores[kind]
    for scope in (SCOPES["town"], SCOPES["town of the bank"]):
        reader, whole = LayerReader(store, version, scope), LayerReader(store, version, Scope())
        for layer in map(reader.layer, NAMES):
            fids = [fid for (fid,) in reader.rows(layer, ["fid"])]
            features = _all_pages(reader, layer)
            assert len(features) == len(fids) == reader.count(layer)
            for feature in features[:: max(1, len(features) // 5)]:
                assert orjson.loads(reader.feature(layer, str(feature["id"]))) == feature
            if layer.geometry:
                box = whole.extent(layer)
                assert reader.count(layer, FeatureQuery(bbox=box)) <= len(fids)
                own = reader.extent(layer)
                assert own is not None
                assert box is not None
                assert own != box
                assert reader.count(layer, FeatureQuery(bbox=own)) == reader.count(layer, FeatureQuery(bbox=box))


def _all_pages(reader: LayerReader, layer):
    found, after = [], 0
    while after is not None:
        page = reader.page(layer, FeatureQuery(limit=97, after_fid=after))
        found += orjson.loads(b"[" + page.features + b"]")
        after = page.next_after
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_in_reach_is_answered_like_what_is_not_there(stores, told, kind: str):
    store, version = stores[kind]
    reader = LayerReader(store, version, SCOPES["town"])
    grids = reader.layer("grids")
    beyond = next(row["grid_code"] for row in told("town").all["grids"] if row["grid_code"] not in told("town").grids)
    with pytest.raises(NotStored) as hidden:
        reader.feature(grids, beyond)
    with pytest.raises(NotStored) as missing:
        reader.feature(grids, "0" * 15)
    assert hidden.value.message("en").replace(beyond, "X") == missing.value.message("en").replace("0" * 15, "X")


@pytest.mark.parametrize("kind", KINDS)
def test_of_a_plan_of_another_institution_nothing_is_there(stores, kind: str):
    store, version = stores[kind]
    reader = LayerReader(store, version, Scope((), ("别家银行",)))
    for layer in map(reader.layer, NAMES):
        assert reader.count(layer) == 0
        assert reader.extent(layer) is None
        assert reader.page(layer, FeatureQuery()).returned == 0
        frame = reader.frame(layer)
        assert list(frame.columns)[: len(layer.columns)] == [one.name for one in layer.columns]
        assert frame.empty


@pytest.mark.parametrize("kind", KINDS)
def test_filters_see_what_may_be_seen(stores, told, kind: str):
    store, version = stores[kind]
    reader = LayerReader(store, version, SCOPES["town"])
    for name in ("cells", "grids", "assignments", "facilities", "staff", "levels"):
        layer, shown = reader.layer(name), told("town").rows(name)
        for column in layer.columns:
            if column.type is not ColumnType.TEXT or column.name not in told("town").all[name][0]:
                continue
            value = Property(column.name, ColumnType.TEXT, is_own=column not in LAYER_BY_NAME[name].columns)
            hidden = {row[column.name] for row in told("town").all[name]} - {row[column.name] for row in shown} - {None}
            for text in sorted(hidden)[:3]:
                where = Comparison(Operator.EQUAL, value, (text,))
                assert reader.count(layer, FeatureQuery(where=where)) == 0, (column.name, text)
            missing = FeatureQuery(where=Comparison(Operator.IS_NULL, value))
            assert reader.count(layer, missing) == sum(row[column.name] is None for row in shown), column.name


@pytest.mark.parametrize("kind", KINDS)
def test_boxes_find_in_reach_only(stores, plan: Plan, told, kind: str):
    store, version = stores[kind]
    reader = LayerReader(store, version, SCOPES["town"])
    beyond = plan.cells[~plan.cells["area_code"].str.startswith("990101001")]
    cells = reader.layer("cells")
    for shape in beyond.geometry.iloc[::50]:
        x, y = shape.representative_point().coords[0]
        assert reader.count(cells, FeatureQuery(bbox=Box(x, y, x, y))) == 0
