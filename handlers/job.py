"""Runs jobs from a form or a command line, and lets users follow and stop the runs.

The syntax is ``run [CONNECTION] [TEMPLATE] --FLAG VALUE … -- the program's own words``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.domain.accounts import Account
from bot.domain.forms import Form, FormProblems, Spec, Values
from bot.domain.message_context import RunFacts
from bot.domain.notices import Answer, NoticeKind
from bot.domain.operations import OperationVerb
from bot.domain.runs import Run
from bot.domain.surfaces import Where
from bot.domain.tasks import TaskKind
from bot.domain.work_items import DEADLINE_SECONDS, Call
from bot.messages.blocks import forms, kit, lists, replies
from bot.messages.blocks.button_values import AGREED
from bot.messages.blocks.buttons import MAX_CHOICES
from bot.messages.blocks.cards import VERB_FORMS
from bot.messages.blocks.kit import Markup, fill, line, safe
from bot.messages.blocks.runs import again_button, describe_outcome, run_result
from bot.messages.texts import answers, talk, times
from bot.messages.texts import runs as run_words
from bot.messages.verb import Effect, Offer, Verb, declare_verb
from bot.providers import facets
from bot.services import creation, naming, runs, snapshots
from bot.services.creation import FilledForm, Flag, PersonalOffer
from bot.store import accounts as account_rows
from bot.store import runs as run_rows
from bot.support.cleaning import fold
from handlers.connections import (
    choose_making_connection,
    format_titles,
    list_commanding_connections,
    list_making_connections,
    require_connection,
    require_leading_connection,
)
from handlers.forms import FormContext, make, open_form
from handlers.linking import (
    fill_offer,
    offer_link,
    require_account,
    require_links,
    require_no_resting_link,
)
from handlers.requests import list_filters, routes
from handlers.requests.command_line import CommandLine, join_words, parse_command_line
from handlers.requests.request import SILENT, Answered, Request
from handlers.requests.vocabulary import means_everything
from handlers.schedule_words import refuse_schedule
from handlers.snapshots import (
    describe_read_failure,
    filter_by_connection,
    refresh_in_background,
    refresh_lists,
    require_offer,
)

#: Maximum number of flags in a command. For each unknown flag, Usher tries every choice in the form, to find
#: one that makes the flag valid. The limit keeps this fast.
MAX_FLAGS = 50

declare_verb(
    Verb(
        command="job",
        variant="force",
        effect=Effect.ENDS,
        is_red=True,
        offer=Offer(
            text="This will force the run *{name}* on {title} to quit. Anything it hasn't saved is lost.",
            button="Force quit {name}",
        ),
    )
)


@routes.verb(
    Verb(
        command="job",
        usage="run [CONNECTION] [TEMPLATE]",
        summary="run a job with a form, or in one line",
        more=(
            "In one line: `run --cluster Slurm --cpus 2 --name nightly -- Rscript train.R`.",
            "A job that is set up, or that you ran before, runs by its name: `run nightly`.",
            "Flags have the same names as the form's fields; repeat `--env A=B` as needed.",
            "Everything after `--` is the command, exactly as you type it.",
        ),
        order=20,
        flags=None,
        accepts=("run", "job"),
        also="start launch begin execute exec submit new create rerun re-run",
        alone="Run a job",
        offer=Offer(text="This will run *{name}* on {title} again.", button="Run {name} again"),
    )
)
async def run(request: Request) -> Answer:
    """Open the form, or launch a job right away if there are flags, words after ``--`` or a job's name."""
    command = parse_command_line(request.text, request.services.commands)
    if command.flags or command.tail is not None:
        await refuse_schedule(request, command.words)
        return await launch_typed(request, command)
    if (answer := await _run_by_name(request, " ".join(command.words))) is not None:
        return answer
    await refuse_schedule(request, command.words)
    await check_words(request, command)
    connection, rest = require_leading_connection(request, command.words) if command.words else ("", ())
    if rest and has_named_jobs(request, connection):
        return await launch_by_name(request, connection, " ".join(rest))
    return await open_form(request, "job", command.words)


@routes.action("job_again")
async def launch_copy(request: Request) -> Answer:
    """Launch a copy of an earlier run.

    A button from an earlier release may name variables to change. Only the form can do that now.
    """
    key, *variables = (request.target or "").split() or [""]
    run = await request.caller.read(runs.require_run, "run", key)
    if run.spec is None:
        return replies.hint(request.fill(run_words.NO_SPEC, run))
    if variables:
        return replies.hint(request.fill(run_words.NO_VARIABLES, run), [again_button(run)])
    copy = await request.caller.run(runs.launch_run, run.connection, run.spec)
    return report_start(request, copy.name, copy.connection)


async def _run_by_name(request: Request, name: str) -> Answer | None:
    """Run the job with this name. If no provider offers one, rerun the newest run with this name.

    Return None unless exactly one connection has such a job or run. If a run with this name is in progress,
    only offer to launch another.
    """
    connections_here = request.services.connections
    stem, chosen_connection = naming.split_connection(name, connections_here)
    # In `posit nightly`, the first word names a connection, so it is probably not a job's name. Don't wait
    # for other connections' offers.
    waits = naming.split_leading_connection(name.split(), connections_here)[0] is None
    runs = [
        run
        for run in await request.services.store.read(run_rows.list_runs, request.principal)
        if fold(run.name) == fold(stem) and chosen_connection in {None, run.connection}
    ]
    ready = [
        connection
        for connection in await _list_connections_with_job(request, stem, waits=waits and not runs)
        if chosen_connection in {None, connection}
    ]
    connections = dict.fromkeys([*ready, *(run.connection for run in runs if run.spec is not None)])
    remaining = [connection for connection in connections if connection in connections_here]
    if len(remaining or connections) != 1:
        return None
    (connection,) = remaining or connections
    own = (run for run in runs if run.connection == connection and run.spec is not None)
    newest = next(own, None)
    if any(run.is_going for run in runs):
        note = fill(run_words.ONE_IS_GOING, name=runs[0].name)
        if newest is None:
            command = f"job run {join_words((connection, stem))}"
            return replies.hint(note, lists.list_command_buttons([command], request.services.clock.now()))
        offer = lists.offer_run("run", newest, request.services.title(connection))
        return kit.with_blocks(offer, [kit.section(note), *offer.blocks])
    if ready:
        return await launch_by_name(request, connection, stem)
    assert newest is not None
    return await launch_copy(replace(request, target=newest.id))


async def _list_connections_with_job(request: Request, name: str, *, waits: bool) -> list[str]:
    """Return the connections that offer a job with this name, according to the offers last read.

    If an offer has never been read, raise Answered if ``waits`` is true, or else skip the connection.
    """
    services, connections = request.services, list[str]()
    able = [choice for choice in list_making_connections(services, "job") if has_named_jobs(request, choice)]
    for account in await services.store.read(account_rows.list_accounts, request.principal):
        if account.connection not in able:
            continue
        provider = services.connections[account.connection]
        snapshot = await snapshots.load_templates(services.context, account)
        if snapshot is None and waits:
            await _offer(request, account.connection)
        offer = None if snapshot is None else PersonalOffer(provider, snapshot, "job", request.principal)
        field = None if offer is None else offer.form({}).field(creation.TEMPLATE_FIELD)
        labels = {fold(choice.label) for choice in field.choices} if field is not None else set()
        connections += [account.connection] if fold(name) in labels else []
    return connections


async def launch_typed(request: Request, typed: CommandLine) -> Answer:
    """Launch the job that a command line describes.

    If there are errors in it, report all of them, by flag.
    """
    if len(typed.flags) > MAX_FLAGS:
        return replies.hint(fill(run_words.TOO_MANY, limit=MAX_FLAGS))
    typed = await _add_connection(request, typed)
    # A command after `--` is accepted only by connections that can run commands.
    commanding = list_commanding_connections(request.services) if typed.tail else []
    connection = choose_making_connection(
        request,
        "job",
        typed.words or (commanding if len(commanding) == 1 else ()),
        nowhere=run_words.NO_CONNECTIONS,
        which=lambda able: replies.hint(
            request.fill(run_words.WHERE, known=format_titles(request.services, commanding or able))
        ),
        more=request.fill(run_words.TAIL_HINT),
    )
    offer = await _offer(request, connection)
    result = creation.apply_flags(offer.form, _collect_flags(request, typed))
    problems = _describe_problems(request, connection, offer.form, result)
    try:
        spec = offer.spec(result.values)
    except FormProblems as error:
        # Values that Usher has rejected aren't passed to the provider, which then reports them as missing.
        # Usher's own sentence already says what is wrong.
        problems += [
            _format_flag_problem(name, safe(sentence))
            for name, sentence in error.problems.items()
            if name not in result.problems
        ]
        return _refuse_launch(request, result, problems)
    if problems:
        return _refuse_launch(request, result, problems)
    await _make(request, connection, spec, result.form, result.values)
    hint = ""
    if result.left_out:
        ignored = Markup(", ".join(dict.fromkeys(f"`--{line(flag.name, 40)}`" for flag in result.left_out)))
        hint = fill("You can't set limits there, so I left out {left}.", left=ignored)
    return report_start(request, spec.name or "job", connection, hint)


async def _add_connection(request: Request, typed: CommandLine) -> CommandLine:
    """Add the connection to a command line with flags that begins with a job that only one connection offers.

    Raise Answered if there is only an earlier run with this name, because runs are repeated as they were.
    """
    services, name = request.services, " ".join(typed.words)
    is_elsewhere = naming.split_leading_connection(typed.words, services.connections)[0] is None
    if not (name and typed.flags and is_elsewhere):
        return typed
    ready = await _list_connections_with_job(request, name, waits=False)
    if len(ready) == 1:
        return typed._replace(words=(*ready, *typed.words))
    ran = await services.store.read(run_rows.list_runs, request.principal)
    if naming.find(name, ran, services.connections).kind == "whole":
        flags = Markup(", ".join(dict.fromkeys(forms.format_flag(flag.name) for flag in typed.flags)))
        sentence = fill(talk.UNKNOWN_FLAG, verb=Markup(f"{request.command}run {line(name)}"), flags=flags)
        commands = [f"job run {join_words((name,))}"]
        raise Answered(replies.hint(sentence, lists.list_command_buttons(commands, services.clock.now())))
    return typed


def has_named_jobs(request: Request, name: str) -> bool:
    """Return whether a connection's jobs are set up at the provider, so that people can run them by name."""
    return (
        request.services.connections[require_connection(request, name)]
        .require_facet(facets.Runs)
        .runs_named_jobs
    )


async def launch_by_name(request: Request, connection: str, name: str) -> Answer:
    """Launch a job that is set up at its provider. ``name`` is the job's name, id or link."""
    connection = require_connection(request, connection)
    offer = await _offer(request, connection)
    values = {creation.TEMPLATE_FIELD: name}
    try:
        spec = offer.spec(values)
    except FormProblems as error:
        problems = [
            fill(run_words.PROBLEM, flag=Markup("The job"), said=sentence)
            for sentence in error.problems.values()
        ]
        return replies.hint(run_words.NOT_RUN_YET, more="\n".join(problems))
    await _make(request, connection, spec, offer.form(values), values)
    return report_start(request, spec.name, connection)


async def _make(request: Request, connection: str, spec: Spec, form: Form, values: Values) -> None:
    await make(request, FormContext(connection, "job", request.surface.channel_id or ""), spec, form, values)


def report_start(request: Request, name: str, connection: str, hint: str = "") -> Answer:
    """Answer that a run was accepted, followed by ``hint``. If the run's card is enough, answer nothing."""
    # An earlier answer has promised that the run will start once the offer is known.
    was_promised = not request.is_live and request.surface.where in {Where.CHANNEL, Where.MENTION}
    if not hint and (request.is_read_with_cards or was_promised):
        return SILENT
    sentence = fill(run_words.STARTED, name=name, title=request.services.title(connection))
    return replies.answer(f"{sentence} {hint}".strip())


async def check_words(request: Request, typed: CommandLine) -> None:
    """If the first word isn't a connection, raise Answered with similar names and the right syntax.

    The answer also offers to repeat earlier jobs with this name, a name that begins with it, or a similar
    one.
    """
    if not typed.words or naming.split_leading_connection(typed.words, request.services.connections)[0]:
        return
    able = list_making_connections(request.services, "job")
    by_name = [name for name in able if has_named_jobs(request, name)]
    more = ["If that's the name of a job, choose where to run it."] if by_name else []
    more += [request.fill(run_words.TAIL_HINT)] if len(by_name) < len(able) else []
    name = " ".join(typed.words)
    ran = await request.services.store.read(run_rows.list_runs, request.principal)
    match = naming.find(name, ran, request.services.connections)
    matching = match.rows if match.kind != "near" else ()
    launchable = dict.fromkeys(
        (run.name, run.connection)
        for run in matching
        if run.connection in by_name or (run.spec is not None and run.connection in able)
    )
    count = Counter(name for name, _ in launchable)
    named_jobs: list[tuple[str, ...]] = [
        (f"{name}@{request.services.title(connection)}" if count[name] > 1 else name,)
        for name, connection in launchable
    ]
    named_jobs = named_jobs or [(connection, name) for connection in by_name]
    commands = [f"job run {join_words(words)}" for words in named_jobs[:MAX_CHOICES]]
    buttons = lists.list_command_buttons(commands, request.services.clock.now())
    if match.kind == "whole" and len(launchable) > 1:
        titles = request.services.titles(connection for _, connection in launchable)
        raise Answered(replies.hint(fill(run_words.RAN_ELSEWHERE, name=name, titles=titles), buttons))
    require_leading_connection(request, typed.words, "\n".join(more), buttons)


async def _offer(request: Request, connection: str) -> PersonalOffer:
    return await require_offer(
        request, connection, "job", asking=run_words.ASKING, nothing=run_words.NO_OFFER
    )


def _collect_flags(request: Request, command: CommandLine) -> list[Flag]:
    rest = require_leading_connection(request, command.words)[1] if command.words else ()
    template = [Flag(creation.TEMPLATE_FIELD, " ".join(rest))] if rest else []
    tail = [Flag(creation.COMMAND_FIELD, command.tail)] if command.tail else []
    return [*template, *command.flags, *tail]


def _describe_problems(
    request: Request, connection: str, form_of: Callable[[Values], Form], result: FilledForm
) -> list[str]:
    problems = [
        _format_flag_problem(name, forms.format_flag_problem(problem))
        for name, problem in result.problems.items()
    ]
    title = request.services.title(connection)
    for flag in result.unknown:
        if flag.name == creation.COMMAND_FIELD:
            problems.append(_format_flag_problem(flag.name, "The command is fixed here. Leave that out."))
            continue
        others = [
            forms.format_flag(*one)
            for one in creation.find_enabling_choices(form_of, result, flag)[: forms.MAX_FLAGS]
        ]
        if others:
            with_what = Markup(f" {run_words.OR} ".join(others))
            problems.append(fill(run_words.FLAG_WITH, name=flag.name, with_what=with_what))
        else:
            problems.append(fill(run_words.FLAG_UNKNOWN, name=flag.name, title=title))
    return list(dict.fromkeys(problems))


def _format_flag_problem(name: str, sentence: str) -> str:
    label = {creation.COMMAND_FIELD: "after `--`"}.get(name, forms.format_flag(name))
    return fill(run_words.PROBLEM, flag=Markup(label), said=Markup(sentence))


def _refuse_launch(request: Request, result: FilledForm, problems: list[str]) -> Answer:
    more, form = list(problems), result.form
    flags = [forms.format_flag(field.name) for field in form.fields if field.name != creation.COMMAND_FIELD]
    if result.unknown and flags:
        more.append(fill("You can set: {known}.", known=Markup(", ".join(flags))))
    if form.field(creation.COMMAND_FIELD) and creation.COMMAND_FIELD not in result.values:
        more.append(request.fill(run_words.TAIL_HINT))
    return replies.hint(run_words.NOT_RUN_YET, more="\n".join(more))


@routes.verb(
    Verb(
        command="job",
        usage="list",
        summary="show your runs, newest first",
        more=(
            "This is also what you get without a verb. `list 2` shows the second page.",
            "`list failed`, `list CONNECTION` and `list NAME` show only some of them.",
            "It also shows runs that you started elsewhere, once I've checked for them.",
        ),
        order=10,
        effect=Effect.SHOWS,
        accepts=("connection", "words"),
        also="ls ps dir all mine",
        alone="Show my runs",
    )
)
async def show_list(request: Request) -> Answer:
    """Answer with a page of the list of runs. ``list 2`` and *More* show later pages.

    Words filter the list by state, connection or name. The list's buttons keep the filter.
    """
    stale, rows = await read_stale_and_rows(request)
    if not rows:
        return await answer_without_runs(request, stale)
    page, given = list_filters.parse_page(request)
    part = list_filters.filter_runs(given, rows, request.services.connections)
    stale = filter_by_connection(stale, [] if part is None else [part.connection])
    hint = await refresh_in_background(request, TaskKind.LIST_RUNS, stale, "I'm checking {titles} for runs.")
    if part is not None and not part.rows:
        show_all = [kit.button(run_words.SHOW_ALL, "job_list")]
        return list_filters.answer_no_matches(request, part, run_words.RUNS, "job_list", show_all, hint)
    matching = rows if part is None else list(part.rows)
    facts = await request.services.gatherer.describe_runs(request.principal, matching)
    what, words = list_filters.describe_selection(request, part, run_words.RUNS)
    return lists.run_list(
        facts,
        page=page,
        remark=f"{list_filters.describe_count(request, part, len(rows))} {hint}".strip(),
        replaces=request.surface.kind == "button" or request.deferred.updates,
        what=what,
        words=words,
    )


@routes.verb(
    Verb(
        command="job",
        usage="status NAME",
        summary="show how a run is doing, or how it ended, with its exit code and its output",
        more=(
            "If several runs share a name, you get the newest. Use a run's id for an older one.",
            "The beginning of a name is enough if only one fits.",
        ),
        order=30,
        effect=Effect.SHOWS,
        accepts=("run",),
        also="state stat stats info progress check",
        heard="result results",
        former={"result [NAME]": "status", "eta [NAME]": "status"},
        does="Show {rest}",
    )
)
async def show_status(request: Request) -> Answer:
    """Answer with a run's card, which shows when the run was last read.

    If no name is given and there are several runs, answer with the list. For a run that is over, show its
    exit code, its last lines (as long as they are stored), and its whole output.
    """
    is_named = bool(request.name) and not means_everything(request.arguments)
    is_about_one = request.target is not None or is_named
    if not is_about_one and len(await request.services.store.read(run_rows.list_runs, request.principal)) > 1:
        return await show_list(request)
    run = await find_run(request)
    request.notes.shown = [run.id]
    if run.is_open or run.is_going:
        return lists.run_status(await request.services.gatherer.describe_run(run))
    facts = await request.services.gatherer.describe_card(NoticeKind.JOB_CARD, run.id)
    assert isinstance(facts, RunFacts)
    return run_result(facts)


@routes.verb(
    Verb(
        command="job",
        usage="logs NAME",
        summary="show a run's output, and send all of it as a file",
        more=("While it runs, its card shows the last lines. When it ends, you get the full output.",),
        order=60,
        effect=Effect.SHOWS,
        accepts=("run",),
        also="log output tail stdout stderr",
        does="Show the output of {rest}",
    )
)
async def show_logs(request: Request) -> Answer:
    """Show the run's output on its card. If the run is over, send the output."""
    run = await find_run(request)
    provider = request.services.connections.get(run.connection)
    if provider is not None and not isinstance(provider, facets.Runs):
        return replies.hint(request.fill(run_words.NO_LOGS, run))
    if run.remote_id is None and not run.is_open:
        return replies.hint(fill(run_words.NOT_HANDED_OVER, name=run.name))
    if provider is not None:
        await require_account(request, run.connection)
    watched = await request.caller.run(runs.follow_output, run.id)
    template = run_words.SHOWING if watched.remote_id is not None else run_words.SHOWING_LATER
    if not watched.is_going:
        template = "I'll send the full output of *{name}* as a file, in its thread in our direct messages."
    return replies.answer(fill(template, name=watched.name))


@routes.action("job_refresh")
async def refresh(request: Request) -> Answer:
    """Answer with the stored row. It is recent, because jobs in progress are read every few seconds."""
    run = await request.caller.read(runs.require_run, "status", request.target or "")
    return lists.run_status(await request.services.gatherer.describe_run(run))


@routes.verb(
    Verb(
        command="job",
        usage="stop NAME",
        summary="stop a run, or cancel it before it starts",
        more=("If it doesn't stop, its message offers *Force quit*, where the provider supports that.",),
        order=70,
        effect=Effect.ENDS,
        flags=("force", AGREED),
        accepts=("run",),
        also="kill end halt quit terminate cancel abort",
        is_red=True,
        offer=Offer(text="This will stop the run *{name}* on {title}.", button="Stop {name}"),
    )
)
async def stop(request: Request) -> Answer:
    """Request a stop. If the run's name was guessed or the stop is forced, only offer the stop."""
    run, force = await find_run(request), "force" in request.flags
    is_exact = request.target is not None or naming.find_whole(
        request.name, [run], request.services.connections
    )
    if is_exact and (not force or AGREED in request.flags):
        return await request_stop(request, run, force=force)
    if run.state.is_over:
        return answer_over(request, run)
    return lists.offer_run("force" if force else "stop", run, request.services.title(run.connection))


@routes.action("job_force")
async def force_quit(request: Request) -> Answer:
    """Request a forced stop of the run."""
    return await request_stop(
        request, await request.caller.read(runs.require_run, "stop", request.target or ""), force=True
    )


async def request_stop(request: Request, run: Run, *, force: bool) -> Answer:
    """Request that a run be stopped, unless it is already over."""
    stopped, is_open = await request.caller.run(runs.stop_run, run.id, force=force)
    if not is_open or stopped.state.is_over:
        return answer_over(request, stopped)
    template = answers.FORCING if stopped.requested_stop == "force" else answers.ACCEPTED
    return replies.answer(request.fill(template, run, **VERB_FORMS[OperationVerb.STOP]))


def answer_over(request: Request, run: Run) -> Answer:
    """Say how a run ended."""
    return replies.answer(request.fill(run_words.OVER_ALREADY, run, state=Markup(describe_outcome(run))))


@routes.action("job_keep_waiting")
async def keep_waiting(request: Request) -> Answer:
    """Extend the wait for a run. If the run has ended, say how it ended."""
    run, is_open = await request.caller.run(runs.extend_deadline, request.target or "")
    if not is_open:
        return answer_over(request, run)
    time = times.format_duration(DEADLINE_SECONDS)
    return replies.answer(fill(answers.KEPT_WAITING, name=run.name, time=time))


@routes.action("job_let_go")
async def stop_following(request: Request) -> Answer:
    """Stop following the run, unless it is already over."""
    run = await request.caller.run(runs.unfollow_run, request.target or "")
    if not run.is_open:
        return answer_over(request, run)
    is_launched = run.remote_id is not None or run.start_call is not Call.NONE
    template = run_words.LET_GONE if is_launched else "I've cancelled *{name}*. It never reached {title}."
    return replies.answer(request.fill(template, run))


@routes.action("job_look_again")
async def check_now(request: Request) -> Answer:
    """Check on the run now, unless there is nothing left to find out."""
    run = await request.caller.run(runs.find_launched_run, request.target or "")
    template = run_words.LOOKING_AGAIN if run.is_asked else answers.NOT_ASKED
    return replies.answer(request.fill(template, run))


@routes.action("job_start_another")
async def start_another(request: Request) -> Answer:
    """Launch another run, but only once. If the question has already been answered, do nothing."""
    run, is_asked = await request.caller.run(runs.repeat_launch, request.target or "")
    template = run_words.STARTING_ANOTHER if is_asked else answers.NOT_ASKED
    return replies.answer(request.fill(template, run))


async def find_run(request: Request) -> Run:
    """Return the run that the user means. If it isn't clear which, raise Answered with a question or a hint.

    If several runs have the name, the newest is meant. To stop one, the user has to choose, unless only one
    of them is in progress. Raise Refused if the user may not act on the run.
    """
    if request.target is not None:
        return await request.caller.read(runs.require_run, request.verb, request.target)
    old, rows = await read_stale_and_rows(request)
    if not request.name or means_everything(request.arguments):
        return await _find_only_run(request, rows, old)
    match = naming.find(request.name, rows, request.services.connections)
    found = naming.choose_newest(match.rows, is_stop=request.verb == "stop") if match.is_named else []
    if len(found) == 1:
        request.notes.shown = [found[0].id]
        return found[0]
    if found:
        is_same = len({fold(run.name) for run in found}) == 1
        sentence = fill(run_words.WHICH_TO_STOP if is_same else run_words.WHICH, name=request.name)
        raise Answered(replies.hint(sentence, await _make_choice_buttons(request, found)))
    raise Answered(await _answer_unknown_run(request, rows, old))


async def read_stale_and_rows(request: Request) -> tuple[list[Account], list[Run]]:
    """Return the accounts whose lists are out of date, and the user's runs.

    The runs are read last, so if a list arrives in between, they already include it.
    """
    stale = await request.caller.read(snapshots.list_stale, TaskKind.LIST_RUNS, request.deferred.looked)
    return stale, await request.services.store.read(run_rows.list_runs, request.principal)


async def answer_without_runs(request: Request, old: Sequence[Account]) -> Answer:
    """Answer a person without runs: offer a link, say that the list is being read, or suggest a run."""
    services = request.services
    able = list_making_connections(services, "job")
    if not able:
        return replies.hint(run_words.NO_CONNECTIONS)
    accounts = await services.store.read(account_rows.list_accounts, request.principal)
    await require_no_resting_link(request)
    if not any(account.state == "active" and account.connection in able for account in accounts):
        sentence = fill_offer(run_words.NOT_LINKED, request.command_after_linking)
        return await offer_link(request, sentence, able)
    promise = await refresh_lists(request, TaskKind.LIST_RUNS, answers.CHECKING, old=old)
    if not promise and request.deferred.problem:
        return replies.problem(describe_read_failure(request), request.reference)
    return replies.answer(promise or request.fill(run_words.NONE_YET))


async def _find_only_run(request: Request, rows: Sequence[Run], old: Sequence[Account]) -> Run:
    """Return the user's only run (for ``stop``, the only one in progress). Otherwise, raise Answered."""
    if not rows:
        raise Answered(await answer_without_runs(request, old))
    candidates = [run for run in rows if run.is_going] if request.verb == "stop" else rows
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        raise Answered(replies.hint("None of your runs is in progress, so there's nothing to stop."))
    sentence = request.fill(run_words.WHICH_OF_ALL, verb=Markup(request.verb))
    raise Answered(replies.answer(sentence, await _make_choice_buttons(request, candidates)))


async def _answer_unknown_run(request: Request, rows: Sequence[Run], old: Sequence[Account]) -> Answer:
    _, connection = naming.split_connection(request.name, request.services.connections)
    await require_links(request, [connection] if connection is not None else [])
    await require_no_resting_link(request)
    old = filter_by_connection(old, [connection])
    if not rows:
        return await answer_without_runs(request, old)
    promise = await refresh_lists(request, TaskKind.LIST_RUNS, answers.CHECKING, old=old)
    if promise:
        return replies.answer(promise)
    sentence = fill("I can't find a run called *{name}*.", name=request.name)
    similar = naming.suggest(request.name, naming.choose_newest(rows, is_stop=request.verb == "stop"))
    more = [describe_read_failure(request)] if request.deferred.problem else []
    more += [answers.NEAREST[len(similar) == 1]] if similar else []
    more = more or [request.fill("Type `{command}list` to see your runs.")]
    return replies.hint(sentence, await _make_choice_buttons(request, similar), more=" ".join(more))


async def _make_choice_buttons(request: Request, runs: Sequence[Run]) -> list[dict[str, object]]:
    zone = await request.services.store.zone(request.principal)
    now, title = request.services.clock.now(), request.services.title
    return lists.list_run_choices(request.verb, runs, now, zone, title)
