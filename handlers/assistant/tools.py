"""The tools for Slack's assistant. Each is a command that users can also type (ADR 74)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple

from bot.domain import time_parsing
from bot.domain.message_context import WorkspaceFacts
from bot.domain.notices import Answer
from bot.domain.outages import Reached
from bot.domain.people import Principal
from bot.domain.surfaces import Surface
from bot.domain.time_parsing import Moment, Unread
from bot.domain.timers import SOONEST_SECONDS
from bot.messages.blocks import assistant as drawn
from bot.messages.blocks import kit
from bot.messages.blocks.cards import LINKING
from bot.messages.blocks.replies import explain_unread_time
from bot.messages.blocks.usage import explain_window
from bot.messages.texts import answers, problems
from bot.messages.texts import assistant as words
from bot.messages.texts.refusals import explain_refusal
from bot.services import course_changes
from bot.store import accounts, notices, operations, outages, workspaces
from bot.store import hours as hours_store
from bot.store import preferences as preferences_store
from bot.store import runs as run_rows
from bot.support.cleaning import STRAIGHT, escape, fold
from bot.support.errors import Refused, StoreError, StoreUnsure
from handlers import commands
from handlers.dispatch import format_full_command, run_text
from handlers.requests.command_line import Quoted, fold_word, join_words
from handlers.requests.request import SILENT, Request
from handlers.requests.response_targets import make_message_notice
from handlers.requests.services import Services
from handlers.workspace.timers import read_typed_time

#: Maximum length of a name or time in a call. In an error message, a field's name is cut to
#: ``_MAX_SHOWN_LENGTH``.
_MAX_ARGUMENT_LENGTH: Final = 200
_MAX_SHOWN_LENGTH: Final = 40


class Tool(NamedTuple):
    """A tool for Slack's assistant: its verb, the lowest permission level that allows it, and its fields.

    The effect of a call may need a higher level (``Caller.is_first_delivery``). ``takes`` lists the fields in
    the order in which the verb expects them. If ``name`` is among them, it is required. ``only_shows`` means
    that the tool neither changes nor sends anything.
    """

    verb: str
    folder: str = "workspace"
    level: str = "show"
    takes: tuple[str, ...] = ()
    only_shows: bool = True

    @property
    def required(self) -> tuple[str, ...]:
        """Return the fields that a call must include."""
        return tuple(field for field in self.takes if field == "name")


TOOLS: Final[Mapping[str, Tool]] = {
    "my_workspaces": Tool("list"),
    "status": Tool("status", takes=("name",)),
    "hours": Tool("hours"),
    "my_runs": Tool("list", "job"),
    "usage": Tool("usage", takes=("when",)),
    "output": Tool("logs", "job", takes=("name",), only_shows=False),
    "help": Tool("help"),
    "start": Tool("start", level="start", takes=("name", "until"), only_shows=False),
    "stop": Tool("stop", level="stop", takes=("name", "at"), only_shows=False),
}


def read_fields(tool: Tool, given: object) -> tuple[dict[str, str], str]:
    """Return the fields of a call, and what is wrong with them ("" if nothing is).

    Null, empty and blank values count as missing, because some clients fill in every field.
    """
    takes = " and ".join(f"`{field}`" for field in tool.takes) or "no fields"
    if not isinstance(given, Mapping | None):
        return {}, words.NOT_AN_OBJECT.format(takes=takes)
    given = {key: value for key, value in (given or {}).items() if value is not None and str(value).strip()}
    for name, value in given.items():
        about = words.FIELDS.get(name, "")
        if name not in tool.takes:
            return {}, words.NO_FIELD.format(field=str(name)[:_MAX_SHOWN_LENGTH], takes=takes)
        if not isinstance(value, str) or len(value) > _MAX_ARGUMENT_LENGTH:
            return {}, words.NOT_TEXT.format(field=name, most=_MAX_ARGUMENT_LENGTH, about=about)
    for name in tool.required:
        if name not in given:
            return {}, words.NEEDS_FIELD.format(field=name, about=words.FIELDS[name])
    fields = {name: " ".join(value.split()) for name, value in given.items()}
    return {name: text for name, text in fields.items() if not _is_no_time(name, text)}, ""


def _is_no_time(name: str, text: str) -> bool:
    is_now, is_endless = time_parsing.is_now(text), fold_word(text) in words.NO_END
    return (name == "at" and is_now) or (name == "until" and is_endless)


async def run_tool(
    services: Services, slack: Mapping[str, Any], tool: Tool, arguments: object, signature: str
) -> str:
    """Run a tool for the user that Slack names. The result is JSON and contains only facts.

    ``signature`` is the call's signature. If the same signed call arrives twice, it takes effect only once.
    """
    try:
        who = {name: slack.get(name) for name in ("enterprise_id", "team_id", "user_id")}
        principal = services.resolve_principal({"command": tool.verb, **who})
    except Refused as refusal:
        return drawn.format_result(says=explain_refusal(refusal))
    given, problem = read_fields(tool, arguments)
    if problem:
        return drawn.format_result(says=problem)
    surface = Surface("assistant", interaction=f"assistant:{signature}", via="assistant")
    text = " ".join(
        [tool.verb, *(_write_argument(field, given[field]) for field in tool.takes if field in given)]
    )
    call = _Call(tool, given)
    answer = await run_text(services, principal, surface, text, folder=tool.folder, reader=call.read)
    said = drawn.write_lines(answer.blocks, call.names)
    if not call.is_run:
        # The call was refused before it was interpreted, in Usher's own words.
        return drawn.format_result(**(call.facts or {"says": "\n".join(said)}))
    offered = {press.name for _, press in kit.iterate_drawn(answer.blocks)}
    asks = bool(offered & LINKING) and not call.has_accounts if tool.only_shows else call.asks(offered)
    if asks:
        asked = words.NOT_LINKED if tool.only_shows else words.ASKED_PERSON
        about = {"asked": asked, "says": "\n".join(said)}
        quotation = kit.section(kit.fill("Slackbot asked me to: “{said}”.", said=format_full_command(text)))
        question = kit.with_blocks(answer, [quotation, *answer.blocks])
        return await _ask_person(services, principal, surface, question, about)
    if not tool.only_shows and answer.unwritten != "unsure":
        call.facts.setdefault("done", [])
    # If the workspaces were already in the requested state, nothing was done. The command's own sentence says
    # so, too.
    is_nothing = call.facts.get("done") == [] and not call.has_acted
    says = [*(["Nothing was done."] if is_nothing else []), *said, *call.remarks]
    waits = {} if services.context.owners.is_worked else {"waits": answers.NO_WORKER}
    return drawn.format_result(**{"says": "\n".join(says)} | call.facts | waits)


async def _ask_person(
    services: Services, principal: Principal, surface: Surface, answer: Answer, about: dict[str, str]
) -> str:
    """Send the person a question, and return ``about``. If it can't be sent now, return when to try again."""
    # A person gets at most one question a minute. Any further question counts as not asked.
    minute = services.clock.now() // 60
    surface = surface._replace(interaction=f"assistant:{principal.key}:{minute:.0f}")
    notice = make_message_notice(answer, surface, principal, services.ids)
    asked = "\n".join(kit.iterate_lines(answer.blocks))
    notice = replace(notice, occasion=hashlib.sha256(asked.encode()).hexdigest()[:16])
    try:
        is_asked = await services.store.write(notices.ask_once, notice)
    except StoreError as error:
        # Nothing has been done yet, even if the question is sent after all.
        cause = "busy" if isinstance(error, StoreUnsure) else error
        return drawn.format_result(says=problems.explain_cause(cause))
    if not is_asked:
        again_at = drawn.format_time((minute + 1) * 60)
        return drawn.format_result(says=words.ASKED_ANOTHER, again_at=again_at)
    return drawn.format_result(**about)


def _write_argument(field: str, value: str) -> str:
    """Write an argument as a user would type it. Names are quoted so that they can't be misread."""
    if field == "name":
        return join_words([Quoted(escape(value.translate(STRAIGHT)))])
    lead, _, rest = value.partition(" ")
    if field == "at" and fold_word(lead) in {"until", "till"}:
        return f"at {rest}"  # As a command, *stop NAME until 18:00* would mean a new start at 18:00.
    if field != "until" or fold_word(lead) in {"for", "until", "till"}:
        return value
    return f"for {value}" if time_parsing.time_kind(value) == "length" else f"until {value}"


@dataclass
class _Call:
    """Runs a call as if the person had typed it, provided that it is allowed and unambiguous.

    A call that contains flags isn't run, because a flag could give consent.
    """

    tool: Tool
    given: Mapping[str, str]
    #: Whether the command was run. ``facts`` describes its outcome, and ``remarks`` contains anything else
    #: that the assistant should know.
    is_run: bool = False
    facts: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    #: The names that people or programs have given to the user's workspaces, runs and courses.
    names: list[str] = field(default_factory=list)
    #: Workspaces with an operation in progress, by id. The value is True if the operation shuts the workspace
    #: down.
    under_way: dict[str, bool] = field(default_factory=dict)
    has_acted: bool = False
    #: Whether the answer only shows something else that has the name in the call, such as a run if the tool
    #: is for workspaces.
    shows_other: bool = False
    has_accounts: bool = False
    #: Connections that refuse the user's sign-in, except those in ``resting``.
    refusing: frozenset[str] = frozenset()
    #: Connections whose link is suspended because its username now belongs to another account. Usher doesn't
    #: use a suspended link, so the assistant sees nothing on these connections.
    resting: tuple[str, ...] = ()

    def asks(self, offered: AbstractSet[str]) -> bool:
        """Return whether an answer with these buttons asks the person something.

        A button that links an account always counts as a question, because only the person can use it. Apart
        from that, an answer isn't a question if the command has done something, if it only shows something
        else of that name, or if its buttons only cancel a planned stop or show the list.
        """
        is_none = self.has_acted or self.shows_other or offered <= {"keep_running", "list"}
        return bool(offered & LINKING) or not is_none

    async def read(self, request: Request) -> Answer:
        services, tool, given = request.services, self.tool, self.given
        wanted = await services.store.read(preferences_store.preferences, request.principal)
        not_a_name = words.NOT_A_NAME.format(what="run" if tool.folder == "job" else "workspace")
        verb, *times = request.arguments
        name = times.pop(0) if "name" in given and times else ""
        at = next((at for at in tool.takes[1:] if at in given), "")
        time = await read_typed_time(services, request.principal, given[at]) if at else None
        if not wanted.allows_assistant(tool.level):
            self.facts["says"] = words.NOT_LET.format(command=request.prefixes.workspace)
        elif isinstance(time, Unread) or (at and request.flags):
            why = time if isinstance(time, Unread) else Unread("unreadable")
            (said,) = drawn.write_lines(
                [kit.section(explain_unread_time(why, given[at], SOONEST_SECONDS))], []
            )
            self.facts["says"] = words.NOT_A_TIME.format(field=at, why=said, about=words.FIELDS[at])
        elif request.flags and "when" in given:
            unread = explain_window("unreadable", given["when"], request.command)
            (said,) = drawn.write_lines([kit.section(unread)], [])
            self.facts = {"says": said, "usage": None}
        elif request.flags or verb != tool.verb or fold(name) != fold(given.get("name", "")):
            self.facts["says"] = not_a_name
        elif tool.verb == "help":
            can = [one for one, other in TOOLS.items() if wanted.allows_assistant(other.level)]
            self.facts["can"] = [words.TITLES[one] for one in can]
        else:
            self.is_run = True
            await self._prepare(request)
            answer = await commands.run_words(request)
            self.has_acted = bool(request.notes.accepted)
            await self._collect_results(request)
            self._add_refused(services.title)
            if name and not any(self.facts.values()):
                self.shows_other = bool(request.notes.shown)
                self.facts["says"] = "\n".join([not_a_name, *self.remarks])
            if isinstance(time, Moment) and time.at < self._find_stop() - 1:
                self.remarks.append(words.WARNED_FIRST.format(at=drawn.format_time(self._find_stop())))
            return answer
        return SILENT

    def _add_refused(self, title: Callable[[str], str]) -> None:
        is_all = self.tool.verb == "list" and self.tool.folder == "workspace"
        shown = [one for key in ("workspaces", "runs", "hours") for one in self.facts.get(key, ())]
        if not is_all and not (shown and self.tool.takes):
            self.remarks += [words.LINK_RESTS.format(title=title(one)) for one in self.resting]
        titles = [title(one) for one in sorted(self.refusing)]
        on = titles if is_all else {one["on"] for one in shown}
        self.remarks += [words.SIGN_IN_REFUSED.format(title=one) for one in titles if one in on]

    def _find_stop(self) -> float:
        (until,) = [one["until"] for one in self.facts.get("done", ()) if one.get("until")] or [""]
        return datetime.fromisoformat(until).timestamp() if until else 0.0

    def _changes(self, key: str, facts: WorkspaceFacts) -> bool:
        """Return whether there was anything to do: the state differed, or the opposite was in progress."""
        former, operation = self.under_way.get(key), facts.operation
        is_opposite = former is not None and operation is not None and operation.verb.brings_down != former
        return is_opposite or not drawn.is_so_already(facts)

    async def _prepare(self, request: Request) -> None:
        store, principal = request.services.store, request.principal
        linked = await store.read(accounts.list_accounts, principal)
        self.has_accounts = bool(linked)
        self.resting = tuple(sorted(one.connection for one in linked if one.is_resting))
        refusing = (one.connection for one in linked if one.state == "refused")
        self.refusing = frozenset(refusing).difference(self.resting)
        going = await store.read(operations.open_operations, principal)
        self.under_way = {one.workspace_id: one.verb.brings_down for one in going}
        own = await store.perform(workspaces.read_workspaces, principal)
        runs = await store.read(run_rows.list_runs, principal)
        own_courses = await request.caller.read(course_changes.list_own_courses)
        self.names = [name for one in own for name in (one.title, one.name)]
        self.names += [*(one.name for one in runs), *(one.title for one, _ in own_courses)]

    async def _collect_results(self, request: Request) -> None:
        store, principal, tool = request.services.store, request.principal, self.tool
        fact, at = partial(drawn.describe, request.services.title), drawn.format_time
        if request.notes.facts is not None:
            self.facts, self.names = request.notes.facts, [*self.names, *request.notes.names]
            return
        own = await store.perform(workspaces.read_workspaces, principal)
        going = {one.workspace_id: one for one in await store.read(operations.open_operations, principal)}
        rows = await request.services.gatherer.describe_workspaces(principal, own, going)
        known = {one.workspace.id: (one.workspace, one) for one in rows if one.workspace is not None}
        if tool.verb == "hours":
            now, rules = await store.now(), await store.read(hours_store.list_rules_of_person, principal)
            kept = [one for one in rules if one.workspace_id in known and one.after(now) is not None]
            self.facts["hours"] = [
                fact(
                    known[one.workspace_id][0],
                    **drawn.describe_hours(
                        one, [rule for rule in kept if rule.workspace_id == one.workspace_id], now
                    ),
                )
                for one in kept
            ]
            return
        accepted = request.notes.accepted.values()
        if not tool.only_shows:
            self.facts["done"] = [
                fact(
                    one,
                    did=one.kind.rpartition(".")[2],
                    until=at(known[one.subject][0].stop_at) if one.subject in known else None,
                )
                for one in accepted
                if one.subject not in known or self._changes(one.subject, known[one.subject][1])
            ]
        if tool.folder == "job":
            runs = await store.read(run_rows.list_runs, principal)
            concerned = (one for one in runs if one.id in request.notes.shown or not tool.takes)
            self.facts["runs"] = [fact(one, **drawn.describe_run(one)) for one in concerned]
            return
        reached = await store.read(outages.list_reached)
        keys = {*request.notes.shown, *(one.subject for one in accepted)}
        self.facts["workspaces"] = [
            fact(workspace, **drawn.describe_state(one, _find_silence(reached, workspace.connection)))
            for key, (workspace, one) in known.items()
            if key in keys
        ]
        if tool.verb == "list" and (left_out := len(known) - len(self.facts["workspaces"])) > 0:
            self.facts["left_out"] = left_out


def _find_silence(reached: Mapping[str, Reached], connection: str) -> float | None:
    return reached[connection].silent_since if connection in reached else None
