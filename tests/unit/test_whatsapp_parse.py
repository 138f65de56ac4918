"""WhatsApp's webhook: every payload of the fixtures, and ten thousand broken ones."""

from __future__ import annotations

import json
import logging
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bot.model import Delivery, Inbound, Item, Kind, Media, Moved, Place, Receipt
from bot.ports import Refused
from connectors.whatsapp import WhatsApp
from tests.conformance.channel import check_storable
from tests.conformance.mutations import mutants

FIXTURES = sorted((Path(__file__).parent.parent / "fixtures" / "whatsapp").glob("*.json"))
NUMBER, OTHER = "106540352240001", "106540352240002"
SPARE = WhatsApp(token="t", phone_number_id=NUMBER, app_secret="s", verify_token=None)


def expected(truth: dict[str, Any]) -> Item:
    """An expectation of a truth file."""
    if "receipt" in truth:
        return Receipt(**truth["receipt"] | {"state": Delivery(truth["receipt"]["state"])})
    if "moved" in truth:
        return Moved(**truth["moved"])
    values: dict[str, Any] = truth | {"kind": Kind(truth["kind"]), "also": tuple(truth.get("also", ()))}
    if "sent_at" in truth:
        values["sent_at"] = datetime.fromisoformat(truth["sent_at"])
    if "media" in truth:
        values["media"] = Media(**truth["media"])
    if "place" in truth:
        values["place"] = Place(**truth["place"])
    return Inbound(**values)


def said(words: str, *, number: str = NUMBER, **more: Any) -> dict[str, Any]:
    """A change that brings one text."""
    message = {"from": "31610000001", "id": "wamid.1", "timestamp": "1795424400", "type": "text"}
    return {
        "field": "messages",
        "value": {
            "metadata": {"phone_number_id": number},
            "messages": [{**message, "text": {"body": words}, **more}],
        },
    }


def webhook(*changes: Any) -> bytes:
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"changes": list(changes)}]}).encode()


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_reads_what_whatsapp_sends(path: Path) -> None:
    truth = json.loads(path.read_bytes())
    items = SPARE.parse(json.dumps(truth["body"]).encode())
    assert items == [expected(item) for item in truth["expect"]]
    for item in items:
        check_storable(SPARE, item)


def test_the_fixtures_cover_each_kind_and_state() -> None:
    items = [item for path in FIXTURES for item in json.loads(path.read_bytes())["expect"]]
    assert {item["kind"] for item in items if "kind" in item} == set(Kind)
    states = {item["receipt"]["state"] for item in items if "receipt" in item}
    assert states == {"sent", "delivered", "read", "failed"}


def test_nothing_unreadable_breaks_it() -> None:
    seeds = [json.dumps(json.loads(path.read_bytes())["body"]).encode() for path in FIXTURES]
    read = refused = 0
    for body in mutants(seeds, 10_000, seed=20261125):
        try:
            items = SPARE.parse(body)
        except Refused as refusal:
            assert refusal.status == 400
            refused += 1
        else:
            read += len(items)
            for item in items:
                check_storable(SPARE, item)
    assert read > 3_000
    assert refused > 500


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"5", b"null", b"\xff", b'{"object": "whatsapp_business_account"}']
)
def test_what_is_no_webhook_is_refused(body: bytes) -> None:
    with pytest.raises(Refused) as caught:
        SPARE.parse(body)
    assert caught.value.status == 400


def test_numbers_that_share_the_webhook_have_their_own_channel(caplog: pytest.LogCaptureFixture) -> None:
    channel = WhatsApp(
        name="whatsapp-balie",
        token="t",
        phone_number_id=NUMBER,
        app_secret="s",
        verify_token=None,
        numbers={OTHER: "whatsapp-afval", NUMBER: "another"},
    )
    changes = [said("geheim", number=number) for number in (NUMBER, OTHER, "77001", "31 6", "x" * 300)]
    items = channel.parse(webhook(*changes))
    assert [item.channel for item in items] == ["whatsapp-balie", "whatsapp-afval"]
    warnings = [record.getMessage() for record in caplog.records]
    assert len(warnings) == 3
    assert "77001" in warnings[0]
    assert "31 6" not in warnings[1]
    assert "geheim" not in caplog.text


def test_the_log_tells_what_was_skipped_and_not_what_was_in_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    broken = said("geheim", id={"geheim": 1})
    assert SPARE.parse(webhook("geheim", broken, said("goed"))) != []
    assert [record.getMessage() for record in caplog.records] == [
        "whatsapp: skipped a change that can't be read (TypeError)",
        "whatsapp: skipped a message that can't be read (TypeError)",
    ]


def test_the_log_tells_of_errors_of_the_account(caplog: pytest.LogCaptureFixture) -> None:
    change = said("hoi")
    change["value"]["errors"] = [{"code": 130429, "title": "geheim"}, {"code": 10**400}]
    assert len(SPARE.parse(webhook(change))) == 1
    assert "130429: too many messages a second for this number" in caplog.text
    assert "geheim" not in caplog.text


def test_a_batch_keeps_what_was_said_in_the_same_second_in_order() -> None:
    changes = [said(str(number), id=f"wamid.{number}") for number in range(50)]
    items = SPARE.parse(webhook(*changes))
    assert [item.text for item in items if isinstance(item, Inbound)] == [str(n) for n in range(50)]
