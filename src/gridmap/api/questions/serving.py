"""Who is responsible for grids: people, outlets and what stands above them, levels; many grids at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from gridmap.domain.kinds import AssignmentRole, StaffRole
from gridmap.store.locating import rows_by
from gridmap.store.reading import LayerReader

Entry = dict[str, Any]

_OF_GRID = (
    "grid_code", "name", "level", "kind", "settlement", "area_code", "super_code", "demand", "area_m2",
    "primary_outlet_id", "managers_missing", "officers_missing",
)  # fmt: skip
_SHOWN_OF_GRID = tuple(name for name in _OF_GRID if name not in ("super_code", "primary_outlet_id"))
_OF_PERSON = ("person_id", "name", "role", "employment", "outlet_id", "grid_code", "status")
_OF_OUTLET = ("facility_id", "name", "kind", "institution", "branch", "line_number", "lon", "lat")
_OF_NODE = ("node_id", "kind", "name", "parent_id")
_OF_JURISDICTION = ("outlet_id", "name", "grids", "area_m2", "demand", "capacity")


class Serving:
    """Who is responsible for some grids, as far as that is in reach.

    Parameters
    ----------
    reader : of ``at_once``
    grids : codes
    """

    def __init__(self, reader: LayerReader, grids: Collection[str | None]) -> None:
        self._reader = reader
        self._grids = {row["grid_code"]: row for row in self._found("grids", _OF_GRID, "grid_code", grids)}
        self._people: dict[str, list[Entry]] = defaultdict(list)
        for row in self._found("staff", _OF_PERSON, "grid_code", grids):
            # Others than the placed are wanted, not there.
            if row["status"] == "placed":
                self._people[row["grid_code"]].append(row)
        self._outlets_of: dict[str, list[Entry]] = defaultdict(list)
        for row in self._found("assignments", ("grid_code", "outlet_id", "role"), "grid_code", grids):
            self._outlets_of[row["grid_code"]].append(row)
        outlets = {row["outlet_id"] for rows in self._outlets_of.values() for row in rows}
        outlets |= {row["primary_outlet_id"] for row in self._grids.values()}
        self._outlets = {
            row["facility_id"]: row for row in self._found("facilities", _OF_OUTLET, "facility_id", outlets)
        }
        leading = {row["primary_outlet_id"] for row in self._grids.values()}
        held = self._found("jurisdictions", _OF_JURISDICTION, "outlet_id", leading)
        self._jurisdictions = {row["outlet_id"]: row for row in held}
        self._nodes = self._above({f"outlet/{outlet}" for outlet in leading if outlet is not None})

    def _found(self, layer: str, columns: tuple[str, ...], key: str, values: Collection[str | None]) -> list[Entry]:
        return rows_by(self._reader, self._reader.layer(layer), columns, key, values)

    def _above(self, nodes: set[str]) -> dict[str, Entry]:
        """Nodes of the organisation, and all above them."""
        known: dict[str, Entry] = {}
        wanted = nodes
        while wanted:
            found = {row["node_id"]: row for row in self._found("organisation", _OF_NODE, "node_id", wanted)}
            known |= found
            wanted = {row["parent_id"] for row in found.values()} - {None} - set(known)
        return known

    def grid(self, code: str | None) -> Entry | None:
        """Attributes of a grid."""
        row = self._grids.get(code) if code is not None else None
        return None if row is None else {name: row[name] for name in _SHOWN_OF_GRID}

    def super_code(self, code: str | None) -> str | None:
        """Code of the super-grid above a grid."""
        row = self._grids.get(code) if code is not None else None
        return None if row is None else row["super_code"]

    def people(self, code: str | None) -> Entry:
        """Find manager and officers of a grid."""
        found = self._people.get(code, []) if code is not None else []
        shown = [
            (row["role"], {name: row[name] for name in ("person_id", "name", "employment", "outlet_id")})
            for row in found
        ]
        managers = [person for role, person in shown if role == StaffRole.MANAGER]
        return {
            "manager": managers[0] if managers else None,
            "officers": [person for role, person in shown if role == StaffRole.OFFICER],
        }

    def outlets(self, code: str | None) -> Entry:
        """Primary and cooperating outlets of a grid."""
        row = self._grids.get(code) if code is not None else None
        if row is None:
            return {"primary": None, "cooperating": []}
        helping = [
            one["outlet_id"] for one in self._outlets_of[row["grid_code"]] if one["role"] == AssignmentRole.COOPERATING
        ]
        return {
            "primary": self._outlets.get(row["primary_outlet_id"]),
            "cooperating": [self._outlets[one] for one in helping if one in self._outlets],
        }

    def jurisdiction(self, code: str | None) -> Entry | None:
        """All ground of the primary outlet of a grid, and what stands above that outlet, nearest first."""
        row = self._grids.get(code) if code is not None else None
        if row is None or row["primary_outlet_id"] not in self._jurisdictions:
            return None
        outlet = row["primary_outlet_id"]
        above: list[Entry] = []
        at = self._nodes.get(f"outlet/{outlet}", {}).get("parent_id")
        while at in self._nodes and len(above) < len(self._nodes):
            above.append({name: self._nodes[at][name] for name in ("node_id", "kind", "name")})
            at = self._nodes[at]["parent_id"]
        return {**self._jurisdictions[outlet], "above": above}
