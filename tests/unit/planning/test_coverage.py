"""Coverage by the radius that holds on the ground."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import shapely
from pyproj import Geod

from gridmap.domain.kinds import FacilityKind
from gridmap.domain.plan_settings import CoverageSection
from gridmap.planning.land.ground import CLASSES, Ground, representative_points
from gridmap.planning.service.circles import draw_circles
from gridmap.planning.service.coverage import cover
from gridmap.planning.service.facilities import KINDS, Facilities
from gridmap.planning.service.reach import EarthPoints

GEOD = Geod(ellps="WGS84")


def scattered(count: int, seed: int) -> Facilities:
    rng = np.random.default_rng(seed)
    own = np.where(rng.random(count) < 0.3, rng.uniform(300, 4000, count), np.nan)
    return Facilities(
        np.array([f"F{row}" for row in range(count)], dtype=object),
        rng.integers(0, len(KINDS), count),
        EarthPoints(rng.uniform(110.95, 111.25, count), rng.uniform(29.95, 30.25, count)),
        own,
        np.full(count, np.nan),
    )


@pytest.fixture(scope="module")
def mixed_ground(made_ground: Callable[..., Ground]) -> Ground:
    """400 squares of all three settlement classes."""
    return made_ground(20, 20, settlement=[("urban", "fringe", "rural")[number % 7 % 3] for number in range(400)])


def test_flags_nearest_and_crossing_degree_match_geodesics_over_all_pairs(
    mixed_ground: Ground, coverage_settings: CoverageSection
) -> None:
    facilities, ground = scattered(60, 1), mixed_ground
    found = cover(ground, facilities, coverage_settings)
    for cell in range(0, 400, 3):
        settlement = CLASSES[ground.settlement[cell]]
        reaching = []
        nearest: dict[int, tuple[float, int]] = {}
        for row in range(60):
            kind = KINDS[facilities.kind[row]]
            distance_m = GEOD.inv(
                ground.points.lon[cell], ground.points.lat[cell], facilities.points.lon[row], facilities.points.lat[row]
            )[2]
            own = facilities.service_radius_m[row]
            if distance_m <= (coverage_settings.radius_of(kind, settlement) if np.isnan(own) else own):
                reaching.append(row)
            number = int(facilities.kind[row])
            nearest[number] = min(nearest.get(number, (np.inf, -1)), (distance_m, row))
        in_reach = found.in_reach.facility[found.in_reach.point == cell]
        assert in_reach.tolist() == reaching
        assert found.crossing_degree[cell] == sum(KINDS[facilities.kind[row]].is_outlet for row in reaching)
        assert found.covered[cell] == bool(reaching)
        kinds = {int(facilities.kind[row]) for row in reaching}
        assert np.flatnonzero(found.covered_by[:, cell]).tolist() == sorted(kinds)
        for number, (distance_m, row) in nearest.items():
            assert found.nearest[number, cell] == row
            assert found.nearest_m[number, cell] == pytest.approx(distance_m, abs=1e-6)
        row_of_all, distance_of_all = (values[cell] for values in found.nearest_of_all)
        assert (distance_of_all, row_of_all) == pytest.approx(min(nearest.values()), abs=1e-6)


def test_shares_are_those_of_the_circles_of_the_ground_s_own_class(
    mixed_ground: Ground, coverage_settings: CoverageSection
) -> None:
    facilities, ground = scattered(60, 2), mixed_ground
    found = cover(ground, facilities, coverage_settings)
    radius_m = facilities.radius_m(coverage_settings)
    for number in range(len(CLASSES)):
        circles = draw_circles(facilities.points, radius_m[:, number], ground.plane).polygon
        rows = ground.settlement == number
        cells = ground.in_plane[rows]
        for share, members in (
            (found.covered_share, np.ones(60, dtype=bool)),
            *((found.covered_share_by[kind], facilities.kind == kind) for kind in range(len(KINDS))),
        ):
            expected = shapely.area(shapely.intersection(cells, shapely.union_all(circles[members])))
            np.testing.assert_allclose(share[rows], expected / shapely.area(cells), rtol=0, atol=1e-9)


def test_the_same_facility_reaches_farther_on_rural_ground(
    made_ground: Callable[..., Ground], made_facilities: Callable[..., Facilities], coverage_settings: CoverageSection
) -> None:
    # 2,000 m to the east: beyond an urban branch's 1,500 m, within a rural branch's 5,000 m.
    branch = made_facilities((FacilityKind.BRANCH, 0.5, 0.5))
    for settlement, covered in (("urban", False), ("fringe", False), ("rural", True)):
        ground = made_ground(3, 1, settlement=["rural", "rural", settlement])
        assert cover(ground, branch, coverage_settings).covered[2] == covered


def test_a_facility_s_own_radius_goes_before_the_plan_s(
    made_ground: Callable[..., Ground], made_facilities: Callable[..., Facilities], coverage_settings: CoverageSection
) -> None:
    ground = made_ground(3, 1)
    short = made_facilities((FacilityKind.BRANCH, 0.5, 0.5, 100.0))
    assert cover(ground, short, coverage_settings).covered.tolist() == [True, False, False]


def test_a_cell_whose_representative_point_lies_exactly_at_the_radius_is_covered(
    made_ground: Callable[..., Ground], coverage_settings: CoverageSection
) -> None:
    ground = made_ground(1, 1)
    lon, lat, _ = GEOD.fwd(ground.points.lon[0], ground.points.lat[0], 77.0, 5000.0)
    branch = Facilities(
        np.array(["B"], dtype=object),
        np.array([KINDS.index(FacilityKind.BRANCH)]),
        EarthPoints(np.array([lon]), np.array([lat])),
        np.array([np.nan]),
        np.array([np.nan]),
    )
    assert cover(ground, branch, coverage_settings).covered.tolist() == [True]


def test_without_facilities_nothing_is_covered(
    made_ground: Callable[..., Ground], made_facilities: Callable[..., Facilities], coverage_settings: CoverageSection
) -> None:
    found = cover(made_ground(2, 2), made_facilities(), coverage_settings)
    assert not found.covered.any()
    assert found.covered_share.tolist() == [0.0] * 4
    assert found.crossing_degree.tolist() == [0] * 4
    assert found.nearest_of_all[0].tolist() == [-1] * 4


def test_the_representative_point_of_a_bent_piece_lies_inside_it() -> None:
    bent = shapely.Polygon([(0, 0), (100, 0), (100, 10), (10, 10), (10, 100), (0, 100)])
    parts = shapely.MultiPolygon([shapely.box(0, 0, 10, 10), shapely.box(1000, 0, 1010, 10)])
    found = representative_points(np.array([bent, parts], dtype=object))
    assert shapely.contains_xy(np.array([bent, parts], dtype=object), found[:, 0], found[:, 1]).all()
