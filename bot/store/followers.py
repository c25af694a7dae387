"""What features follow: each adds a function to a list, which runs in the transaction of what it follows.

The composition imports the features, so an event has all its followers before anything is served.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Any, Final

from bot.domain.people import Principal
from bot.domain.stops import End
from bot.domain.workspaces import Workspace
from bot.store.transaction import Row, Transaction

Planned = Callable[[Transaction, int], Iterable[Any]]
Hold = Callable[[Transaction, Any, str], None]
#: A workspace has a row again, or for the first time.
FOUND: Final[list[Callable[[Transaction, Workspace], None]]] = []
#: Another workspace was made in place of one: the former id, and the new one.
REPLACED: Final[list[Callable[[Transaction, str, str], None]]] = []
#: Two rows turned out to be of one workspace: the id of the one that goes, and of the one that stays.
MERGED: Final[list[Callable[[Transaction, str, str], None]]] = []
#: A workspace's row is about to be deleted with its account; whether its person is told of what ends with it.
UNLINKED: Final[list[Callable[[Transaction, Row, bool], None]]] = []
#: The accounts of a person on some connections, or all (None), are linked with proof or end.
SETTLED: Final[list[Callable[[Transaction, Principal, Collection[str] | None], None]]] = []
#: A workspace that has long been gone is forgotten: its id.
GONE: Final[list[Callable[[Transaction, str], None]]] = []
#: For how many seconds nobody who was tried in vain is tried again because of a workspace that was stopped,
#: or of a run that ended: runs end often, and what they took up is rarely what somebody waits for.
STOP_PAUSE_SECONDS: Final = 60.0
RUN_PAUSE_SECONDS: Final = 300.0
#: Something that took up room on a connection is down by now: a workspace that was stopped, a run that
#: ended; and for how long nobody is tried again because of it.
FREED: Final[list[Callable[[Transaction, str, float], None]]] = []
#: Something was done for somebody, besides what an operation or a run shows.
DONE: Final[list[Callable[[Transaction, Principal], None]]] = []
#: A backup was put in place: by how it is counted, what finds so many of what is planned, and what holds one
#: for a cause, until its person decides.
RESTORED: Final[dict[str, tuple[Planned, Hold]]] = {}
#: When a plan stops a workspace, and whether its person agreed that this ends it for good; None for no plan.
PLANNED: Final[list[Callable[[Transaction, Workspace], tuple[float, bool] | None]]] = []
#: When somebody last agreed that what they take part in ends a workspace, by its id.
AGREED: Final[list[Callable[[Transaction, str], float]]] = []
#: What ends a workspace later than an end, since it begins before that.
POSTPONED: Final[list[Callable[[Transaction, str, End], End | None]]] = []
#: Whether a plan of its person needs a workspace beyond a time.
NEEDED_AFTER: Final[list[Callable[[Transaction, str, float], bool]]] = []
#: Whether a plan, by the key that its ends have, needs its workspace now.
IS_ON: Final[list[Callable[[Transaction, str], bool]]] = []
#: Somebody takes back that a class ends their workspace: its card, and their key.
WITHDRAWN: Final[list[Callable[[Transaction, str, str], None]]] = []
#: Somebody has left, or may not use Usher any more.
LEFT: Final[list[Callable[[Transaction, Principal], None]]] = []
