"""Balance districts of coarse units: annealing that may leave the bounds on its way back into them."""

from __future__ import annotations

from math import exp, sqrt

import numpy as np

from gridmap.planning.districting.division import Division
from gridmap.planning.service.reach import Rows

#: What outline / √area counts beside a share out of bounds.
_OUTLINE = 0.02
#: Most units looked at to find out whether a district stays whole.
_LOOK = 100
_COLD = 0.002


def mend(division: Division, sweeps: int, rng: np.random.Generator, spread: float = 0.0, heat: float = 0.25) -> int:
    r"""Anneal what districts are out of bounds, and with little weight the outlines, by moves of single units.

    .. math:: E = \sum_i (s_i + q s_i^2) + w \sum_i \frac{P_i}{\sqrt{A_i}}, \quad
              s_i = \frac{\max(d_i - h_i, l_i - d_i, 0)}{h_i} + \frac{\max(A_i - A_{max}, A_{min} - A_i, 0)}{\bar A}

    The heat falls geometrically (Kirkpatrick, Gelatt and Vecchi, *Optimization by simulated annealing*, 1983). No move
    breaks a district. Keeps the best labels met: least out of bounds, then least :math:`E`.

    Parameters
    ----------
    spread : :math:`q`, what the square of a share out of bounds counts: spreads over all what nobody can hold

    heat : first temperature, as a share out of bounds

    Returns
    -------
    Units looked at.
    """
    net, label, held = division.net, division.label, division.held
    load, low, high = division.load, division.low, division.high
    scale = [max(value, 1e-300) for value in high]

    area, least, most = division.area, division.least_area, division.most_area
    ground = sum(area) / len(area)

    def out(district: int, value: float, extent: float) -> float:
        strain = max(value - high[district], low[district] - value, 0.0) / scale[district]
        strain += max(extent - most, least - extent, 0.0) / ground
        return strain + spread * strain * strain

    wrong = sum(out(district, value, area[district]) for district, value in enumerate(load))
    energy = wrong + _OUTLINE * _outlines(division)
    best, kept = (round(wrong, 9), energy), division.rows()
    steps, visits = max(sweeps - 1, 1), 0
    # Where units are many the neighbourhood alone has to tell: a search at every refusal would cost most of the time.
    look = _LOOK if len(net) <= _LOOK else 0
    for sweep in range(sweeps):
        warmth = heat * (_COLD / heat) ** (sweep / steps)
        units = division.border_units()
        visits += len(units)
        rng.shuffle(units)
        chance = rng.random((len(units), 2)).tolist()
        for unit, (pick, luck) in zip(units.tolist(), chance, strict=True):
            if held[unit]:
                continue
            mask, shared = division.borders(unit)
            own = label[unit]
            others = [district for district in shared if district != own]
            if not others or not mask:
                continue
            district = others[int(pick * len(others))]
            demand, extent = net.demand[unit], net.area[unit]
            strain = (
                out(own, load[own] - demand, area[own] - extent)
                - out(own, load[own], area[own])
                + out(district, load[district] + demand, area[district] + extent)
                - out(district, load[district], area[district])
            )
            change = strain + _OUTLINE * division.roughness_change(unit, district, shared)
            if change > 0 and luck >= exp(-change / warmth):
                continue
            if not net.stays_whole(label, unit, mask, look):
                continue
            division.move(unit, district, shared)
            wrong += strain
            energy += change
            if (round(wrong, 9), energy) < best and sweep > sweeps // 4:
                best, kept = (round(wrong, 9), energy), division.rows()
    division.take(kept)
    return visits


def _outlines(division: Division) -> float:
    return sum(rim / sqrt(area) for rim, area in zip(division.rim, division.area, strict=True) if area > 0)


def regions(division: Division, steps: int) -> list[Rows]:
    """Districts at most ``steps`` borders away from one that is out of bounds, by such district, worst first."""
    links = division.net.graph.links
    pairs = division.rows()[links]
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    excess = np.abs(division.excess()) / np.maximum(np.array(division.high), 1e-300)
    worst = np.flatnonzero(division.out())
    found = []
    for district in worst[np.argsort(-excess[worst], kind="stable")].tolist():
        inside = np.zeros(len(division.low), dtype=np.bool_)
        inside[district] = True
        for _ in range(steps):
            inside[pairs[inside[pairs].any(axis=1)].ravel()] = True
        found.append(np.flatnonzero(inside))
    return found
