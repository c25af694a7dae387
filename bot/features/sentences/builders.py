"""Builders of the ranker's labels: commands, buttons and forms, each tried here and now, in reads only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bot.domain import time_parsing
from bot.domain.notices import Answer
from bot.domain.time_parsing import Moment
from bot.domain.workspaces import State, Workspace
from bot.features.hours.orders import find_days, is_order
from bot.features.hours.verbs import apply_order, list_with_hours
from bot.features.sentences import questions, timing
from bot.features.sentences.objections import UNTIL_LEADS
from bot.features.sentences.utterance import Consequence, Label, Proposal, Utterance, offer_button
from bot.messages.blocks import buttons, kit, limits, lists, replies
from bot.messages.blocks.kit import fill, line
from bot.messages.texts import cards, talk, times
from bot.messages.verb import Effect, find_verb
from bot.providers.facets import Schedules
from bot.services import naming
from bot.services.feasibility import get_stop_effects
from bot.store import operations
from bot.store import runs as run_rows
from handlers import intents, suggestions, vocabulary
from handlers.command_line import join_words
from handlers.connections import list_making_connections
from handlers.forms import find_offering
from handlers.job import has_named_jobs
from handlers.request import Answered, Request
from handlers.synonyms import split_words
from handlers.workspace import confirmations

#: The most buttons.
MAX_PROPOSALS: Final = 3
#: The most commands of a label: so many buttons, and as many that others say already.
_MAX_COMMANDS: Final = 2 * MAX_PROPOSALS
#: Choose what is sent about a workspace.
_SILENCING: Final = split_words("mute off quiet quieter silent silence stop disable less fewer")
_TELLING: Final = split_words("on unmute tell notify ping message inform me again enable want know")
_LINK_WORDS: Final = split_words("link url address")
#: Between the words of a run's name; so many first letters are enough where nothing is called so itself.
_SIGNS: Final = re.compile(r"[\W_]+")
_LEAST_ALIKE: Final = 4


def _is_start(verb: str) -> bool:
    return verb != "keep" and find_verb("workspace", verb).effect is Effect.STARTS


def _is_planned_start(text: Utterance, verb: str) -> bool:
    """Return whether a verb of a text is a start at a time, and no run until then."""
    when = text.reading.when
    return _is_start(verb) and when is not None and when.lead not in {"", *UNTIL_LEADS}


# -- what only shows or answers ------------------------------------------------------------------------------


async def show_talk(text: Utterance, label: Label) -> Answer | None:
    """Answer small talk, which names nothing."""
    if label.name == "hello" and text.reading.is_question and (text.recent.runs or text.recent.workspaces):
        # `how's it going` is about what was spoken of.
        text = replace(text, which=replace(text.which, points="it"))
        return await answer_question(text, replace(label, name="status", of_run="status"))
    # Nobody only talks in whose words is an address.
    is_about_any = text.which.is_named or any(map(naming.to_link, text.request.arguments))
    return None if is_about_any else suggestions.answer_chat(text.request, label.name)


async def show_of_feature(text: Utterance, label: Label) -> Answer | None:
    """Answer a label as its feature does."""
    show = intents.shows.get(label.name)
    return None if show is None else await show(text.request, label.name, text.words)


async def build_of_feature(text: Utterance, label: Label) -> list[Proposal]:
    """Build the buttons of the commands that a feature offers for a label."""
    offer = intents.commands.get(label.name)
    return [] if offer is None else [text.offer_command(one) for one in await offer(text, label.name)]


async def ask_of_feature(text: Utterance, label: Label) -> list[Proposal]:
    """Build the buttons of a feature's commands that ask for a missing slot."""
    offer = intents.forms.get(label.name)
    found = [] if offer is None else await offer(text, label.name)
    return [text.offer_command(one)._replace(is_form=True) for one in found]


async def show_command(text: Utterance, label: Label) -> Answer | None:
    """Run the first command of a label."""
    commands = list_commands(text, label)
    return await text.run(commands[0]) if commands else None


async def show_eta(text: Utterance, label: Label) -> Answer | None:
    """Answer when something is done; None where nothing is under way."""
    store, who = text.request.services.store, text.request.principal
    is_any = text.which.is_named or bool(
        text.recent.runs or await store.read(operations.open_operations, who)
    )
    is_any = is_any or any(run.is_going for run in await store.read(run_rows.list_runs, who))
    return _show_never_run(text) or (await show_command(text, label) if is_any else None)


def _show_never_run(text: Utterance) -> Answer | None:
    """Say that a job that is named has no run."""
    which = text.which
    is_unrun = which.jobs and not (which.named or which.runs)
    return replies.hint(fill(talk.NEVER_RUN, name=which.jobs[0].name)) if is_unrun else None


async def show_open(text: Utterance, _: Label) -> Answer | None:
    """Open the one workspace that is meant, or the only one that runs."""
    chosen, _is_all = text.find_objects()
    running = [workspace for workspace in chosen if workspace.state is State.RUNNING]
    chosen = chosen if text.which.named or len(running) != 1 else running
    return await text.run("open", chosen[0].id) if len(chosen) == 1 else None


async def answer_question(text: Utterance, label: Label) -> Answer | None:
    """Answer a question about workspaces, runs, courses and connections."""
    request, which = text.request, text.which
    if label.of_run and (said := _show_never_run(text)) is not None:
        return said
    if label.of_run and which.runs and not which.named:
        return await show_command(text, label)
    if which.courses and not which.named:
        return await text.run("courses")
    about = replace(which, unknown=(), left_out=(), state=which.state or text.reading.which.state)
    is_of_jobs = not about.named and text.is_of_jobs
    what = "result" if is_of_jobs and label.name in {"why", "status"} else label.name
    what = {"job-status": "result", "job-logs": "output"}.get(what, what)
    reading = replace(text.reading, kind="question", what=what, which=about, how="")
    await request.caller.authorise("status")
    return await questions.answer_question(replace(request, verb="status"), reading, text.rows)


def list_commands(text: Utterance, label: Label) -> list[str]:
    """Return the commands of a label that shows something or asks by itself; of many things, of the first."""
    which = text.which
    names = [join_words((workspace.title,)) for workspace in which.named[:_MAX_COMMANDS]]
    if label.of_run and which.runs and not names:
        return [f"job {label.of_run} {join_words((run.name,))}" for run in which.runs[:_MAX_COMMANDS]]
    if names and "workspace" in label.slots and label.only_shows:
        return [f"{label.name if label.name in {'open', 'eta'} else 'status'} {name}" for name in names]
    if label.name.startswith("fact-"):
        return [f"help {label.name}"]
    if label.name == "help":
        return [" ".join(["help", *(() if text.is_of_jobs else text.verbs)])]
    if "template" in label.slots and which.templates:
        templates = which.templates[:_MAX_COMMANDS]
        return [f"{label.command} {join_words((one.connection, one.name))}" for one in templates]
    if (
        "connection" in label.slots
        and which.connections
        and label.command in {"link", "unlink", "new", "list"}
    ):
        return [f"{label.command} {join_words((text.request.services.title(which.connections[0]),))}"]
    return [label.command] if label.command else []


async def build_commands(text: Utterance, label: Label) -> list[Proposal]:
    """Build the buttons of a label's commands."""
    return [text.offer_command(one) for one in list_commands(text, label) if one != "eta"]


async def build_new(text: Utterance, label: Label) -> list[Proposal]:
    """Build the form of something new, filled in with a choice that is named."""
    said = dict.fromkeys((*text.reading.left, *text.which.unknown))
    found = [
        (one, phrase) for phrase in said for one in await find_offering(text.request, "workspace", phrase)
    ]
    named = [text.offer_command(f"new {join_words(one)}") for one in found]
    return named or await build_commands(text, label)


async def build_nothing(_: Utterance, __: Label) -> list[Proposal]:
    """Build no button, for a label that is only talk."""
    return []


# -- workspaces ----------------------------------------------------------------------------------------------


async def build_operations(text: Utterance, label: Label) -> list[Proposal]:
    """Build operations on workspaces: now, until a time or once at a time."""
    chosen, is_all = text.find_objects(label)
    spoken = (
        set() if text.which.is_named or is_all else {workspace.id for workspace in text.recent.workspaces}
    )
    is_later = _is_planned_start(text, label.name)
    found: list[Proposal] = []
    for at in text.at if "time" in label.slots else (None,):
        groups: dict[tuple[str, float | None], list[Workspace]] = {}
        for one in chosen:
            if one.connection in text.linked:
                groups.setdefault(_fit_verb(text, label.name, at, one, is_all=is_all), []).append(one)
        for (verb, then), group in groups.items():
            about = text.request.redirect("workspace", verb, ())
            about = replace(about, flags=frozenset(), at=then, moment=Moment(then) if then else None)
            # What runs now may be down when a planned start comes.
            needed = group if is_later and then else await confirmations.filter_needed(about, group)
            able = [workspace for workspace in needed if confirmations.is_possible(about, workspace)]
            able = [workspace for workspace in able if workspace.id in spoken] or able
            if is_all and len(able) > 1 and confirmations.can_do_several(about) and not is_later:
                found.append(await _build_several(text, about, able))
            else:
                found += [await _build_one(text, about, workspace) for workspace in able[:MAX_PROPOSALS]]
    return found


def _fit_verb(
    text: Utterance, verb: str, at: float | None, one: Workspace, *, is_all: bool
) -> tuple[str, float | None]:
    """Return the verb that fits the state of a workspace, with its time."""
    reading, is_up = text.reading, one.state in {State.RUNNING, State.STARTING}
    now = text.request.services.clock.now()
    if text.bars.is_time_excluded(verb):
        return verb, None
    if reading.more and is_up and verb in {"keep", "start", "stop"}:
        at, verb = (one.stop_at or now) + reading.more, "keep"
    # Of several that are kept, those that are down aren't meant.
    is_until = verb == "keep" and (is_up or not is_all)
    # What alone is named, is to be stopped then and is down is started until then.
    is_until = is_until or (verb == "stop" and one.is_down and not is_all and bool(text.which.named))
    if at is not None and (_is_start(verb) or is_until) and not _is_planned_start(text, verb):
        verb = ("keep" if one.stop_at else "stop") if is_up else "start"
    return "resume" if verb == "start" and one.state is State.SUSPENDED else verb, at


async def _build_one(text: Utterance, about: Request, one: Workspace) -> Proposal:
    preposition = text.reading.when.lead if text.reading.when else ""
    until = {preposition} if text.reading.verb == "stop" else {"", *UNTIL_LEADS}
    if (
        about.at is not None
        and preposition not in until
        and (_is_start(about.verb) or about.verb == "restart")
    ):
        return text.offer_command(f"hours {join_words((one.title,))} {await timing.write_once(about)}")
    label = await confirmations.format_label(about, about.verb, line(one.title))
    button = kit.button(
        line(label, limits.MAX_BUTTON_LENGTH), buttons.make_change(about.verb, one, at=about.at)
    )
    if about.at is None and about.verb not in {"keep", "cancel"}:
        effects = get_stop_effects(about.services.context, one)
        button = kit.without_colour(replies.verb_button(about.verb, one, 0, effects, label))
    if about.verb in {"cancel", "remove"}:
        return offer_button(button)
    return Proposal(await confirmations.offer_for_one(about, one), button)


async def _build_several(text: Utterance, about: Request, able: Sequence[Workspace]) -> Proposal:
    alone = await confirmations.offer_for_several(
        about, able, is_named=bool(text.which.workspaces), besides=text.which.besides
    )
    label = await confirmations.format_label(
        about, about.verb, times.join_names(line(workspace.title) for workspace in able)
    )
    return Proposal(
        alone,
        kit.add_number(next(kit.iterate_buttons(alone.blocks)), 0, line(label, limits.MAX_BUTTON_LENGTH)),
    )


async def ask_for_time(text: Utterance, label: Label) -> list[Proposal]:
    """Build the form that asks when to stop something, or when to start it."""
    chosen = [workspace for workspace in text.which.named if workspace.connection in text.linked]
    if label.consequence is Consequence.STARTS or label.name == "restart":
        return _build_hours_form(chosen)
    return [
        _build_form(kit.button(cards.LATER, "stop_later", workspace.id), talk.WHEN)
        for workspace in chosen
        if workspace.state in {State.RUNNING, State.STARTING}
    ][:1]


async def build_hours(text: Utterance, label: Label) -> list[Proposal]:
    """Build a change of hours: days and times, a day that is left out, or their end."""
    said = text.reading.hours or (" ".join(text.words) if text.unread_reason else "")
    said = "off" if label.name == "hours-off" else said
    # What only leaves hours out or ends them is about those that there are.
    is_less = said == "off" or said.startswith(("skip", "pause"))
    chosen = text.find_objects()[0] if said and (text.which.named or is_less) else []
    chosen = await list_with_hours(text.request, chosen) if is_less else chosen
    if chosen and not is_order(said):
        raise Answered(await apply_order(text.request, chosen[0], said))
    return [text.offer_command(f"hours {join_words((one.title,))} {said}") for one in chosen[:MAX_PROPOSALS]]


async def ask_for_hours(text: Utterance, _: Label) -> list[Proposal]:
    """Build the form of a workspace's hours, for days and times that are missing."""
    return _build_hours_form(text.which.named)


def _build_hours_form(chosen: Sequence[Workspace]) -> list[Proposal]:
    return [
        _build_form(
            kit.button(cards.HOURS, "hours_form", workspace.id), fill(talk.WHICH_HOURS, name=workspace.title)
        )
        for workspace in chosen[:1]
    ]


async def build_skip(text: Utterance, label: Label) -> list[Proposal]:
    """Build the exception of a lesson, or of a day of a workspace's hours."""
    if text.which.named and not text.courses:
        return await _skip_hours(text)
    return await build_of_feature(text, label)


async def _skip_hours(text: Utterance) -> list[Proposal]:
    """Build the exception of a day from the hours of the named workspaces."""
    days = find_days(text.words, await text.request.find_today())
    kept = await list_with_hours(text.request, text.which.named) if days else []
    return [
        text.offer_command(f"hours {join_words((one.title,))} skip {days[0][2]}")
        for one in kept[:MAX_PROPOSALS]
    ]


async def build_hold(text: Utterance, label: Label) -> list[Proposal]:
    """Build a hold on something planned: a day without hours, or an end of its planned stop."""
    kept = replace(label, name="keep", slots=label.slots | {"time"})
    return await _skip_hours(text) or ([] if text.bars.find("keep") else await build_operations(text, kept))


async def build_again(text: Utterance, label: Label) -> list[Proposal]:
    """Build a new start of the named workspaces, or a new run."""
    verb, build = ("start", build_operations) if text.which.named else ("job-run", build_runs)
    is_allowed = (await text.request.caller.decide(verb.removeprefix("job-"))).allowed
    return await build(text, replace(label, name=verb)) if is_allowed else []


async def build_name(text: Utterance, _: Label) -> list[Proposal]:
    """Build a new name of a workspace."""
    names = [join_words((workspace.title,)) for workspace in text.which.named]
    news = text.reading.left or text.which.unknown
    is_word = len(names) == len(news) == 1 and " " not in news[0]
    return [text.offer_command(f"alias {names[0]} {join_words(news)}")] if is_word else []


async def ask_for_name(text: Utterance, _: Label) -> list[Proposal]:
    """Build the command of a new name without the name, whose answer explains the syntax."""
    return [
        text.offer_command(f"alias {join_words((one.title,))}")._replace(is_form=True)
        for one in text.which.named
    ]


async def ask_for_link(text: Utterance, _: Label) -> list[Proposal]:
    """Build the command that explains the adding of a workspace."""
    return [text.offer_command("add")._replace(is_form=True)]


async def build_opening(text: Utterance, _: Label) -> list[Proposal]:
    """Build links to the workspaces that are named, or those that run."""
    is_said = "open" in text.verbs or not _LINK_WORDS.isdisjoint(text.words)
    said = text.find_objects()[0] if is_said else []
    chosen = text.which.named or [one for one in said if one.state is State.RUNNING]
    return [text.offer_command(f"open {join_words((one.title,))}") for one in chosen[:MAX_PROPOSALS]]


async def build_messages(text: Utterance, _: Label) -> list[Proposal]:
    """Build fewer or more messages about a workspace: both, where it isn't clear which."""
    if "never" in text.words:
        return []  # ``never mind``
    is_off, is_on = (not said.isdisjoint(text.words) for said in (_SILENCING, _TELLING))
    if is_not := text.bars.is_negated:
        # ``no messages`` are fewer, but ``don't mute it`` leaves them as they are.
        is_off, is_on = not is_off, False
    wanted = ["off"] if is_off else ["on"] if is_on else [] if is_not else ["off", "on"]
    names = [join_words((workspace.title,)) for workspace in text.which.named]
    return [text.offer_command(f"notify {name} {one}") for name in names for one in wanted][:MAX_PROPOSALS]


async def ask_for_settings(text: Utterance, _: Label) -> list[Proposal]:
    """Build the form of all messages."""
    return [text.offer_command("settings")._replace(is_form=True)]


def _build_form(button: kit.Element, sentence: str) -> Proposal:
    return offer_button(button, sentence)._replace(is_form=True)


# -- runs ----------------------------------------------------------------------------------------------------


async def build_runs(text: Utterance, label: Label) -> list[Proposal]:
    """Build a stop of runs, or another run."""
    which, services = text.which, text.request.services
    is_stop = label.name == "job-stop"
    if which.workspaces and not (which.runs or text.speaks_of_run):
        return []
    every = await services.store.read(run_rows.list_runs, text.request.principal)
    states = [vocabulary.RUN_STATES[word] for word in text.words if word in vocabulary.RUN_STATES]
    said = [run for run in every if states and run.state == states[0]][:1]
    # ``the training run`` is no workspace, whatever else is called so.
    alike = [run for run in every if any(_is_alike(run.name, workspace.title) for workspace in which.named)]
    runs = which.runs or alike or (() if which.is_named and not which.named else said or text.recent.runs)
    if is_stop:
        runs = runs or (() if which.jobs else every)
        fitting = [run for run in runs if run.is_going and not run.requested_stop]
        offers = [lists.stop_run(run, services.title(run.connection), force=False) for run in fitting]
    else:
        fitting = [run for run in runs if run.spec is not None]
        offers = [lists.run_again(run, services.title(run.connection)) for run in fitting]
    found = [
        Proposal(alone, next(kit.iterate_buttons(alone.blocks)))
        for run, alone in zip(fitting, offers, strict=True)
        if run.connection in text.linked
    ]
    if is_stop or found:
        return found[:MAX_PROPOSALS]
    return [text.offer_command(f"job run {job}") for job in _list_jobs(text)]


def _is_alike(name: str, said: str) -> bool:
    """Return whether a word of a run's name and a text begin with the same letters."""
    parts = (part for part in _SIGNS.split(name.casefold()) if len(part) >= _LEAST_ALIKE)
    return any(part[:_LEAST_ALIKE] == said.casefold()[:_LEAST_ALIKE] for part in parts)


def _list_jobs(text: Utterance) -> list[str]:
    """Return the jobs that are named and can be run, as they are typed."""
    services = text.request.services
    able = [one for one in list_making_connections(services, "job") if has_named_jobs(text.request, one)]
    return [join_words((one.connection, one.name)) for one in text.which.jobs if one.connection in able]


async def ask_for_schedule(text: Utterance, _: Label) -> list[Proposal]:
    """Build the schedule of a job, as it is asked for if it comes again, or its form."""
    if text.bars.every or text.bars.some:
        return []
    cron, connections = time_parsing.to_cron(text.reading.time.wanted), text.request.services.connections
    named = {job.name: job.connection for job in text.which.jobs}
    named |= {run.name: run.connection for run in text.which.runs}
    able = [join_words((name,)) for name, place in named.items() if isinstance(connections[place], Schedules)]
    if cron:
        return [text.offer_command(f'job schedule {one} "{cron}"') for one in able[:1]]
    forms = [name for name in able if any(name == join_words((job.name,)) for job in text.which.jobs)]
    return [text.offer_command(f"job schedule {one}")._replace(is_form=True) for one in forms[:1]]


async def ask_for_job(text: Utterance, label: Label) -> list[Proposal]:
    """Build the schedule of the job that is named, or the form of a new run."""
    form = text.offer_command("job run")._replace(is_form=True)
    return await ask_for_schedule(text, label) or ([] if text.which.is_named else [form])


async def build_schedule(text: Utterance, label: Label) -> list[Proposal]:
    """Build the schedule of the jobs that are named, or all schedules."""
    return await ask_for_schedule(text, label) or await build_commands(text, label)
