"""What administrators see of a server: facts, and its users in pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from bot.domain.notices import Answer
from bot.domain.people import About, Snapshot, User
from bot.messages.blocks import kit
from bot.messages.blocks.kit import Block
from bot.messages.blocks.limits import Markup, fill, line
from bot.messages.blocks.paging import page_of
from bot.messages.texts import answers as words
from bot.messages.texts import cards, times

#: How many users one message shows, and one paragraph: each fits, however long the names are.
PAGE: Final = 60
_PARAGRAPH: Final = 12
_FACTS: Final = 30


def about(
    snapshot: Snapshot[About], title: str, *, now: float, page: int = 1, replaces: bool = False
) -> Answer:
    """Draw what a server said, with one page of its users; a page beyond the end becomes the last one."""
    users = snapshot.payload.users
    one = page_of(users, page, PAGE)
    heading = fill(words.ABOUT, title=title)
    facts = [
        fill(words.ABOUT_FACT, label=label, value=Markup(line(value, 200)))
        for label, value in snapshot.payload.facts[:_FACTS]
    ]
    blocks: list[Block] = [kit.section("\n".join([heading, *facts][:_PARAGRAPH]))]
    rest = facts[_PARAGRAPH - 1 :]
    blocks += [kit.section("\n".join(part)) for part in _parts(rest)]
    if users:
        people = times.counted(len(users), "person", "people")
        blocks.append(kit.section(fill(words.ABOUT_USERS, people=people)))
        shown = [_user(user) for user in one.shown]
        blocks += [kit.section("\n".join(part)) for part in _parts(shown)]
    small = [fill(words.AS_OF_ALONE, at=kit.moment(snapshot.read_at, now))]
    if one.left:
        small.insert(0, words.AND_MORE.format(count=one.left))
    blocks.append(kit.context(*small))
    if one.left:
        blocks += kit.actions(
            [kit.button(cards.MORE, "about:more", f"{snapshot.connection} {one.number + 1}")]
        )
    return kit.answer(kit.bare(heading), blocks, replaces=replaces)


def _user(user: User) -> str:
    template = words.ABOUT_USER if user.is_active else words.ABOUT_USER_INACTIVE
    level = Markup(line(user.level)) if user.level else Markup("")
    return " ".join(fill(template, username=user.username, level=level).split())


def _parts(lines: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(lines), _PARAGRAPH):
        yield lines[start : start + _PARAGRAPH]
