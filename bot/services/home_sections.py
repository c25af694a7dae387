"""Sections of people's Homes: what features gather for them, and what else may wait for a person there."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot.domain.people import Principal
from bot.domain.workspaces import Workspace
from bot.services.context import Context
from bot.services.message_context import Gatherer, PeopleNames

#: The most questions of a Home.
MAX_QUESTIONS: Final = 5


@dataclass(frozen=True, slots=True)
class HomeOwner:
    """The person whose Home is gathered, and their workspaces."""

    context: Context
    gatherer: Gatherer
    principal: Principal
    workspaces: Sequence[Workspace]
    names: PeopleNames


#: What features gather for a person's own Home, by the name under which they draw it.
SECTION_READERS: Final[dict[str, Callable[[HomeOwner], Awaitable[Any]]]] = {}
#: What else may wait for a person, the oldest first, by the kind of question as which a feature draws it.
QUESTION_READERS: Final[dict[str, Callable[[HomeOwner], Awaitable[list[Any]]]]] = {}
