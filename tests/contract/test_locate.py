"""Places are found in every cell that holds them, the same on both stores; distances are those of the ellipsoid."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import shapely
from pyproj import Geod

from gridmap.domain.access import Scope
from gridmap.domain.layers import LAYER_BY_NAME
from gridmap.domain.plan import Plan
from gridmap.planning.locating.neighbourhood import Neighbourhood
from gridmap.planning.locating.outline import Outline
from gridmap.store import PlanStore, VersionInfo, open_store
from gridmap.store.locating import rows_at, rows_by
from gridmap.store.reading import LayerReader

GEOD = Geod(ellps="WGS84")
CELLS = LAYER_BY_NAME["cells"]


@pytest.fixture(scope="module")
def wide(make_plan: Callable[..., Plan]) -> Plan:
    return make_plan(rings=9)


@pytest.fixture(scope="module")
def both(tmp_path_factory, cluster, wide: Plan) -> Iterator[list[tuple[PlanStore, VersionInfo]]]:
    """Both stores holding the same plan between others over the same ground."""
    cluster.execute("CREATE DATABASE locate TEMPLATE made_tables")
    path = tmp_path_factory.mktemp("locate") / "store.sqlite"
    stores = [open_store(str(path), create=True), open_store(cluster.url("locate"))]
    found = []
    for store in stores:
        store.add_version("before", wide, who="li")
        found.append((store, store.add_version("p", wide, who="li")))
        store.add_version("after", wide, who="li")
    yield found
    for store in stores:
        store.close()


def places(plan: Plan) -> np.ndarray:
    """Places inside, on edges, on vertices, and beyond."""
    rng = np.random.default_rng(7)
    west, south, east, north = plan.cells.total_bounds
    inside = rng.uniform((west - 0.05, south - 0.05), (east + 0.05, north + 0.05), (300, 2))
    vertices = shapely.get_coordinates(plan.cells.geometry.to_numpy())[::17]
    return np.vstack([inside, vertices, (vertices[:-1] + vertices[1:]) / 2, [[0.0, 0.0], [-180.0, 90.0]]])


def test_both_stores_find_all_cells_that_hold_a_place(both, wide: Plan):
    points = places(wide)
    shapes = wide.cells.geometry.to_numpy()
    expected = [np.flatnonzero(shapely.intersects(shapes, shapely.Point(point))).tolist() for point in points]
    assert max(map(len, expected)) == 3
    assert min(map(len, expected)) == 0

    for store, version in both:
        with LayerReader(store, version, Scope()).at_once() as reader:
            found = rows_at(reader, CELLS, ("fid", "cell_id", "grid_code"), points)
            assert [[row["fid"] - 1 for row in rows] for rows in found] == expected
            ids = wide.cells["cell_id"].tolist()
            assert [[row["cell_id"] for row in rows] for rows in found] == [[ids[at] for at in one] for one in expected]
            assert rows_at(reader, CELLS, ("cell_id",), points[:0]) == []


def test_a_scope_finds_nothing_beyond_it(both, wide: Plan):
    points = places(wide)
    within = set(wide.cells["cell_id"][wide.cells["area_code"].str.startswith("990101002")])
    for store, version in both:
        with LayerReader(store, version, Scope(("990101002",))).at_once() as reader:
            found = {row["cell_id"] for rows in rows_at(reader, CELLS, ("cell_id",), points) for row in rows}
            assert found
            assert found <= within
            wanted = wide.grids["grid_code"].tolist()
            rows = rows_by(reader, LAYER_BY_NAME["grids"], ("grid_code",), "grid_code", wanted)
            assert [row["grid_code"] for row in rows] == wanted[2:]


def test_rows_are_found_by_many_keys(both, wide: Plan):
    wanted = [*wide.cells["cell_id"], *(f"none-{number}" for number in range(2500)), None]
    answers = []
    for store, version in both:
        with LayerReader(store, version, Scope()).at_once() as reader:
            answers.append(rows_by(reader, CELLS, ("fid", "cell_id", "geometry"), "cell_id", wanted))
            assert rows_by(reader, CELLS, ("cell_id",), "cell_id", [None]) == []
    assert answers[0] == answers[1]
    assert {row["cell_id"] for row in answers[0]} == set(wide.cells["cell_id"])
    assert answers[0][0]["geometry"] == shapely.to_wkb(wide.cells.geometry.iloc[answers[0][0]["fid"] - 1], byte_order=1)


def test_the_nearest_of_each_kind_is_the_nearest(wide: Plan):
    rng = np.random.default_rng(3)
    count = 400
    lonlat = rng.uniform((110, 30), (112, 32), (count, 2))
    kinds = rng.choice(["branch", "atm", "pos"], count).astype(object)
    points = rng.uniform((109, 29), (113, 33), (60, 2))

    found = Neighbourhood(lonlat[:, 0], lonlat[:, 1], kinds).nearest_to(points)
    assert set(found) == {"branch", "atm", "pos"}
    for kind, near in found.items():
        rows = np.flatnonzero(kinds == kind)
        for place, point in enumerate(points):
            every = GEOD.inv(*np.broadcast_to(point, (len(rows), 2)).T, *lonlat[rows].T)[2]
            assert near.row[place] == rows[np.argmin(every)]
            assert near.distance_m[place] == pytest.approx(every.min(), abs=1e-5)


def test_without_facilities_there_is_no_nearest():
    nothing = np.zeros(0)
    assert Neighbourhood(nothing, nothing, np.zeros(0, dtype=object)).nearest_to(np.array([[111.0, 30.0]])) == {}


def test_the_ground_is_as_far_as_its_nearest_border(wide: Plan):
    """Told against points set every metre along the border, by plain geodesics."""
    ground = wide.areas.geometry.to_numpy()[:1]
    border = shapely.get_coordinates(shapely.segmentize(shapely.boundary(ground), 1e-5))
    west, south, east, north = wide.cells.total_bounds
    middle = (west + east) / 2, (south + north) / 2
    points = np.array(
        [(west - 0.001, middle[1]), (east + 0.1, north + 0.05), (middle[0], south - 1), (west - 3, north + 2), middle]
    )

    at, far = Outline(ground).nearest_to(points)
    for place, point in enumerate(points):
        every = GEOD.inv(*np.broadcast_to(point, border.shape).T, *border.T)[2]
        assert far[place] == pytest.approx(every.min(), rel=1e-3, abs=1.0)
        assert far[place] == pytest.approx(GEOD.inv(*point, *at[place])[2], abs=1e-6)
        assert shapely.distance(shapely.boundary(ground[0]), shapely.Point(at[place])) < 1e-9


def test_without_ground_there_is_no_border():
    at, far = Outline(np.zeros(0, dtype=object)).nearest_to(np.array([[111.0, 30.0]]))
    assert np.isinf(far).all()
    assert np.isnan(at).all()
