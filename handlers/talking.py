"""Answer what isn't a verb: small talk, a name on its own, a typo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.messages.blocks import kit, offers, replies
from bot.messages.blocks.buttons import AGREED
from bot.messages.blocks.limits import Markup, fill, line
from bot.messages.texts import answers as words
from bot.messages.texts import talk
from bot.messages.texts.verbs import VERBS
from bot.services import naming
from handlers import routes
from handlers.command_line import Quoted, written
from handlers.language import vocabulary
from handlers.language.names import choose, mentioned, plain_end
from handlers.language.nearness import is_slip, near_verbs
from handlers.language.verbs import Manner
from handlers.language.words import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.domain.models import Answer, Workspace
    from handlers.request import Request


@dataclass(frozen=True, slots=True)
class _Command:
    """Hold a command that somebody may have had in mind."""

    folder: str
    words: tuple[str, ...]

    @property
    def text(self) -> str:
        """Return it as it is typed in a direct message."""
        return f"{'' if self.folder == 'workspace' else f'{self.folder} '}{written(self.words)}"


#: A name's beginning must be this long to be shown without a verb.
_SHORTEST_BEGINNING = 3
#: This many words aren't a command with a typo.
_WORDS_OF_A_SENTENCE = 3


def small_talk(request: Request, topic: str) -> Answer:
    """Answer a greeting, thanks, or what needs nothing done; the commands in it are those of workspaces."""
    return replies.hint(fill(talk.TALK[topic], command=request.command_of("workspace")))


async def unknown(request: Request, guess: str = "") -> Answer:
    """Answer words that begin with no verb: a name shows its status, anything else gets suggestions.

    ``guess`` is the verb that they may mean with the name first; it is offered, never done.
    """
    rows = await request.services.store.workspaces(request.principal)
    given = request.arguments
    workspace = _named(request, given, rows) if request.folder == "workspace" else None
    if workspace is not None:
        return await _shown(request, workspace)
    choice = choose(given, rows, request.services.connections)
    if choice.kind == "theirs" and choice.workspaces:
        return theirs(request, choice.workspaces)
    if guess and (workspace := _named(request, given[:-1], rows)) is not None:
        return await _guessed(request, guess, workspace)
    if await _is_run(request, " ".join(given)):
        return await _run_shown(request)
    if given and _near(request, plain(given[0])):
        return unknown_verb(request)
    if request.folder == "job" and len(given) == 1:
        return await _run_shown(request)
    workspace = mentioned(given, rows, request.services.connections)
    if workspace is None and len(given) == 1 and len(given[0]) >= _SHORTEST_BEGINNING:
        found = naming.find(given[0], rows, request.services.connections)
        workspace = found.workspaces[0] if found.kind == "one" else None
    if workspace is not None:
        return await _shown(request, workspace)
    return _foreign(request) or _similar(request, rows) or _link(request) or unknown_verb(request)


async def mentioned_only(request: Request) -> Answer | None:
    """Answer a question that names something, if that is one thing for sure; None otherwise."""
    rows = await request.services.store.workspaces(request.principal)
    if request.folder == "job":
        return await _run_shown(request) if await _is_run(request, request.name) else None
    workspace = _named(request, request.arguments, rows) or mentioned(
        request.arguments, rows, request.services.connections
    )
    if workspace is not None:
        return await _shown(request, workspace)
    choice = choose(request.arguments, rows, request.services.connections)
    if choice.kind == "theirs" and choice.workspaces:
        return theirs(request, choice.workspaces)
    return await _run_shown(request) if await _is_run(request, request.name) else None


async def on_topic(request: Request) -> Answer | None:
    """Answer what is asked about prices and the like, below the workspace that is named; None otherwise."""
    folded = [plain(word) for word in request.arguments]
    topic = next((word for word in folded if word in vocabulary.TOPICS), "")
    if not topic:
        return None
    said = fill(talk.TALK[vocabulary.TOPICS[topic]], command=request.command_of("workspace"))
    rows = await request.services.store.workspaces(request.principal)
    workspace = mentioned(request.arguments, rows, request.services.connections)
    if workspace is None:
        return replies.hint(said)
    if topic in naming.fold(workspace.title).split():
        return None
    return replies.with_remarks(await _shown(request, workspace), [said])


async def of_connection(request: Request, given: Sequence[str]) -> Answer | None:
    """Answer what is asked about a connection: whether it answers; None if none is named."""
    services = request.services
    given = [*given[:-1], *(plain_end(word) for word in given[-1:])]
    rest = (naming.leading_connection(given[at:], services.connections)[0] for at in range(len(given)))
    connection = next((name for name in rest if name is not None), None)
    if connection is None or routes.nature(request.folder, request.verb).does is not routes.Does.SHOWS:
        return None
    since = (await services.store.outages()).get(connection)
    now = services.clock.now()
    sentence = fill(
        talk.CONNECTION_UP if since is None else talk.CONNECTION_AWAY,
        title=services.title(connection),
        since=kit.moment(since if since is not None else now, now),
    )
    return replies.hint(sentence, offers.command_buttons([f"list {written((connection,))}"]))


async def nothing_named(request: Request) -> Answer:
    """Say that a question names nothing of the person's."""
    found = _foreign(request) or await of_connection(request, request.arguments)
    return found or replies.hint(
        talk.NOTHING_NAMED, more=fill(words.UNKNOWN_VERB_HELP, command=request.command)
    )


def _similar(request: Request, rows: Sequence[Workspace]) -> Answer | None:
    """Offer the workspaces whose names are a slip of the finger away."""
    found = [one for one in rows if is_slip(naming.fold(request.name), naming.fold(one.title))]
    if not found or request.folder != "workspace":
        return None
    sentence = fill(words.UNKNOWN_NAME, name=request.name)
    buttons = replies.choices("status", found, [one.title for one in found], lambda _: {})
    return replies.hint(sentence, buttons, more=words.NEAREST)


def _link(request: Request) -> Answer | None:
    """Offer to add what a link on its own leads to, if a connection knows it."""
    is_link = len(request.arguments) == 1 and "://" in request.name
    if is_link and naming.references(request.name, request.services.connections):
        return as_command(request.about("workspace", "add", request.arguments))
    return None


def _foreign(request: Request) -> Answer | None:
    """Answer what is written in another language; None for anything else."""
    is_foreign = any(plain(word) in vocabulary.FOREIGN for word in request.arguments)
    return small_talk(request, "foreign") if is_foreign else None


def theirs(request: Request, named: Sequence[Workspace]) -> Answer:
    """Refuse to work on somebody else's workspace; one's own of that name isn't offered."""
    return replies.hint(talk.THEIRS, more=if_yours(request, named))


def if_yours(request: Request, named: Sequence[Workspace]) -> str:
    """Say how a command is written for one's own workspace, if there is one of that name."""
    if not named:
        return fill(words.UNKNOWN_VERB_HELP, command=request.command)
    is_verb = request.verb != "help" and request.manner is not Manner.MENTIONED
    verb = request.verb if is_verb and request.verb in VERBS["workspace"] else "status"
    typed = Markup(line(written((named[0].title,))))
    return fill(talk.IF_YOURS, name=named[0].title, command=request.command, verb=Markup(verb), typed=typed)


def unknown_verb(request: Request) -> Answer:
    """Say that a word isn't a verb, and offer the nearest ones, with everything that followed it."""
    first, *rest = request.arguments or ("",)
    if isinstance(first, Quoted):
        # No name is like this, so the quotes may enclose a whole command.
        first, *rest = (*first.split(), *rest)
    word = plain(first) or first
    more = [fill(words.UNKNOWN_VERB_HELP, command=request.command)]
    flags = [f"--{flag}" for flag in sorted(request.flags - {AGREED})]
    commands = [_Command(request.folder, (verb, *rest, *flags)) for verb in _near(request, word)]
    if commands:
        more.insert(0, fill(talk.DID_YOU_MEAN, commands=_listed(request, commands)))
    buttons = offers.command_buttons([command.text for command in commands])
    is_sentence = len(request.arguments) >= _WORDS_OF_A_SENTENCE and not commands
    sentence = talk.NOT_UNDERSTOOD if is_sentence else fill(words.UNKNOWN_VERB, word=word)
    return replies.hint(sentence, buttons, more="\n".join(more))


def help_on_unknown(request: Request, word: str) -> Answer:
    """Say that there is no such verb to explain, and offer help on the nearest ones."""
    near = [_Command(request.folder, ("help", verb)) for verb in _near(request, plain(word))]
    more = [fill(words.UNKNOWN_VERB_HELP, command=request.command)]
    if near:
        more.insert(0, fill(talk.DID_YOU_MEAN, commands=_listed(request, near)))
    buttons = offers.command_buttons([command.text for command in near])
    return replies.hint(fill(words.UNKNOWN_VERB, word=word), buttons, more="\n".join(more))


def as_command(request: Request) -> Answer:
    """Offer what was said in other words as a command, which one press runs."""
    command = _Command(request.folder, (request.verb, *request.arguments))
    sentence = fill(talk.AS_COMMAND, commands=_listed(request, [command]))
    return replies.hint(sentence, offers.command_buttons([command.text]))


def _listed(request: Request, commands: Sequence[_Command]) -> Markup:
    """Return commands as the person would type them here."""
    typed = [f"{request.command_of(one.folder)}{line(written(one.words), 300)}" for one in commands]
    return Markup(talk.OR.join(f"`{one}`" for one in typed))


def _near(request: Request, word: str) -> list[str]:
    verbs = [verb for verb, entry in VERBS[request.folder].items() if not entry.is_hidden]

    def takes_away(verb: str) -> bool:
        return routes.nature(request.folder, verb).does is routes.Does.ENDS

    return near_verbs(word, request.folder, verbs, takes_away)


def _named(request: Request, given: Sequence[str], rows: Sequence[Workspace]) -> Workspace | None:
    """Return the workspace that words name as a whole."""
    choice = choose(given, rows, request.services.connections)
    is_one = choice.kind == "one" and choice.is_whole
    return choice.workspaces[0] if is_one else None


async def _shown(request: Request, workspace: Workspace) -> Answer:
    return await _run_verb(request, "workspace", "status", workspace.id)


async def _guessed(request: Request, verb: str, workspace: Workspace) -> Answer:
    """Run a verb that only shows, if it is about a workspace at all; offer any other."""
    if routes.nature("workspace", verb).does is routes.Does.SHOWS:
        about = "open" if verb in {"open", "link"} else "status"
        return await _run_verb(request, "workspace", about, workspace.id)
    return as_command(request.about("workspace", verb, (workspace.title,)))


async def _run_verb(request: Request, folder: str, verb: str, target: str | None = None) -> Answer:
    handler = routes.verbs(folder).get(verb)
    assert handler is not None, "a verb of the catalogue"
    return await handler(request.about(folder, verb, request.arguments, target))


async def _is_run(request: Request, name: str) -> bool:
    runs = await request.services.store.runs(request.principal)
    return any(naming.fold(run.name) == naming.fold(name) for run in runs)


async def _run_shown(request: Request) -> Answer:
    return await _run_verb(request, "job", "status")
