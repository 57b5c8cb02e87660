r"""Choose candidates that together serve most demand: greedy, then exchanges, then kicks out of what they end in.

Of ``p`` chosen candidates, exchanging the one in place :math:`q` for candidate :math:`j` changes what is served by

.. math:: \Delta_{qj} = g_j - l_q + o_{qj}

with :math:`g_j` the demand that only :math:`j` would add, :math:`l_q` what only :math:`q` serves, and :math:`o_{qj}`
what both would. All three are kept up to date from exchange to exchange, so that each is found at once (after Resende
and Werneck, *A fast swap-based local search procedure for location problems*, 2007). Kicks exchange some places at
random, and what comes of them is kept unless it is much worse (Lourenço, Martin and Stützle, *Iterated local search*,
2003).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from gridmap.planning.service.reach import Floats, Rows
from gridmap.planning.siting.covers import Covers

#: Least gain of an exchange, as a share of all demand: less is rounding.
_LEAST_GAIN = 1e-12
#: How much worse than the last a choice may be to be gone on from, as a share of it, on average.
_WARMTH = 6e-4
#: Kicks between two words of how far the work is.
_TELLING = 50


@dataclass
class _Choice:
    """Candidates in their places, and what exchanging any of them would change.

    Attributes
    ----------
    place : (p,) candidate in each place, -1 where it is empty
    served : (m,) how many chosen candidates serve each demand
    owners : (m,) sum of the places that serve it: the one place, where there is one
    gain : (n,) demand that each candidate would add
    loss : (p,) demand that only the candidate in each place serves
    both : (p, n) demand that only that candidate serves, and that another would too
    """

    covers: Covers
    size: int
    place: Rows = field(init=False)
    served: Rows = field(init=False)
    owners: Rows = field(init=False)
    gain: Floats = field(init=False)
    loss: Floats = field(init=False)
    both: Floats = field(init=False)

    def __post_init__(self) -> None:
        demands, candidates = len(self.covers), self.covers.candidates
        self.place = np.full(self.size, -1)
        self.served, self.owners = np.zeros(demands, np.int64), np.zeros(demands, np.int64)
        self.gain = np.asarray(self.covers.by_demand.T @ self.covers.weight)
        self.loss, self.both = np.zeros(self.size), np.zeros((self.size, candidates))

    @property
    def value(self) -> float:
        """Demand served."""
        return float(self.covers.weight[self.served > 0].sum())

    def put(self, place: int, candidate: int) -> None:
        """Choose a candidate."""
        rows = self._demands_of(candidate)
        count, weight = self.served[rows], self.covers.weight[rows]
        new, shared = rows[count == 0], rows[count == 1]
        self._add_gain(new, -1.0)
        self.loss[place] += weight[count == 0].sum()
        self._add_both(new, np.full(len(new), place), 1.0)
        owner = self.owners[shared]
        np.subtract.at(self.loss, owner, weight[count == 1])
        self._add_both(shared, owner, -1.0)
        self.served[rows] += 1
        self.owners[rows] += place
        self.place[place] = candidate

    def take(self, place: int) -> None:
        """Give a candidate up."""
        rows = self._demands_of(int(self.place[place]))
        self.served[rows] -= 1
        self.owners[rows] -= place
        count, weight = self.served[rows], self.covers.weight[rows]
        gone, left = rows[count == 0], rows[count == 1]
        self._add_gain(gone, 1.0)
        self.loss[place], self.both[place] = 0.0, 0.0
        owner = self.owners[left]
        np.add.at(self.loss, owner, weight[count == 1])
        self._add_both(left, owner, 1.0)
        self.place[place] = -1

    def best_exchange(self) -> tuple[float, int, int]:
        """Gain, place and candidate of the exchange that adds most."""
        change = self.both + self.gain
        change -= self.loss[:, None]
        # A candidate that is chosen has nothing to add.
        change[:, self.place] = -np.inf
        best = int(change.argmax())
        place, candidate = divmod(best, change.shape[1])
        return float(change.flat[best]), place, candidate

    def _demands_of(self, candidate: int) -> Rows:
        covers = self.covers.by_candidate
        return np.asarray(covers.indices[covers.indptr[candidate] : covers.indptr[candidate + 1]])

    def _pairs_of(self, rows: Rows) -> tuple[Rows, Rows]:
        """Positions in ``rows``, and candidates, of all pairs of these demands."""
        covers = self.covers.by_demand
        count = covers.indptr[rows + 1] - covers.indptr[rows]
        position = np.repeat(np.arange(len(rows)), count)
        offset = np.arange(len(position)) - np.repeat(np.cumsum(count) - count, count)
        return position, covers.indices[np.repeat(covers.indptr[rows], count) + offset]

    def _add_gain(self, rows: Rows, sign: float) -> None:
        position, candidate = self._pairs_of(rows)
        weight = self.covers.weight[rows][position]
        self.gain += sign * np.bincount(candidate, weights=weight, minlength=len(self.gain))

    def _add_both(self, rows: Rows, place: Rows, sign: float) -> None:
        position, candidate = self._pairs_of(rows)
        weight = self.covers.weight[rows][position]
        np.add.at(self.both.reshape(-1), place[position] * self.both.shape[1] + candidate, sign * weight)


def greedy_choice(covers: Covers, size: int) -> Rows:
    """Candidates in the order in which each adds most to those before it; the lowest of equally good ones.

    Returns
    -------
    (k,) int64, k at most ``size``: it ends when nothing more can be served
    """
    gain = np.asarray(covers.by_demand.T @ covers.weight, dtype=np.float64)
    open_ = np.ones(len(covers), np.bool_)
    chosen: list[int] = []
    by_candidate, by_demand = covers.by_candidate, covers.by_demand
    while len(chosen) < min(size, covers.candidates):
        best = int(gain.argmax())
        if gain[best] <= covers.total * _LEAST_GAIN:
            break
        chosen.append(best)
        rows = by_candidate.indices[by_candidate.indptr[best] : by_candidate.indptr[best + 1]]
        rows = rows[open_[rows]]
        open_[rows] = False
        gain -= np.asarray(by_demand[rows].T @ covers.weight[rows])
        gain[best] = 0.0
    return np.array(chosen, dtype=np.int64)


def improved_choice(
    covers: Covers, start: Rows, size: int, kicks: int, seed: int, told: Callable[[float], None] | None = None
) -> Rows:
    """Exchange candidates until no exchange adds anything, then kick and begin again; the best that was seen.

    Parameters
    ----------
    start : (k,) int64, chosen at first; places left over are filled with candidates at random
    kicks : how many times
    seed : equal ones give equal answers
    told : called now and then with the share of the kicks that are done

    Returns
    -------
    (size,) int64, ascending
    """
    random = np.random.default_rng(seed)
    size = min(size, covers.candidates)
    rest = np.setdiff1d(np.arange(covers.candidates), start)
    filled = np.concatenate([start, random.permutation(rest)[: size - len(start)]])
    choice = _Choice(covers, size)
    for place, candidate in enumerate(filled.tolist()):
        choice.put(place, candidate)
    if size == covers.candidates:
        return np.sort(filled)
    _exchange(choice)
    best, best_value = choice.place.copy(), choice.value
    last, last_value = best.copy(), best_value
    for kick in range(kicks):
        if told is not None and kick % _TELLING == 0:
            told(kick / kicks)
        for place in random.choice(size, size=min(int(random.integers(2, 6)), size), replace=False).tolist():
            candidate = int(random.integers(covers.candidates))
            if candidate not in choice.place:
                choice.take(place)
                choice.put(place, candidate)
        _exchange(choice)
        value = choice.value
        if value >= last_value or random.random() < np.exp((value - last_value) / (_WARMTH * last_value)):
            last, last_value = choice.place.copy(), value
            if value > best_value * (1 + _LEAST_GAIN):
                best, best_value = last.copy(), value
        else:
            changed = np.flatnonzero(choice.place != last).tolist()
            for place in changed:
                choice.take(place)
            for place in changed:
                choice.put(place, int(last[place]))
    return np.sort(best)


def _exchange(choice: _Choice) -> None:
    least = choice.covers.total * _LEAST_GAIN
    while True:
        gain, place, candidate = choice.best_exchange()
        if gain <= least:
            return
        choice.take(place)
        choice.put(place, candidate)
