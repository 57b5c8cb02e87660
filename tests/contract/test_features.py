"""Features are found by box and page by page; both stores give the same answers, and they are the right ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import shapely

from gridmap.domain.layers import LAYER_BY_NAME, LAYERS
from gridmap.domain.plan import Plan
from gridmap.errors import UsageError
from gridmap.store import Box, PlanStore, VersionInfo, open_store

GEOGRAPHIC = [layer.name for layer in LAYERS if layer.geometry]


@pytest.fixture(scope="module")
def wide(make_plan: Callable[..., Plan]) -> Plan:
    return make_plan(rings=9)


@pytest.fixture(scope="module")
def both(
    tmp_path_factory: pytest.TempPathFactory, cluster, wide: Plan
) -> Iterator[list[tuple[PlanStore, VersionInfo]]]:
    """Return both stores holding the same plan between others over the same ground."""
    cluster.execute("CREATE DATABASE features TEMPLATE made_tables")
    path = tmp_path_factory.mktemp("features") / "store.sqlite"
    stores = [open_store(str(path), create=True), open_store(cluster.url("features"))]
    found = []
    for store in stores:
        store.add_version("before", wide, who="li")
        found.append((store, store.add_version("p", wide, who="li")))
        store.add_version("after", wide, who="li")
    yield found
    for store in stores:
        store.close()


def fids_meeting(plan: Plan, layer: str, box: Box) -> list[int]:
    """Look at every feature, without an index."""
    west, south, east, north = box
    corners = [(west, south), (east, south), (east, north), (west, north)]
    shape = shapely.MultiPoint(corners).convex_hull
    return (np.flatnonzero(shapely.intersects(getattr(plan, layer).geometry.to_numpy(), shape)) + 1).tolist()


def boxes(plan: Plan) -> list[Box]:
    """Boxes of all sizes; among them points, lines, and such as touch features at a vertex or end on their border."""
    rng = np.random.default_rng(4)
    west, south, east, north = plan.cells.total_bounds
    found = [Box(west, south, east, north), Box(-180, -90, 180, 90), Box(0, 0, 1, 1)]
    for size in (0.3, 0.02, 0.002):
        lon, lat = rng.uniform(west, east, 6), rng.uniform(south, north, 6)
        found += [Box(x, y, x + size, y + size) for x, y in zip(lon.tolist(), lat.tolist(), strict=True)]
    vertices = shapely.get_coordinates(plan.cells.geometry.to_numpy())
    step = 1e-7
    for x, y in vertices[rng.choice(len(vertices), 12, replace=False)].tolist():
        found += [Box(x, y, x, y), Box(x, y, x + 0.01, y), Box(x - 0.01, y - 0.01, x, y), Box(x, y, x + step, y + step)]
    for bounds in plan.cells.geometry.bounds.to_numpy()[:6].tolist():
        # Beside a feature by less than a single float can tell.
        w, s, _, n = bounds
        found += [Box(w - 0.01, s, np.nextafter(w, -180), n), Box(w - 0.01, s, w, n)]
    return found


@pytest.mark.parametrize("layer", GEOGRAPHIC)
def test_both_stores_find_in_every_box_what_lies_there(both, wide: Plan, layer: str):
    hits = set()
    for box in boxes(wide):
        expected = fids_meeting(wide, layer, box)
        hits.add(bool(expected))
        for store, version in both:
            assert [one.fid for one in store.iter_features(layer, version, box, limit=10_000)] == expected, box
            assert store.count(layer, version, box) == len(expected), box
    assert hits == {True, False}


@pytest.mark.parametrize("layer", LAYER_BY_NAME)
def test_both_stores_give_the_same_features(both, wide: Plan, layer: str):
    pages = [list(store.iter_features(layer, version, limit=10_000)) for store, version in both]
    assert pages[0] == pages[1]
    frame = getattr(wide, layer)
    assert [one.fid for one in pages[0]] == list(range(1, len(frame) + 1))
    assert set(pages[0][0].properties) == {column.name for column in LAYER_BY_NAME[layer].columns}
    for name in (column.name for column in LAYER_BY_NAME[layer].columns):
        # What a frame lacks a store tells as missing.
        values = frame[name].tolist() if name in frame else [None] * len(frame)
        expected = [None if np.isscalar(value) and value != value else value for value in values]
        assert [one.properties[name] for one in pages[0]] == expected, name
    if layer in GEOGRAPHIC:
        assert shapely.equals_identical(
            shapely.from_wkb([one.wkb for one in pages[0]]), frame.geometry.to_numpy()
        ).all()
    else:
        assert {one.wkb for one in pages[0]} == {None}


@pytest.mark.parametrize("limit", [1, 7, 36, 37, 100])
def test_pages_hold_every_feature_once(both, wide: Plan, limit: int):
    middle = wide.cells.union_all().centroid
    for box in (None, Box(middle.x - 0.02, middle.y - 0.02, middle.x + 0.02, middle.y + 0.02)):
        for store, version in both:
            found: list[int] = []
            while page := list(store.iter_features("cells", version, box, limit, found[-1] if found else 0)):
                assert len(page) <= limit
                found += [one.fid for one in page]
            assert found == (list(range(1, len(wide.cells) + 1)) if box is None else fids_meeting(wide, "cells", box))
            assert store.count("cells", version, box) == len(found)


@pytest.mark.parametrize("few", [20, 200_000])
def test_a_box_of_more_candidates_than_one_batch_is_searched_to_its_end(both, wide: Plan, monkeypatch, few: int):
    monkeypatch.setattr("gridmap.store.sqlite._BATCH", 10)
    monkeypatch.setattr("gridmap.store.sqlite._FEW", few)
    west, south, east, north = wide.cells.total_bounds
    box = Box(west, south, (west + east) / 2, north)
    for store, version in both:
        found = [one.fid for one in store.iter_features("cells", version, box, 10_000)]
        assert found == fids_meeting(wide, "cells", box)
        assert [one.fid for one in store.iter_features("cells", version, box, 25)] == found[:25]
        after = [one.fid for one in store.iter_features("cells", version, box, 10_000, after_fid=found[30])]
        assert after == found[31:]


def test_tables_lie_in_no_box(both):
    for store, version in both:
        assert list(store.iter_features("staff", version, Box(-180, -90, 180, 90))) == []
        assert store.count("staff", version, Box(-180, -90, 180, 90)) == 0


@pytest.mark.parametrize("box", [(1, 0, 0, 1), (0, 1, 1, 0), (0, 0, np.inf, 1), (np.nan, 0, 1, 1)])
def test_bounds_that_are_none_are_refused(both, box: tuple[float, ...]):
    for store, version in both:
        for layer in ("cells", "staff"):
            with pytest.raises(UsageError):
                list(store.iter_features(layer, version, Box(*box)))
            with pytest.raises(UsageError):
                store.count(layer, version, Box(*box))


def test_layers_and_limits_that_are_none_are_refused(both):
    for store, version in both:
        with pytest.raises(UsageError):
            list(store.iter_features("plan; DROP TABLE plan", version))
        with pytest.raises(UsageError):
            store.count("", version)
        for limit in (0, -1):
            with pytest.raises(UsageError):
                list(store.iter_features("cells", version, limit=limit))


def test_every_feature_with_a_place_is_in_the_index(both, wide: Plan):
    store, _ = both[0]
    with store.reading() as connection:
        for layer in GEOGRAPHIC:
            rows = connection.exec_driver_sql(f"SELECT count(*) FROM layer_{layer}_rtree").scalar()
            shapes = getattr(wide, layer).geometry.to_numpy()
            assert rows == 3 * (~shapely.is_empty(shapes)).sum(), layer


def test_the_index_of_a_deleted_draft_is_gone(both, wide: Plan):
    store, _ = both[0]
    with store.reading() as connection:
        before = connection.exec_driver_sql("SELECT count(*) FROM layer_cells_rtree").scalar()
    store.delete_draft(store.add_version("gone", wide, who="li"), who="li")
    with store.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM layer_cells_rtree").scalar() == before
