"""Divide two neighbouring districts anew where no single unit can cross between them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from gridmap.planning.districting.division import Division
from gridmap.planning.service.reach import Floats, Rows


def recombine(
    division: Division,
    one: int,
    two: int,
    fault: Callable[[Floats], Floats],
    rng: np.random.Generator,
    tries: int = 4,
) -> bool:
    r"""Divide the ground of two districts anew, if that mends some of what is wrong with them.

    With :math:`d_1, d_2` the distances along neighbours from the two anchors, all units with
    :math:`d_1 - d_2 \le t` form a connected district round the first anchor, all others one round the second: what
    lies on a shortest path to an anchor lies on the same side. Every :math:`t` between them is tried; then again with
    distances stretched at random, for other shapes.

    Parameters
    ----------
    fault : what is wrong if the first district holds so much demand
    tries : how many shapes are looked at

    Returns
    -------
    Whether the districts were changed.
    """
    net = division.net
    label = division.rows()
    units = np.flatnonzero((label == one) | (label == two))
    ways = _ways(net.start_rows, net.to_rows, net.length_m, units)
    if ways is None:
        return False
    demand = net.graph.demand[units]
    ends = _ends(division, units, one, two, ways, rng)
    best, chosen = float(fault(np.array([division.load[one]]))[0]) * (1 - 1e-6), None
    if best <= 0:
        return False
    for turn in range(tries):
        stretched = ways.copy()
        if turn:
            # Symmetric, so that distances are the same both ways.
            factor = np.exp(rng.normal(0, 0.25 * turn, len(units)))
            rows = np.repeat(np.arange(len(units)), np.diff(ways.indptr))
            stretched.data = ways.data * (factor[rows] + factor[ways.indices])
        first, second = dijkstra(stretched, indices=np.array(ends))
        if not np.isfinite(first).all():
            return False
        lead = first - second
        order = np.argsort(lead, kind="stable")
        held = np.cumsum(demand[order])
        # Nothing may come between units of equal lead, nor take an anchor from its district.
        cut = np.flatnonzero(np.diff(lead[order]) > 1e-9 * first[ends[1]])
        if len(cut) == 0:
            continue
        away = fault(held[cut])
        at = int(np.argmin(away))
        if away[at] < best:
            best, chosen = float(away[at]), order[: cut[at] + 1]
    if chosen is None:
        return False
    side = np.full(len(units), two, dtype=np.int64)
    side[chosen] = one
    for row in np.flatnonzero(side != label[units]).tolist():
        unit = int(units[row])
        division.move(unit, int(side[row]), division.borders(unit)[1])
    return True


def _ways(start: Rows, to: Rows, length: Floats, units: Rows) -> csr_array[np.float64] | None:
    """Lengths between the units, as a matrix over them; none where they do not hang together."""
    place = np.full(len(start) - 1, -1, dtype=np.int64)
    place[units] = np.arange(len(units))
    degree = start[units + 1] - start[units]
    rows = np.repeat(np.arange(len(units)), degree)
    at = np.repeat(start[units] - np.concatenate([[0], np.cumsum(degree)[:-1]]), degree) + np.arange(int(degree.sum()))
    other = place[to[at]]
    inside = other >= 0
    if not inside.any():
        return None
    return csr_array((length[at[inside]], (rows[inside], other[inside])), shape=(len(units), len(units)))


def _ends(
    division: Division, units: Rows, one: int, two: int, ways: csr_array[np.float64], rng: np.random.Generator
) -> tuple[int, int]:
    """Rows of the anchors of both districts; a free district has the unit furthest from the other's end."""
    places = []
    for district in (one, two):
        anchor = division.anchor[district]
        places.append(int(np.searchsorted(units, anchor)) if anchor >= 0 else -1)
    if places[0] < 0 and places[1] < 0:
        places[0] = int(np.argmax(_from(ways, int(rng.integers(len(units))))))
    if places[0] < 0:
        places[0] = int(np.argmax(_from(ways, places[1])))
    if places[1] < 0:
        places[1] = int(np.argmax(_from(ways, places[0])))
    return places[0], places[1]


def _from(ways: csr_array[np.float64], row: int) -> Floats:
    return np.asarray(dijkstra(ways, indices=np.array([row]))[0])
