"""Functions that SQLite lacks, registered with every connection: texts folded, geometries related.

Neither ever fails: SQLite would take that for a fault of the database.
"""

from __future__ import annotations

import sqlite3
from functools import lru_cache
from typing import Any

import shapely

from gridmap.domain.filters import Folding, Relation
from gridmap.store.folding import folded

FOLD, RELATES = "gridmap_fold", "gridmap_relates"

# Which way round a literal must be asked, so that it is the prepared side.
_ASKED = {
    Relation.INTERSECTS: shapely.intersects,
    Relation.DISJOINT: shapely.disjoint,
    Relation.WITHIN: shapely.contains,
    Relation.CONTAINS: shapely.within,
    Relation.TOUCHES: shapely.touches,
    Relation.CROSSES: shapely.crosses,
    Relation.OVERLAPS: shapely.overlaps,
    Relation.EQUALS: shapely.equals,
}


def add_functions(connection: sqlite3.Connection) -> None:
    """Register them with a connection."""
    connection.create_function(FOLD, 3, _fold, deterministic=True)
    connection.create_function(RELATES, 3, _relates, deterministic=True)


def _fold(text: Any, case: int, accents: int) -> Any:
    return folded(text, Folding(bool(case), bool(accents))) if isinstance(text, str) else None


def _relates(relation: str, wkb: bytes | None, literal: bytes) -> bool | None:
    if wkb is None:
        return None
    return bool(_ASKED[Relation(relation)](_prepared(literal), shapely.from_wkb(wkb)))


@lru_cache(maxsize=64)
def _prepared(wkb: bytes) -> Any:
    shape = shapely.from_wkb(wkb)
    shapely.prepare(shape)
    return shape
