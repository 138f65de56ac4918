"""cases that residents look up and follow

Revision: 0009, after 0008, 2026-11-25 23:55:00.000000
"""

import sqlalchemy as sa
from alembic import op

from bot.db.tables import Utc

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_attempts",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("conversation_id", sa.String(36), nullable=False),
        sa.Column("reference", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name="fk_case_attempts_conversation_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_case_attempts"),
    )
    op.create_index("ix_case_attempts_conversation_id_at", "case_attempts", ["conversation_id", "at"])
    op.create_index("ix_case_attempts_reference_at", "case_attempts", ["reference", "at"])
    op.create_table(
        "case_follows",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("conversation_id", sa.String(36), nullable=False),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("reference", sa.String(64), nullable=False),
        sa.Column("state", sa.String(64), nullable=False),
        sa.Column("faults", sa.Integer(), nullable=False),
        sa.Column("look_at", Utc(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name="fk_case_follows_conversation_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_case_follows"),
        sa.UniqueConstraint("conversation_id", "key", name="uq_case_follows_conversation_id_key"),
    )
    op.create_index("ix_case_follows_provider_look_at", "case_follows", ["provider", "look_at"])
    op.create_index("ix_case_follows_provider_key", "case_follows", ["provider", "key"])


def downgrade() -> None:
    op.drop_table("case_follows")
    op.drop_table("case_attempts")
