"""What a resident's words mean in a report: what it is about, how dangerous it is, where, and who may be asked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from actions import report_answers as answers
from actions.reports.categories import Categories
from actions.reports.urgent import UrgentFirst
from bot.model import Outbound, Reply, Say, Turn
from bot.ports import Health


@pytest.fixture(scope="module")
def categories() -> Categories:
    return Categories.load()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("De prullenbak bij het speeltuintje zit al dagen vol", "prullenbak-vol"),
        ("prullebak bij de bushalte puilt uit", "prullenbak-vol"),
        ("de afvalbak is omgevallen", "prullenbak-kapot"),
        ("de glasbak is vol", "container-vol"),
        ("er ligt een berg vuilniszakken naast de ondergrondse container", "afval"),
        ("lantarepaal flikkert heel de nacht", "lantaarnpaal"),
        ("STRAATLANTAARN DOET HET NIET!!", "lantaarnpaal"),
        ("losse stoeptegel", "weg"),
        ("big pothole on the Molenweg", "weg"),
        ("overal hondenstront op het speelveld", "hondenpoep"),
        ("er drijft een dode eend in de singel", "dood-dier"),
        ("de put op de hoek is verstopt", "put"),
        ("er hangt een tak los boven het fietspad", "boom"),
        ("schommel is stuk", "speelplaats"),
        ("fietswrak al maanden bij het station", "fietswrak"),
        ("alles is volgeklad", "graffiti"),
    ],
)
def test_what_it_is_about(categories: Categories, text: str, name: str) -> None:
    guess = categories.guess(text)
    assert guess.sure and guess.categories[0].id == name


@pytest.mark.parametrize(
    "text", ["", "ik wil een melding doen", "iemand heeft verf over het standbeeld gegooid", "kapot", "😀"]
)
def test_what_says_nothing_gives_the_common_ones(categories: Categories, text: str) -> None:
    guess = categories.guess(text)
    assert not guess.sure and [one.id for one in guess.categories] == ["afval", "lantaarnpaal", "weg"]


def test_where_it_is_close_there_is_a_choice_of_three_at_most(categories: Categories) -> None:
    guess = categories.guess(
        "de container is vol en gaat niet open, en er ligt vuil naast de prullenbak en glas"
    )
    assert not guess.sure and 2 <= len(guess.categories) <= 3


def test_every_category_has_a_label_that_fits_and_a_target(categories: Categories) -> None:
    for target in categories.targets:
        main, _, sub = target.partition("/")
        assert main and sub and target == target.lower()
    for name in ("prullenbak-vol", "overig"):
        one = categories.get(name)
        assert one and len(one.label) <= 20
    assert categories.get("x") is categories.get(None) is None
    assert categories.other.id == "overig"


@pytest.mark.parametrize(
    "text",
    [
        "gat in het wegdek bij de rotonde, levensgevaarlijk",
        "er hangen losse stroomdraden uit de lantaarnpaal",
        "er komen blote kabels uit de paal",
        "sinkhole in de straat",
        "de weg is ingestort",
        "er dreigt een boom om te vallen",
        "de boom gaat vallen",
        "boom omgewaaid ligt over de weg",
        "stoplicht omgevallen op de kruising",
        "er ligt een omgevallen stoplicht",
        "er ligt olie op de weg",
        "Olie op het fietspad!",
        "putdeksel weg!! er is een gat",
        "tree is about to fall, the branch is falling",
    ],
)
def test_what_is_dangerous_now(categories: Categories, text: str) -> None:
    assert categories.urgent(text)


@pytest.mark.parametrize(
    "text",
    [
        "de prullenbak is vol",
        "het stoplicht knippert oranje",
        "er staat een dode boom in het park",
        "losse stoeptegel",
        "het is nu niet gevaarlijk",
        "wat kost een paspoort",
        "waar kan ik frituurolie inleveren",
        "gas afsluiten",
        "mag ik een boom kappen",
        "de put is verstopt",
        "",
    ],
)
def test_what_is_not(categories: Categories, text: str) -> None:
    assert not categories.urgent(text)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("aan de Beukenlaan 12 ligt een losse tegel", "Beukenlaan 12"),
        ("lantaarnpaal kapot in de Kerkstraat", "Kerkstraat"),
        ("op het Raadhuisplein tegenover nummer 3", "Raadhuisplein tegenover nummer 3"),
        ("hoek Kerkstraat en Dorpsstraat ligt glas", "hoek Kerkstraat en Dorpsstraat"),
        ("schoolstraat 8a is het", "schoolstraat 8a"),
        ("in de Van Goghstraat", "Van Goghstraat"),
        ("het is bij 1234 AB 12", "1234 AB 12"),
        ("Dorpsstraat 5, 1234ab", "Dorpsstraat 5, 1234ab"),
        ("er ligt glas op het fietspad", None),
        ("kuil in de rijbaan", None),
        ("de straatlantaarn is stuk", None),
        ("gat in de weg", None),
        ("op straat in het park", None),
        ("overal troep op het schoolplein", None),
        ("de Kerkstraat 2 weken donker", "Kerkstraat"),
        ("", None),
    ],
)
def test_where(text: str, place: str | None) -> None:
    assert answers.place(text) == place


@pytest.mark.parametrize(
    ("text", "contact", "left"),
    [
        ("tegel los, u kunt mij bellen op 06 12345678", "06 12345678", "tegel los"),
        ("mijn nummer is 0612345678 en mail a@b.nl", "06 12345678, a@b.nl", ""),
        ("bel me op 020-1234567: put verstopt", "020 123 4567", "put verstopt"),
        ("Piet@Voorbeeld.nl", "Piet@Voorbeeld.nl", ""),
        ("lantaarnpaal nummer 12345 kapot", None, "lantaarnpaal nummer 12345 kapot"),
        ("a@b", None, "a@b"),
        ("06 123", None, "06 123"),
        ("", None, ""),
    ],
)
def test_who_may_be_asked(text: str, contact: str | None, left: str) -> None:
    assert answers.contact(text) == contact
    assert answers.without_contact(text) == left


def test_a_contact_has_its_two_parts_again() -> None:
    assert answers.split_contact("06 12345678, a@b.nl") == ("06 12345678", "a@b.nl")
    assert answers.split_contact("06 12345678") == ("06 12345678", "")
    assert answers.split_contact("a@b.nl") == ("", "a@b.nl")
    assert answers.split_contact(answers.NONE) == ("", "")


@pytest.mark.parametrize(
    "text", ["nee", "Nee, dank u", "geen", "niet nodig", "hoeft niet", "anoniem", "zonder foto"]
)
def test_that_there_is_none(text: str) -> None:
    assert answers.none(text)


@pytest.mark.parametrize(
    "text", ["ja", "06 12345678", "nee ik wil juist weten hoe lang dit nog gaat duren voor ons"]
)
def test_that_there_may_be_one(text: str) -> None:
    assert not answers.none(text)


@pytest.mark.parametrize(
    ("text", "only"),
    [
        ("ik wil een melding doen", True),
        ("Hoi, ik wil iets melden in mijn straat", True),
        ("ik wil melden dat er verf op het standbeeld zit", False),
        ("de lantaarnpaal is kapot", False),
    ],
)
def test_whether_anything_is_told(text: str, only: bool) -> None:
    assert answers.only_wants(text) is only


def test_long_and_strange_words_are_cut_and_cleaned() -> None:
    assert answers.cleaned("ab\n\x00cd  e", 10) == "ab cd e"
    assert len(answers.cleaned("woord " * 1000, 100)) == 100
    for empty in ("", " \n", "!!", "😀", "x"):
        assert answers.cleaned(empty, 10) == ""


@dataclass
class Heard:
    """An engine that remembers what it was asked."""

    turns: list[Turn] = field(default_factory=list)

    async def reply(self, turn: Turn) -> Reply:
        self.turns.append(turn)
        return Reply((Outbound("antwoord"),))

    async def health(self) -> Health:
        return Health("ok")

    async def close(self) -> None: ...


def heard(categories: Categories, turn: Turn) -> tuple[Turn, Reply]:
    engine = Heard()
    reply = asyncio.run(UrgentFirst(engine, categories).reply(turn))
    return engine.turns[0], reply


def test_the_number_comes_first(categories: Categories) -> None:
    _, reply = heard(categories, Turn("c", "er ligt olie op de weg"))
    assert reply.messages == (Say("report_urgent"), Outbound("antwoord"))
    _, calm = heard(categories, Turn("c", "de prullenbak is vol"))
    assert calm.messages == (Outbound("antwoord"),)
    _, pressed = heard(categories, Turn("c", "er ligt olie op de weg", choice="affirm"))
    assert pressed.messages == (Outbound("antwoord"),)


def test_a_report_with_a_number_in_it_is_a_report(categories: Categories) -> None:
    said = "aan de Beukenlaan ligt een losse tegel, u kunt mij bellen op 06 12345678"
    assert heard(categories, Turn("c", said))[0].choice == "report"
    for other in (
        Turn("c", "bel mij terug op 06 12345678"),
        Turn("c", "bel mij terug op 06 12345678 over de lantaarnpaal"),
        Turn("c", "er ligt een losse tegel op de stoep"),
        Turn("c", said, memory={"loop": "callback_form"}),
        Turn("c", said, choice="inform:ochtend"),
    ):
        assert heard(categories, other)[0] == other
