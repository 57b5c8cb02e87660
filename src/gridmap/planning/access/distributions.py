"""How a figure is spread over people: histogram, deciles, mean and 95th percentile, by weight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridmap.planning.groups import sums
from gridmap.planning.service.reach import Flags, Floats

#: Upper ends of the bins of distances, metres; what lies beyond the last is the last bin.
DISTANCE_BINS_M = (500.0, 1000.0, 1500.0, 2000.0, 3000.0, 5000.0, 10_000.0)
_PERCENTS = (*range(10, 100, 10), 95)


@dataclass(frozen=True, slots=True)
class Distribution:
    """Spread of a figure by weight; None where nothing with a value weighs anything.

    Attributes
    ----------
    weight : what was counted
    without : the part of it that has no value, infinite or unknown
    mean, p95, largest : of what has a value
    deciles : nine values: a tenth of the weight lies at or below the first
    bins : upper ends of the bins of the histogram, inclusive; one more bin lies beyond the last
    histogram : weight in each bin
    """

    weight: float
    without: float
    mean: float | None
    p95: float | None
    largest: float | None
    deciles: tuple[float, ...] | None
    bins: tuple[float, ...]
    histogram: tuple[float, ...]


def distribution(value: Floats, weight: Floats, bins: tuple[float, ...] = DISTANCE_BINS_M) -> Distribution:
    """Spread of ``value``.

    Parameters
    ----------
    value : (n,) float64; infinite and NaN stand for no value
    weight : (n,) float64, not negative
    bins : ascending upper ends of the bins
    """
    known: Flags = np.isfinite(value) & (weight > 0)
    held, values = weight[known], value[known]
    total = float(weight.sum())
    of_bin = np.searchsorted(np.asarray(bins), values, side="left").astype(np.int64)
    histogram = tuple(sums(of_bin, held, len(bins) + 1).tolist())
    counted = float(held.sum())
    if not counted:
        return Distribution(total, total, None, None, None, None, bins, histogram)
    *deciles, p95 = _percentiles(values, held)
    return Distribution(
        total,
        max(0.0, total - counted) if len(held) < np.count_nonzero(weight > 0) else 0.0,
        float(np.average(values, weights=held)),
        p95,
        float(values.max()),
        tuple(deciles),
        bins,
        histogram,
    )


def _percentiles(value: Floats, weight: Floats) -> list[float]:
    """Least value at or below which each of ``_PERCENTS`` of the weight lies."""
    order = np.argsort(value, kind="stable")
    running = np.cumsum(weight[order])
    # A sum that misses its mark by rounding alone has reached it.
    place = np.searchsorted(running, running[-1] * np.array(_PERCENTS) / 100 * (1 - 1e-12))
    return [float(found) for found in value[order[np.minimum(place, len(order) - 1)]]]
