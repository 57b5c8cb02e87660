"""Plans, their versions, a table for each layer, and the audit; published versions are kept as they are.

Revision ID: 0001
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TYPES: dict[str, Any] = {
    "text": sa.Text(),
    "integer": sa.BigInteger(),
    "number": sa.Double(),
    "boolean": sa.Boolean(),
    "texts": sa.JSON().with_variant(JSONB(), "postgresql"),
}
MOMENT = sa.DateTime(timezone=True)

#: Columns of each layer with their types, as they stood when this was written.
LAYERS: dict[str, str] = {
    "areas": (
        "area_code:text name:text level:text parent_code:text settlement:text area_m2:number demand:number "
        "covered_share:number"
    ),
    "cells": (
        "cell_id:text area_code:text grid_code:text demand:number area_m2:number settlement:text "
        "primary_outlet_id:text distance_m:number covered_share:number covered:boolean "
        "crossing_degree:integer covered_by_branch:boolean covered_by_self_service:boolean "
        "covered_by_atm:boolean covered_by_pos:boolean covered_by_rural_cash_point:boolean "
        "covered_by_self_service_terminal:boolean nearest_branch_id:text nearest_branch_m:number "
        "nearest_self_service_id:text nearest_self_service_m:number nearest_atm_id:text nearest_atm_m:number "
        "nearest_pos_id:text nearest_pos_m:number nearest_rural_cash_point_id:text "
        "nearest_rural_cash_point_m:number nearest_self_service_terminal_id:text "
        "nearest_self_service_terminal_m:number facility_ids_in_reach:text unit_code:text sub_code:text"
    ),
    "grids": (
        "grid_code:text name:text level:text parent_code:text kind:text settlement:text area_m2:number "
        "demand:number cells:integer primary_outlet_id:text cooperating_outlet_ids:texts manager_id:text "
        "officer_ids:texts covered_share:number has_outlet:boolean rural_cash_points:integer "
        "compactness:number area_code:text super_code:text target_demand:number deviation:number "
        "parts:integer holes:integer radius_m:number locked:boolean managers_missing:boolean "
        "officers_missing:integer"
    ),
    "facilities": (
        "facility_id:text name:text kind:text lon:number lat:number service_radius_m:number capacity:number "
        "institution:text branch:text line_number:text lon_given:number lat_given:number datum:text "
        "area_code:text radius_urban_m:number radius_rural_m:number cells_in_reach:integer "
        "demand_in_reach:number"
    ),
    "gaps": (
        "gap_id:text area_code:text settlement:text kind_missing:text area_m2:number demand:number "
        "nearest_facility_id:text nearest_distance_m:number rank:integer"
    ),
    "jurisdictions": "outlet_id:text name:text grids:integer area_m2:number demand:number capacity:number",
    "units": (
        "unit_code:text area_code:text kind:text grid_code:text area_m2:number demand:number cells:integer "
        "settlement:text"
    ),
    "levels": (
        "code:text name:text level:text parent_code:text area_m2:number demand:number cells:integer "
        "grids:integer parts:integer holes:integer"
    ),
    "organisation": (
        "node_id:text kind:text name:text parent_id:text grids:integer area_m2:number demand:number capacity:number"
    ),
    "assignments": "grid_code:text outlet_id:text role:text distance_m:number demand_in_reach:number",
    "staff": "person_id:text name:text role:text employment:text outlet_id:text grid_code:text status:text",
}
#: Columns that name a row.
KEYS: dict[str, str] = {
    "areas": "area_code",
    "cells": "cell_id area_code unit_code",
    "grids": "grid_code",
    "facilities": "facility_id",
    "gaps": "gap_id",
    "jurisdictions": "outlet_id",
    "units": "unit_code",
    "levels": "level code",
    "organisation": "node_id",
    "assignments": "grid_code outlet_id",
}
TABLES_WITHOUT_GEOMETRY = ("assignments", "staff")
#: What of a version may not change once it is published.
CONTENT = (
    "id",
    "plan_id",
    "number",
    "created_at",
    "created_by",
    "published_at",
    "published_by",
    "settings",
    "indicators",
    "rules",
    "certificate",
    "report",
    "columns",
    "digest",
)


def upgrade() -> None:
    """Make everything."""
    if not _is_sqlite():
        op.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    _make_plan_tables()
    for name, columns in LAYERS.items():
        _make_layer(name, columns)
    statements = _sqlite_guards() if _is_sqlite() else _postgresql_guards()
    for statement in statements:
        op.execute(sa.DDL(statement.replace("%", "%%")))


def downgrade() -> None:
    """Drop everything but the extension, which others may use."""
    for name in LAYERS:
        if _is_sqlite() and name not in TABLES_WITHOUT_GEOMETRY:
            op.drop_table(f"layer_{name}_rtree")
        op.drop_table(f"layer_{name}")
    for name in ("audit_entry", "plan_version", "plan"):
        op.drop_table(name)
    if not _is_sqlite():
        for function in ("refuse", "keep_published_rows", "keep_published_version"):
            op.execute(sa.DDL(f"DROP FUNCTION gridmap_{function}()"))


def _is_sqlite() -> bool:
    return op.get_context().dialect.name == "sqlite"


def _make_plan_tables() -> None:
    op.create_table(
        "plan",
        sa.Column("id", sa.String(63), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("institution", sa.Text),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_plan"),
    )
    op.create_table(
        "plan_version",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("plan_id", sa.String(63), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("status", sa.String(9), nullable=False),
        sa.Column("lock_version", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("published_at", MOMENT),
        sa.Column("published_by", sa.Text),
        sa.Column("retired_at", MOMENT),
        sa.Column("retired_by", sa.Text),
        *(
            sa.Column(name, sa.JSON, nullable=False)
            for name in ("settings", "indicators", "rules", "certificate", "report", "columns")
        ),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_plan_version"),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name="fk_plan_version_plan_id"),
        sa.UniqueConstraint("plan_id", "number", name="uq_plan_version_plan_id"),
        sa.CheckConstraint("status IN ('draft', 'published', 'retired')", name=op.f("ck_plan_version_status")),
        # A number that was given away once must not lead to another version later.
        sqlite_autoincrement=True,
    )
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("plan_id", sa.String(63), nullable=False),
        sa.Column("version", sa.Integer),
        sa.Column("digest_before", sa.String(64)),
        sa.Column("digest_after", sa.String(64)),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entry"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_entry_plan_id", "audit_entry", ["plan_id"])


def _make_layer(name: str, described: str) -> None:
    table = f"layer_{name}"
    columns = [entry.split(":") for entry in described.split()]
    parts: list[Any] = [sa.Column(column, TYPES[kind]) for column, kind in columns]
    if name not in TABLES_WITHOUT_GEOMETRY:
        shapes = Geometry("GEOMETRY", srid=4326, spatial_index=False)
        parts.append(sa.Column("geometry", sa.LargeBinary().with_variant(shapes, "postgresql")))
    op.create_table(
        table,
        sa.Column("version_id", sa.Integer, nullable=False),
        sa.Column("fid", sa.Integer, nullable=False, autoincrement=False),
        *parts,
        sa.Column("extra", sa.JSON),
        sa.PrimaryKeyConstraint("version_id", "fid", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(["version_id"], ["plan_version.id"], name=f"fk_{table}_version_id", ondelete="CASCADE"),
    )
    if name in KEYS:
        op.create_index(f"ix_{table}_key", table, ["version_id", *KEYS[name].split()])
    if name in TABLES_WITHOUT_GEOMETRY:
        return
    if _is_sqlite():
        op.execute(f"CREATE VIRTUAL TABLE {table}_rtree USING rtree(id, west, east, south, north, first, last)")
        op.execute(
            f"CREATE TRIGGER {table}_rtree_delete AFTER DELETE ON {table} BEGIN "
            f"DELETE FROM {table}_rtree WHERE id = (OLD.version_id << 32) + OLD.fid; END"
        )
    else:
        op.create_index(f"ix_{table}_geometry", table, ["geometry"], postgresql_using="gist")


def _sqlite_guards() -> list[str]:
    """Triggers that refuse to change what is published, and what the audit says."""
    same = " AND ".join(f"OLD.{name} IS NEW.{name}" for name in CONTENT)
    refuse = "BEGIN SELECT RAISE(ABORT, 'gridmap: published versions are immutable'); END"
    closed = "(SELECT status FROM plan_version WHERE id = {row}.version_id) <> 'draft'"
    guards = [
        f"CREATE TRIGGER plan_version_update BEFORE UPDATE ON plan_version WHEN OLD.status <> 'draft' AND NOT "
        f"(OLD.status = 'published' AND NEW.status = 'retired' AND {same}) {refuse}",
        f"CREATE TRIGGER plan_version_delete BEFORE DELETE ON plan_version WHEN OLD.status <> 'draft' {refuse}",
    ]
    guards += [
        f"CREATE TRIGGER audit_entry_{event.lower()} BEFORE {event} ON audit_entry "
        "BEGIN SELECT RAISE(ABORT, 'gridmap: the audit only grows'); END"
        for event in ("UPDATE", "DELETE")
    ]
    for name in LAYERS:
        table = f"layer_{name}"
        guards += [
            f"CREATE TRIGGER {table}_insert BEFORE INSERT ON {table} WHEN {closed.format(row='NEW')} {refuse}",
            f"CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} WHEN {closed.format(row='OLD')} {refuse}",
            f"CREATE TRIGGER {table}_update BEFORE UPDATE ON {table} {refuse}",
        ]
    return guards


def _postgresql_guards() -> list[str]:
    """Do the same, once a statement: rows come by the hundred thousand."""
    same = " AND ".join(f"OLD.{name}::text IS NOT DISTINCT FROM NEW.{name}::text" for name in CONTENT)
    begin = "RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    refuse = "RAISE EXCEPTION 'gridmap: published versions are immutable' USING ERRCODE = '23001';"
    guards = [
        f"CREATE FUNCTION gridmap_refuse() {begin} {refuse} END $$",
        # The lock keeps a version from being published while rows are added to it.
        f"CREATE FUNCTION gridmap_keep_published_rows() {begin} PERFORM 1 FROM "
        "(SELECT DISTINCT version_id FROM changed) AS of_rows JOIN plan_version ON id = version_id "
        f"WHERE status <> 'draft' FOR SHARE OF plan_version; IF FOUND THEN {refuse} END IF; RETURN NULL; END $$",
        f"CREATE FUNCTION gridmap_keep_published_version() {begin} "
        "IF OLD.status = 'draft' THEN IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END IF; "
        f"IF TG_OP = 'UPDATE' THEN IF OLD.status = 'published' AND NEW.status = 'retired' AND {same} "
        f"THEN RETURN NEW; END IF; END IF; {refuse} END $$",
        "CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON plan_version "
        "FOR EACH ROW EXECUTE FUNCTION gridmap_keep_published_version()",
        "CREATE TRIGGER keep_all BEFORE TRUNCATE ON plan_version EXECUTE FUNCTION gridmap_refuse()",
        "CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry EXECUTE FUNCTION gridmap_refuse()",
    ]
    for name in LAYERS:
        table = f"layer_{name}"
        guards += [
            f"CREATE TRIGGER keep_inserted AFTER INSERT ON {table} REFERENCING NEW TABLE AS changed "
            "FOR EACH STATEMENT EXECUTE FUNCTION gridmap_keep_published_rows()",
            f"CREATE TRIGGER keep_deleted AFTER DELETE ON {table} REFERENCING OLD TABLE AS changed "
            "FOR EACH STATEMENT EXECUTE FUNCTION gridmap_keep_published_rows()",
            f"CREATE TRIGGER keep_all BEFORE UPDATE OR TRUNCATE ON {table} EXECUTE FUNCTION gridmap_refuse()",
        ]
    return guards
