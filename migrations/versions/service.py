"""What the service keeps: accounts and their keys, uploads, jobs, and sums of cells for small scales.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

from gridmap.store.tiles.aggregates import fill_aggregates

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    _make_accounts()
    _make_uploads()
    _make_jobs()
    _make_aggregates()


def downgrade() -> None:
    """Drop them."""
    for name in ("cells_aggregate", "job", "upload", "account_change", "api_key", "account"):
        op.drop_table(name)


def _make_accounts() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("subject", sa.Text),
        sa.Column("role", sa.String(13), nullable=False),
        sa.Column("area_prefixes", sa.JSON, nullable=False),
        sa.Column("institutions", sa.JSON, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("revoked_at", MOMENT),
        sa.Column("revoked_by", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("name", name="uq_account_name"),
        sa.UniqueConstraint("subject", name="uq_account_subject"),
        sa.CheckConstraint("role IN ('viewer', 'planner', 'publisher', 'administrator')", name=op.f("ck_account_role")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("prefix", sa.String(16), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("expires_at", MOMENT),
        sa.Column("revoked_at", MOMENT),
        sa.Column("revoked_by", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_api_key_account_id"),
        sa.UniqueConstraint("prefix", name="uq_api_key_prefix"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_api_key_account_id", "api_key", ["account_id"])
    op.create_table(
        "account_change",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_account_change"),
        sqlite_autoincrement=True,
    )
    for guard in _sqlite_guards() if op.get_context().dialect.name == "sqlite" else _postgresql_guards():
        op.execute(sa.DDL(guard.replace("%", "%%")))


def _sqlite_guards() -> list[str]:
    """Triggers that refuse to change what was written down of accounts."""
    return [
        f"CREATE TRIGGER account_change_{event.lower()} BEFORE {event} ON account_change "
        "BEGIN SELECT RAISE(ABORT, 'gridmap: the audit only grows'); END"
        for event in ("UPDATE", "DELETE")
    ]


def _postgresql_guards() -> list[str]:
    """Do the same; the function is that of the audit of plans."""
    return [
        "CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON account_change EXECUTE FUNCTION gridmap_refuse()"
    ]


def _make_uploads() -> None:
    op.create_table(
        "upload",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("format", sa.String(10), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("findings", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_upload"),
    )
    op.create_index("ix_upload_created_at", "upload", ["created_at"])


def _make_jobs() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("process", sa.String(20), nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("role", sa.String(13), nullable=False),
        sa.Column("area_prefixes", sa.JSON, nullable=False),
        sa.Column("institutions", sa.JSON, nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("inputs", sa.JSON, nullable=False),
        sa.Column("outputs", sa.JSON, nullable=False),
        sa.Column("idempotency_key", sa.String(128)),
        sa.Column("request_digest", sa.String(64), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("stage", sa.Text),
        sa.Column("progress", sa.Double, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("worker", sa.Text),
        sa.Column("claim", sa.String(32)),
        sa.Column("heard_at", MOMENT),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("started_at", MOMENT),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT),
        sa.Column("result", sa.JSON),
        sa.Column("error", sa.JSON),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
        sa.UniqueConstraint("owner", "idempotency_key", name="uq_job_owner"),
        sa.CheckConstraint(
            "status IN ('accepted', 'running', 'successful', 'failed', 'dismissed')", name=op.f("ck_job_status")
        ),
    )
    op.create_index("ix_job_status", "job", ["status", "created_at"])
    op.create_index("ix_job_created_at", "job", ["created_at", "id"])


def _make_aggregates() -> None:
    op.create_table(
        "cells_aggregate",
        sa.Column("version_id", sa.Integer, nullable=False),
        sa.Column("resolution", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("hexagon", sa.String(16), nullable=False),
        sa.Column("area_code", sa.Text, nullable=False),
        sa.Column("cells", sa.BigInteger, nullable=False),
        sa.Column("demand", sa.Double, nullable=False),
        sa.Column("area_m2", sa.Double, nullable=False),
        sa.Column("covered_demand", sa.Double, nullable=False),
        sa.Column("covered_m2", sa.Double, nullable=False),
        sa.Column("measured_m2", sa.Double, nullable=False),
        sa.Column("distance_m3", sa.Double, nullable=False),
        sa.Column("crossing_m2", sa.Double, nullable=False),
        sa.Column("west", sa.Double, nullable=False),
        sa.Column("south", sa.Double, nullable=False),
        sa.Column("east", sa.Double, nullable=False),
        sa.Column("north", sa.Double, nullable=False),
        sa.Column(
            "geometry",
            sa.LargeBinary().with_variant(Geometry("GEOMETRY", srid=4326, spatial_index=False), "postgresql"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("version_id", "resolution", "hexagon", "area_code", name="pk_cells_aggregate"),
        sa.ForeignKeyConstraint(
            ["version_id"], ["plan_version.id"], name="fk_cells_aggregate_version_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_cells_aggregate_west", "cells_aggregate", ["version_id", "resolution", "west"])
    fill_aggregates(op.get_bind())
    # Only now: what was published before has its sums from here on, and keeps them.
    for statement in _sums_guards_sqlite() if op.get_bind().dialect.name == "sqlite" else _sums_guards_postgresql():
        op.execute(statement)


def _sums_guards_sqlite() -> list[str]:
    """Triggers that refuse to change sums of what is published."""
    refuse = "BEGIN SELECT RAISE(ABORT, 'gridmap: published versions are immutable'); END"
    closed = "(SELECT status FROM plan_version WHERE id = {row}.version_id) <> 'draft'"
    table = "cells_aggregate"
    return [
        f"CREATE TRIGGER {table}_insert BEFORE INSERT ON {table} WHEN {closed.format(row='NEW')} {refuse}",
        f"CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} WHEN {closed.format(row='OLD')} {refuse}",
        f"CREATE TRIGGER {table}_update BEFORE UPDATE ON {table} {refuse}",
    ]


def _sums_guards_postgresql() -> list[str]:
    """Do the same, once a statement."""
    return [
        "CREATE TRIGGER keep_inserted AFTER INSERT ON cells_aggregate REFERENCING NEW TABLE AS changed "
        "FOR EACH STATEMENT EXECUTE FUNCTION gridmap_keep_published_rows()",
        "CREATE TRIGGER keep_deleted AFTER DELETE ON cells_aggregate REFERENCING OLD TABLE AS changed "
        "FOR EACH STATEMENT EXECUTE FUNCTION gridmap_keep_published_rows()",
        "CREATE TRIGGER keep_all BEFORE UPDATE OR TRUNCATE ON cells_aggregate EXECUTE FUNCTION gridmap_refuse()",
    ]
