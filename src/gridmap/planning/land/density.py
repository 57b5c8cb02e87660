r"""Settlement class by density of people, modelled on the Degree of Urbanisation.

On statistical cells of about one square kilometre, density is people per square kilometre of the ground the plan has
there. Contiguous cells of at least ``centre_per_km2`` with ``centre_people`` together are an *urban centre*: URBAN.
Contiguous cells of at least ``cluster_per_km2`` with ``cluster_people`` together (centres among them) are an *urban
cluster*: what of it is no centre is FRINGE. All else is RURAL. Contiguous are cells that share a border on the ground.

A centre is then smoothed and filled as the method asks: a cell most of whose neighbours belong to one centre joins
it, round after round, and so does ground under ``MOST_HOLE_M2`` that one centre encloses.

Where it departs from the method of Eurostat, OECD and their partners (*Applying the Degree of Urbanisation*, 2021):

- statistical cells are H3 cells of resolution 8 (0.74 km² on average) made of the plan's own cells, not the squares of
  1 km² of a census grid; a plan of coarser cells uses those;
- a hexagon has six neighbours and none at its corners: centres and clusters use the same contiguity, and the majority
  of five in eight becomes four in six;
- the share of built-up ground, by which dense places without people count as centres, is not known here;
- a plan ends at its border: what lies beyond counts neither for a centre nor against it;
- classes are those of cells, not of municipalities.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridmap.domain.kinds import SettlementClass
from gridmap.domain.plan_settings import DensitySection
from gridmap.planning.groups import sums
from gridmap.planning.land.demand import SpreadDemand
from gridmap.planning.land.ground import CLASSES, Ground
from gridmap.planning.land.hierarchy import Hierarchy
from gridmap.planning.service.reach import Flags, Floats, Rows

#: H3 resolution whose cells come nearest to one square kilometre.
STATISTICAL_RESOLUTION = 8
#: Ground that one centre encloses belongs to it up to this size.
MOST_HOLE_M2 = 15e6
#: Neighbours of one centre, of the six a hexagon has, that make a cell part of it.
MAJORITY = 4

_PEOPLE = "people"
_NEIGHBOURS = 6
_URBAN, _FRINGE, _RURAL = (
    CLASSES.index(name) for name in (SettlementClass.URBAN, SettlementClass.FRINGE, SettlementClass.RURAL)
)


def density_applies(demand: SpreadDemand, settings: DensitySection) -> bool:
    """Whether ground can be classed by density: it is asked for, and demand counts people."""
    return settings.use and demand.unit == _PEOPLE and not demand.stands_in


def density_classes(ground: Ground, demand: Floats, settings: DensitySection) -> Rows:
    """Settlement class of each cell by the density of the ground around it.

    Parameters
    ----------
    ground : its ``settlement`` is not looked at
    demand : (n,) float64, people
    settings : thresholds, all inclusive

    Returns
    -------
    (n,) int64, index into ``CLASSES``
    """
    names, place = np.unique(statistical_cells(ground.cell), return_inverse=True)
    place = np.asarray(place.reshape(-1), dtype=np.int64)
    count = len(names)
    people, area_m2 = sums(place, demand, count), sums(place, ground.area_m2, count)
    links = linked(place, ground.adjacency)
    # Compared without a quotient, so that what just reaches a threshold is not lost to rounding.
    centre = clusters(people * 1e6 >= settings.centre_per_km2 * area_m2, people, links, settings.centre_people)
    cluster = clusters(people * 1e6 >= settings.cluster_per_km2 * area_m2, people, links, settings.cluster_people)
    centre = without_holes(smoothed(centre, links), links, area_m2)
    of_name = np.where(centre >= 0, _URBAN, np.where(cluster >= 0, _FRINGE, _RURAL))
    return np.asarray(of_name[place], dtype=np.int64)


def settlement_of_cells(hierarchy: Hierarchy, area: Rows, by_density: Rows | None, default: SettlementClass) -> Rows:
    """Settlement class of each cell: by class code, else by density, else the default.

    Parameters
    ----------
    area : (n,) int64, lowest-level area of each cell; its own class code counts, else that of the area above it
    by_density : (n,) int64 as ``density_classes`` gives it, None where it does not apply

    Returns
    -------
    (n,) int64, index into ``CLASSES``
    """
    by_code = hierarchy.settlement_of_lowest(None)[area]
    otherwise = np.full(len(area), CLASSES.index(default)) if by_density is None else by_density
    return np.where(by_code >= 0, by_code, otherwise)


def statistical_cells(cell: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """H3 parent of each cell at ``STATISTICAL_RESOLUTION``; coarser cells are their own.

    An H3 index holds its resolution in bits 52 to 55, and three bits a resolution below, all ones where unused.
    """
    own = (cell >> np.uint64(52)) & np.uint64(15)
    unused = np.uint64((1 << 3 * (15 - STATISTICAL_RESOLUTION)) - 1)
    cleared = cell & ~(np.uint64(15) << np.uint64(52))
    parent = cleared | (np.uint64(STATISTICAL_RESOLUTION) << np.uint64(52)) | unused
    return np.where(own > STATISTICAL_RESOLUTION, parent, cell)


def linked(group: Rows, adjacency: Rows) -> Rows:
    """(m, 2) int64: pairs of groups of which some members adjoin, lower first, sorted, distinct."""
    pairs = np.sort(group[adjacency], axis=1)
    return np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)


def clusters(dense: Flags, people: Floats, links: Rows, least_people: float) -> Rows:
    """Contiguous cluster of dense cells each cell belongs to, -1 for none, and for one of too few people."""
    stretch = _stretches(dense, links)
    inside = stretch >= 0
    held = sums(stretch[inside], people[inside], int(stretch.max(initial=-1)) + 1)
    enough = np.r_[held >= least_people, False]
    return np.where(enough[stretch], stretch, -1)


def smoothed(centre: Rows, links: Rows) -> Rows:
    """Centres with every cell added that most neighbours of belong to one centre, until there is none."""
    here, there = np.concatenate([links, links[:, ::-1]]).T
    centre = centre.copy()
    most = int(centre.max(initial=-1)) + 1
    while most:
        asks = (centre[here] < 0) & (centre[there] >= 0)
        pair, number = np.unique(here[asks] * most + centre[there[asks]], return_counts=True)
        # Two centres cannot both hold four of six neighbours.
        joins = pair[number >= MAJORITY]
        if not len(joins):
            break
        centre[joins // most] = joins % most
    return centre


def without_holes(centre: Rows, links: Rows, area_m2: Floats) -> Rows:
    """Centres with the ground added that one of them encloses, up to ``MOST_HOLE_M2``."""
    stretch = _stretches(centre < 0, links)
    count = int(stretch.max(initial=-1)) + 1
    here, there = np.concatenate([links, links[:, ::-1]]).T
    inside = stretch >= 0
    size_m2 = sums(stretch[inside], area_m2[inside], count)
    # A cell with fewer neighbours lies at the border of the plan, and nobody knows what encloses it there.
    at_border = np.bincount(here, minlength=len(centre)) < _NEIGHBOURS
    open_ground = np.zeros(count, dtype=np.bool_)
    open_ground[stretch[inside & at_border]] = True
    rim = (stretch[here] >= 0) & (centre[there] >= 0)
    hole, around = np.unique(np.column_stack([stretch[here[rim]], centre[there[rim]]]), axis=0).T
    alone = np.bincount(hole, minlength=count)[hole] == 1
    fits = alone & ~open_ground[hole] & (size_m2[hole] < MOST_HOLE_M2)
    joins = np.full(count + 1, -1, dtype=np.int64)
    joins[hole[fits]] = around[fits]
    return np.where(inside, joins[stretch], centre)


def _stretches(chosen: Flags, links: Rows) -> Rows:
    """(n,) int64: connected stretch of each chosen cell, numbered from 0, -1 for others."""
    count = len(chosen)
    both = links[chosen[links[:, 0]] & chosen[links[:, 1]]]
    graph = coo_array((np.ones(len(both), dtype=np.int8), (both[:, 0], both[:, 1])), shape=(count, count))
    label = connected_components(graph, directed=False)[1]
    stretch = np.full(count, -1, dtype=np.int64)
    stretch[chosen] = np.unique(label[chosen], return_inverse=True)[1].reshape(-1)
    return stretch


def with_settlement(ground: Ground, settlement: Rows) -> Ground:
    """Return the same ground with other settlement classes, without measuring it again."""
    classed = Ground(
        ground.cell,
        ground.area,
        ground.unit,
        ground.geometry,
        ground.adjacency,
        ground.shared_m,
        ground.crossable_m,
        settlement,
    )
    measured = {name: value for name, value in vars(ground).items() if name not in vars(classed)}
    vars(classed).update(measured)
    return classed
