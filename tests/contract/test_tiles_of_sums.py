"""At small scales hexagons stand for cells: every cell counts once, at every zoom, in every version there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import h3
import numpy as np
import pytest
from sqlalchemy import func, select

from decoded_tiles import decoded, tiles_over
from gridmap.domain.access import Scope
from gridmap.domain.plan import Plan
from gridmap.errors import StoreConflict
from gridmap.store import PlanStore, VersionInfo, open_store
from gridmap.store.migration import downgrade, upgrade
from gridmap.store.protocols import Box
from gridmap.store.reading import LayerReader
from gridmap.store.service_tables import cells_aggregate
from gridmap.store.tiles.parents import indices, parents
from gridmap.store.tiles.reader import TileReader
from gridmap.store.tiles.scheme import FINEST_ZOOM
from same_plan import assert_same_plan

Both = list[tuple[PlanStore, VersionInfo]]


@pytest.fixture(scope="module")
def wide(make_plan: Callable[..., Plan]) -> Plan:
    """3,997 cells: more than are drawn one by one at small scales; one hexagon of 7 counts towards two villages."""
    return make_plan(rings=36, resolution=9)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, cluster, wide: Plan) -> Iterator[Both]:
    cluster.execute("CREATE DATABASE sums TEMPLATE made_tables")
    path = tmp_path_factory.mktemp("sums") / "store.sqlite"
    stores = [open_store(str(path), create=True), open_store(cluster.url("sums"))]
    yield [(store, store.add_version("p", wide, who="li")) for store in stores]
    for store in stores:
        store.close()


def tiles_of(both: Both, scope: Scope | None = None) -> list[TileReader]:
    return [TileReader(LayerReader(store, version, scope or Scope())) for store, version in both]


def features_over(tiles: TileReader, zoom: int, box: Box) -> dict[str, dict]:
    """Features of all tiles of a zoom by their id; one in several tiles tells the same in each."""
    found: dict[str, dict] = {}
    for tile in tiles_over(zoom, box):
        for one in decoded(tiles.tile(tile, ("cells",))).get("cells", []):
            assert found.setdefault(one.properties["cell_id"], one.properties) == one.properties
    return found


@pytest.mark.parametrize("zoom", [0, 4, 7, 9, 10, 12])
def test_the_features_of_a_zoom_sum_up_to_the_plan(both: Both, wide: Plan, zoom: int) -> None:
    cells, box = wide.cells, Box(*wide.cells.total_bounds)
    for tiles in tiles_of(both):
        found = list(features_over(tiles, zoom, box).values())
        assert sum(one.get("cells", 1) for one in found) == len(cells)
        for name in ("demand", "area_m2"):
            assert sum(one[name] for one in found) == pytest.approx(cells[name].sum(), rel=1e-12)
        are_sums = zoom < tiles.scale().first_zoom
        assert all(one.get("aggregated", False) is are_sums for one in found)
        assert len(found) < 1100 if are_sums else len(found) == len(cells)


def test_means_of_a_hexagon_are_those_of_its_cells(both: Both, wide: Plan) -> None:
    cells, box = wide.cells, Box(*wide.cells.total_bounds)
    for tiles in tiles_of(both):
        found = features_over(tiles, 7, box)
        resolution = next(iter(found.values()))["resolution"]
        of_cell = np.array([h3.cell_to_parent(one, resolution) for one in cells["cell_id"]])
        assert set(found) == set(of_cell)
        for name in sorted(found)[::40]:
            inside, told = cells[of_cell == name], found[name]
            area = inside["area_m2"]
            assert told["cells"] == len(inside)
            assert told["covered_share"] == pytest.approx((area * inside["covered_share"]).sum() / area.sum())
            assert told["distance_m"] == pytest.approx((area * inside["distance_m"]).sum() / area.sum())
            assert told["crossing_degree"] == pytest.approx((area * inside["crossing_degree"]).sum() / area.sum())
            assert told["covered_demand"] == pytest.approx(inside["demand"][inside["covered"]].sum())
            assert told["demand_per_km2"] == pytest.approx(inside["demand"].sum() / area.sum() * 1e6)


def test_both_stores_say_alike_what_stands_for_cells(both: Both, make_plan: Callable[..., Plan]) -> None:
    sqlite, postgis = (tiles.scale() for tiles in tiles_of(both))
    assert sqlite == postgis
    assert 5 < sqlite.first_zoom < 13
    resolutions = [one.resolution for one in sqlite.sums if one is not None]
    assert resolutions == sorted(resolutions)
    assert len(sqlite.sums) == FINEST_ZOOM + 1
    few = [(store, store.add_version("few", make_plan(), who="li")) for store, _ in both]
    assert all(tiles.scale().first_zoom == 0 for tiles in tiles_of(few))


@pytest.mark.parametrize("prefix", ["990101001001", "990101001", "99"])
def test_a_scope_sums_up_what_is_in_its_reach(both: Both, wide: Plan, prefix: str) -> None:
    cells, box = wide.cells[wide.cells["area_code"].str.startswith(prefix)], Box(*wide.cells.total_bounds)
    for tiles in tiles_of(both, Scope((prefix,))):
        found = list(features_over(tiles, 6, box).values())
        assert sum(one.get("cells", 1) for one in found) == len(cells)
        assert sum(one["demand"] for one in found) == pytest.approx(cells["demand"].sum(), rel=1e-12)
        is_narrower = len(cells) < len(wide.cells)
        assert all("distance_m" not in one for one in found if "aggregated" in one and is_narrower)


def sums_of(store: PlanStore, version: VersionInfo) -> list[tuple]:
    columns = [column for column in cells_aggregate.c if column.name not in ("version_id", "geometry")]
    rows = select(*columns).where(cells_aggregate.c.version_id == version.row)
    with store.reading() as connection:
        return sorted(tuple(row) for row in connection.execute(rows))


def test_sums_go_with_their_version(store: PlanStore, wide: Plan, make_plan: Callable[..., Plan]) -> None:
    version = store.add_version("p", wide, who="li")
    sums = sums_of(store, version)
    assert len({row[1] for row in sums}) > 500
    assert_same_plan(store.read(version), wide)
    fewer = store.replace_draft(version, make_plan(), who="li")
    assert sums_of(store, fewer) == []
    again = store.replace_draft(fewer, wide, who="li")
    assert sums_of(store, again) == sums
    store.delete_draft(again, who="li")
    assert sums_of(store, again) == []


def test_sums_of_what_is_published_are_kept_as_they_are(store: PlanStore, wide: Plan) -> None:
    version = store.publish(store.add_version("p", wide, who="li"), who="li")
    before = sums_of(store, version)
    for statement in (
        "DELETE FROM cells_aggregate",
        "UPDATE cells_aggregate SET demand = 0",
        "INSERT INTO cells_aggregate SELECT * FROM (SELECT * FROM cells_aggregate LIMIT 1) AS one",
    ):
        with pytest.raises(StoreConflict), store.writing() as connection:
            connection.exec_driver_sql(statement)
    assert sums_of(store, version) == before


def test_what_was_stored_before_there_were_sums_gets_them(store: PlanStore, wide: Plan) -> None:
    version = store.publish(store.add_version("p", wide, who="li"), who="li")
    before = sums_of(store, version)
    downgrade(store, "0001")
    upgrade(store)
    assert sums_of(store, version) == before
    with store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(cells_aggregate)).scalar_one() == len(before)


def test_parents_are_those_of_h3() -> None:
    cells = [cell for start in ("8931aa5b247ffff", "890326233abffff") for cell in h3.grid_disk(start, 4)]
    found = indices(cells, [None] * len(cells))
    for resolution in (0, 3, 8):
        expected = [h3.cell_to_parent(cell, resolution) for cell in cells]
        assert [f"{int(one):x}" for one in parents(found, resolution)] == expected


def test_cells_of_other_names_count_where_they_lie(store: PlanStore, wide: Plan) -> None:
    renamed = wide.cells.copy()
    renamed.loc[renamed.index[:5], "cell_id"] = ["", "no cell", "zz", "8931aa5b247ffffffffff", "12"]
    plan = type(wide)(**{**vars(wide), "cells": renamed})
    version = store.add_version("p", plan, who="li")
    finest = [row for row in sums_of(store, version) if row[0] == 8]
    assert sum(row[3] for row in finest) == len(renamed)
    assert sum(row[4] for row in finest) == pytest.approx(renamed["demand"].sum())
