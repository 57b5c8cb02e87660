"""Whether what a column names is in reach, in SQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, exists, false, func, literal, or_, select, true
from sqlalchemy.sql.expression import FromClause

from gridmap.store.models import VERSION, layer_tables
from gridmap.store.scope.areas import beyond_areas, in_areas, of_institutions
from gridmap.store.scope.reach import Reach

Value = ColumnElement[Any]
Truth = ColumnElement[bool]


class Named:
    """Conditions on columns that name rows of a version, by what a scope reaches in it."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def area(self, code: Value) -> Truth:
        """Whether an area is."""
        return in_areas(code, self._reach.area_prefixes)

    def facility(self, identifier: Value) -> Truth:
        """Whether a facility is."""
        rows = self._rows("facilities")
        return self._there(rows, rows.c.facility_id == identifier, self.facility_row(rows))

    def facility_row(self, rows: FromClause) -> Truth:
        """Whether a row of the facilities is."""
        return and_(self.area(rows.c.area_code), of_institutions(rows.c.institution, self._reach.institutions))

    def grid(self, code: Value) -> Truth:
        """Whether a grid is."""
        rows = self._rows("grids")
        return self._there(rows, rows.c.grid_code == code, self.area(rows.c.area_code))

    def unit(self, code: Value) -> Truth:
        """Whether a base unit is."""
        rows = self._rows("units")
        return self._there(rows, rows.c.unit_code == code, self.area(rows.c.area_code))

    def super_grid(self, code: Value) -> Truth:
        """Whether all grids of a super-grid are."""
        rows = self._rows("grids")
        own = self._select(rows, rows.c.super_code, rows.c.super_code.is_not(None), self.area(rows.c.area_code))
        return and_(code.in_(own), code.not_in(self._grids_beyond("super_code")))

    def level(self, code: Value) -> Truth:
        """Whether an area, a super-grid or a grid is."""
        rows = self._rows("areas")
        is_area = self._there(rows, rows.c.area_code == code, self.area(rows.c.area_code))
        return or_(is_area, self.grid(code), self.super_grid(code))

    def jurisdiction(self, outlet_id: Value) -> Truth:
        """Whether an outlet and all grids are that it is the primary outlet of."""
        return and_(self.facility(outlet_id), outlet_id.not_in(self._grids_beyond("primary_outlet_id")))

    def branch(self, name: Value) -> Truth:
        """Whether all outlets are that name a branch, or are it."""
        rows = self._rows("facilities")
        beyond = ~func.coalesce(self.facility_row(rows), false())
        told = [
            self._select(rows, rows.c[column], rows.c[column].is_not(None), beyond)
            for column in ("branch", "facility_id", "name")
        ]
        return and_(*(name.not_in(one) for one in told))

    def staff_row(self, rows: FromClause) -> Truth:
        """Whether a row of the staff is."""
        return or_(self.grid(rows.c.grid_code), self.facility(rows.c.outlet_id))

    def node(self, node_id: Value) -> Truth:
        """Whether a node of the organisation is, and all below it are."""
        rows = self._rows("organisation")
        reaching = (
            select(rows.c.node_id, rows.c.parent_id)
            .where(rows.c[VERSION] == self._reach.row, ~func.coalesce(self._node_itself(rows), false()))
            .cte(recursive=True)
        )
        above = self._rows("organisation")
        reaching = reaching.union(
            select(above.c.node_id, above.c.parent_id).where(
                above.c[VERSION] == self._reach.row, above.c.node_id == reaching.c.parent_id
            )
        )
        return node_id.not_in(select(reaching.c.node_id))

    def _node_itself(self, rows: FromClause) -> Truth:
        """Whether a node is, whatever is below it."""
        outlets, people = self._rows("facilities"), self._rows("staff")
        own_outlets = self._select(
            outlets, literal("outlet/", Text).concat(outlets.c.facility_id), self.jurisdiction(outlets.c.facility_id)
        )
        named = people.c.person_id.is_not(None)
        person = literal("person/", Text).concat(people.c.person_id)
        elsewhere = and_(people.c.grid_code.is_not(None), ~self.grid(people.c.grid_code))
        own_people = self._select(people, person, named, self.staff_row(people))
        others = self._select(people, person, named, elsewhere)
        banks = [f"head_office/{name}" for name in self._reach.institutions]
        return or_(
            and_(rows.c.kind == "outlet", rows.c.node_id.in_(own_outlets)),
            and_(rows.c.kind == "person", rows.c.node_id.in_(own_people), rows.c.node_id.not_in(others)),
            rows.c.kind == "branch",
            and_(rows.c.kind == "head_office", rows.c.node_id.in_(banks) if banks else true()),
        )

    def _grids_beyond(self, column: str) -> Select[Any]:
        """Names of a column of the grids beyond the scope."""
        rows = self._rows("grids")
        beyond = beyond_areas(rows.c.area_code, self._reach.area_prefixes)
        return self._select(rows, rows.c[column], rows.c[column].is_not(None), beyond)

    def _rows(self, layer: str) -> FromClause:
        return layer_tables[layer].alias()

    def _select(self, rows: FromClause, column: Value, *conditions: Truth) -> Select[Any]:
        return select(column).select_from(rows).where(rows.c[VERSION] == self._reach.row, *conditions).correlate(None)

    def _there(self, rows: FromClause, *conditions: Truth) -> Truth:
        found = exists().where(rows.c[VERSION] == self._reach.row, *conditions)
        return found.correlate_except(rows)
