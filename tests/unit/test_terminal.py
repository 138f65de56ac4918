"""The conversation in a terminal and through a pipe."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.model import Choice, Inbound, Kind, Link, Outbound, Receipt
from bot.ports import SendFault
from connectors.terminal import StandardInput, Terminal

CHOICES = (Choice("article:paspoort-aanvragen", "Paspoort"), Choice("human", "Een medewerker"))


def typed(text: str) -> asyncio.StreamReader:
    """Someone who typed this and left."""
    reader = asyncio.StreamReader()
    reader.feed_data(text.encode())
    reader.feed_eof()
    return reader


async def say(terminal: Terminal, *messages: Outbound) -> None:
    for message in messages:
        for body in terminal.render([message]):
            await terminal.send("run-1", body)


async def test_through_a_pipe_every_line_waits_for_its_answer() -> None:
    screen = io.StringIO()
    terminal = Terminal(typed("paspoort\n\n1\ndank u"), screen, address="run-1", quiet=0.05)
    heard: list[Inbound] = []
    answers: list[asyncio.Task[None]] = []

    async def later(inbound: Inbound) -> None:
        await asyncio.sleep(0.02)
        await say(terminal, Outbound(f"Antwoord op {inbound.text}"), Outbound("Bedoelt u ...?", CHOICES))

    async def accept(items: Sequence[Inbound | Receipt]) -> None:
        for item in items:
            assert isinstance(item, Inbound)
            heard.append(item)
            answers.append(asyncio.create_task(later(item)))

    await terminal.listen(accept)
    assert all(task.done() for task in answers)
    assert [(item.kind, item.text, item.choice) for item in heard] == [
        (Kind.TEXT, "paspoort", None),
        (Kind.CHOICE, "Paspoort", "article:paspoort-aanvragen"),
        (Kind.TEXT, "dank u", None),
    ]
    assert len({item.external_id for item in heard}) == 3
    assert {item.address for item in heard} == {"run-1"}
    assert screen.getvalue().count("  1. Paspoort\n  2. Een medewerker\n\n") == 3
    assert screen.getvalue().endswith("\n\n")


async def test_whoever_wires_it_can_say_when_the_answer_is_there() -> None:
    terminal = Terminal(
        typed("een\ntwee\n"), io.StringIO(), address="run-1", settled=lambda: settle(), patience=60
    )
    order: list[str] = []

    async def settle() -> None:
        order.append("settled")

    async def accept(items: Sequence[Inbound | Receipt]) -> None:
        order.extend(item.text for item in items if isinstance(item, Inbound))

    await terminal.listen(accept)
    assert order == ["een", "settled", "twee", "settled"]


async def test_it_does_not_wait_for_ever_for_a_silent_bot() -> None:
    terminal = Terminal(typed("hallo\n"), io.StringIO(), address="run-1", patience=0.05)

    async def accept(items: Sequence[Inbound | Receipt]) -> None:
        return

    async with asyncio.timeout(5):
        await terminal.listen(accept)


async def test_with_a_person_it_greets_and_takes_lines_at_any_time() -> None:
    screen = io.StringIO()
    terminal = Terminal(typed("een\ntwee\n"), screen, address="run-1", interactive=True, patience=60)
    heard: list[tuple[Kind, str]] = []

    async def accept(items: Sequence[Inbound | Receipt]) -> None:
        heard.extend((item.kind, item.text) for item in items if isinstance(item, Inbound))

    await terminal.listen(accept)
    assert heard == [(Kind.START, ""), (Kind.TEXT, "een"), (Kind.TEXT, "twee")]
    await say(
        terminal, Outbound("**Hoi**\x1b[2J", links=(Link("Website", "https://www.zonneveen.example\x1b[0m"),))
    )
    assert screen.getvalue() == "\r\x1b[1mHoi\x1b[22m[2J\n  Website: https://www.zonneveen.example[0m\n\n> "


async def test_numbers_go_on_over_the_messages_of_one_answer() -> None:
    screen = io.StringIO()
    terminal = Terminal(typed(""), screen, address="run-1")
    await say(terminal, Outbound("Een", CHOICES), Outbound("Twee", (Choice("restart", "Opnieuw"),)))
    assert "  3. Opnieuw" in screen.getvalue()
    [picked] = terminal.parse(b"3\n")
    assert isinstance(picked, Inbound)
    assert picked.choice == "restart"


async def test_an_old_number_picks_nothing() -> None:
    terminal = Terminal(typed("iets anders\n"), io.StringIO(), address="run-1", patience=0.01)
    await say(terminal, Outbound("Een", CHOICES))

    async def accept(items: Sequence[Inbound | Receipt]) -> None:
        return

    await terminal.listen(accept)
    [item] = terminal.parse(b"1\n")
    assert isinstance(item, Inbound)
    assert (item.kind, item.text) == (Kind.TEXT, "1")


async def test_a_broken_pipe_is_a_fault() -> None:
    class Broken(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    terminal = Terminal(typed(""), Broken(), address="run-1")
    with pytest.raises(SendFault) as caught:
        await say(terminal, Outbound("Hoi"))
    assert not caught.value.retryable


@pytest.mark.parametrize("kind", ["pipe", "file"])
async def test_standard_input_may_be_anything(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"een\n" + b"x" * 200_000 + b"\nlaatste"
    if kind == "file":
        (tmp_path / "lines").write_bytes(content)
        source = os.open(tmp_path / "lines", os.O_RDONLY)
    else:
        source, sink = os.pipe()
        writing = asyncio.create_task(asyncio.to_thread(_write_all, sink, content))
    with os.fdopen(source) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        lines = StandardInput()
        read = [await lines.readline() for _ in range(4)]
        if kind == "pipe":
            await writing
    assert read == [b"een\n", b"x" * 200_000 + b"\n", b"laatste", b""]


def _write_all(sink: int, content: bytes) -> None:
    with os.fdopen(sink, "wb") as pipe:
        pipe.write(content)
