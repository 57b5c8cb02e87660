r"""Two-step floating catchment scores: how much service there is for each unit of demand within reach.

First every facility shares its supply among the demand it reaches, then every cell adds up what reaches it:

.. math:: R_j = \frac{S_j}{\sum_i D_i\, w(d_{ij})}, \qquad A_i = \sum_j R_j\, w(d_{ij})

2SFCA (Luo and Wang 2003, *Environment and Planning B* 30) has :math:`w = 1` within reach; E2SFCA (Luo and Qi 2009,
*Health & Place* 15) lets :math:`w` fall by steps. Whatever the weights, nothing is lost or made up:
:math:`\sum_i A_i D_i = \sum_j S_j` over the facilities that reach any demand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridmap.planning.groups import sums
from gridmap.planning.service.facilities import Facilities
from gridmap.planning.service.reach import Flags, Floats, Pairs, Rows

#: Weights of the three rings of E2SFCA, inner ring first: those of Luo and Qi's first set.
RING_WEIGHTS = (1.0, 0.68, 0.22)


@dataclass(frozen=True, slots=True)
class Access:
    """Scores of n cells and what m facilities have for each unit of demand.

    Attributes
    ----------
    score : (n,) float64, supply for each unit of demand; 0 where nothing reaches
    ratio : (m,) float64, supply of each facility over the demand it reaches; 0 where it reaches none
    serves : (m,) bool, whether it reaches any demand
    """

    score: Floats
    ratio: Floats
    serves: Flags


def two_step(in_reach: Pairs, demand: Floats, supply: Floats, weight: Floats | None = None) -> Access:
    """Scores of two-step floating catchments.

    Parameters
    ----------
    in_reach : pairs (cell, facility)
    demand : (n,) float64, not negative
    supply : (m,) float64, not negative
    weight : (k,) float64 in [0, 1], of each pair; 1 where None
    """
    weights = np.ones(len(in_reach.point)) if weight is None else weight
    reached = sums(in_reach.facility, weights * demand[in_reach.point], len(supply))
    serves = reached > 0
    ratio = np.divide(supply, reached, out=np.zeros(len(supply)), where=serves)
    return Access(sums(in_reach.point, weights * ratio[in_reach.facility], len(demand)), ratio, serves)


def ring_weights(
    in_reach: Pairs, radius_m: Floats, point_class: Rows, weights: tuple[float, ...] = RING_WEIGHTS
) -> Floats:
    """Weight of each pair by the ring it lies in; the rings divide the radius evenly, outer edge inclusive.

    Parameters
    ----------
    radius_m : (m, classes) float64, metres
    point_class : (n,) int64, class of each cell, a column of ``radius_m``
    weights : of the rings, inner first
    """
    share = in_reach.distance_m / radius_m[in_reach.facility, point_class[in_reach.point]]
    ring = np.ceil(share * len(weights)).astype(np.int64) - 1
    return np.asarray(weights)[np.clip(ring, 0, len(weights) - 1)]


def supply_of(facilities: Facilities, rows: Rows) -> tuple[Floats, bool]:
    """Supply of the facilities of ``rows``, and whether it is their capacity.

    Capacities where all of them state one; else each counts 1, for customers and machines do not add up.

    Returns
    -------
    supply : (k,) float64
    is_capacity : whether it is in the unit of demand
    """
    capacity = facilities.capacity[rows]
    known = bool(len(rows)) and not np.isnan(capacity).any()
    return (capacity if known else np.ones(len(rows))), known
