"""The tables. The migrations in `bot/db/migrations` make exactly these; a test compares the two."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Utc(TypeDecorator[datetime]):
    """A moment. Goes in with a zone, comes out in UTC, also from SQLite, which knows no zones."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


Sequence = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""A number that only rises; SQLite counts only in its plain INTEGER key."""


def _conversation() -> sa.Column[str]:
    return sa.Column("conversation_id", sa.ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False)


conversations = sa.Table(
    "conversations",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("channel", sa.String(32), nullable=False),
    sa.Column("address", sa.String(255), nullable=False),
    sa.Column("owner", sa.String(16), nullable=False),
    sa.Column("owner_since", Utc, nullable=False),
    sa.Column("memory", sa.JSON(none_as_null=True)),
    sa.Column("greeted", sa.Boolean, nullable=False),
    sa.Column("asks", sa.String(64)),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("last_inbound_at", Utc),
    sa.Column("lease_token", sa.String(36)),
    sa.Column("lease_until", Utc),
    sa.UniqueConstraint("channel", "address"),
    sa.Index("ix_conversations_owner_owner_since", "owner", "owner_since"),
)

aliases = sa.Table(
    "aliases",
    metadata,
    sa.Column("channel", sa.String(32), primary_key=True),
    sa.Column("alias", sa.String(255), primary_key=True),
    _conversation(),
    sa.Index("ix_aliases_conversation_id", "conversation_id"),
)
"""Other addresses by which a resident is known on a channel; `conversations.address` is the one to answer at."""

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("seq", Sequence, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(36), nullable=False, unique=True),
    _conversation(),
    sa.Column("channel", sa.String(32), nullable=False),
    sa.Column("external_id", sa.String(255), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("choice", sa.String(255)),
    sa.Column("reply_to", sa.String(255)),
    sa.Column("ref", sa.String(255)),
    sa.Column("media", sa.JSON(none_as_null=True)),
    sa.Column("place", sa.JSON(none_as_null=True)),
    sa.Column("sent_at", Utc),
    sa.Column("received_at", Utc, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("done_at", Utc),
    sa.UniqueConstraint("channel", "external_id"),
    sa.Index(
        "ix_inbox_pending",
        "conversation_id",
        "seq",
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    ),
    sa.Index(
        "ix_inbox_early",
        "conversation_id",
        "ref",
        sqlite_where=sa.text("state = 'early'"),
        postgresql_where=sa.text("state = 'early'"),
    ),
)

messages = sa.Table(
    "messages",
    metadata,
    sa.Column("seq", Sequence, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(36), nullable=False, unique=True),
    _conversation(),
    sa.Column("author", sa.String(16), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("choices", sa.JSON, nullable=False),
    sa.Column("links", sa.JSON, nullable=False),
    sa.Column("article", sa.String(64)),
    sa.Column("revision", sa.Integer),
    sa.Column("trace", sa.JSON(none_as_null=True)),
    sa.Column("ref", sa.String(255)),
    sa.Column("place", sa.JSON(none_as_null=True)),
    sa.Column("reaction", sa.String(64)),
    sa.Column("sent_with", sa.String(36)),
    sa.Column("at", Utc, nullable=False),
    sa.Column("edited_at", Utc),
    sa.Column("revoked_at", Utc),
    sa.Index("ix_messages_conversation_id_seq", "conversation_id", "seq"),
    sa.Index("ix_messages_at", "at"),
    sa.Index("ix_messages_article_at", "article", "at"),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("seq", Sequence, primary_key=True, autoincrement=True),
    _conversation(),
    sa.Column("message_id", sa.String(36), nullable=False),
    sa.Column("channel", sa.String(32), nullable=False),
    sa.Column("kind", sa.String(32), nullable=False, server_default="service"),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("not_before", Utc, nullable=False),
    sa.Column("lease_token", sa.String(36)),
    sa.Column("lease_until", Utc),
    sa.Column("external_id", sa.String(255)),
    sa.Column("error", sa.String(255)),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("done_at", Utc),
    sa.Index(
        "ix_outbox_queued",
        "conversation_id",
        "seq",
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    ),
    sa.Index(
        "ix_outbox_held",
        "conversation_id",
        "seq",
        sqlite_where=sa.text("state = 'held'"),
        postgresql_where=sa.text("state = 'held'"),
    ),
    sa.Index("ix_outbox_channel_external_id", "channel", "external_id"),
    sa.Index("ix_outbox_message_id", "message_id"),
)

early_receipts = sa.Table(
    "early_receipts",
    metadata,
    sa.Column("seq", Sequence, primary_key=True, autoincrement=True),
    sa.Column("channel", sa.String(32), nullable=False),
    sa.Column("external_id", sa.String(255), nullable=False),
    sa.Column("receipt", sa.JSON, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Index("ix_early_receipts_channel_external_id", "channel", "external_id"),
)
"""What a vendor told of a message before we noted its id; others on the same number make some that are never ours."""

sent_counts = sa.Table(
    "sent_counts",
    metadata,
    sa.Column("channel", sa.String(32), primary_key=True),
    sa.Column("month", sa.String(7), primary_key=True),
    sa.Column("kind", sa.String(32), primary_key=True),
    sa.Column("sent", sa.Integer, nullable=False),
    sa.Column("delivered", sa.Integer, nullable=False),
)
"""How many messages went out, by month in Amsterdam (`2026-11`) and price class; outlives the conversations."""

day_figures = sa.Table(
    "day_figures",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("channel", sa.String(32), primary_key=True),
    sa.Column("theme", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(72), primary_key=True),
    sa.Column("value", sa.Integer, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
)
"""What was counted of a day in Amsterdam, see `bot.tally`: `number` times `name`, with this `value` (a mark, or minutes
rounded up; 0 where there is none). Nothing of a resident or of an employee is in it; it outlives the conversations."""

media = sa.Table(
    "media",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    _conversation(),
    sa.Column("message_id", sa.String(36), nullable=False),
    sa.Column("channel", sa.String(32), nullable=False),
    sa.Column("ref", sa.Text, nullable=False),
    sa.Column("mime", sa.String(128), nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("size", sa.BigInteger),
    sa.Column("sha256", sa.String(64)),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("file", sa.String(64)),
    sa.Column("error", sa.String(255)),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("not_before", Utc, nullable=False),
    sa.Column("lease_token", sa.String(36)),
    sa.Column("lease_until", Utc),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("done_at", Utc),
    sa.Index(
        "ix_media_pending",
        "not_before",
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    ),
    sa.Index("ix_media_message_id", "message_id"),
    sa.Index("ix_media_conversation_id", "conversation_id"),
)
"""Files of residents: `pending` until fetched, then `stored` (as `file`), `refused` (kind or size) or `failed`."""

media_links = sa.Table(
    "media_links",
    metadata,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("media_id", sa.ForeignKey("media.id", ondelete="CASCADE"), nullable=False),
    sa.Column("actor", sa.String(64), nullable=False),
    sa.Column("until", Utc, nullable=False),
    sa.Index("ix_media_links_media_id", "media_id"),
)
"""Links for staff to one file, for a short time."""

owner_history = sa.Table(
    "owner_history",
    metadata,
    sa.Column("seq", Sequence, primary_key=True, autoincrement=True),
    _conversation(),
    sa.Column("before", sa.String(16), nullable=False),
    sa.Column("after", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(64), nullable=False),
    sa.Column("actor", sa.String(64), nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Index("ix_owner_history_conversation_id_seq", "conversation_id", "seq"),
)

handoffs = sa.Table(
    "handoffs",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    _conversation(),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(64), nullable=False),
    sa.Column("topic", sa.String(64)),
    sa.Column("language", sa.String(8)),
    sa.Column("team", sa.String(32), nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("waiting_since", Utc, nullable=False),
    sa.Column("queued_at", Utc, nullable=False),
    sa.Column("told_minutes", sa.Integer),
    sa.Column("told_at", Utc),
    sa.Column("acknowledged", sa.Boolean, nullable=False),
    sa.Column("agent", sa.String(64)),
    sa.Column("taken_at", Utc),
    sa.Column("ended_at", Utc),
    sa.Column("outcome", sa.String(32)),
    sa.Column("mark", sa.Integer),
    sa.Column("remark", sa.Text),
    sa.Column("offered_to", sa.String(64)),
    sa.Column("offered_until", Utc),
    sa.Column("passed_by", sa.JSON),
    sa.Index("ix_handoffs_state_team", "state", "team", "priority", "waiting_since"),
    sa.Index("ix_handoffs_conversation_id", "conversation_id"),
    sa.Index("ix_handoffs_agent_state", "agent", "state"),
    sa.Index(
        "uq_handoffs_open",
        "conversation_id",
        unique=True,
        sqlite_where=sa.text("state <> 'ended'"),
        postgresql_where=sa.text("state <> 'ended'"),
    ),
)
"""Each time that a resident was to be helped by a person: `waiting`, `taken`, `ended`. `waiting_since` is the place in
the queue, which a returned one keeps; `queued_at` when it last came into it."""

presences = sa.Table(
    "presences",
    metadata,
    sa.Column("agent", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("teams", sa.JSON, nullable=False),
    sa.Column("most", sa.Integer, nullable=False),
    sa.Column("since", Utc, nullable=False),
    sa.Column("seen_at", Utc, nullable=False),
    sa.Column("free_since", Utc, nullable=False),
)
"""Agents as they are now: `available`, `break` or `away`; `most` conversations at once; `seen_at` by their console."""

notes = sa.Table(
    "notes",
    metadata,
    sa.Column("seq", Sequence, primary_key=True, autoincrement=True),
    _conversation(),
    sa.Column("author", sa.String(64), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Index("ix_notes_conversation_id_seq", "conversation_id", "seq"),
)
"""What agents write for each other; never sent to the resident."""

callback_requests = sa.Table(
    "callback_requests",
    metadata,
    sa.Column("reference", sa.String(36), primary_key=True),
    _conversation(),
    sa.Column("phone", sa.String(32), nullable=False),
    sa.Column("part_of_day", sa.String(32), nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("created_at", Utc, nullable=False),
    sa.Index("ix_callback_requests_state_created_at", "state", "created_at"),
)

registrations = sa.Table(
    "registrations",
    metadata,
    sa.Column("reference", sa.String(36), primary_key=True),
    _conversation(),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("register", sa.String(32)),
    sa.Column("external_id", sa.String(255)),
    sa.Column("error", sa.String(255)),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("not_before", Utc, nullable=False),
    sa.Column("lease_token", sa.String(36)),
    sa.Column("lease_until", Utc),
    sa.Column("done_at", Utc),
    sa.Index(
        "ix_registrations_pending",
        "not_before",
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    ),
    sa.Index("ix_registrations_conversation_id", "conversation_id"),
)
"""What the municipality's register must know, of each `kind` (`callback`, `contact`): `pending` until it is
`registered` (in `register`, as `external_id`), `failed` at a fault that stays, or `withdrawn` where nobody needs it any
more. What a resident said of a callback stands in `callback_requests` alone, under the same reference."""

contacts = sa.Table(
    "contacts",
    metadata,
    sa.Column("reference", sa.String(36), primary_key=True),
    _conversation(),
    sa.Column("channel", sa.String(32), nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("callback", sa.Boolean, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Index("ix_contacts_conversation_id", "conversation_id"),
)
"""Our own register, where the municipality has no other."""

local_bookings = sa.Table(
    "local_bookings",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("key", sa.String(128), nullable=False, unique=True),
    sa.Column("product", sa.String(64), nullable=False),
    sa.Column("location", sa.String(64), nullable=False),
    sa.Column("counter", sa.Integer, nullable=False),
    sa.Column("start", Utc, nullable=False),
    sa.Column("end", Utc, nullable=False),
    sa.Column("people", sa.Integer, nullable=False),
    sa.Column("details", sa.JSON, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("created_at", Utc, nullable=False),
    sa.Index("ix_local_bookings_location_start", "location", "start"),
)
"""Our own calendar, where the municipality has no other: `booked`, `cancelled`, or afterwards `came` or `no_show`."""

calendar_cells = sa.Table(
    "calendar_cells",
    metadata,
    sa.Column("location", sa.String(64), primary_key=True),
    sa.Column("counter", sa.Integer, primary_key=True),
    sa.Column("at", Utc, primary_key=True),
    sa.Column(
        "booking_id", sa.ForeignKey("local_bookings.id", ondelete="CASCADE"), nullable=False, index=True
    ),
)
"""What each booking takes of a counter: one row for each cell of the grid. The key keeps two from having the same."""

calendar_closures = sa.Table(
    "calendar_closures",
    metadata,
    sa.Column("seq", Sequence, primary_key=True, autoincrement=True),
    sa.Column("location", sa.String(64), nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("counter", sa.Integer),
    sa.Column("why", sa.String(128), nullable=False),
    sa.Index("ix_calendar_closures_location_day", "location", "day"),
)
"""Days on which staff closed a location, or one `counter` of it; besides those of the municipality's file."""

appointments = sa.Table(
    "appointments",
    metadata,
    sa.Column("key", sa.String(128), primary_key=True),
    sa.Column("reference", sa.String(16), nullable=False, unique=True),
    sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
    _conversation(),
    sa.Column("calendar", sa.String(32), nullable=False),
    sa.Column("external_id", sa.String(255)),
    sa.Column("product", sa.String(64), nullable=False),
    sa.Column("title", sa.String(128), nullable=False),
    sa.Column("article", sa.String(64)),
    sa.Column("location", sa.String(64), nullable=False),
    sa.Column("place", sa.String(128), nullable=False),
    sa.Column("address", sa.String(255), nullable=False),
    sa.Column("start", Utc, nullable=False),
    sa.Column("end", Utc),
    sa.Column("people", sa.Integer, nullable=False),
    sa.Column("details", sa.JSON, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("remind_at", Utc),
    sa.Column("reminded_at", Utc),
    sa.Index("ix_appointments_conversation_id_state", "conversation_id", "state"),
    sa.Index("ix_appointments_external_id", "external_id"),
    sa.Index(
        "ix_appointments_remind_at",
        "remind_at",
        sqlite_where=sa.text("remind_at IS NOT NULL"),
        postgresql_where=sa.text("remind_at IS NOT NULL"),
    ),
)
"""What was booked in the chat, in whichever calendar: `ordered` before the calendar is asked, `booked` once the
resident was told, `cancelling` until the calendar knows, `cancelled`. `remind_at` is empty where no reminder is to go
(any more)."""

waiting_list = sa.Table(
    "waiting_list",
    metadata,
    sa.Column("seq", Sequence, primary_key=True, autoincrement=True),
    _conversation(),
    sa.Column("product", sa.String(64), nullable=False),
    sa.Column("article", sa.String(64)),
    sa.Column("location", sa.String(64), nullable=False),
    sa.Column("people", sa.Integer, nullable=False),
    sa.Column("before", Utc, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("offered", Utc),
    sa.Column("offered_at", Utc),
    sa.Column("created_at", Utc, nullable=False),
    sa.UniqueConstraint("conversation_id", "product", "location"),
)
"""Who wants to hear of a time `before` what they have or could have: `waiting`, `offered` (a time, for a while),
`done`."""

calendar_bookings = sa.Table(
    "calendar_bookings",
    metadata,
    sa.Column("key", sa.String(255), primary_key=True),
    sa.Column("provider", sa.String(32), primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("external_id", sa.String(255)),
    sa.Column("start_at", Utc, nullable=False),
    sa.Column("asked_at", Utc, nullable=False),
    sa.Index("ix_calendar_bookings_start_at", "start_at"),
)
"""What was asked of a calendar of others, by our key: `asked` from just before the call, `booked` with the calendar's
id once it said yes; no row where it said no. Nothing of the resident is in it."""

case_attempts = sa.Table(
    "case_attempts",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    _conversation(),
    sa.Column("reference", sa.String(64), nullable=False),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Index("ix_case_attempts_conversation_id_at", "conversation_id", "at"),
    sa.Index("ix_case_attempts_reference_at", "reference", "at"),
)
"""Each time that somebody looked a case up, by the message that asked; `reference` is a hash. `outcome`: `pending`,
`found`, `missed`, `fault`, or `locked`, which was no look."""

case_follows = sa.Table(
    "case_follows",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    _conversation(),
    sa.Column("provider", sa.String(32), nullable=False),
    sa.Column("key", sa.String(255), nullable=False),
    sa.Column("reference", sa.String(64), nullable=False),
    sa.Column("state", sa.String(64), nullable=False),
    sa.Column("faults", sa.Integer, nullable=False),
    sa.Column("look_at", Utc, nullable=False),
    sa.Column("created_at", Utc, nullable=False),
    sa.UniqueConstraint("conversation_id", "key"),
    sa.Index("ix_case_follows_provider_look_at", "provider", "look_at"),
    sa.Index("ix_case_follows_provider_key", "provider", "key"),
)
"""Cases of which a resident wants to hear: `state` is what was told last, `look_at` when to look again."""

reports = sa.Table(
    "reports",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    _conversation(),
    sa.Column("reference", sa.String(16), nullable=False),
    sa.Column("category", sa.String(128), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("latitude", sa.Float),
    sa.Column("longitude", sa.Float),
    sa.Column("phone", sa.String(32), nullable=False),
    sa.Column("email", sa.String(255), nullable=False),
    sa.Column("photos", sa.JSON, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("provider", sa.String(32)),
    sa.Column("external_id", sa.String(255)),
    sa.Column("number", sa.String(64)),
    sa.Column("told", sa.Boolean, nullable=False),
    sa.Column("error", sa.String(255)),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("not_before", Utc, nullable=False),
    sa.Column("lease_token", sa.String(36)),
    sa.Column("lease_until", Utc),
    sa.Column("done_at", Utc),
    sa.Index("ix_reports_state_not_before", "state", "not_before"),
    sa.Index("ix_reports_conversation_id", "conversation_id"),
)
"""What residents reported, by the message that confirmed it: `pending` until it is `sent` (in `provider`, as
`external_id`), `done` when its `photos` (by their messages) are there too, `failed` at a fault that stays. `told`: the
resident knows that it takes longer. Once it is in, only its number is kept here."""

local_reports = sa.Table(
    "local_reports",
    metadata,
    sa.Column("seq", Sequence, primary_key=True, autoincrement=True),
    sa.Column("key", sa.String(36), nullable=False, unique=True),
    sa.Column("reference", sa.String(16), nullable=False),
    sa.Column("category", sa.String(128), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("latitude", sa.Float),
    sa.Column("longitude", sa.Float),
    sa.Column("phone", sa.String(32), nullable=False),
    sa.Column("email", sa.String(255), nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("closed_at", Utc),
)
"""Our own list of reports, where the municipality has no other system. It outlives the conversation, but not with the
telephone number and e-mail address that were given in it. `key` is the id in `reports`."""

local_photos = sa.Table(
    "local_photos",
    metadata,
    sa.Column("key", sa.String(36), primary_key=True),
    sa.Column("report_key", sa.ForeignKey("local_reports.key", ondelete="CASCADE"), nullable=False),
    sa.Column("mime", sa.String(64), nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Index("ix_local_photos_report_key", "report_key"),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", Sequence, primary_key=True, autoincrement=True),
    sa.Column("at", Utc, nullable=False),
    sa.Column("actor", sa.String(64), nullable=False),
    sa.Column("action", sa.String(64), nullable=False),
    sa.Column("object", sa.String(128), nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Index("ix_audit_at", "at"),
    sa.Index("ix_audit_actor_seq", "actor", "seq"),
    sa.Index("ix_audit_object_actor_at", "object", "actor", "at"),
)
"""Who did what. Only ever added to: nothing in the program changes or deletes a row."""

articles = sa.Table(
    "articles",
    metadata,
    sa.Column("slug", sa.String(64), primary_key=True),
    sa.Column("revision", sa.Integer, nullable=True),
    sa.Column("published_at", Utc),
    sa.Column("title", sa.String(256)),
    sa.Column("theme", sa.String(128)),
    sa.Column("owner", sa.String(128)),
    sa.Column("review", sa.Date),
    sa.Index("ix_articles_title_slug", "title", "slug"),
)
"""`title` to `review` are for the list of the desk: of the draft where there is one, else of what is published."""

article_revisions = sa.Table(
    "article_revisions",
    metadata,
    sa.Column("revision", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("slug", sa.ForeignKey("articles.slug"), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("content", sa.JSON, nullable=False),
    sa.Column("author", sa.String(64), nullable=False),
    sa.Column("created_at", Utc, nullable=False),
    sa.Index("ix_article_revisions_slug_revision", "slug", "revision"),
)

article_drafts = sa.Table(
    "article_drafts",
    metadata,
    sa.Column("slug", sa.ForeignKey("articles.slug"), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("content", sa.JSON, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("authors", sa.JSON, nullable=False),
    sa.Column("saved_by", sa.String(64), nullable=False),
    sa.Column("saved_at", Utc, nullable=False),
    sa.Column("remark", sa.Text, nullable=False),
    sa.Column("approved_by", sa.String(64)),
    sa.Column("publish_at", Utc),
    sa.Index("ix_article_drafts_publish_at", "publish_at"),
)
"""What editors are still writing, at most one an article. `version` rises with every change of the row."""

article_visits = sa.Table(
    "article_visits",
    metadata,
    sa.Column("slug", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("seen_at", Utc, nullable=False),
)
"""Who has the form of an article open."""

chat_sessions = sa.Table(
    "chat_sessions",
    metadata,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("address", sa.String(36), nullable=False, unique=True),
    sa.Column("created_at", Utc, nullable=False),
)

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("name", sa.String(64), nullable=False, unique=True),
    sa.Column("display_name", sa.String(128), nullable=False),
    sa.Column("roles", sa.JSON, nullable=False),
    sa.Column("teams", sa.JSON(none_as_null=True)),
    sa.Column("issuer", sa.String(255)),
    sa.Column("subject", sa.String(255)),
    sa.Column("password_hash", sa.String(255)),
    sa.Column("totp_secret", sa.String(64)),
    sa.Column("totp_pending", sa.String(64)),
    sa.Column("totp_step", sa.BigInteger),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("signed_in_at", Utc),
    sa.Column("disabled_at", Utc),
    sa.Column("most", sa.Integer),
    sa.UniqueConstraint("issuer", "subject"),
)
"""Members of staff: with a password of their own, or known by `issuer` and `subject` of a work account.

`teams` are those whose queue they see; without any they see all.

`totp_pending` is shown to be put in an app and counts once a code of it was given; `totp_step` is the half minute of
the last code, which counts once.
"""


def _user() -> sa.Column[str]:
    return sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False)


recovery_codes = sa.Table(
    "recovery_codes",
    metadata,
    sa.Column("code_hash", sa.String(64), primary_key=True),
    _user(),
    sa.Index("ix_recovery_codes_user_id", "user_id"),
)
"""For who lost the app; each counts once."""

staff_links = sa.Table(
    "staff_links",
    metadata,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE")),
    sa.Column("until", Utc, nullable=False),
    sa.Index("ix_staff_links_user_id", "user_id"),
)
"""Links that count once: to choose a password, or, without a user, for the first who comes in."""

staff_sessions = sa.Table(
    "staff_sessions",
    metadata,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    _user(),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("seen_at", Utc, nullable=False),
    sa.Column("until", Utc, nullable=False),
    sa.Index("ix_staff_sessions_user_id", "user_id"),
)

work_sign_ins = sa.Table(
    "work_sign_ins",
    metadata,
    sa.Column("state_hash", sa.String(64), primary_key=True),
    sa.Column("visit_hash", sa.String(64), nullable=False),
    sa.Column("nonce", sa.String(64), nullable=False),
    sa.Column("verifier", sa.String(64), nullable=False),
    sa.Column("onward", sa.String(255), nullable=False),
    sa.Column("until", Utc, nullable=False),
)
"""Who is at the provider of work accounts at this moment."""

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("token", sa.String(36), nullable=False),
    sa.Column("until", Utc, nullable=False),
)
