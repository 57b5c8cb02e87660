"""What the service keeps: accounts and their keys, uploads, jobs, and sums of cells for small scales.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

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
    for name in ("cells_aggregate", "job", "upload", "api_key", "account"):
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
        sa.Column("idempotency_key", sa.String(128)),
        sa.Column("request_digest", sa.String(64), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("stage", sa.Text),
        sa.Column("progress", sa.Double, nullable=False),
        sa.Column("dismiss_asked", sa.Boolean, nullable=False),
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
