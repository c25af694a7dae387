"""Suggests commands and corrections of mistyped verbs, worded for the place where the user is typing.

Also replies to small talk.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from bot.domain.notices import Answer
from bot.messages.blocks import kit, lists, replies
from bot.messages.blocks.button_values import AGREED
from bot.messages.blocks.commands import describe_command
from bot.messages.blocks.kit import Markup, fill, line
from bot.messages.texts import runs, talk
from bot.messages.verb import list_verbs
from handlers.requests.command_line import fold_word, join_words
from handlers.requests.request import Request
from handlers.requests.synonyms import find_similar_verbs

#: Maximum number of words in a message that may be a mistyped command.
_MAX_COMMAND_WORDS: Final = 4
#: Matches parts of a command that are hard to type: flags, numeric dates, and mentions.
_PROGRAM_WORDING: Final = re.compile(r" --\w|\d{4}-\d\d-\d\d|<@")


def answer_chat(request: Request, topic: str) -> Answer:
    """Answer a greeting, thanks, or other text that requests nothing, and mention workspace commands."""
    return replies.hint(fill(talk.TALK[topic], command=request.prefixes.of("workspace")))


def format_bold(names: Iterable[str]) -> Markup:
    """Return names in bold, joined for use in a sentence."""
    return Markup(", ".join(fill("*{name}*", name=name) for name in names))


def answer_unknown_topic(request: Request, word: str) -> Answer:
    """Say that there is no such verb, and offer help on verbs with similar names."""
    commands = [write_command(request, "help", verb) for verb in suggest_verbs(request, fold_word(word))]
    return answer_unknown_word(request, "I don't have a command called *{word}*.", word, commands)


def answer_unknown_word(request: Request, sentence: str, word: str, commands: Sequence[str]) -> Answer:
    """Say that a word is unknown, and suggest similar commands."""
    more = [fill(talk.DID_YOU_MEAN, commands=format_commands(request, commands))] if commands else []
    more.append(request.fill("Type `{command}help` to see what I can do."))
    return replies.hint(
        fill(sentence, word=word),
        lists.list_command_buttons(commands, request.services.clock.now()),
        more="\n".join(more),
    )


def answer_unread(request: Request) -> Answer:
    """Answer text that isn't understood with similar commands. If there are none, say what to try instead."""
    words = [fold_word(word) for word in request.arguments]
    if said := talk.FORMER_WORDS.get(words[0] if words else ""):
        return replies.hint(request.fill(said), [replies.list_button()])
    near = suggest_verbs(request, words[0]) if 0 < len(words) <= _MAX_COMMAND_WORDS else []
    if near:
        commands = [write_command(request, verb, *request.arguments[1:]) for verb in near]
        return answer_unknown_word(request, talk.NOT_UNDERSTOOD, words[0], commands)
    shows_list = kit.button(runs.SHOW_ALL, "job_list") if request.folder == "job" else replies.list_button()
    steps = [shows_list, replies.help_button(request.folder)]
    return replies.hint(talk.NOT_UNDERSTOOD, steps, more=request.fill(talk.UNDERSTANDS[request.folder]))


def offer_as_command(request: Request) -> Answer:
    """Offer the command for a request that was worded in another way, as a button that runs it."""
    return offer_commands(
        request, [write_command(request, request.verb, *request.arguments)], talk.AS_COMMAND
    )


def offer_commands(request: Request, commands: Sequence[str], sentence: str = talk.DID_YOU_MEAN) -> Answer:
    """Suggest commands that will work.

    ``commands`` are worded as in a direct message.
    """
    sentence = fill(sentence, commands=format_commands(request, commands))
    return replies.hint(sentence, lists.list_command_buttons(commands, request.services.clock.now()))


def write_command(request: Request, *typed: str) -> str:
    """Return a command in the request's folder, as it is typed in a direct message."""
    flags = [f"--{flag}" for flag in sorted(request.flags - {AGREED})]
    return f"{'' if request.folder == 'workspace' else f'{request.folder} '}{join_words([*typed, *flags])}"


def format_commands(request: Request, commands: Sequence[str]) -> Markup:
    """Format commands as the user would type them in this place.

    A command that is hard to type is described in plain words instead.
    """
    return Markup(talk.OR.join(_format_command(request, command) for command in commands))


def _format_command(request: Request, command: str) -> str:
    if _PROGRAM_WORDING.search(command):
        return fill("*{doing}*", doing=describe_command(command, request.services.clock.now()))
    return request.prefixes.adapt(f"`{line(command, 300)}`")


def suggest_verbs(request: Request, word: str) -> list[str]:
    """Return the verbs that a mistyped word may mean, most similar first."""
    verbs = [verb for verb, entry in list_verbs(request.folder).items() if not entry.is_hidden]
    return find_similar_verbs(word, request.folder, verbs)
