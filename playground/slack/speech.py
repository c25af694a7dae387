"""Encodes what a person types as Slack does before it passes the text on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from playground.slack.state import State

#: Mentions and links that are already encoded. A person's client produces these, so tests may pass them, too.
_ENCODED = re.compile(r"<(@[UW]\w+|#C\w+)(\|[^<>]*)?>|<https?://[^\s<>|]+\|[^<>|]+>")
_ADDRESS = re.compile(r"(?<!\w)(https?://[^\s<>`]+[^\s<>`.,;:!?)\]}'\"])")
_PERSON = re.compile(r"(?<![\w<])@([a-z0-9._-]*[a-z0-9])", re.IGNORECASE)
_CHANNEL = re.compile(r"(?<![\w<&])#([a-z0-9_-]+)", re.IGNORECASE)


def _plain(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _split(pattern: re.Pattern[str], text: str) -> Iterator[tuple[bool, str]]:
    """Split a string into parts; yield each part and whether it matched."""
    last = 0
    for found in pattern.finditer(text):
        yield False, text[last : found.start()]
        yield True, found[0]
        last = found.end()
    yield False, text[last:]


def encode(state: State, text: str, *, names: bool = False) -> str:
    """Escape a string, and turn @name, #channel and URLs into Slack's links; ``names`` adds the labels."""
    people = {person.name.lower(): person.id for person in state.people.values()}
    channels = {channel.name: channel.id for channel in state.channels.values() if channel.kind != "im"}

    def person(found: re.Match[str]) -> str:
        user = people.get(found[1].lower())
        if user is None:
            return found[0]
        return f"<@{user}|{found[1].lower()}>" if names else f"<@{user}>"

    def channel(found: re.Match[str]) -> str:
        name = found[1].lower()
        return f"<#{channels[name]}|{name}>" if name in channels else found[0]

    encoded: list[str] = []
    for is_mention, part in _split(_ENCODED, text):
        if is_mention:
            encoded.append(part)
            continue
        for is_address, words in _split(_ADDRESS, part):
            shown = _plain(words)
            encoded.append(f"<{shown}>" if is_address else _CHANNEL.sub(channel, _PERSON.sub(person, shown)))
    return "".join(encoded)


def links(text: str) -> list[str]:
    """Return the URLs in an encoded text."""
    return re.findall(r"<(https?://[^|>]+)", text)


def mentions(text: str) -> set[str]:
    """Return the ids of the people mentioned in an encoded text."""
    return set(re.findall(r"<@([UW]\w+)", text))
