"""Help for each command: every verb in a line, or more about one; generated from the catalogue."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from bot.messages.blocks import kit
from bot.messages.blocks.limits import Markup, fill
from bot.messages.texts import answers, runs
from bot.messages.texts.verbs import VERBS, VerbWords
from handlers import routes
from handlers.dispatch import unknown_verb

if TYPE_CHECKING:
    from bot.domain.models import Answer
    from handlers.request import Request

_HEADS: Final = {"workspace": answers.HELP, "job": runs.HELP}
#: The other command, by folder, and the sentence that mentions it.
_OTHERS: Final = {"workspace": ("job", runs.HELP_JOBS), "job": ("workspace", runs.HELP_WORKSPACES)}


@routes.verb("job", "help")
@routes.verb("workspace", "help")
async def helped(request: Request) -> Answer:
    """Answer with the catalogue of the request's command, or with one of its entries."""
    if request.arguments:
        return await _one(request, request.arguments[0].casefold())
    is_short = request.surface.is_direct and request.surface.kind == "message"
    other = request.command_of(_OTHERS[request.folder][0])
    return _all(request.folder, request.command, other, is_short=is_short)


def shown_verbs(folder: str) -> list[VerbWords]:
    """Return the words of the verbs that help lists."""
    return [entry for entry in VERBS[folder].values() if not entry.is_hidden]


@lru_cache(maxsize=16)
def _all(folder: str, command: Markup, other: Markup, *, is_short: bool) -> Answer:
    """Draw the catalogue; it is the same for everybody, and requested more than anything else."""
    lines = [f"`{command}{entry.usage}` – {entry.summary}" for entry in shown_verbs(folder)]
    small = [fill(_OTHERS[folder][1], command=other)]
    if not is_short and folder == "workspace":
        small += [answers.HELP_SHARE, fill(answers.HELP_DIRECT, command=Markup(command.strip()))]
    elif not is_short:
        small.append(runs.HELP_DIRECT)
    blocks = [kit.section(_HEADS[folder]), kit.section("\n".join(lines)), kit.context(*small)]
    return kit.answer(_HEADS[folder], blocks)


async def _one(request: Request, verb: str) -> Answer:
    entry = VERBS[request.folder].get(verb)
    if entry is None:
        return await unknown_verb(request.with_verb(verb))
    sentence = f"`{request.command}{entry.usage}` – {entry.summary}."
    blocks = [kit.section(sentence), *([kit.section("\n".join(entry.more))] if entry.more else [])]
    return kit.answer(kit.bare(sentence), blocks)
