"""The dialogue of appointments with a calendar of others: products by their own names, what is booked stands there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from actions.appointments.desk import Desk
from actions.appointments.orders import Orders
from actions.appointments.qmatic import Qmatic
from actions.appointments.qmatic_api import Api
from actions.phrases import Phrases
from actions.server import build_executor
from bot.appointments import Appointments, note
from bot.db.database import Database
from bot.db.tables import appointments, conversations
from tests.conftest import SetClock
from tests.fakes.calendar_server import Mishap
from tests.fakes.qmatic import FakeQmatic
from tests.fakes.search import WordSearch
from tests.house import MUNICIPALITY

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SERVICE, BRANCH, ME = "2e656741-db4d", "8d1f0b", "me"
TIMES = [datetime(2026, 12, day, hour) for day in (1, 2) for hour in (9, 14)]
FORM = "appointment_form"


class Talk:
    """The form as Rasa runs it, with the calendar at Qmatic; intents are given, for they are not what is tested."""

    def __init__(self, database: Database, clock: SetClock, fake: FakeQmatic) -> None:
        self.database, self.clock, self.fake = database, clock, fake
        municipality = MUNICIPALITY.model_copy(update={"calendar_products": {"paspoort": SERVICE}})
        api = Api(fake.url, token=fake.token)
        self.calendar = Qmatic(
            api, database, asks=("phone",), products=municipality.calendar_products, clock=clock
        )
        products = municipality.bookable(local=False)
        self.desk = Desk(
            self.calendar, Orders(database), "https://k.example", clock, products, municipality.widest_hours
        )
        self.actions = build_executor(WordSearch(), Phrases.load(), self.desk)
        self.list = Appointments(database, self.calendar, clock)
        self.slots: dict[str, Any] = {}
        self.loop: str | None = None
        self.turns = 0

    async def says(self, text: str, intent: str = "inform", value: str = "") -> list[str]:
        """What is said to it: phrases by name, and texts."""
        self.turns += 1
        self._said: list[str] = []
        message = {
            "text": text,
            "intent": {"name": intent, "confidence": 1.0},
            "entities": [{"entity": "value", "value": value}] if value else [],
            "metadata": {"now": self.clock().isoformat(), "turn": f"t{self.turns}"},
        }
        if self.loop:
            await self._run(f"validate_{FORM}", message)
        else:
            await self._run("action_appointment", message)
        if self.slots.get("appointment_complete"):
            await self._run("action_appointment_submit", message)
        if self.loop and not self.slots.get("appointment_complete"):
            await self._run(f"action_ask_{FORM}_appointment_complete", message)
        await self.list.settle()
        return self._said

    async def _run(self, name: str, message: dict[str, Any]) -> None:
        tracker = {
            "sender_id": ME, "slots": self.slots, "latest_message": message, "events": [{"event": "user"}],
            "paused": False, "followup_action": None, "latest_action_name": None,
            "active_loop": {"name": self.loop} if self.loop else {},
        }  # fmt: skip
        domain: dict[str, Any] = {"slots": {}}
        done = await self.actions.run(
            {"next_action": name, "tracker": tracker, "sender_id": ME, "domain": domain}
        )
        assert done
        for event in done.events:
            if event["event"] == "slot":
                self.slots[event["name"]] = event["value"]
            elif event["event"] == "active_loop":
                self.loop = event["name"]
        for response in done.responses:
            said = response["custom"]
            if "command" in said:
                async with self.database.write() as connection:
                    await note(connection, ME, said["command"]["args"], self.clock())
            elif "trace" not in said:
                self._said.append(said.get("phrase") or said["text"])

    def standing(self) -> list[str]:
        return sorted(f"{one['wall'][2]:%d %H}" for one in self.fake.appointments.values())

    async def known(self) -> list[tuple[str, str, str]]:
        query = sa.select(appointments).order_by(appointments.c.start)
        async with self.database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [(row.calendar, row.product, row.state) for row in rows]

    async def book(self) -> list[str]:
        await self.says("afspraak voor een paspoort", "appointment")
        await self.says("de eerste")
        await self.says("Noor Bakker, 3 april 1990, 06 12345678")
        return await self.says("ja", "affirm")


@pytest.fixture
async def talk(database: Database, clock: SetClock) -> AsyncIterator[Talk]:
    async with FakeQmatic() as fake:
        fake.add_service(SERVICE, "Paspoort aanvragen")
        fake.add_branch(BRANCH, "Gemeentehuis", service=SERVICE).update(dict.fromkeys(TIMES, 1))
        row = {"id": ME, "channel": "webchat", "address": ME, "owner": "bot", "greeted": True}
        async with database.write() as connection:
            times = {"owner_since": clock(), "created_at": clock()}
            await connection.execute(sa.insert(conversations).values(**row, **times))
        talk = Talk(database, clock, fake)
        yield talk
        await talk.calendar.close()


async def test_booked_moved_and_cancelled(talk: Talk) -> None:
    told = await talk.book()
    assert told[0] == "appointment_done" and talk.standing() == ["01 09"] and talk.loop is None
    assert await talk.known() == [("qmatic", SERVICE, "booked")]
    await talk.says("ik wil mijn afspraak verzetten naar 2 december om 14 uur", "appointment")
    assert await talk.says("de eerste") == ["appointment_ask_move"]
    assert (await talk.says("ja", "affirm"))[0] == "appointment_moved"
    assert talk.standing() == ["02 14"], "the new one stands and the old one is free"
    assert await talk.says("zeg mijn afspraak maar af", "appointment") == ["appointment_ask_cancel"]
    assert await talk.says("ja", "affirm") == ["appointment_cancelled"]
    assert talk.standing() == []
    assert {state for _, _, state in await talk.known()} == {"cancelled"}


async def test_an_outage_is_told_as_one_and_then_it_goes_on(talk: Talk) -> None:
    talk.fake.mishap = Mishap(503)
    assert await talk.says("afspraak voor een paspoort", "appointment") == ["appointment_calendar_down"]
    talk.fake.mishap = None
    [offer] = await talk.says("afspraak voor een paspoort", "appointment")
    assert "Kies een tijd" in offer
    await talk.says("de eerste")
    await talk.says("Noor Bakker, 3 april 1990, 06 12345678")
    talk.fake.mishap = Mishap(503)
    assert await talk.says("ja", "affirm") == ["appointment_calendar_down"]
    assert talk.standing() == []


async def test_full_is_told_as_full(talk: Talk) -> None:
    talk.fake.places[SERVICE, BRANCH].update(dict.fromkeys(TIMES, 0))
    full = Phrases.load().text("appointment_full")
    assert await talk.says("afspraak voor een paspoort", "appointment") == [full]


async def test_a_time_that_goes_while_the_resident_types(talk: Talk) -> None:
    await talk.says("afspraak voor een paspoort", "appointment")
    await talk.says("de eerste")
    await talk.says("Noor Bakker, 3 april 1990, 06 12345678")
    talk.fake.places[SERVICE, BRANCH][TIMES[0]] = 0
    taken, offer = await talk.says("ja", "affirm")
    assert taken == "appointment_taken" and "Kies een tijd" in offer and talk.standing() == []


async def test_one_that_the_calendar_cannot_tell_of_does_not_keep_the_others_waiting(talk: Talk) -> None:
    await talk.book()
    await talk.says("zeg mijn afspraak maar af", "appointment")
    talk.fake.mishap = Mishap(503, times=1, method="DELETE")
    with pytest.raises(Exception, match="503"):
        await talk.says("ja", "affirm")
    talk.clock.forward(minutes=1)
    assert await talk.list.settle() == 1 and talk.standing() == []
