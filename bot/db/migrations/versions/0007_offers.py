"""offers: to whom a conversation is offered and until when, who let it pass, and how many a member can have

Revision: 0007, after 0006, 2026-11-25 23:50:00.000000
"""

import sqlalchemy as sa
from alembic import op

import bot.db.tables

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("handoffs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("offered_to", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("offered_until", bot.db.tables.Utc(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("passed_by", sa.JSON(), nullable=True))
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.add_column(sa.Column("most", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_column("most")
    with op.batch_alter_table("handoffs", schema=None) as batch_op:
        batch_op.drop_column("passed_by")
        batch_op.drop_column("offered_until")
        batch_op.drop_column("offered_to")
