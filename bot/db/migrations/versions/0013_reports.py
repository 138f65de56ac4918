"""what residents report in the street

Revision: 0013, after 0011, 2026-11-26 00:40:00.000000
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from bot.db.tables import Utc

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reports",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("conversation_id", sa.String(36), nullable=False),
        sa.Column("reference", sa.String(16), nullable=False),
        *_told(),
        sa.Column("photos", sa.JSON(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("provider", sa.String(32)),
        sa.Column("external_id", sa.String(255)),
        sa.Column("number", sa.String(64)),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.Column("error", sa.String(255)),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", Utc(), nullable=False),
        sa.Column("lease_token", sa.String(36)),
        sa.Column("lease_until", Utc()),
        sa.Column("done_at", Utc()),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name="fk_reports_conversation_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_reports"),
    )
    op.create_index("ix_reports_state_not_before", "reports", ["state", "not_before"])
    op.create_index("ix_reports_conversation_id", "reports", ["conversation_id"])
    op.create_table(
        "local_reports",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("key", sa.String(36), nullable=False),
        sa.Column("reference", sa.String(16), nullable=False),
        *_told(),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("closed_at", Utc()),
        sa.PrimaryKeyConstraint("seq", name="pk_local_reports"),
        sa.UniqueConstraint("key", name="uq_local_reports_key"),
    )
    op.create_table(
        "local_photos",
        sa.Column("key", sa.String(36), nullable=False),
        sa.Column("report_key", sa.String(36), nullable=False),
        sa.Column("mime", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["report_key"], ["local_reports.key"], name="fk_local_photos_report_key", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name="pk_local_photos"),
    )
    op.create_index("ix_local_photos_report_key", "local_photos", ["report_key"])


def _told() -> list[sa.Column[Any]]:
    return [
        sa.Column("category", sa.String(128), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("latitude", sa.Float()),
        sa.Column("longitude", sa.Float()),
        sa.Column("phone", sa.String(32), nullable=False),
        sa.Column("email", sa.String(255), nullable=False),
    ]


def downgrade() -> None:
    op.drop_table("local_photos")
    op.drop_table("local_reports")
    op.drop_table("reports")
