"""What Slack's assistant asks for a person: tools, each a command as they would type it (ADR 74)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Any, Final

from bot.domain.moments import Unread
from bot.domain.notices import Answer
from bot.domain.surfaces import Surface
from bot.messages.blocks import assistant as drawn
from bot.messages.blocks import kit, lists, replies
from bot.messages.blocks.cards import FORMS
from bot.messages.texts import answers
from bot.messages.texts import assistant as words
from bot.messages.texts.cards import STATES
from bot.messages.texts.runs import STATES as RUNS
from bot.support.errors import Refused
from handlers import answering
from handlers.command_line import Quoted, plain, written
from handlers.dispatch import message_notice, run_text
from handlers.request import Request
from handlers.services import Services
from handlers.workspace.timers import typed_moment

#: The longest name or time.
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Tool:
    """Describe a tool: the verb that it is, from which level of a person's settings, and what it takes.

    ``takes`` are its fields, in the verb's order; it needs the first. ``only_shows``: it changes nothing and
    sends nothing, so that the same bytes may come twice.
    """

    verb: str
    folder: str = "workspace"
    level: str = "show"
    takes: tuple[str, ...] = ()
    only_shows: bool = True


TOOLS: Final[Mapping[str, Tool]] = {
    "my_workspaces": Tool("list"),
    "status": Tool("status", takes=("name",)),
    "hours": Tool("hours"),
    "my_runs": Tool("list", "job"),
    "output": Tool("logs", "job", takes=("name",), only_shows=False),
    "help": Tool("help"),
    "start": Tool("start", level="start", takes=("name", "until"), only_shows=False),
    "stop": Tool("stop", level="stop", takes=("name", "at"), only_shows=False),
}


def fits(tool: Tool, given: Mapping[str, Any]) -> bool:
    """Return whether these are what a tool takes."""
    are_texts = all(isinstance(value, str) and len(value) <= _LONGEST for value in given.values())
    return are_texts and {*tool.takes[:1]} <= given.keys() <= {*tool.takes}


async def called(
    services: Services, slack: Mapping[str, Any], tool: Tool, given: Mapping[str, str], signature: str
) -> str:
    """Do what a tool is for, in the name of whom Slack names, and answer with text alone.

    ``signature`` is that of the call: the same signed bytes are one act. Raises StoreError if a question
    couldn't be written.
    """
    try:
        who = {name: slack.get(name) for name in ("enterprise_id", "team_id", "user_id")}
        principal = services.actor({"command": tool.verb, **who})
    except Refused as refusal:
        return refusal.text
    surface = Surface("assistant", interaction=f"assistant:{signature}", via="assistant")
    given = {field: " ".join(value.split()) for field, value in given.items()}
    text = " ".join([tool.verb, *(_typed(field, given[field]) for field in tool.takes if field in given)])
    reader = partial(_read, tool=tool, given=given)
    answer = await run_text(services, principal, surface, text, folder=tool.folder, reader=reader)
    if not answer.blocks:
        return answer.text
    offered = {kit.Press.of(one).name for one in kit.buttons_of(answer.blocks)}
    if not services.context.owners.is_worked:
        answer = replies.with_remarks(answer, [answers.NO_WORKER])
    # Whatever has been done can be taken back, or kept from being done later; any other button asks, and one
    # that links an account is for its person alone.
    is_done = "undo" in offered or offered <= {"keep_running"}
    if tool.verb == "help" or (not offered & {"invite", "ask_link"} and (tool.only_shows or is_done)):
        return drawn.words(answer.blocks)
    # The same question comes once a minute at most, however often a model asks for it.
    asked = sha256(f"{principal.key} {text} {services.clock.now() // 60}".encode()).hexdigest()
    surface = replace(surface, interaction=f"assistant:{asked}")
    await services.store.add_notices([message_notice(answer, surface, principal, services.ids)])
    services.context.wake()
    return words.ASKED


def _typed(field: str, value: str) -> str:
    """Return what a field says as people type it: in quotes a name is nothing else, whatever it says."""
    if field == "name":
        return written([Quoted(value)])
    is_led = field != "until" or plain(value.partition(" ")[0]) in {"for", "until", "till"}
    return value if is_led else f"until {value}"


async def _read(request: Request, tool: Tool, given: Mapping[str, str]) -> Answer:
    """Read a call as what a person typed, where they let Slackbot ask for it and it says nothing else.

    There is no flag in it, so that it agrees to nothing.
    """
    services, store = request.services, request.services.store
    wanted = await store.preferences(request.principal)
    if not wanted.lets_assistant(tool.level):
        return replies.hint(request.filled(words.NOT_LET))
    verb, *times = request.arguments
    name = times.pop(0) if "name" in given and times else ""
    found = await typed_moment(services, request.principal, " ".join(times)) if times else None
    is_odd = isinstance(found, Unread) and found.why in {"unreadable", "no_time"}
    if is_odd or request.flags or (verb, name) != (tool.verb, given.get("name", "")):
        return replies.hint(words.NOT_A_NAME)
    said = await answering.answer(request)
    about, title, rows = said.about or request.spoken.about, services.title, list[str]()
    if tool is TOOLS["my_runs"]:
        runs = (await store.runs(request.principal))[: lists.PAGE]
        rows = [drawn.row(one, title(one.connection), RUNS[one.state]) for one in runs]
    elif tool.verb in {"list", "status"} and about is not None and not about.ask:
        asked = await store.open_operations(request.principal)
        going = {one.workspace_id: FORMS[one.verb]["doing"] for one in asked}
        own = [one for one in await store.workspaces(request.principal) if one.id in about.workspaces]
        rows = [drawn.row(one, title(one.connection), going.get(one.id, STATES[one.state])) for one in own]
    return Answer("\n".join(rows)) if rows else said
