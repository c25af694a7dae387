"""Times that people type, and why one can't be used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.domain.moments import Why

FORMS: Final = "`18:00`, `6pm`, `2h`, `90 min` or `tomorrow 9:00`"

#: By reason: ``given`` is what was typed.
UNREAD: Final[Mapping[Why, str]] = {
    "unreadable": "I can't read *{given}* as a time. Type it as {forms}.",
    "no_time": "*{given}* has no time of day. Add one, for example `{given} 18:00`.",
    "ambiguous": "*{given}* could mean two things. Type {options}.",
    "past": "*{given}* has already passed.",
    "soon": "*{given}* is too soon. Choose a time at least {least} from now.",
    "far": "*{given}* is too far away. Choose a time within the next {most}.",
}
OR: Final = "`{first}` or `{second}`"
EMPTY: Final = "Tell me when: {forms}."
