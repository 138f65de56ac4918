"""The worker: wakes on the bus (or each second), leases what is due and has it done, a bounded number at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial

from bot.files import Files, Order
from bot.inbox import Inbox, Lease
from bot.logs import trail
from bot.metrics import FAILED_TURNS
from bot.model import SILENT, Owner
from bot.outbox import Letter, Outbox
from bot.ports import Bus, Channel, Health, SendFault
from bot.registry import Order as RegistryOrder
from bot.registry import Registrations
from bot.reports import Order as Report
from bot.reports import Reports
from bot.turn import LeaseLost, Turns, Unfinished

log = logging.getLogger(__name__)

IDLE = 1.0
"""Seconds between looks when nobody wakes us: what is left of the speed when the bus is gone."""

TYPING_AFTER = 0.3
"""Seconds that an answer may take before the resident sees that we are typing: most are there sooner."""

FILES = 4
"""So many files are fetched at the same time: they may be large, and nobody waits for them."""

REGISTRATIONS = 4
"""So many go to the register at a time."""

REPORTS = 4
"""So many go to the system of reports at a time."""

GRACE = 10.0
"""Seconds that running work gets to finish at a stop; what is cut off is done again by whoever comes next."""


class Worker:
    """Runs the turns and the deliveries of the channels it has."""

    def __init__(
        self,
        inbox: Inbox,
        turns: Turns,
        outbox: Outbox,
        bus: Bus,
        channels: Mapping[str, Channel],
        files: Files | None = None,
        registrations: Registrations | None = None,
        reports: Reports | None = None,
        *,
        concurrency: int = 16,
    ) -> None:
        self._inbox = inbox
        self._turns = turns
        self._outbox = outbox
        self._bus = bus
        self._channels = channels
        self._files = files
        self._registrations = registrations
        self._reports = reports
        self._concurrency = concurrency
        self._trouble = ""
        self._shown: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Work until cancelled; then finish what runs."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._loop("inbox", self._claim_turns))
            group.create_task(self._loop("outbox", self._claim_letters))
            if self._files is not None:
                group.create_task(self._loop("files", partial(self._claim_files, self._files)))
            if self._registrations is not None:
                claim = partial(self._claim_registrations, self._registrations)
                group.create_task(self._loop("registrations", claim))
            if self._reports is not None:
                group.create_task(self._loop("reports", partial(self._claim_reports, self._reports)))

    def health(self) -> Health:
        """Whether the last look at the store went well."""
        return Health("down", self._trouble) if self._trouble else Health("ok")

    async def _loop(self, topic: str, claim: Callable[[int], Awaitable[list[Awaitable[None]]]]) -> None:
        wake = asyncio.Event()
        running: set[asyncio.Task[None]] = set()

        def finished(task: asyncio.Task[None]) -> None:
            running.discard(task)
            wake.set()

        async with self._bus.subscribe(topic) as wakes:

            async def listen() -> None:
                async for _ in wakes:
                    wake.set()

            listener = asyncio.create_task(listen())
            try:
                while True:
                    wake.clear()
                    for job in await self._guarded(claim, self._concurrency - len(running)):
                        task = asyncio.ensure_future(job)
                        running.add(task)
                        task.add_done_callback(finished)
                    # Not wait_for: on Python 3.11 that can lose a cancellation, and then we never stop.
                    with suppress(TimeoutError):
                        async with asyncio.timeout(IDLE):
                            await wake.wait()
            finally:
                listener.cancel()
                if running:
                    await asyncio.wait(running, timeout=GRACE)

    async def _guarded(
        self, claim: Callable[[int], Awaitable[list[Awaitable[None]]]], room: int
    ) -> list[Awaitable[None]]:
        if room <= 0:
            return []
        try:
            jobs = await claim(room)
        except Exception as error:  # the store is away: say so, and look again
            self._trouble = type(error).__name__
            log.error("can't look for work: %s", trail(error))
            return []
        self._trouble = ""
        return jobs

    async def _claim_turns(self, room: int) -> list[Awaitable[None]]:
        return [self._turn(lease) for lease in await self._inbox.claim(room, self._channels)]

    async def _turn(self, lease: Lease) -> None:
        typing = asyncio.create_task(self._acknowledge(lease))
        self._shown.add(typing)
        typing.add_done_callback(self._shown.discard)
        try:
            await self._turns.run(lease)
        except LeaseLost:
            log.info("conversation %s is with someone else now: turn dropped", lease.conversation_id)
            await self._inbox.give_back(lease)
        except Unfinished as reason:
            log.warning("message %s waits: %s", lease.rows[0].id, reason)
            await self._inbox.excuse(lease)
        except Exception as error:  # outermost boundary: the lease runs out, and the message is tried again
            FAILED_TURNS.inc()
            log.error("turn of message %s failed: %s", lease.rows[0].id, trail(error))
        finally:
            if not (self._channels[lease.channel].limits.reads or any(row.reply_to for row in lease.rows)):
                typing.cancel()

    async def _acknowledge(self, lease: Lease) -> None:
        """Answer a press of a button at once, as vendors ask, and mark as read where that is seen; show typing only
        where the bot answers and that takes a while."""
        channel = self._channels[lease.channel]
        pressed = [row for row in lease.rows if row.reply_to]
        if not pressed and not channel.limits.reads:
            await asyncio.sleep(TYPING_AFTER)
        typing = lease.owner in (Owner.BOT, Owner.CLOSED)
        for row in pressed or [row for row in lease.rows if row.kind not in SILENT][-1:]:
            try:
                await channel.acknowledge(row.inbound(lease.channel, lease.address), typing=typing)
            except SendFault as fault:
                log.info("not acknowledged on %s: %s", lease.channel, fault.reason)

    async def _claim_files(self, files: Files, room: int) -> list[Awaitable[None]]:
        return [self._file(files, order) for order in await files.claim(min(room, FILES))]

    async def _file(self, files: Files, order: Order) -> None:
        try:
            await files.fetch(order)
        except Exception as error:  # outermost boundary: the lease runs out, and it is tried again
            log.error("fetching file %s failed: %s", order.id, trail(error))

    async def _claim_registrations(self, registrations: Registrations, room: int) -> list[Awaitable[None]]:
        orders = await registrations.claim(min(room, REGISTRATIONS))
        return [self._registration(registrations, order) for order in orders]

    async def _registration(self, registrations: Registrations, order: RegistryOrder) -> None:
        try:
            await registrations.register(order)
        except Exception as error:  # outermost boundary: the lease runs out, and it is tried again
            log.error("registering %s failed: %s", order.reference, trail(error))

    async def _claim_reports(self, reports: Reports, room: int) -> list[Awaitable[None]]:
        return [self._report(reports, order) for order in await reports.claim(min(room, REPORTS))]

    async def _report(self, reports: Reports, order: Report) -> None:
        try:
            await reports.bring(order)
        except Exception as error:  # outermost boundary: the lease runs out, and it is tried again
            log.error("bringing report %s failed: %s", order.report.reference, trail(error))

    async def _claim_letters(self, room: int) -> list[Awaitable[None]]:
        return [self._letter(letter) for letter in await self._outbox.claim(room)]

    async def _letter(self, letter: Letter) -> None:
        try:
            await self._outbox.deliver(letter)
        except Exception as error:  # outermost boundary: the lease runs out, and it is tried again
            log.error("delivery of message %d failed: %s", letter.seq, trail(error))
