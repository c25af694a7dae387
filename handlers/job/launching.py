"""Run a job, with a form or in one line.

``run [CONNECTION] [PRESET] --FLAG VALUE … -- the program's own words``
"""

from __future__ import annotations

from collections.abc import Callable

from bot.domain.forms import Form, FormProblems, Spec, Values
from bot.domain.notices import Answer
from bot.messages.blocks import forms, lists, replies
from bot.messages.blocks.limits import Markup, fill, line, safe
from bot.messages.texts import runs as words
from bot.providers import base
from bot.services import making, runs
from bot.services.making import Filled, Flag, PersonalOffer
from handlers import routes
from handlers.command_line import CommandLine, command_line
from handlers.forms.making import make, open_form
from handlers.forms.values import Making
from handlers.linking.connections import commanding, connection_of, leading, maker_of, makers, named
from handlers.request import SILENT, Request
from handlers.waiting import offer_of

#: Each flag is tried with every choice, so their number is limited; nobody writes more.
MOST_FLAGS = 50


@routes.verb("job", "run", flags=None)
async def run(request: Request) -> Answer:
    """Open the form; given flags, or the program's own words after ``--``, launch right away."""
    command = command_line(request.text, request.services.commands)
    if command.flags or command.tail is not None:
        return await launched(request, command)
    checked_words(request, command)
    connection, rest = leading(request, command.words) if command.words else ("", ())
    if rest and runs_named_jobs(request, connection):
        return await launched_by_name(request, connection, " ".join(rest))
    return await open_form(request, "job", command.words)


@routes.action("job_again")
async def run_again(request: Request) -> Answer:
    """Launch a run with the settings of an earlier one, which stays as it is."""
    run = await request.asked.see(runs.owned, "run", request.target or "")
    if run.spec is None:
        sentence = fill(words.NO_SPEC, name=run.name, command=request.command)
        return replies.hint(sentence)
    again = await request.asked.to(runs.launch, run.connection, run.spec)
    return started(request, again.name, again.connection)


async def launched(request: Request, typed: CommandLine) -> Answer:
    """Launch what the line describes; report everything that is wrong at once, each with its flag."""
    if len(typed.flags) > MOST_FLAGS:
        return replies.hint(fill(words.TOO_MANY, limit=MOST_FLAGS))
    # A command can only be meant for a connection that runs commands.
    places = commanding(request.services) if typed.tail else []
    connection = maker_of(
        request,
        "job",
        typed.words or (places if len(places) == 1 else ()),
        nowhere=words.NO_CONNECTIONS,
        which=lambda able: replies.hint(
            fill(words.WHERE, known=named(request.services, places or able), command=request.command)
        ),
        more=fill(words.TAIL_HINT, command=request.command),
    )
    offer = await _offer(request, connection)
    result = making.filled(offer.form, _flags(request, typed))
    said = _problems(request, connection, offer.form, result)
    try:
        spec = offer.spec(result.values)
    except FormProblems as wrong:
        # A value that was not accepted looks missing to the provider: our own sentence says why.
        said += [
            _at_flag(name, safe(sentence))
            for name, sentence in wrong.problems.items()
            if name not in result.problems
        ]
        return _refused(request, result, said)
    if said:
        return _refused(request, result, said)
    await _make(request, connection, spec, result.form, result.values)
    remark = ""
    if result.left_out:
        left = Markup(", ".join(dict.fromkeys(f"`--{line(flag.name, 40)}`" for flag in result.left_out)))
        remark = fill(words.LEFT_OUT, left=left)
    return started(request, spec.name or "job", connection, remark)


def runs_named_jobs(request: Request, name: str) -> bool:
    """Return whether a connection's jobs are set up on the provider, so that a name is all it needs."""
    return request.services.connections[connection_of(request, name)].need(base.Runs).runs_named_jobs


async def launched_by_name(request: Request, connection: str, name: str) -> Answer:
    """Launch a job that is set up on its provider, by its name, id or link."""
    connection = connection_of(request, connection)
    offer = await _offer(request, connection)
    values = {making.PRESET: name}
    try:
        spec = offer.spec(values)
    except FormProblems as wrong:
        said = [
            fill(words.PROBLEM, flag=Markup(words.JOB_PLACE), said=sentence)
            for sentence in wrong.problems.values()
        ]
        return replies.hint(words.NOT_RUN_YET, more="\n".join(said))
    await _make(request, connection, spec, offer.form(values), values)
    return started(request, spec.name, connection)


async def _make(request: Request, connection: str, spec: Spec, form: Form, values: Values) -> None:
    await make(request, Making(connection, "job", request.surface.channel_id or ""), spec, form, values)


def started(request: Request, name: str, connection: str, remark: str = "") -> Answer:
    """Say that a run was accepted, with a remark; in a direct message its card already says the first."""
    if not remark and request.shows_cards_here:
        return SILENT
    sentence = fill(words.STARTED, name=name, title=request.services.title(connection))
    return replies.answer(f"{sentence} {remark}".strip())


def checked_words(request: Request, typed: CommandLine) -> None:
    """Raise Answered if the first word isn't a connection: with what may be meant, and the correct syntax."""
    if not typed.words:
        return
    able = makers(request.services, "job")
    by_name = [name for name in able if runs_named_jobs(request, name)]
    more = [words.NAME_HINT] if by_name else []
    more += [fill(words.TAIL_HINT, command=request.command)] if len(by_name) < len(able) else []
    commands = [f"job run {name} {' '.join(typed.words)}" for name in by_name[: replies.FEW]]
    leading(request, typed.words, "\n".join(more), lists.command_buttons(commands))


async def _offer(request: Request, connection: str) -> PersonalOffer:
    return await offer_of(request, connection, "job", asking=words.ASKING, nothing=words.NO_OFFER)


def _flags(request: Request, command: CommandLine) -> list[Flag]:
    """Return everything that was given as flags, including the preset and the program's words."""
    rest = leading(request, command.words)[1] if command.words else ()
    preset = [Flag(making.PRESET, " ".join(rest))] if rest else []
    tail = [Flag(making.COMMAND, command.tail)] if command.tail else []
    return [*preset, *command.flags, *tail]


def _problems(
    request: Request, connection: str, form_of: Callable[[Values], Form], result: Filled
) -> list[str]:
    said = [_at_flag(name, forms.wrong_flag(problem)) for name, problem in result.problems.items()]
    title = request.services.title(connection)
    for flag in result.unknown:
        if flag.name == making.COMMAND:
            said.append(_at_flag(flag.name, words.NO_TAIL_PLACE))
            continue
        others = [forms.flag(*one) for one in making.allowed_with(form_of, result, flag)[: forms.FLAGS_NAMED]]
        if others:
            with_what = Markup(f" {words.OR} ".join(others))
            said.append(fill(words.FLAG_WITH, name=flag.name, with_what=with_what))
        else:
            said.append(fill(words.FLAG_UNKNOWN, name=flag.name, title=title))
    return list(dict.fromkeys(said))


def _at_flag(name: str, sentence: str) -> str:
    """Return a sentence, already escaped, with the flag that it is about."""
    place = {making.COMMAND: words.COMMAND_PLACE}.get(name, forms.flag(name))
    return fill(words.PROBLEM, flag=Markup(place), said=Markup(sentence))


def _refused(request: Request, result: Filled, said: list[str]) -> Answer:
    more, form = list(said), result.form
    known = [forms.flag(one.name) for one in form.fields if one.name != making.COMMAND]
    if result.unknown and known:
        more.append(fill(words.FLAGS_KNOWN, known=Markup(", ".join(known))))
    if form.field(making.COMMAND) and making.COMMAND not in result.values:
        more.append(fill(words.TAIL_HINT, command=request.command))
    return replies.hint(words.NOT_RUN_YET, more="\n".join(more))
