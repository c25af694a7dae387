"""What a server tells its administrators of itself: facts, and its users in pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bot.messages.blocks import kit
from bot.messages.blocks.limits import Markup, fill, line
from bot.messages.texts import answers as words
from bot.messages.texts import cards, times

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bot.domain.models import Answer, Snapshot
    from bot.messages.blocks.kit import Block

#: So many users are shown in one message, in paragraphs of so many: each fits, however long the names are.
PAGE: Final = 60
_PARAGRAPH: Final = 12
_FACTS: Final = 30


def about(told: Snapshot, title: str, *, now: float, page: int = 1, replaces: bool = False) -> Answer:
    """Draw what a server told, with one page of its users; a page out of reach becomes the last one."""
    payload: Mapping[str, Any] = told.payload
    users: Sequence[Mapping[str, Any]] = payload.get("users") or ()
    pages = max((len(users) + PAGE - 1) // PAGE, 1)
    page = min(max(page, 1), pages)
    heading = fill(words.ABOUT, title=title, name=told.connection)
    facts = [
        fill(words.ABOUT_FACT, label=label, value=Markup(line(value, 200)))
        for label, value in list(payload.get("facts") or ())[:_FACTS]
    ]
    blocks: list[Block] = [kit.section("\n".join([heading, *facts][:_PARAGRAPH]))]
    rest = facts[_PARAGRAPH - 1 :]
    blocks += [kit.section("\n".join(part)) for part in _parts(rest)]
    if users:
        blocks.append(kit.section(fill(words.ABOUT_USERS, count=len(users))))
        shown = [_user(user) for user in users[(page - 1) * PAGE : page * PAGE]]
        blocks += [kit.section("\n".join(part)) for part in _parts(shown)]
    small = [words.ABOUT_AGE.format(age=times.age(now - told.read_at))]
    left = len(users) - page * PAGE
    if left > 0:
        small.insert(0, words.AND_MORE.format(count=left))
    blocks.append(kit.context(*small))
    if left > 0:
        blocks += kit.actions([kit.button(cards.MORE, "about:more", f"{told.connection} {page + 1}")])
    return kit.answer(kit.bare(heading), blocks, replaces=replaces)


def _user(user: Mapping[str, Any]) -> str:
    template = words.ABOUT_USER if user.get("is_active", True) else words.ABOUT_USER_INACTIVE
    level = Markup(line(user["level"])) if user.get("level") else Markup("")
    return " ".join(fill(template, username=user.get("username", ""), level=level).split())


def _parts(lines: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(lines), _PARAGRAPH):
        yield lines[start : start + _PARAGRAPH]
