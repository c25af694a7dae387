"""Other words for verbs, and the verbs that are meant by mistyped ones.

Nothing that takes something away is suggested for a word that is at least as close to one that starts, makes
or shows something.
"""

from collections.abc import Collection, Mapping
from typing import Final

from rapidfuzz.distance import OSA

from handlers.command_line import slips


def words(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


def by_word(table: Mapping[str, str]) -> Mapping[str, str]:
    """Return what each of the words stands for that a table lists by it."""
    return {word: verb for verb, others in table.items() for word in others.split()}


#: Other words for verbs, by the folder in which they were written.
SYNONYMS: Final[Mapping[str, Mapping[str, str]]] = {
    "workspace": by_word(
        {
            "start": "run launch boot begin execute activate enable ignite deploy starte starten",
            "stop": """kill end shut shutdown halt quit terminate close deactivate disable exit poweroff stopp
                stoppe stoppen beende beenden""",
            "suspend": "pause sleep hibernate freeze",
            "resume": "unpause continue wake unfreeze unsuspend",
            "restart": "reboot reload relaunch bounce",
            "remove": "delete destroy erase del rm purge drop discard",
            "forget": "hide ignore",
            "new": "create make build provision",
            "list": "ls ps dir workspaces mine all overview dashboard",
            "status": "state stat stats info describe inspect check",
            "open": "enter visit goto url address öffne öffnen",
            "link": "login connect signin auth authenticate authorize authorise account token access",
            "unlink": "logout disconnect signout revoke",
            "cancel": "abort undo",
            "alias": "rename call name",
            "help": "commands usage man manual hilfe aide ayuda ajuda ? -h --help",
            "whoami": "accounts links",
            "version": "ver --version -v",
            "settings": "preferences prefs config configure configuration options setting",
        }
    ),
    "job": by_word(
        {
            "run": "start launch begin execute exec submit new create rerun re-run",
            "stop": "kill end halt quit terminate cancel abort",
            "list": "ls ps dir all mine",
            "logs": "log output tail stdout stderr",
            "status": "state stat stats info progress check",
            "schedule": "cron",
            "help": "commands usage man manual hilfe aide ayuda ajuda ? -h --help",
        }
    ),
}

#: Verbs that end something: none of them is offered for a slip that may as well be another one.
ENDING: Final = words("stop suspend restart remove forget unlink unqueue cancel")
#: Verbs for what can't be done here: they aren't slips for another one.
NO_VERBS: Final = words(
    """clone copy duplicate fork backup save share invite move transfer upload download export import
    quiet upgrade update resize reset clear refresh edit change"""
)
#: Shorter synonyms are near to too many words.
_SHORTEST: Final = 4
_MOST: Final = 2


def near_verbs(word: str, folder: str, verbs: Collection[str]) -> list[str]:
    """Return the verbs nearest to an unknown word, the nearest first; empty if none is near."""
    wrong = 0 if word in NO_VERBS else slips(word)
    known = [(verb, verb) for verb in verbs]
    known += [
        (other, verb)
        for other, verb in SYNONYMS.get(folder, {}).items()
        if verb in verbs and len(other) >= _SHORTEST
    ]
    #: By verb: how far it is, and whether by another word for it, which is less likely to be the one.
    ranks: dict[str, tuple[int, bool]] = {}
    for other, verb in known:
        rank = (OSA.distance(word, other, score_cutoff=wrong), other != verb)
        # With two slips, only a word that begins alike is near enough.
        if rank[0] <= (wrong if word[:1] == other[:1] else min(wrong, 1)):
            ranks[verb] = min(rank, ranks.get(verb, rank))
    gentle = min((far for verb, (far, _) in ranks.items() if verb not in ENDING), default=wrong + 1)
    left = {verb: rank for verb, rank in ranks.items() if rank[0] < gentle or verb not in ENDING}
    nearest = min(left.values(), default=None)
    return sorted(verb for verb, rank in left.items() if rank == nearest)[:_MOST]
