"""Figures for an operator, on `/metrics` of the private port."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

ACCEPTED = Counter("klaartje_inbox_accepted", "Messages taken in (duplicates too).", ["channel"])
REFUSED = Counter("klaartje_webhook_refused", "Webhook calls refused.", ["channel", "reason"])
TURNS = Counter("klaartje_turns", "Turns committed.", ["route"])
TURN_SECONDS = Histogram(
    "klaartje_turn_seconds",
    "From lease to commit.",
    buckets=(0.005, 0.01, 0.02, 0.03, 0.06, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
WAIT_SECONDS = Histogram(
    "klaartje_wait_seconds",
    "From received to answer committed.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
ENGINE_FAULTS = Counter("klaartje_engine_faults", "Turns the dialogue engine did not answer.", ["kind"])
FAILED_TURNS = Counter("klaartje_failed_turns", "Turns that raised and will be tried again.")
SENT = Counter("klaartje_sent", "Messages handed to a vendor.", ["channel"])
THROTTLED = Counter(
    "klaartje_send_throttled", "Messages that waited for their turn by our own limits.", ["channel"]
)
SEND_FAULTS = Counter("klaartje_send_faults", "Attempts to send that failed.", ["channel", "final"])
REGISTERED = Counter("klaartje_registered", "Contacts and callback requests that got into the register.")
REGISTER_FAULTS = Counter("klaartje_register_faults", "Attempts to register that failed.", ["final"])
CASE_LOOKUPS = Counter("klaartje_case_lookups", "Cases that residents asked for.", ["outcome"])
CASE_NEWS = Counter("klaartje_case_news", "Changes of cases that were told to who follows them.")
MONTH = Gauge(
    "klaartje_month_messages",
    "Messages of this month, by price class; `state` is sent or delivered.",
    ["channel", "kind", "state"],
)
FREE_LEFT = Gauge("klaartje_month_free_left", "Free WhatsApp messages that are left this month.", ["channel"])
OUTBOX = Gauge("klaartje_outbox_messages", "Messages that are queued, held or failed.", ["channel", "state"])
