"""Other words for verbs, and the verbs that are meant by mistyped ones.

Nothing that takes something away is suggested for a word that is at least as close to one that starts, makes
or shows something.
"""

from collections.abc import Collection, Mapping
from typing import Final

from rapidfuzz.distance import OSA

from handlers.command_line import count_allowed_slips


def split_words(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


def index_words(table: Mapping[str, str]) -> Mapping[str, str]:
    """Return the key of each word of a table, whose values are texts of words."""
    return {word: verb for verb, others in table.items() for word in others.split()}


#: Other words for verbs, by the folder in which they were written.
SYNONYMS: Final[Mapping[str, Mapping[str, str]]] = {
    "workspace": index_words(
        {
            "start": "run launch boot begin execute activate enable ignite deploy starte starten",
            "stop": """kill end shut shutdown halt quit terminate close deactivate disable exit poweroff stopp
                stoppe stoppen beende beenden""",
            "suspend": "pause sleep hibernate freeze",
            "resume": "unpause continue wake unfreeze unsuspend",
            "restart": "reboot reload relaunch bounce",
            "remove": "delete destroy erase del rm purge drop discard",
            "forget": "hide",
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
    "job": index_words(
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

#: Verbs that end something: none of them is offered for a slip that may as well be another verb.
ENDING_VERBS: Final = split_words("stop suspend restart remove forget unlink unqueue cancel")
#: Verbs without a meaning here: they aren't slips for another verb.
UNSUPPORTED_VERBS: Final = split_words(
    """clone copy duplicate fork backup save share invite move transfer upload download export import
    quiet upgrade update resize reset clear refresh edit change"""
)
#: Shorter synonyms are near to too many words.
_MIN_SYNONYM_LENGTH: Final = 4
_MAX_SUGGESTED_VERBS: Final = 2


def find_similar_verbs(word: str, folder: str, verbs: Collection[str]) -> list[str]:
    """Return the verbs nearest to an unknown word, the nearest first; empty if none is near."""
    wrong = 0 if word in UNSUPPORTED_VERBS else count_allowed_slips(word)
    candidates = [(verb, verb) for verb in verbs]
    candidates += [
        (other, verb)
        for other, verb in SYNONYMS.get(folder, {}).items()
        if verb in verbs and len(other) >= _MIN_SYNONYM_LENGTH
    ]
    #: By verb: how far it is, and whether by another word for it, which is less likely to be the one.
    ranks: dict[str, tuple[int, bool]] = {}
    for other, verb in candidates:
        rank = (OSA.distance(word, other, score_cutoff=wrong), other != verb)
        # With two slips, only a word that begins alike is near enough.
        if rank[0] <= (wrong if word[:1] == other[:1] else min(wrong, 1)):
            ranks[verb] = min(rank, ranks.get(verb, rank))
    gentle = min((far for verb, (far, _) in ranks.items() if verb not in ENDING_VERBS), default=wrong + 1)
    offered = {verb: rank for verb, rank in ranks.items() if rank[0] < gentle or verb not in ENDING_VERBS}
    nearest = min(offered.values(), default=None)
    return sorted(verb for verb, rank in offered.items() if rank == nearest)[:_MAX_SUGGESTED_VERBS]
