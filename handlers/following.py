"""What is said right after a question or an act and means that: *rstudio*, *make that 6*, *not the hub one*.

It becomes the words of a request of its own, after what was done was taken back where that has to go first.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bot.domain import hours as rules
from bot.domain.acts import Act, Undone
from bot.domain.notices import Answer, Spoken
from bot.domain.workspaces import Workspace
from bot.messages.blocks import kit, replies
from bot.messages.blocks.runs import again_button
from bot.messages.texts import acts as words
from bot.providers import base
from bot.services import acts as use_cases
from bot.services import naming, runs
from bot.support.cleaning import fold
from handlers import acts, routes
from handlers.command_line import plain
from handlers.connections import makers
from handlers.job import run_again
from handlers.language import vocabulary
from handlers.language.reading import Reading
from handlers.language.words import without
from handlers.preferences import templates
from handlers.request import Request
from handlers.workspace.targets import labels_of

#: Questions whose choices are no workspaces.
_OPEN: Final = frozenset({"new", "link", "unlink"})
#: Begin what can only be about something said or done before.
_OPENINGS: Final = frozenset({"make", "except", "with", "without", "not", "no", "and", "but"})
_MADE: Final = frozenset({("make", "it"), ("make", "that")})
#: Longer texts are requests of their own.
_MOST_WORDS: Final = 6
_VARIABLE: Final = re.compile(r"[A-Za-z_]\w*=[\w.,:/+-]*")
_UNTIL: Final = frozenset({"", "for", "until", "till", "til"})


async def followed(
    request: Request, reading: Reading, rows: Sequence[Workspace]
) -> Answer | tuple[str, ...] | None:
    """Return the words that are meant, or the answer; None for what stands on its own."""
    given = request.given
    if not 0 < len(given) <= _MOST_WORDS or request.surface.channel_id is None:
        return None
    first, is_now = plain(given[0]), plain(request.arguments[-1]) == "now" and reading.kind == "talk"
    is_begun = reading.how == "not" or first in _OPENINGS or is_now
    if not is_begun and reading.kind not in {"nothing", "question"}:
        return None
    about = await request.heard()
    if about.ask == "which" and about.what in _OPEN:
        return await _chosen(request, reading, about)
    if reading.how == "not" and about.ask and reading.which.named:
        left = set(about.workspaces) - {one.id for one in reading.which.named}
        rest = [one for one in rows if one.id in left]
        return (about.what, *labels_of(request, rest, rows)) if rest else replies.hint(words.LEFT)
    place = (request.surface.channel_id, request.surface.thread_ts or "")
    act = next(iter(await request.services.store.recent_acts(request.principal, *place)), None)
    if act is None or not act.can_be_undone:
        return None
    workspace = next((one for one in rows if one.id == act.subject), None)
    if workspace is not None:
        found = await _of_act(request, reading, act, workspace, rows)
    else:
        found = await _varied(request, act) if act.action == "job.run" else None
    is_about_it = (_is_made(request) and reading.when is None) or first in {"except", "with", "without"}
    if found is None and is_about_it:
        name = act.name if workspace is None else workspace.title
        return replies.hint(request.filled(words.NOT_TAKEN, None, name=name))
    return found


def _is_made(request: Request) -> bool:
    return tuple(map(plain, request.given[:2])) in _MADE


async def _chosen(request: Request, reading: Reading, about: Spoken) -> tuple[str, ...] | None:
    """Return the request with what was chosen: a connection, or a template of the only one that has it."""
    services = request.services
    given = tuple(word for word in request.given if plain(word) not in vocabulary.BEFORE_A_NAME)
    if naming.leading_connection(given, services.connections)[0] is not None:
        return (about.what, *given)
    if about.what != "new" or reading.kind != "nothing" or reading.which.named:
        return None
    wanted = fold(" ".join(given))
    found = [
        (about.what, place, one.value)
        for place in makers(services, "workspace")
        for one in await templates(services, request.principal, place)
        if wanted in {fold(one.label), fold(one.value)}
    ]
    return found[0] if len(found) == 1 else None


async def _varied(request: Request, act: Act) -> Answer | None:
    """Run the last job with the variables that are said: in its place until it was sent, or with a press."""
    said = [word.rstrip(",") for word in request.given if plain(word) not in _OPENINGS]
    run = await request.asked.see(runs.owned, "run", act.errand)
    takes = request.services.context.need(run.connection).need(base.Runs).variables_key
    if not takes or not said or run.spec is None or not all(map(_VARIABLE.fullmatch, said)):
        return None
    found = await _instead(request, act, tuple(said))
    if isinstance(found, Answer):
        return replies.with_button(found, again_button(run, said))
    return await run_again(replace(request, target=" ".join([run.id, *said])))


async def _of_act(
    request: Request, reading: Reading, act: Act, workspace: Workspace, rows: Sequence[Workspace]
) -> Answer | tuple[str, ...] | None:
    verb, name = act.action.rpartition(".")[2], labels_of(request, [workspace], rows)[0]
    which = reading.which
    first, is_made = plain(request.given[0]), _is_made(request)
    said = without(request.given, vocabulary.FILLERS)
    mine = await request.services.store.rules(request.principal)
    made = [one.wanted for one in mine if f"rules {one.id}" in act.became]
    if len(made) == 1 and said and (order := _hours(made[0], said)) is not None:
        return await _instead(request, act, ("hours", name, *rules.written(order).split()))
    when, is_errand = reading.when, bool(act.errand)
    if act.until is not None and len(said) == 1 and plain(said[0]).isdecimal():
        return ("stop", name, *_like(act, plain(said[0])))
    if act.until is not None and reading.kind == "talk" and plain(request.arguments[-1]) == "now":
        return await _instead(request, act, ("stop", name))
    also = vocabulary.ALSO & {*map(plain, request.arguments)}
    if also and reading.kind == "nothing" and which.named and act.errand and not (act.until or which.unknown):
        # "and report?" asks about it, "the same for report" is offered.
        others = labels_of(request, which.named, rows)
        is_asked = request.arguments[-1].endswith("?")
        return None if is_asked else (verb, *others, *(("?",) if "same" in also else ()))
    if when is not None and is_errand and reading.kind == "nothing" and not which.named:
        is_later = verb in {"stop", "suspend"} or (verb in {"start", "restart"} and when.lead not in _UNTIL)
        lead = () if when.text.startswith(when.lead) else (when.lead,)
        return await _instead(request, act, (verb, name, *lead, *when.text.split())) if is_later else None
    if is_made and act.action == "workspace.alias" and said:
        return ("alias", name, " ".join(said))
    is_no, is_there = reading.how == "not" or first in {"no", "but"}, workspace.connection
    other = _other(reading, workspace, rows) if is_no and is_errand else None
    if other is not None:
        then = await _instead(request, act, (verb, *labels_of(request, [other], rows)))
        if not isinstance(then, Answer):
            return then
        # It is done all the same.
        await request.asked.authorise(verb)
        done = await routes.run(request.about("workspace", verb, (), other.id))
        return kit.answer([*then.blocks, *done.blocks], about=done.about)
    # Without a verb, something has to say what it is about.
    wanted = {verb, "status"} if which.named or which.points else {verb}
    is_it = reading.how == "not" and reading.what in wanted and workspace in (which.named or (workspace,))
    if is_it and which.connections not in {(), (is_there,)}:
        title = request.services.title(is_there)
        return replies.hint(request.filled(words.NOT_ELSEWHERE, workspace, title=title))
    return acts.taken_back(request, await request.asked.to(use_cases.undo, act.id)) if is_it else None


async def _instead(request: Request, act: Act, then: tuple[str, ...]) -> Answer | tuple[str, ...]:
    """Take an act back before what is wanted in its place; say why where that can't be done."""
    interaction = request.asked.interaction
    first = replace(request.asked, interaction=interaction and f"{interaction}/instead")
    found = await first.to(use_cases.undo, act.id)
    return then if found.inverse.undone is Undone.BACK else acts.taken_back(request, found)


def _like(act: Act, number: str) -> tuple[str, ...]:
    """Return a bare number as a time of the kind that an act was for: an hour of the day, or a length."""
    # A clock's times are whole minutes; a length rarely ends on one.
    until, length = act.until or 0.0, (act.until or 0.0) - act.done_at
    if until % 60.0 == 0.0 and length % 60.0 >= 1.0:
        return ("at", f"{int(number) % 12 + 12}:00")
    return ("in", number, "h" if round(length / 60.0) >= 60 else "min")


def _hours(wanted: rules.Wanted, said: Sequence[str]) -> rules.Wanted | None:
    """Return hours as they are wanted now; None for anything else."""
    folded = [plain(word) for word in said]
    days = " ".join(sorted(wanted.days))
    if folded[0] in {"except", "without", "not", "but"}:
        left = wanted.days.difference(*map(rules.days_of, folded[1:]))
        return rules.Wanted(left, wanted.starts, wanted.stops) if left and left != wanted.days else None
    lead = next((word for word in ("at", "until", "till") if word in folded), "")
    at = " ".join(folded[folded.index(lead) + 1 :] if lead else folded)
    is_stop = "stop" in folded or lead in {"until", "till"}
    start, stop = rules.clock(wanted.starts), rules.clock(wanted.stops)
    if "-" not in at and "to" not in folded:
        at = f"{start}-{at}" if is_stop or wanted.starts is None else f"{at}-{stop}" if stop else at
    return rules.read(f"{days} {at}")


def _other(reading: Reading, workspace: Workspace, rows: Sequence[Workspace]) -> Workspace | None:
    """Return the workspace that is meant in place of another: of the same name elsewhere, or by its name."""
    which, is_not = reading.which, reading.how == "not"
    if which.connections:
        alike = [one for one in rows if fold(one.title) == fold(workspace.title)]
        fitting = [one for one in alike if is_not is (one.connection not in which.connections)]
        return fitting[0] if len(fitting) == 1 and fitting[0] != workspace else None
    named = [one for one in which.named if one != workspace]
    return named[0] if not is_not and len(named) == 1 else None
