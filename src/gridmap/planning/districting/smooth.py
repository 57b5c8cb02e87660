"""Shorten the borders of districts that are balanced, by annealed moves of single units that keep them so."""

from __future__ import annotations

from math import exp, sqrt

import numpy as np

from gridmap.planning.districting.division import Division

#: Most units looked at to find out whether a district stays whole: almost always the neighbourhood tells.
_LOOK = 60


def smooth(division: Division, sweeps: int, heat: float, rng: np.random.Generator, room: float = 1.0) -> int:
    r"""Anneal the sum of outline over root of area of all districts.

    A move never takes a district further out of its bounds, breaks none and leaves anchors where they are. The heat
    falls linearly to zero.

    Parameters
    ----------
    heat : first temperature, in the unit of outline / √area
    room : share of the room between the bounds of demand that may be used

    Returns
    -------
    Moves made.
    """
    net, label, held = division.net, division.label, division.held
    load, area, rim = division.load, division.area, division.rim
    slack = [(1 - room) / 2 * (most - least) for least, most in zip(division.low, division.high, strict=True)]
    low = [bound + narrow for bound, narrow in zip(division.low, slack, strict=True)]
    high = [bound - narrow for bound, narrow in zip(division.high, slack, strict=True)]
    near, demand_of, area_of, outline_of = net.near, net.demand, net.area, net.outline
    least, most = division.least_area, division.most_area
    made = 0
    for sweep in range(sweeps):
        units = division.border_units()
        rng.shuffle(units)
        chance = rng.random(len(units)).tolist()
        warmth = heat * (1 - sweep / sweeps)
        before = made
        for place, unit in enumerate(units.tolist()):
            if held[unit]:
                continue
            own = label[unit]
            mask = 0
            inner = 0.0
            shared: dict[int, float] = {}
            for other, border, bit in near(unit):
                district = label[other]
                if district == own:
                    mask |= bit
                    inner += border
                elif district in shared:
                    shared[district] += border
                else:
                    shared[district] = border
            if not shared or not mask:
                continue
            demand, ground, outline = demand_of[unit], area_of[unit], outline_of[unit]
            room = load[own] - demand
            short = low[own] - room
            if demand and short > 1e-9 and short > max(load[own] - high[own], 0.0):
                continue
            rest = area[own] - ground
            if rest <= 0 or (rest < least and least - rest > area[own] - most):
                continue
            loss = (rim[own] - outline + 2 * inner) / sqrt(rest) - rim[own] / sqrt(area[own])
            best, target = 1e300, -1
            for district, border in shared.items():
                over = load[district] + demand - high[district]
                if demand and over > 1e-9 and over > max(low[district] - load[district], 0.0):
                    continue
                whole = area[district]
                if whole + ground > most and whole + ground - most > least - whole:
                    continue
                change = (rim[district] + outline - 2 * border) / sqrt(whole + ground) - rim[district] / sqrt(whole)
                if change < best or (change == best and district < target):
                    best, target = change, district
            if target < 0:
                continue
            change = loss + best
            if change > 0 and (warmth <= 0 or chance[place] >= exp(-change / warmth)):
                continue
            if not net.stays_whole(label, unit, mask, _LOOK):
                continue
            border = shared[target]
            label[unit] = target
            load[own] = room
            load[target] += demand
            area[own] = rest
            area[target] += ground
            rim[own] += 2 * inner - outline
            rim[target] += outline - 2 * border
            division.count[own] -= 1
            division.count[target] += 1
            made += 1
        if warmth <= 0 and made == before:
            break
    return made
