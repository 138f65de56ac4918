"""The actions' door on the private port: `POST /actions/webhook`, the webhook protocol of rasa-sdk."""

from __future__ import annotations

import hmac
import logging
import traceback
from pathlib import Path
from typing import Any

from aiohttp import web

from actions.answers import Answers
from actions.appointments import form as appointment
from actions.appointments.desk import Desk
from actions.callback import AskConfirm, Cancel, Submit, ValidateCallback
from actions.handoff import Affirm, Deny, HandOff, HandOffFromForm, Insult, OutOfScope, Talk, Unhelpful
from actions.knowledge import AnswerQuestion, ChooseArticle, ChooseAspect
from actions.phrases import Phrases
from actions.references import References
from actions.report import AskReport, report_actions
from actions.reports.categories import Categories
from actions.sdk import Action, ActionExecutionRejection, ActionExecutor, ActionNotFoundException
from actions.status import (
    AskProof,
    AskStatus,
    HandOffFromStatus,
    LeaveStatus,
    StatusRules,
    SubmitStatus,
    ValidateStatus,
)
from actions.tasks import Task
from bot.model import Route
from bot.ports import KnowledgeSearch

log = logging.getLogger(__name__)

PATH = "/actions/webhook"
TASKS = (Route.STATUS, Route.REPORT)
TALK = {
    "greet": "greet",
    "goodbye": "goodbye",
    "thanks": "thanks",
    "help": "help",
    "bot_challenge": "bot_challenge",
    "cancel": "cancelled",
}
"""Small talk, and the phrase that answers it."""


def add_actions(
    app: web.Application,
    search: KnowledgeSearch,
    secret: str,
    phrases: Phrases | None = None,
    desk: Desk | None = None,
    *,
    status: StatusRules | None = None,
    reports: Categories | None = None,
) -> None:
    """Serve all actions on `app`. `phrases`: the approved words; those of the knowledge base where None. `desk`: where
    appointments can be made; nowhere where None. `status`: what can be looked up of cases; nothing where None.
    `reports`: what can be reported; nothing where None."""
    executor = build_executor(search, phrases or Phrases.load(), desk, status, reports)
    app.router.add_post(PATH, Webhook(executor, secret).handle)


def build_executor(
    search: KnowledgeSearch,
    phrases: Phrases,
    desk: Desk | None = None,
    status: StatusRules | None = None,
    reports: Categories | None = None,
) -> ActionExecutor:
    """All actions of the domain, with what they need."""
    answers = Answers(search, phrases, desk.is_bookable if desk else None, reports=reports is not None)
    begin = appointment.Begin(answers, phrases, desk)
    tasks = {Route.APPOINTMENT.value: begin, **{route.value: Task(route, answers) for route in TASKS}}
    if status:
        tasks[Route.STATUS.value] = AskStatus(answers, status)
    if reports:
        tasks[Route.REPORT.value] = AskReport(answers, reports)
    affirm, deny, unhelpful = Affirm(answers), Deny(), Unhelpful()
    out_of_scope, insult = OutOfScope(answers), Insult(answers)
    guesses = {
        **{intent: Talk(phrase) for intent, phrase in TALK.items()},
        **tasks,
        "affirm": affirm,
        "deny": deny,
        "unhelpful": unhelpful,
        "out_of_scope": out_of_scope,
        "insult": insult,
        "human": HandOff(),
        "callback": HandOff(),
    }
    executor = ActionExecutor()
    for action in (
        AnswerQuestion(answers, guesses),
        ChooseArticle(answers),
        ChooseAspect(answers),
        HandOff(),
        HandOffFromForm(),
        affirm,
        deny,
        unhelpful,
        out_of_scope,
        insult,
        *tasks.values(),
        ValidateCallback(),
        AskConfirm(),
        Submit(),
        Cancel(),
        appointment.Validate(answers, desk),
        appointment.Ask(answers, phrases, desk),
        appointment.Submit(answers, desk),
        appointment.Leave(),
        *_looking_up(status),
        *report_actions(reports, phrases),
    ):
        executor.register_action(action)
    return executor


def _looking_up(status: StatusRules | None) -> list[Action]:
    """The form that asks for a case. Without rules nothing begins it; who is in it since before can leave."""
    rules = status or StatusRules(References(()), frozenset({"address"}), frozenset())
    return [ValidateStatus(rules), AskProof(rules), SubmitStatus(), LeaveStatus(), HandOffFromStatus()]


class Webhook:
    """Runs one action for whoever knows the secret."""

    def __init__(self, executor: ActionExecutor, secret: str) -> None:
        self._executor = executor
        self._expected = f"Bearer {secret}".encode()

    async def handle(self, request: web.Request) -> web.Response:
        """The events and responses of an action; or why there are none, in names only."""
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), self._expected):
            return web.json_response({"error": "unauthorized"}, status=401)
        try:
            call = await request.json()
        except ValueError:
            return web.json_response({"error": "not JSON"}, status=400)
        if not isinstance(call, dict) or not isinstance(name := call.get("next_action"), str):
            return web.json_response({"error": "no next_action"}, status=400)
        return await self._run(name, call)

    async def _run(self, name: str, call: dict[str, Any]) -> web.Response:
        try:
            result = await self._executor.run(call)
        except ActionExecutionRejection as error:
            return web.json_response({"error": "rejected", "action_name": error.action_name}, status=400)
        except ActionNotFoundException:
            return web.json_response({"error": "no such action", "action_name": name}, status=404)
        except Exception as error:  # the outermost boundary of an action
            log.error("action %s failed: %s at %s", name, type(error).__name__, _where(error))
            return web.json_response({"error": type(error).__name__, "action_name": name}, status=500)
        return web.json_response(result.model_dump() if result else {"events": [], "responses": []})


def _where(error: BaseException) -> str:
    """The last places of a traceback, without the message: that may hold what a resident wrote."""
    places = traceback.extract_tb(error.__traceback__)[-3:]
    return " > ".join(f"{place.name} ({Path(place.filename).name}:{place.lineno})" for place in places)
