"""Tools of Slack's assistant, each a command as its person would type it (ADR 74)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from bot.domain.conversations import Referents
from bot.domain.notices import Answer
from bot.domain.surfaces import Surface
from bot.domain.time_parsing import Unread
from bot.messages.blocks import assistant as drawn
from bot.messages.blocks import kit
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.blocks.cards import VERB_FORMS
from bot.messages.texts import answers
from bot.messages.texts import assistant as words
from bot.messages.texts.cards import STATES
from bot.messages.texts.refusals import explain_refusal
from bot.messages.texts.runs import STATES as RUNS
from bot.store import hours as hours_store
from bot.store import notices, operations, workspaces
from bot.store import preferences as preferences_store
from bot.store import runs as run_rows
from bot.support.errors import Refused
from handlers import commands
from handlers.dispatch import run_text
from handlers.requests.command_line import Quoted, fold_word, join_words
from handlers.requests.request import SILENT, Request
from handlers.requests.response_targets import make_message_notice
from handlers.requests.services import Services
from handlers.workspace.timers import read_typed_time

#: The longest name or time.
_MAX_ARGUMENT_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool: its verb, the least level at which a person allows it, and its fields.

    What it does needs a level of its own, by its effect (``Caller.is_first_delivery``). ``takes`` are its
    fields, in the verb's order; it needs the first. ``only_shows``: it changes nothing and sends nothing, so
    that the same bytes may come twice.
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


def is_valid_call(tool: Tool, given: Mapping[str, Any]) -> bool:
    """Return whether these are the arguments of a tool."""
    are_texts = all(isinstance(value, str) and len(value) <= _MAX_ARGUMENT_LENGTH for value in given.values())
    return are_texts and {*tool.takes[:1]} <= given.keys() <= {*tool.takes}


async def run_tool(
    services: Services, slack: Mapping[str, Any], tool: Tool, given: Mapping[str, str], signature: str
) -> str:
    """Run a tool in the name of Slack's person, and answer with facts alone, as JSON.

    ``signature`` is that of the call: the same signed bytes are one act. Raises StoreError if a question
    couldn't be written.
    """
    try:
        who = {name: slack.get(name) for name in ("enterprise_id", "team_id", "user_id")}
        principal = services.resolve_principal({"command": tool.verb, **who})
    except Refused as refusal:
        return drawn.format_result(says=explain_refusal(refusal))
    surface = Surface("assistant", interaction=f"assistant:{signature}", via="assistant")
    given = {field: " ".join(value.split()) for field, value in given.items()}
    text = " ".join(
        [tool.verb, *(_write_argument(field, given[field]) for field in tool.takes if field in given)]
    )
    facts: dict[str, Any] = {}
    reader = partial(_read_call, tool=tool, given=given, facts=facts)
    answer = await run_text(services, principal, surface, text, folder=tool.folder, reader=reader)
    offered = {ButtonValue.from_button(one).name for one in kit.iterate_buttons(answer.blocks)}
    # What was done is recorded, or is kept from being done later by a button; any other button asks, and one
    # that links an account is for its person alone.
    is_done = tool.only_shows or bool(facts.get("done")) or offered <= {"keep_running"}
    if is_done and not offered & {"invite", "ask_link"}:
        waits = {} if services.context.owners.is_worked else {"waits": answers.NO_WORKER}
        # Without facts it was refused, or nobody knows yet, in a sentence of the catalogue.
        return drawn.format_result(**(facts or {"says": " ".join(kit.iterate_lines(answer.blocks))}), **waits)
    # A person is asked one thing a minute, and of what they were asked the last is live.
    surface = replace(surface, interaction=f"assistant:{principal.key}:{services.clock.now() // 60:.0f}")
    await services.store.write(
        notices.add_notices, [make_message_notice(answer, surface, principal, services.ids)]
    )
    return drawn.format_result(asked=words.ASKED_PERSON)


def _write_argument(field: str, value: str) -> str:
    """Write an argument as people type it: in quotes a name is nothing else, whatever it says."""
    if field == "name":
        return join_words([Quoted(value)])
    is_led = field != "until" or fold_word(value.partition(" ")[0]) in {"for", "until", "till"}
    return value if is_led else f"until {value}"


async def _read_call(request: Request, tool: Tool, given: Mapping[str, str], facts: dict[str, Any]) -> Answer:
    """Read a call as its person's typed command, if they allow it and it says nothing else.

    There is no flag in it, so that it agrees to nothing. What became of it is added to ``facts``.
    """
    services = request.services
    wanted = await services.store.read(preferences_store.preferences, request.principal)
    verb, *times = request.arguments
    name = times.pop(0) if "name" in given and times else ""
    found = await read_typed_time(services, request.principal, " ".join(times)) if times else None
    is_odd = isinstance(found, Unread) and found.why in {"unreadable", "no_time"}
    if not wanted.allows_assistant(tool.level):
        facts["says"] = words.NOT_LET.format(command=request.command)
    elif is_odd or request.flags or (verb, name) != (tool.verb, given.get("name", "")):
        facts["says"] = words.NOT_A_NAME
    elif tool.verb == "help":
        facts["can"] = [
            words.TITLES[name] for name, one in TOOLS.items() if wanted.allows_assistant(one.level)
        ]
    else:
        said = await commands.run_words(request)
        so = await _collect_results(request, tool, said.about or request.notes.about or Referents())
        facts |= so if any(so.values()) or not name else {"says": words.NOT_A_NAME}
        return said
    return SILENT


async def _collect_results(request: Request, tool: Tool, about: Referents) -> dict[str, Any]:
    """Return the results from the rows: the actions, and the workspaces or runs concerned."""
    store, principal, actions = request.services.store, request.principal, request.notes.actions.values()
    fact, at = partial(drawn.describe, request.services.title), drawn.format_time
    own = {one.id: one for one in await store.perform(workspaces.read_workspaces, principal)}
    if tool.verb == "hours":
        now = await store.now()
        every = [
            one
            for one in await store.read(hours_store.list_rules_of_person, principal)
            if one.after(now) is not None
        ]
        rules = [one for one in every if one.workspace_id in own]
        return {"hours": [fact(own[one.workspace_id], **drawn.describe_hours(one)) for one in rules]}
    going = {
        one.workspace_id: VERB_FORMS[one.verb]["doing"]
        for one in await store.read(operations.open_operations, principal)
    }
    said = {key: going.get(key, STATES[one.state]) for key, one in own.items() if key in about.workspaces}
    runs = [
        one
        for one in await store.read(run_rows.list_runs, principal)
        if one.id in about.runs or tool.folder == "job"
    ]
    return {
        "done": [
            fact(
                one,
                did=one.kind.rpartition(".")[2],
                until=at(own[one.subject].stop_at if one.subject in own else None),
            )
            for one in actions
        ],
        "workspaces": [fact(own[key], state=said[key], stops_at=at(own[key].stop_at)) for key in said],
        "runs": [fact(one, state=RUNS[one.state], ended_at=at(one.finished_at)) for one in runs],
    }
