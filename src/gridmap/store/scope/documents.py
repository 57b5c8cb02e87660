"""Documents of a version: whole for who may see all of it; of the rules everybody what breaks them in their reach."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from gridmap.errors import NotStored, UsageError
from gridmap.store.content import DOCUMENTS
from gridmap.store.models import plan_version
from gridmap.store.protocols import VersionInfo
from gridmap.store.scope.reach import Reach
from gridmap.store.scope.scoped import scoped

#: Columns with what rules name as breaking them.
_NAMES = (
    ("areas", "area_code"),
    ("grids", "grid_code"),
    ("levels", "code"),
    ("units", "unit_code"),
    ("facilities", "facility_id"),
    ("staff", "person_id"),
)


def document(connection: Connection, version: VersionInfo, reach: Reach, name: str) -> Any:
    """Read a document of a version.

    Where not all of the version is in reach, a rule tells what in reach breaks it: it holds where nothing does, and
    ``checked`` is None, for it counts what is beyond; the other documents are sums over everything.

    Parameters
    ----------
    name : ``settings``, ``indicators``, ``rules``, ``certificate`` or ``report``

    Raises
    ------
    UsageError
        If there is no such document.
    NotStored
        If the version is gone, or the document tells of more than is in reach.
    """
    if name not in DOCUMENTS:
        raise UsageError("reading.no_document", name=name, known=", ".join(DOCUMENTS))
    found = connection.execute(select(plan_version.c[name]).where(plan_version.c.id == version.row)).first()
    if found is None or reach.is_none:
        raise NotStored("store.no_version", id=version.plan_id, number=version.number)
    if reach.is_whole:
        return found[0]
    if name != "rules":
        raise NotStored("reading.not_whole", id=version.plan_id)
    known = _names_in_reach(connection, reach)
    return [_limited(result, known) for result in found[0]]


def _limited(result: dict[str, Any], known: set[str]) -> dict[str, Any]:
    broken_by = [name for name in result["broken_by"] if name in known]
    return {**result, "holds": not broken_by, "checked": None, "broken_by": broken_by}


def _names_in_reach(connection: Connection, reach: Reach) -> set[str]:
    found: set[str] = set()
    for layer, column in _NAMES:
        source = scoped(layer, reach, connection.dialect.name)
        found.update(connection.execute(select(source.c[column]).where(source.c[column].is_not(None))).scalars())
    return found
