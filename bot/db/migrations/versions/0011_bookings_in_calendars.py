"""what was asked of calendars of others

Revision: 0011, after 0010, 2026-11-25 23:50:00.000000
"""

import sqlalchemy as sa
from alembic import op

import bot.db.tables

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calendar_bookings",
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=True),
        sa.Column("start_at", bot.db.tables.Utc(timezone=True), nullable=False),
        sa.Column("asked_at", bot.db.tables.Utc(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", "provider", name=op.f("pk_calendar_bookings")),
    )
    with op.batch_alter_table("calendar_bookings", schema=None) as batch_op:
        batch_op.create_index("ix_calendar_bookings_start_at", ["start_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("calendar_bookings", schema=None) as batch_op:
        batch_op.drop_index("ix_calendar_bookings_start_at")

    op.drop_table("calendar_bookings")
