"""the teams of members of staff; the audit is read by day, by person, and by what somebody did to one thing

Revision: 0008, after 0007, 2026-11-25 23:50:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.add_column(sa.Column("teams", sa.JSON(none_as_null=True), nullable=True))

    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index("ix_audit_at", ["at"], unique=False)
        batch_op.create_index("ix_audit_actor_seq", ["actor", "seq"], unique=False)
        batch_op.create_index("ix_audit_object_actor_at", ["object", "actor", "at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_object_actor_at")
        batch_op.drop_index("ix_audit_actor_seq")
        batch_op.drop_index("ix_audit_at")

    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_column("teams")
