"""Answer a question of siting: where to add facilities of a kind, what each adds, how far from the best possible."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.sparse import csr_array

from gridmap.errors import UsageError
from gridmap.planning.groups import weighted_means
from gridmap.planning.service.reach import Floats, Rows, distances
from gridmap.planning.siting.asking import Aim, Question
from gridmap.planning.siting.centre import least_farthest
from gridmap.planning.siting.covers import Covers, covers_of
from gridmap.planning.siting.dominated import undominated
from gridmap.planning.siting.fewest import fewest_serving
from gridmap.planning.siting.maximal import Told, most_served
from gridmap.planning.siting.median import least_mean


@dataclass(frozen=True)
class Siting:
    """An answer.

    Attributes
    ----------
    question : what it answers
    aim : what the sites are to do
    asked : number of sites asked for; of ``Aim.SHARE`` 0
    share : share of demand asked for, of ``Aim.SHARE``, else NaN
    rows : (k,) int64, candidates in the order in which to build them
    lonlat : (k, 2) float64, WGS 84 degrees
    near_row : (k,) int64, rows of ``Plan.cells`` that name the places of the sites
    added : (k,) float64, demand that each serves and those before it do not
    measure : (k + 1,) float64: demand served, or the mean or largest distance in metres, with the first 0, 1, … k sites
    value, bound : of all sites, and what no choice of as many can better: weighted demand served newly (``MOST``),
        number of sites (``SHARE``), metres (``MEAN``, ``FARTHEST``)
    possible : whether the share asked for can be reached; else ``rows`` is empty
    most : demand that is served with a facility at every candidate
    beyond : (b,) int64, cells of the question that no candidate serves and nothing that is there
    """

    question: Question
    aim: Aim
    asked: int
    share: float
    rows: Rows
    lonlat: Floats
    near_row: Rows
    added: Floats
    measure: Floats
    value: float
    bound: float
    possible: bool
    most: float
    beyond: Rows

    @property
    def gap(self) -> float:
        """Distance to the bound as a share: of the bound where more is better, else of the value."""
        better, worse = (self.bound, self.value) if self.aim is Aim.MOST else (self.value, self.bound)
        return max(better - worse, 0.0) / better if better > 0 and np.isfinite(better) else 0.0


def site(
    question: Question, aim: Aim = Aim.MOST, *, count: int = 1, share: float = 1.0, told: Told | None = None
) -> Siting:
    """Choose sites.

    Parameters
    ----------
    count : how many to add; ``Aim.SHARE`` finds that itself
    share : share of all demand that is to be served, of ``Aim.SHARE``
    told : called with the share of the work that is done, 0 to 1; what it raises ends the work

    Raises
    ------
    UsageError
        If more sites are asked for than there are candidates, or there are more distances than can be worked on.
    """
    if aim is not Aim.SHARE and count > len(question.candidates):
        raise UsageError("siting.too_few_candidates", count=f"{count:,}", candidates=f"{len(question.candidates):,}")
    pairs = question.reach()
    reached = question.served.copy()
    reached[pairs.point] = True
    most, beyond = float(question.demand[reached].sum()), np.flatnonzero(~reached)
    possible = True
    if aim in (Aim.MOST, Aim.SHARE):
        # A share is one of people, whatever weight they have when sites are compared.
        weight = question.demand if aim is Aim.SHARE else question.weight
        covers, _ = covers_of(pairs.point, pairs.facility, weight, len(question.candidates))
        left = undominated(covers)
        covers = Covers(csr_array(covers.by_demand[:, left]), covers.weight)
        if aim is Aim.MOST:
            choice = most_served(covers, count, told=told)
            rows, value, bound = left[choice.rows], choice.value, choice.bound
        else:
            needed = share * float(question.demand.sum()) - float(question.demand[question.served].sum())
            fewest = fewest_serving(covers, needed, told=told)
            possible = fewest.is_possible
            rows = left[fewest.rows] if possible else left[:0]
            value, bound = float(len(rows)), float(fewest.at_least) if possible else float("nan")
    else:
        table_m = question.table_m()
        if aim is Aim.MEAN:
            median = least_mean(table_m, question.weight, count, told=told, existing=question.existing_m)
            total = float(question.weight.sum())
            rows, value, bound = median.rows, median.cost / total, median.bound / total
        else:
            centre = least_farthest(table_m, count, told=told, existing=question.existing_m)
            rows, value, bound = centre.rows, centre.radius, centre.bound
        rows = _in_order(table_m, rows, question, aim)
    rows = np.asarray(rows, dtype=np.int64)
    lonlat = question.candidates.lonlat[rows]
    asked = 0 if aim is Aim.SHARE else count
    return Siting(
        question,
        aim,
        asked,
        share if aim is Aim.SHARE else float("nan"),
        rows,
        lonlat,
        _near(question, rows),
        _added(question, pairs.point, pairs.facility, rows),
        _measured(question, aim, rows, pairs.point, pairs.facility),
        value,
        bound,
        possible,
        most,
        beyond,
    )


def _in_order(table_m: Floats, rows: Rows, question: Question, aim: Aim) -> Rows:
    """Put what betters the aim most first."""
    left, order, near = rows.tolist(), [], question.existing_m
    while left:
        after = np.minimum(near[:, None], table_m[:, left])
        worth = question.weight @ after if aim is Aim.MEAN else after.max(axis=0)
        order.append(left.pop(int(np.argmin(worth))))
        near = np.minimum(near, table_m[:, order[-1]])
    return np.array(order, dtype=np.int64)


def _added(question: Question, cell: Rows, candidate: Rows, rows: Rows) -> Floats:
    """Demand that each site serves newly."""
    served = question.served.copy()
    added = np.zeros(len(rows))
    for place, row in enumerate(rows.tolist()):
        new = cell[candidate == row]
        new = new[~served[new]]
        added[place] = question.demand[new].sum()
        served[new] = True
    return added


def _measured(question: Question, aim: Aim, rows: Rows, cell: Rows, candidate: Rows) -> Floats:
    """Measure what the first 0, 1, … sites come to."""
    if aim in (Aim.MOST, Aim.SHARE):
        before = float(question.demand[question.served].sum())
        return before + np.concatenate([[0.0], np.cumsum(_added(question, cell, candidate, rows))])
    near, steps = question.existing_m, []
    every, group = np.arange(len(question.row)), np.zeros(len(question.row), np.int64)
    for row in [None, *rows.tolist()]:
        if row is not None:
            site_m = distances(question.points, every, question.sites, np.full(len(every), row))
            near = np.minimum(near, site_m)
        if aim is Aim.FARTHEST or not np.isfinite(near).all():
            steps.append(float(near.max()))
        else:
            steps.append(float(weighted_means(group, near, question.weight, question.weight, 1)[0]))
    return np.array(steps)


def _near(question: Question, rows: Rows) -> Rows:
    """Row of ``Plan.cells`` whose ground names the place of each site: the one it lies in, else the nearest."""
    points = shapely.points(question.candidates.lonlat[rows])
    found = question.plan.cells.sindex.nearest(points, return_all=False)
    near = np.zeros(len(rows), dtype=np.int64)
    near[found[0]] = found[1]
    return near
