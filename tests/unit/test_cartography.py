"""Maps are read without colour, and by eyes that tell colours apart otherwise."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gridmap.cartography import STYLES, legend_of
from gridmap.cartography.legend import GROUNDS
from gridmap.cartography.measures import COVERED_SHARE, CROSSING, DISTANCE, Measure, demand_measure
from gridmap.cartography.palette import BESIDE, INK, LAND
from gridmap.cartography.symbols import SYMBOLS
from gridmap.domain.kinds import FacilityKind

MEASURES = (demand_measure(None), COVERED_SHARE, DISTANCE, CROSSING)
#: Linear RGB as seen without red, green or blue cones: G. Machado and others, 2009, severity 1.
SEEN = {
    "all": np.eye(3),
    "without red": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "without green": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "without blue": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def lab(colour: str, eyes: str = "all") -> np.ndarray:
    """CIE L*a*b* of a colour as some eyes see it."""
    srgb = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(SEEN[eyes] @ linear, 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ seen / np.array([0.95047, 1.0, 1.08883])
    cubed = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * cubed[1] - 16, 500 * (cubed[0] - cubed[1]), 200 * (cubed[1] - cubed[2])])


@pytest.mark.parametrize("measure", MEASURES, ids=lambda one: one.name)
def test_lightness_alone_orders_the_classes_of_a_measure(measure: Measure) -> None:
    steps = np.diff([lab(colour)[0] for colour in measure.colours])
    assert (steps < -5).all() or (steps > 5).all(), steps
    assert len(measure.colours) == len(measure.breaks) + 1
    assert list(measure.breaks) == sorted(set(measure.breaks))


@pytest.mark.parametrize("eyes", sorted(SEEN))
@pytest.mark.parametrize("measure", MEASURES, ids=lambda one: one.name)
def test_neighbouring_classes_differ_for_all_eyes(measure: Measure, eyes: str) -> None:
    seen = [lab(colour, eyes) for colour in measure.colours]
    assert min(np.linalg.norm(one - other) for one, other in itertools.pairwise(seen)) > 7


def test_facilities_differ_by_shape_alone() -> None:
    assert set(SYMBOLS) == set(FacilityKind)
    rings = [symbol.ring for symbol in SYMBOLS.values()]
    assert len(set(rings)) == len(rings)


@pytest.mark.parametrize("style", STYLES.values(), ids=lambda one: one.name)
def test_facilities_and_grounds_of_one_map_differ_for_all_eyes(style) -> None:
    for eyes in SEEN:
        for kind in ("symbol", "ground"):
            shown = [one.colour for one in legend_of(style) if one.kind == kind and style.sheet]
            for place, colour in enumerate(shown):
                for other in shown[:place]:
                    assert np.linalg.norm(lab(colour, eyes) - lab(other, eyes)) > 4, (kind, colour, other, eyes)


def test_labels_are_readable_on_every_ground() -> None:
    ink = lab(INK)[0]
    for ground in (*GROUNDS.values(), LAND, BESIDE):
        assert lab(ground)[0] - ink > 50


@pytest.mark.parametrize("mean", [0.003, 1.0, 87.5, 1234.0, 5e7])
def test_classes_of_demand_are_numbers_that_a_legend_can_say(mean: float) -> None:
    breaks = demand_measure(mean).breaks
    assert len(set(breaks)) == 5
    assert breaks[0] < mean < breaks[-1]
    assert all(float(f"{one:.0e}") == pytest.approx(one) for one in breaks)


@pytest.mark.parametrize("mean", [None, 0.0, -1.0, float("nan")])
def test_without_demand_there_are_classes_all_the_same(mean: float | None) -> None:
    assert demand_measure(mean) == demand_measure(None)
