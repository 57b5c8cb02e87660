"""Tiles hold every feature that meets them; both stores give the same ones, as a decoder of others reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import isclose

import numpy as np
import pytest
import shapely

from decoded_tiles import Drawn, decoded, tiles_over
from gridmap.domain.access import Scope
from gridmap.domain.plan import Plan
from gridmap.store import PlanStore, VersionInfo, open_store
from gridmap.store.boxes import box_shape
from gridmap.store.protocols import Box
from gridmap.store.reading import LayerReader
from gridmap.store.tiles.attributes import TILED, attributes_of
from gridmap.store.tiles.reader import TileReader
from gridmap.store.tiles.scheme import BUFFER, EXTENT, Tile, tile_at

#: Rounding of both ways, units of a tile: PostGIS cuts before it rounds.
CLOSE = 4.5
Both = list[tuple[PlanStore, VersionInfo]]


@pytest.fixture(scope="module")
def small(make_plan: Callable[..., Plan]) -> Plan:
    return make_plan()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, cluster, small: Plan) -> Iterator[Both]:
    """Return both stores holding the same plan beside another over the same ground."""
    cluster.execute("CREATE DATABASE tiles TEMPLATE made_tables")
    path = tmp_path_factory.mktemp("tiles") / "store.sqlite"
    stores = [open_store(str(path), create=True), open_store(cluster.url("tiles"))]
    found = []
    for store in stores:
        store.add_version("before", small, who="li")
        found.append((store, store.add_version("p", small, who="li")))
    yield found
    for store in stores:
        store.close()


def tiles_of(both: Both, scope: Scope | None = None) -> list[TileReader]:
    return [TileReader(LayerReader(store, version, scope or Scope())) for store, version in both]


def by_fid(features: list[Drawn]) -> list[Drawn]:
    return sorted(features, key=lambda one: one.fid or 0)


def assert_same(one: Drawn, other: Drawn) -> None:
    assert one.fid == other.fid
    assert one.properties.keys() == other.properties.keys()
    for name, value in one.properties.items():
        assert type(value) is type(other.properties[name]), name
        assert value == other.properties[name] or isclose(value, other.properties[name], rel_tol=1e-12), name
    assert shapely.hausdorff_distance(one.geometry, other.geometry) < CLOSE


def meeting(plan: Plan, layer: str, tile: Tile) -> list[int]:
    """Look at every feature, without an index."""
    shapes = getattr(plan, layer).geometry.to_numpy()
    return (np.flatnonzero(shapely.intersects(shapes, box_shape(tile.box))) + 1).tolist()


def some_tiles(plan: Plan) -> list[Tile]:
    """Tiles of all zooms: with all of the plan, with some, at its border, with one feature, with nothing."""
    west, south, east, north = plan.cells.total_bounds
    places = [((west + east) / 2, (south + north) / 2), (west, south), (east, (south + north) / 2), (100.0, 20.0)]
    zooms = {0: places[:1], 5: places[:1], 9: places[:2], 11: places, 13: places, 15: places[:3], 18: places[:1]}
    return list({tile_at(zoom, *place): None for zoom, some in zooms.items() for place in some})


def test_both_stores_hold_exactly_what_meets_a_tile_and_tell_the_same_of_it(both: Both, small: Plan) -> None:
    sqlite, postgis = tiles_of(both)
    for tile in some_tiles(small):
        one, other = decoded(sqlite.tile(tile)), decoded(postgis.tile(tile))
        for layer in TILED:
            expected = meeting(small, layer, tile)
            assert [feature.fid for feature in by_fid(one.get(layer, []))] == expected, (tile, layer)
            assert [feature.fid for feature in by_fid(other.get(layer, []))] == expected, (tile, layer)
            for ours, theirs in zip(by_fid(one.get(layer, [])), by_fid(other.get(layer, [])), strict=True):
                assert_same(ours, theirs)


def test_geometries_are_valid_and_turn_as_the_specification_says(both: Both, small: Plan) -> None:
    for tiles in tiles_of(both):
        for tile in some_tiles(small):
            for layer, features in decoded(tiles.tile(tile)).items():
                for feature in features:
                    assert feature.geometry.is_valid, (tile, layer, feature.fid)
                    west, south, east, north = feature.geometry.bounds
                    assert min(west, south) >= -BUFFER
                    assert max(east, north) <= EXTENT + BUFFER


def test_what_is_drawn_lies_where_it_is(both: Both, small: Plan) -> None:
    tile = tile_at(12, *shapely.get_coordinates(shapely.centroid(shapely.box(*small.cells.total_bounds)))[0])
    clip = shapely.box(-BUFFER, -BUFFER, EXTENT + BUFFER, EXTENT + BUFFER)
    for tiles in tiles_of(both):
        for layer in ("cells", "grids", "gaps", "facilities"):
            shapes = getattr(small, layer).geometry.to_numpy()
            for feature in decoded(tiles.tile(tile, (layer,)))[layer]:
                exact = shapely.intersection(shapely.transform(shapes[feature.fid - 1], tile.units), clip)
                assert shapely.hausdorff_distance(exact, feature.geometry) < CLOSE


def test_neighbours_leave_no_gap_that_could_be_seen(both: Both, small: Plan) -> None:
    whole = shapely.union_all(small.cells.geometry.to_numpy())
    for zoom in (6, 9, 11):
        tile = tile_at(zoom, *whole.centroid.coords[0])
        expected = shapely.transform(whole, tile.units)
        for tiles in tiles_of(both):
            pieces = [feature.geometry for feature in decoded(tiles.tile(tile, ("cells",)))["cells"]]
            together = shapely.union_all(pieces)
            # A strip of a unit along its border, an eighth of a pixel, is what rounding may cost.
            assert together.area == pytest.approx(expected.area, abs=expected.length + 40)
            assert sum(
                hole.area
                for part in shapely.get_parts(together)
                for hole in [shapely.Polygon(ring) for ring in part.interiors]
            ) <= len(pieces)


def test_what_is_too_small_to_be_seen_is_kept_as_a_unit(both: Both, small: Plan) -> None:
    for tiles in tiles_of(both):
        found = decoded(tiles.tile(Tile(0, 0, 0)))
        assert len(found["cells"]) == len(small.cells)
        assert all(feature.geometry.area > 0 for feature in found["cells"])
        assert len(found["facilities"]) == len(small.facilities)


def test_tiles_tell_what_is_documented_and_nothing_else(both: Both, small: Plan) -> None:
    tile = tile_at(11, *shapely.centroid(small.cells.geometry.iloc[0]).coords[0])
    for tiles in tiles_of(both):
        for layer, features in decoded(tiles.tile(tile)).items():
            known = {one.name for one in attributes_of(layer)}
            assert set().union(*(feature.properties for feature in features)) <= known
        cell = min(decoded(tiles.tile(tile, ("cells",)))["cells"], key=lambda one: one.fid)
        row = small.cells.iloc[cell.fid - 1]
        assert cell.properties["cell_id"] == row["cell_id"]
        assert cell.properties["covered"] is bool(row["covered"])
        assert cell.properties["crossing_degree"] == row["crossing_degree"]
        assert cell.properties["demand_per_km2"] == pytest.approx(row["demand"] / row["area_m2"] * 1e6)
        named = {one.properties["facility_id"]: one.properties for one in decoded(tiles.tile(tile))["facilities"]}
        assert named["A1"]["settlement"] == "rural"
        assert named["A;2"]["settlement"] == "urban"
        assert "settlement" not in named["D3"]


def test_a_tile_holds_the_layers_asked_for(both: Both, small: Plan) -> None:
    tile = tile_at(9, *shapely.centroid(small.cells.geometry.iloc[0]).coords[0])
    for tiles in tiles_of(both):
        assert list(decoded(tiles.tile(tile, ("areas", "gaps")))) == ["areas", "gaps"]
        assert set(decoded(tiles.tile(tile))) == set(TILED)
        assert tiles.tile(tile, ()) == b""
        assert tiles.tile(tile_at(9, 0.5, 0.5)) == b""


@pytest.mark.parametrize(
    "scope", [Scope(("990101002",)), Scope(("99",)), Scope((), ("示例银行",)), Scope((), ("他行",))]
)
def test_a_scope_holds_in_tiles(both: Both, small: Plan, scope: Scope) -> None:
    box = Box(*small.cells.total_bounds)
    for zoom in (0, 9, 12):
        for tile in tiles_over(zoom, box):
            one, other = (decoded(tiles.tile(tile)) for tiles in tiles_of(both, scope))
            assert one.keys() == other.keys()
            for layer, features in one.items():
                for ours, theirs in zip(by_fid(features), by_fid(other[layer]), strict=True):
                    assert_same(ours, theirs)
            for feature in one.get("cells", []):
                assert scope.has_area(feature.properties["area_code"])
            if scope.institutions == ("他行",):
                assert one == {}
