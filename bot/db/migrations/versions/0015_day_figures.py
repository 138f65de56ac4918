"""what was counted of each day

Revision: 0015, after 0014, 2026-11-26 01:00:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "day_figures",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("theme", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=72), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "channel", "theme", "name", "value", name=op.f("pk_day_figures")),
    )
    op.create_index("ix_messages_at", "messages", ["at"])


def downgrade() -> None:
    op.drop_index("ix_messages_at", table_name="messages")
    op.drop_table("day_figures")
