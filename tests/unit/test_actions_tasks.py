"""The product of a task, over the articles that we ship."""

from __future__ import annotations

import pytest

from actions.lookup import Lookup, Topic
from actions.tasks import product
from bot.model import Route
from knowledge.search import HybridSearch


@pytest.mark.parametrize(
    ("route", "text", "slug"),
    [
        ("appointment", "ik wil een afspraak maken voor een paspoort", "paspoort-aanvragen"),
        ("appointment", "afspraak rijbewijs verlengen", "rijbewijs-aanvragen"),
        ("appointment", "ik wil trouwen, kan ik een afspraak maken", "trouwen"),
        ("appointment", "afspraak paspoort voor mijn dochter", "paspoort-kind"),
        ("appointment", "I'd like to make an appointment for my driving licence", "rijbewijs-aanvragen"),
        ("appointment", "afspraak om mijn kind aan te geven", "geboorte-aangeven"),
        ("appointment", "wanneer kan ik terecht voor een paspoort", "paspoort-aanvragen"),
        ("appointment", "i want to make an appointment for a passport", "paspoort-aanvragen"),
        ("appointment", "afspraak verzetten", None),
        ("appointment", "kan ik mijn afspraak voor morgen afzeggen", None),
        ("status", "waar blijft mijn paspoort", "paspoort-ophalen"),
        ("status", "hoe staat het met mijn parkeervergunning", "parkeervergunning"),
        ("status", "hoe staat het met mijn bezwaar", "bezwaar"),
        ("status", "hoe staat het met mijn vergunning", None),
        ("status", "wat is de status van mijn aanvraag", None),
        ("report", "lantaarnpaal kapot", "melding-openbare-ruimte"),
        ("report", "er ligt vuil naast de container", "melding-openbare-ruimte"),
        ("report", "er zit een gat in de weg", "melding-openbare-ruimte"),
        ("report", "ik wil een melding doen van een wespennest", "ongedierte"),
        ("report", "ik wil iets melden", "melding-openbare-ruimte"),
    ],
)
async def test_what_a_task_is_about(
    shipped_search: HybridSearch, route: str, text: str, slug: str | None
) -> None:
    about = await product(Lookup(shipped_search), text, Route(route), Topic())
    assert (about.article.slug if about else None) == slug


async def test_a_task_that_names_nothing_is_about_the_article_in_conversation(
    shipped_search: HybridSearch,
) -> None:
    lookup = Lookup(shipped_search)
    about = await product(lookup, "kan ik een afspraak maken", Route.APPOINTMENT, Topic("paspoort-aanvragen"))
    assert about and (about.article.slug, about.able) == ("paspoort-aanvragen", True)
    assert await product(lookup, "kan ik een afspraak maken", Route.APPOINTMENT, Topic("woz")) is None
