"""A division under way: labels of units, with the sums of every district kept up to date."""

from __future__ import annotations

from math import inf, sqrt

import numpy as np

from gridmap.planning.districting.network import Network
from gridmap.planning.service.reach import Flags, Floats, Rows


class Division:
    """Labels and sums.

    Attributes
    ----------
    label : district of each unit
    load, area, rim : demand, area (m²) and outline (m) of each district
    count : units of each district
    low, high : demand each district should hold, at least and at most
    least_area, most_area : m² each district should have
    held : whether a unit is an anchor, and so never moves
    """

    def __init__(
        self,
        net: Network,
        label: Rows,
        low: Floats,
        high: Floats,
        anchor: Rows,
        areas_m2: tuple[float, float] = (0.0, inf),
    ) -> None:
        self.net = net
        self.low: list[float] = low.tolist()
        self.high: list[float] = high.tolist()
        self.least_area, self.most_area = areas_m2
        self.anchor: list[int] = anchor.tolist()
        self.held = bytearray(len(net))
        for unit in self.anchor:
            if unit >= 0:
                self.held[unit] = 1
        self.take(label)

    def take(self, label: Rows) -> None:
        """Start anew from these labels."""
        graph, count = self.net.graph, len(self.low)
        inner = label[graph.links[:, 0]] == label[graph.links[:, 1]]
        rim = np.bincount(label, graph.outline_m, count) - 2 * np.bincount(
            label[graph.links[inner, 0]], graph.border_m[inner], count
        )
        self.label: list[int] = label.tolist()
        self.load: list[float] = np.bincount(label, graph.demand, count).tolist()
        self.area: list[float] = np.bincount(label, graph.area_m2, count).tolist()
        self.rim: list[float] = rim.tolist()
        self.count: list[int] = np.bincount(label, minlength=count).tolist()

    def rows(self) -> Rows:
        """Labels as an array."""
        return np.array(self.label, dtype=np.int64)

    def border_units(self) -> Rows:
        """Units that adjoin another district, ascending."""
        label, links = self.rows(), self.net.graph.links
        return np.unique(links[label[links[:, 0]] != label[links[:, 1]]])

    def excess(self) -> Floats:
        """(k,) demand above ``high`` (positive) or below ``low`` (negative)."""
        load = np.array(self.load)
        return np.asarray(np.maximum(load - np.array(self.high), 0.0) + np.minimum(load - np.array(self.low), 0.0))

    def area_excess(self) -> Floats:
        """(k,) float64: m² above the most (positive) or below the least (negative)."""
        area = np.array(self.area)
        return np.asarray(np.maximum(area - self.most_area, 0.0) + np.minimum(area - self.least_area, 0.0))

    def out(self) -> Flags:
        """(k,) bool: districts out of a bound."""
        size = 1e-9 * np.array(self.area)
        return np.asarray((np.abs(self.excess()) > 1e-9 * np.array(self.high)) | (np.abs(self.area_excess()) > size))

    def borders(self, unit: int) -> tuple[int, dict[int, float]]:
        """Mask of the neighbours of the same district, and the border with each district."""
        label = self.label
        own = label[unit]
        mask = 0
        shared: dict[int, float] = {}
        for other, border, bit in self.net.near(unit):
            district = label[other]
            if district == own:
                mask |= bit
            shared[district] = shared.get(district, 0.0) + border
        return mask, shared

    def move(self, unit: int, district: int, shared: dict[int, float]) -> None:
        """Give a unit to another district; ``shared`` as ``borders`` gave it."""
        net, own = self.net, self.label[unit]
        outline, area, demand = net.outline[unit], net.area[unit], net.demand[unit]
        self.label[unit] = district
        self.load[own] -= demand
        self.load[district] += demand
        self.area[own] -= area
        self.area[district] += area
        self.rim[own] -= outline - 2 * shared.get(own, 0.0)
        self.rim[district] += outline - 2 * shared.get(district, 0.0)
        self.count[own] -= 1
        self.count[district] += 1

    def roughness_change(self, unit: int, district: int, shared: dict[int, float]) -> float:
        """Change of the sum of outline / √area of the two districts if the unit moved."""
        net, own = self.net, self.label[unit]
        outline, area = net.outline[unit], net.area[unit]
        return (
            _rough(self.rim[own] - outline + 2 * shared.get(own, 0.0), self.area[own] - area)
            - _rough(self.rim[own], self.area[own])
            + _rough(self.rim[district] + outline - 2 * shared.get(district, 0.0), self.area[district] + area)
            - _rough(self.rim[district], self.area[district])
        )


def _rough(rim: float, area: float) -> float:
    return rim / sqrt(area) if area > 0 else 0.0
