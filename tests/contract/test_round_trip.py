"""What a store gives back is what was put in, to the last bit, whichever store it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gridmap.domain.layers import LAYERS
from gridmap.domain.plan import Plan
from gridmap.errors import BadValue, StoreDamaged
from gridmap.store import PlanStore
from same_plan import assert_same_plan, with_column

ODD_TEXTS = [
    "",
    "\\N",
    "\\",
    "a\tb\nc\r",
    "NULL",
    "\"quoted\", 'twice'",
    "塆漷墘🏦𠮷",
    "%s {x} :name ?",
    "; DROP TABLE plan",
    " ",
    "é",
    "e\u0301",
]
ODD_NUMBERS = [5e-324, 1.7976931348623157e308, 0.1 + 0.2, -1e-9, 2.0**53 + 2, np.nan, 1 / 3, -0.0, 1e22, 123456789.125]


def cycled(values: list, count: int) -> list:
    return [values[row % len(values)] for row in range(count)]


def test_a_plan_comes_back_as_it_was(store: PlanStore, plan: Plan):
    assert_same_plan(store.read(store.add_version("p", plan, who="me")), plan)


def test_a_plan_without_gaps_comes_back_with_its_empty_frame(store: PlanStore, make_plan: Callable[..., Plan]):
    bare = make_plan(gaps=False)
    assert_same_plan(store.read(store.add_version("p", bare, who="me")), bare)


def test_odd_texts_numbers_and_lists_come_back(store: PlanStore, plan: Plan):
    cells, count = plan.cells, len(plan.cells)
    odd = cells.assign(
        settlement=np.array(cycled([*ODD_TEXTS, None], count), dtype=object),
        unit_code=pd.Series(cycled([*ODD_TEXTS, None], count), dtype="str"),
        distance_m=cycled(ODD_NUMBERS, count),
        crossing_degree=cycled([0, -1, 2**62, -(2**63)], count),
    )
    grids = plan.grids.assign(
        officer_ids=pd.Series([ODD_TEXTS, [], ["M;1", "\\;", "塆"]], dtype=object),
        cooperating_outlet_ids=pd.Series([["one"], ["two"], ["three"]], dtype=object),
    )
    given = replace(plan, cells=odd, grids=grids)
    assert_same_plan(store.read(store.add_version("p", given, who="me")), given)


def test_geometries_come_back_with_their_type_and_the_order_of_their_points(store: PlanStore, plan: Plan):
    first = plan.levels.geometry.to_numpy().copy()
    first[0] = shapely.MultiPolygon([first[0]] if first[0].geom_type == "Polygon" else list(first[0].geoms)[:1])
    first[1] = shapely.reverse(first[1])
    first[2] = shapely.MultiPolygon()
    given = replace(plan, levels=plan.levels.set_geometry(gpd.GeoSeries(first, crs=4326)))
    back = store.read(store.add_version("p", given, who="me"))
    assert_same_plan(back, given)
    assert [shape.geom_type for shape in back.levels.geometry[:3]] == [shape.geom_type for shape in first[:3]]


def test_columns_of_the_users_own_come_back(store: PlanStore, plan: Plan):
    count = len(plan.facilities)
    own = plan.facilities.assign(
        备注=np.array(cycled([*ODD_TEXTS[:4], None], count), dtype=object),
        opened=[2001 + row for row in range(count)],
        rent=cycled([0.5, np.nan, 3.0], count),
        is_new=cycled([True, False], count),
        tags=pd.Series([["a", "b"], [], ["塆"], ["c"], ["d"]], dtype=object),
    )
    given = replace(plan, facilities=own)
    assert_same_plan(store.read(store.add_version("p", given, who="me")), given)


def test_a_frame_that_lacks_a_column_comes_back_without_it(store: PlanStore, plan: Plan):
    given = replace(plan, facilities=plan.facilities.drop(columns=["branch", "line_number"]))
    assert_same_plan(store.read(store.add_version("p", given, who="me")), given)


def test_both_stores_give_a_plan_the_same_digest(made_url: Callable[[str], str], plan: Plan):
    from gridmap.store import open_store

    digests = set()
    for kind in ("sqlite", "postgis"):
        opened = open_store(made_url(kind))
        digests.add(opened.add_version("p", plan, who=kind).digest)
        opened.close()
    assert len(digests) == 1


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_a_change_to_any_column_changes_the_digest(layer, plan: Plan):
    from gridmap.store.content import content_of

    before = content_of(plan).digest
    for column in [*(column.name for column in layer.columns), *(["geometry"] if layer.geometry else [])]:
        frame = getattr(plan, layer.name)
        if column in frame:
            assert content_of(replace(plan, **{layer.name: with_column(frame, column)})).digest != before, column


@pytest.mark.parametrize(
    ("column", "value"),
    [("name", "a\0b"), ("name", "half \ud83c"), ("name", 1.5), ("capacity", np.inf), ("capacity", "many")],
)
def test_what_no_store_can_hold_is_refused_with_its_place(store: PlanStore, plan: Plan, column: str, value: object):
    facilities = plan.facilities.astype({column: object})
    facilities.loc[2, column] = value
    with pytest.raises(BadValue) as refused:
        store.add_version("p", replace(plan, facilities=facilities), who="me")
    assert refused.value.place is not None
    assert (refused.value.place.layer, refused.value.place.feature, refused.value.place.field) == (
        "facilities",
        2,
        column,
    )
    assert store.plans() == []


def test_a_changed_row_is_noticed(store, kind: str, plan: Plan):
    version = store.add_version("p", plan, who="me")
    with store.writing() as connection:
        keep = "layer_grids_update" if kind == "sqlite" else "keep_all ON layer_grids"
        connection.exec_driver_sql(f"DROP TRIGGER {keep}")
        connection.exec_driver_sql("UPDATE layer_grids SET demand = demand + 1 WHERE fid = 2")
    with pytest.raises(StoreDamaged):
        store.read(version)
