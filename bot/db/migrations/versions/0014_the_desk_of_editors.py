"""drafts of articles, who has one open, and what the list of articles shows

Revision: 0014, after 0013, 2026-11-26 01:00:00.000000
"""

import json
from datetime import date

import sqlalchemy as sa
from alembic import op

import bot.db.tables

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "article_drafts",
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("authors", sa.JSON(), nullable=False),
        sa.Column("saved_by", sa.String(length=64), nullable=False),
        sa.Column("saved_at", bot.db.tables.Utc(timezone=True), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.String(length=64), nullable=True),
        sa.Column("publish_at", bot.db.tables.Utc(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["slug"], ["articles.slug"], name=op.f("fk_article_drafts_slug")),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_article_drafts")),
    )
    with op.batch_alter_table("article_drafts", schema=None) as batch_op:
        batch_op.create_index("ix_article_drafts_publish_at", ["publish_at"], unique=False)

    op.create_table(
        "article_visits",
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("seen_at", bot.db.tables.Utc(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("slug", "name", name=op.f("pk_article_visits")),
    )
    with op.batch_alter_table("articles", schema=None) as batch_op:
        batch_op.add_column(sa.Column("title", sa.String(length=256), nullable=True))
        batch_op.add_column(sa.Column("theme", sa.String(length=128), nullable=True))
        batch_op.add_column(sa.Column("owner", sa.String(length=128), nullable=True))
        batch_op.add_column(sa.Column("review", sa.Date(), nullable=True))
        batch_op.create_index("ix_articles_title_slug", ["title", "slug"], unique=False)

    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.create_index("ix_messages_article_at", ["article", "at"], unique=False)

    _fill()


def _fill() -> None:
    """What is published already gets its line in the list."""
    connection = op.get_bind()
    published = sa.text(
        "SELECT a.slug, r.content FROM articles a JOIN article_revisions r ON r.revision = a.revision"
    )
    fill = sa.text(
        "UPDATE articles SET title = :title, theme = :theme, owner = :owner, review = :review WHERE slug = :slug"
    ).bindparams(sa.bindparam("review", type_=sa.Date()))
    for slug, kept in connection.execute(published).all():
        content = json.loads(kept) if isinstance(kept, str) else kept
        connection.execute(
            fill,
            {
                "slug": slug,
                "title": content["title"][:256],
                "theme": content["theme"][:128],
                "owner": content["owner"][:128],
                "review": date.fromisoformat(content["review"]),
            },
        )


def downgrade() -> None:
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.drop_index("ix_messages_article_at")

    with op.batch_alter_table("articles", schema=None) as batch_op:
        batch_op.drop_index("ix_articles_title_slug")
        batch_op.drop_column("review")
        batch_op.drop_column("owner")
        batch_op.drop_column("theme")
        batch_op.drop_column("title")

    op.drop_table("article_visits")
    with op.batch_alter_table("article_drafts", schema=None) as batch_op:
        batch_op.drop_index("ix_article_drafts_publish_at")

    op.drop_table("article_drafts")
