"""What residents see on WhatsApp: one message a turn, with buttons, a list or a link."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Choice, Link, Outbound, Template
from connectors.markup import read, width
from connectors.whatsapp_render import formatted, render
from tests.conformance.channel import outbounds, squeezed

PASSPORT = Choice("article:paspoort", "Paspoort aanvragen")
HUMAN = Choice("human", "Een medewerker")
PAGE = Link("Afspraak maken", "https://www.zonneveen.example/paspoort")
OTHER_PAGE = Link("Kosten", "https://www.zonneveen.example/kosten")
PHONE = Link("Bel ons", "tel:140999")
MAIL = Link("Mail ons", "mailto:balie@zonneveen.example")


def shown(*messages: Outbound) -> list[dict[str, Any]]:
    bodies = render(messages, "Maak een keuze")
    for body in bodies:
        check(body)
    return json.loads(json.dumps(bodies))  # type: ignore[no-any-return]


def words(body: Mapping[str, Any]) -> str:
    return str(body["text"]["body"] if body["type"] == "text" else body["interactive"]["body"]["text"])


def check(body: Mapping[str, Any]) -> None:
    """Within what WhatsApp takes."""
    assert "to" not in body
    assert "recipient" not in body
    if body["type"] == "template":
        return
    assert words(body).strip()
    if body["type"] == "text":
        assert body["text"].keys() == {"body", "preview_url"}
        assert body["text"]["preview_url"] is False
        assert width(words(body)) <= 4096
        return
    interactive = body["interactive"]
    assert width(words(body)) <= 1024
    action = interactive["action"]
    match interactive["type"]:
        case "button":
            replies = [button["reply"] for button in action["buttons"]]
            assert 1 <= len(replies) <= 3
            assert all(0 < width(reply["title"]) <= 20 for reply in replies)
        case "list":
            [section] = action["sections"]
            replies = section["rows"]
            assert 1 <= len(replies) <= 10
            assert 0 < width(action["button"]) <= 20
            assert all(0 < width(row["title"]) <= 24 for row in replies)
            assert all(0 < width(row.get("description", "x")) <= 72 for row in replies)
        case _:
            assert interactive["type"] == "cta_url"
            assert 0 < width(action["parameters"]["display_text"]) <= 20
            assert action["parameters"]["url"].startswith(("https://", "http://"))
            return
    assert (
        len({reply["title"] for reply in replies}) == len({reply["id"] for reply in replies}) == len(replies)
    )
    assert all(0 < len(reply["id"]) <= 200 for reply in replies)


def ids(bodies: Sequence[Mapping[str, Any]]) -> list[str]:
    found: list[str] = []
    for body in bodies:
        action = body.get("interactive", {}).get("action", {})
        found += [button["reply"]["id"] for button in action.get("buttons", ())]
        found += [row["id"] for section in action.get("sections", ()) for row in section["rows"]]
    return found


def rows(body: Mapping[str, Any]) -> list[dict[str, str]]:
    return list(body["interactive"]["action"]["sections"][0]["rows"])


# One message ----------------------------------------------------------------------------------------------------------


def test_a_turn_is_one_message() -> None:
    messages = [
        Outbound("Hoi!", (HUMAN,)),
        Outbound(" "),
        Outbound("Een paspoort kost **€ 88**.", (PASSPORT, Choice("human", "Later genoemd"))),
    ]
    [body] = shown(*messages)
    assert words(body) == "Hoi!\n\nEen paspoort kost *€ 88*."
    buttons = body["interactive"]["action"]["buttons"]
    assert [button["reply"] for button in buttons] == [
        {"id": "human", "title": "Een medewerker"},
        {"id": "article:paspoort", "title": "Paspoort aanvragen"},
    ]


def test_just_text() -> None:
    assert shown(Outbound("Dag!")) == [{"type": "text", "text": {"body": "Dag!", "preview_url": False}}]


@pytest.mark.parametrize("messages", [[], [Outbound("")], [Outbound(" \n\x00"), Outbound("")]])
def test_nothing_to_say_is_no_message(messages: list[Outbound]) -> None:
    assert shown(*messages) == []


def test_choices_without_words() -> None:
    [body] = shown(Outbound("", (HUMAN,)))
    assert words(body) == "…"


# Choices --------------------------------------------------------------------------------------------------------------


def test_labels_that_stay_apart_are_buttons() -> None:
    long = Choice("a", "Een nieuw paspoort aanvragen")
    [body] = shown(Outbound("Kies", (long, HUMAN)))
    assert body["interactive"]["action"]["buttons"][0]["reply"]["title"] == "Een nieuw paspoort…"


def test_labels_that_look_the_same_once_cut_are_a_list() -> None:
    choices = (
        Choice("a", "Een nieuw paspoort aanvragen"),
        Choice("b", "Een nieuw paspoort aanvragen met spoed"),
    )
    [body] = shown(Outbound("Kies", choices))
    assert rows(body) == [
        {"id": "a", "title": "1. Een nieuw paspoort…", "description": "Een nieuw paspoort aanvragen"},
        {
            "id": "b",
            "title": "2. Een nieuw paspoort…",
            "description": "Een nieuw paspoort aanvragen met spoed",
        },
    ]


def test_the_same_labels_are_numbered() -> None:
    [body] = shown(Outbound("Kies", (Choice("a", "Ja"), Choice("b", "Ja"))))
    assert rows(body) == [{"id": "a", "title": "1. Ja"}, {"id": "b", "title": "2. Ja"}]


def test_four_to_ten_are_a_list() -> None:
    choices = tuple(Choice(f"inform:{n}", f"Keuze {n} {'met veel uitleg ' * n}") for n in range(10))
    [body] = shown(Outbound("Kies", choices))
    assert body["interactive"]["action"]["button"] == "Maak een keuze"
    assert rows(body)[0] == {"id": "inform:0", "title": "Keuze 0"}
    assert rows(body)[9]["title"] == "Keuze 9 met veel uitleg…"
    assert rows(body)[9]["description"].startswith("Keuze 9 met veel uitleg met veel uitleg")
    assert len(ids([body])) == 10


def test_more_than_ten_lose_none() -> None:
    choices = tuple(Choice(f"inform:{n}", f"Keuze {n}") for n in range(23))
    bodies = shown(Outbound("Kies", choices))
    assert ids(bodies) == [choice.id for choice in choices]
    assert [words(body) for body in bodies] == ["Kies", "…", "…"]


def test_the_button_of_a_list_fits() -> None:
    choices = tuple(Choice(str(n), f"Keuze {n}") for n in range(4))
    [body] = render([Outbound("Kies", choices)], "Kies hier uit alle mogelijkheden")
    check(body)
    assert body["interactive"]["action"]["button"] == "Kies hier uit alle…"


def test_a_label_without_anything_to_read_shows_its_id() -> None:
    [body] = shown(Outbound("Kies", (Choice("human", "\x01 "),)))
    assert body["interactive"]["action"]["buttons"][0]["reply"]["title"] == "human"


# Links ----------------------------------------------------------------------------------------------------------------


def test_a_page_is_a_button() -> None:
    [body] = shown(Outbound("Zie de site", links=(PHONE, PAGE, OTHER_PAGE, MAIL)))
    assert body["interactive"]["type"] == "cta_url"
    assert body["interactive"]["action"] == {
        "name": "cta_url",
        "parameters": {"display_text": "Afspraak maken", "url": PAGE.url},
    }
    assert words(body) == (
        "Zie de site\n\nBel ons: 140999\nKosten: https://www.zonneveen.example/kosten"
        "\nMail ons: balie@zonneveen.example"
    )


def test_a_page_without_words() -> None:
    [body] = shown(Outbound("", links=(PAGE,)))
    assert words(body) == "…"


def test_no_page_no_button() -> None:
    links = (Link("Bel 14 0999", "tel:14 0999"), Link("Intranet", "http://localhost/x"))
    [body] = shown(Outbound("Bel gerust", links=links))
    assert body["type"] == "text"
    assert words(body) == "Bel gerust\n\nBel 14 0999\nIntranet: http://localhost/x"


def test_with_choices_all_links_are_lines() -> None:
    [body] = shown(Outbound("Zie de site", (HUMAN,), (PAGE, PHONE)), Outbound("En bel", links=(PAGE,)))
    assert body["interactive"]["type"] == "button"
    assert words(body) == f"Zie de site\n\nEn bel\n\nAfspraak maken: {PAGE.url}\nBel ons: 140999"


def test_what_is_in_a_link_is_no_markup() -> None:
    [body] = shown(Outbound("**Zie**", (HUMAN,), (Link("- **A**", "https://a.example/**b**"),)))
    assert words(body) == "*Zie*\n\n- **A**: https://a.example/**b**"


# Markup ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("**Hoi** u", "*Hoi* u"),
        ("Dit (**nu**): **ja**, **nee**.", "Dit (*nu*): *ja*, *nee*."),
        ("**Neem mee:**\n- een\n- **twee**", "*Neem mee:*\n• een\n• *twee*"),
        ("stad**huis** en **stad**huis", "stadhuis en stadhuis"),
        ("**a****b**", "ab"),
        ("**!****?**", "!?"),
        ("2 * 3 is **zes**\n**Goed**", "2 * 3 is zes\n*Goed*"),
        ("**2*3**", "2*3"),
        ("_**x**_ en **y**", "_x_ en *y*"),
        ("**niet af", "**niet af"),
        ("<b>&amp;", "<b>&amp;"),
    ],
)
def test_bold_where_it_shows_as_bold(text: str, seen: str) -> None:
    assert formatted(read(text)) == seen
    [body] = shown(Outbound(text))
    assert words(body) == seen


# Long text ------------------------------------------------------------------------------------------------------------


def test_text_that_fits_over_buttons_is_one_message() -> None:
    assert len(shown(Outbound("x" * 1024, (HUMAN,)))) == 1
    assert len(shown(Outbound("x" * 1025, (HUMAN,)))) == 2
    assert len(shown(Outbound("x" * 4096))) == 1
    assert len(shown(Outbound("x" * 4097))) == 2


def test_the_last_part_carries_the_buttons() -> None:
    first, last = shown(Outbound("Een zin. " * 200 + "\n\nBedoelt u dit?", (HUMAN,)))
    assert (first["type"], last["type"]) == ("text", "interactive")
    assert words(last) == "Bedoelt u dit?"
    assert ids([first, last]) == ["human"]


def test_it_breaks_where_a_sentence_ends() -> None:
    first, last = shown(Outbound("Dit is nog een zin. " * 100, (HUMAN,)))
    assert words(first).endswith("zin.")
    assert words(last).startswith("Dit is")


def test_the_fewest_messages() -> None:
    # The nicest break would take one more.
    text = "Zin. " * 815 + "\n\n" + "woord " * 150 + "\n\nKies."
    assert len(text) > 4900
    assert len(shown(Outbound(text, (HUMAN,)))) == 2


def test_a_long_link_stays_whole() -> None:
    url = "https://www.zonneveen.example/" + "lang/" * 250
    bodies = shown(Outbound("Zie", (HUMAN,), (Link("Site", url),)))
    assert sum(url in words(body) for body in bodies) == 1


def test_length_is_counted_at_the_worst() -> None:
    assert len(shown(Outbound("👍" * 512, (HUMAN,)))) == 1
    assert len(shown(Outbound("👍" * 513, (HUMAN,)))) == 2
    assert len(shown(Outbound("**a** " * 1024))) == 1
    assert len(shown(Outbound("**a** " * 1100))) == 2
    assert len(shown(Outbound("**a** " * 20_000))) > 10


# Templates ------------------------------------------------------------------------------------------------------------


def test_a_template_goes_with_its_values_and_the_ids_of_its_buttons() -> None:
    template = Template(
        "zaak_klaar",
        "nl",
        "utility",
        "Uw {product} ligt klaar bij {plaats}.",
        ("product", "plaats"),
        (PASSPORT, HUMAN),
    )
    text = "Uw paspoort ligt klaar bij de balie."
    message = Outbound(text, template.choices, template=template, values=("paspoort", "de balie"))
    [body] = shown(message)
    assert body == {
        "type": "template",
        "template": {
            "name": "zaak_klaar",
            "language": {"code": "nl"},
            "components": [
                {
                    "type": "body",
                    "parameters": [
                        {"type": "text", "text": "paspoort"},
                        {"type": "text", "text": "de balie"},
                    ],
                },
                *(
                    {
                        "type": "button",
                        "sub_type": "quick_reply",
                        "index": index,
                        "parameters": [{"type": "payload", "payload": choice.id}],
                    }
                    for index, choice in (("0", PASSPORT), ("1", HUMAN))
                ),
            ],
        },
    }


def test_a_template_without_anything_in_it() -> None:
    template = Template("schrijf_ons", "nl", "utility", "Er is antwoord. Schrijf ons.", opens=True)
    [body] = shown(Outbound(template.text, template=template))
    assert body == {"type": "template", "template": {"name": "schrijf_ons", "language": {"code": "nl"}}}


# Anything -------------------------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(st.lists(outbounds(), max_size=3))
def test_nothing_is_lost_and_all_fits(messages: list[Outbound]) -> None:
    bodies = shown(*messages)
    assert ids(bodies) == list(dict.fromkeys(c.id for message in messages for c in message.choices))
    everything = squeezed("".join(words(body) for body in bodies)).replace("*", "")
    text = squeezed("".join(read(message.text).text for message in messages)).replace("*", "")
    assert everything.startswith(text)
    pages = [b["interactive"]["action"]["parameters"]["url"] for b in bodies if "cta_url" in json.dumps(b)]
    for message in messages:
        for link in message.links:
            target = re.sub("^(tel|mailto):", "", link.url)
            assert link.url in pages or squeezed(target).replace("*", "") in everything
