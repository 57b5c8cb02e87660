"""The layers of a plan and their columns, defined once for store, interface and documentation."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gridmap.domain.kinds import FacilityKind


class ColumnType(StrEnum):
    """What a column holds; every column may lack a value."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TEXTS = "texts"


class GeometryType(StrEnum):
    """What the geometries of a layer are."""

    POINT = "point"
    POLYGON = "polygon"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a layer, as ``docs/reference/output.md`` describes it."""

    name: str
    type: ColumnType


@dataclass(frozen=True, slots=True)
class Layer:
    """A frame of a plan.

    Attributes
    ----------
    name : of the frame in ``Plan``
    columns : in the order of the frame, without the geometry
    key : columns that together name one row; empty where nothing does
    geometry : None for a table; polygons may consist of several parts
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    geometry: GeometryType | None = GeometryType.POLYGON


def _columns(**names: str) -> tuple[Column, ...]:
    """Columns in this order, each with the value of its type."""
    return tuple(Column(name, ColumnType(kind)) for name, kind in names.items())


def _of_kinds() -> dict[str, str]:
    covered = {f"covered_by_{kind}": "boolean" for kind in FacilityKind}
    nearest = {
        name: kind_of
        for kind in FacilityKind
        for name, kind_of in ((f"nearest_{kind}_id", "text"), (f"nearest_{kind}_m", "number"))
    }
    return covered | nearest


LAYERS: tuple[Layer, ...] = (
    Layer(
        "areas",
        _columns(
            area_code="text",
            name="text",
            level="text",
            parent_code="text",
            settlement="text",
            area_m2="number",
            demand="number",
            covered_share="number",
        ),
        key=("area_code",),
    ),
    Layer(
        "cells",
        _columns(
            cell_id="text",
            area_code="text",
            grid_code="text",
            demand="number",
            area_m2="number",
            settlement="text",
            primary_outlet_id="text",
            distance_m="number",
            covered_share="number",
            covered="boolean",
            crossing_degree="integer",
            **_of_kinds(),
            facility_ids_in_reach="text",
            unit_code="text",
            sub_code="text",
        ),
        key=("cell_id", "area_code", "unit_code"),
    ),
    Layer(
        "grids",
        _columns(
            grid_code="text",
            name="text",
            level="text",
            parent_code="text",
            kind="text",
            settlement="text",
            area_m2="number",
            demand="number",
            cells="integer",
            primary_outlet_id="text",
            cooperating_outlet_ids="texts",
            manager_id="text",
            officer_ids="texts",
            covered_share="number",
            has_outlet="boolean",
            rural_cash_points="integer",
            compactness="number",
            area_code="text",
            super_code="text",
            target_demand="number",
            deviation="number",
            parts="integer",
            holes="integer",
            radius_m="number",
            locked="boolean",
            managers_missing="boolean",
            officers_missing="integer",
        ),
        key=("grid_code",),
    ),
    Layer(
        "facilities",
        _columns(
            facility_id="text",
            name="text",
            kind="text",
            lon="number",
            lat="number",
            service_radius_m="number",
            capacity="number",
            institution="text",
            branch="text",
            line_number="text",
            lon_given="number",
            lat_given="number",
            datum="text",
            area_code="text",
            radius_urban_m="number",
            radius_rural_m="number",
            cells_in_reach="integer",
            demand_in_reach="number",
        ),
        key=("facility_id",),
        geometry=GeometryType.POINT,
    ),
    Layer(
        "gaps",
        _columns(
            gap_id="text",
            area_code="text",
            settlement="text",
            kind_missing="text",
            area_m2="number",
            demand="number",
            nearest_facility_id="text",
            nearest_distance_m="number",
            rank="integer",
        ),
        key=("gap_id",),
    ),
    Layer(
        "jurisdictions",
        _columns(outlet_id="text", name="text", grids="integer", area_m2="number", demand="number", capacity="number"),
        key=("outlet_id",),
    ),
    Layer(
        "units",
        _columns(
            unit_code="text",
            area_code="text",
            kind="text",
            grid_code="text",
            area_m2="number",
            demand="number",
            cells="integer",
            settlement="text",
        ),
        key=("unit_code",),
    ),
    Layer(
        "levels",
        _columns(
            code="text",
            name="text",
            level="text",
            parent_code="text",
            area_m2="number",
            demand="number",
            cells="integer",
            grids="integer",
            parts="integer",
            holes="integer",
        ),
        key=("level", "code"),
    ),
    Layer(
        "organisation",
        _columns(
            node_id="text",
            kind="text",
            name="text",
            parent_id="text",
            grids="integer",
            area_m2="number",
            demand="number",
            capacity="number",
        ),
        key=("node_id",),
    ),
    Layer(
        "assignments",
        _columns(grid_code="text", outlet_id="text", role="text", distance_m="number", demand_in_reach="number"),
        key=("grid_code", "outlet_id"),
        geometry=None,
    ),
    Layer(
        "staff",
        _columns(
            person_id="text",
            name="text",
            role="text",
            employment="text",
            outlet_id="text",
            grid_code="text",
            status="text",
        ),
        geometry=None,
    ),
)

LAYER_BY_NAME = {layer.name: layer for layer in LAYERS}
