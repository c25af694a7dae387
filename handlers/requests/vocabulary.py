"""Tables of words with a special meaning in commands, such as states and instructions about hours.

Each table is made from strings of words separated by spaces.
"""

from collections.abc import Sequence
from typing import Final

from handlers.requests.command_line import Quoted, fold_word
from handlers.requests.synonyms import index_words, split_words

#: Words that, after any verb, mean everything that the user owns.
EVERYTHING: Final = split_words("all every everything alles")
#: Words that are about runs, never about workspaces.
RUNS: Final = split_words("job jobs runs")
#: Instructions that change a workspace's existing hours. People type them after the workspace's name.
HOURS_ORDERS: Final = split_words("off on pause")
#: Words that suspend working hours on a day or until a day, as in ``skip tomorrow`` or
#: ``pause until monday``.
HOURS_EXCEPTIONS: Final = split_words("skip pause off")
#: Maps words to the states by which a list can be filtered.
STATE_WORDS: Final = index_words(
    {
        "running": "running active up",
        "starting": "starting",
        "stopped": "stopped inactive down off",
        "suspended": "suspended paused",
        "failed": "failed broken",
    }
)
RUN_STATES: Final = index_words(
    {
        "running": "running active",
        "queued": "queued waiting pending",
        "failed": "failed broken",
        "succeeded": "succeeded successful done finished completed",
        "cancelled": "cancelled canceled stopped",
    }
)
#: Words that are ignored in a list's filter, because they don't narrow it down.
LIST_WORDS: Final = EVERYTHING | split_words(
    """workspace workspaces server servers session sessions machine machines instance instances environment
    environments vm vms box boxes container containers pod pods notebooks job jobs run runs ones stuff
    anything my mine own the a an our this that these those it them of for with named
    called on at in page and which what what's whats whatever are is show me list currently still there
    now right just please"""
)


def means_everything(words: Sequence[str]) -> bool:
    """Return whether words stand for everything that the user owns.

    Quoted words never do, as they are a name.
    """
    return len(words) == 1 and not isinstance(words[0], Quoted) and fold_word(words[0]) in EVERYTHING
