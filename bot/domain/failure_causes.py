"""Reasons for failures and waits that Usher recognises in providers' messages. Pure functions.

``bot.messages.texts.problems`` puts these reasons into words. Messages without a known reason are quoted.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from typing import Final

from bot.domain.workspaces import NOT_UP_STATES, UP_STATES, State

#: How many characters of a message are searched. Messages can be long, because a scheduler may list all its
#: machines.
MAX_REASON_LENGTH: Final = 500


class Reason(StrEnum):
    """Reasons for failures and waits that can occur at any provider."""

    NO_GPU = "no_gpu"
    USAGE = "usage"
    QUOTA = "quota"
    ADDING = "adding"
    NO_ROOM = "no_room"
    NO_MATCH = "no_match"
    IMAGE = "image"
    PROFILE = "profile"
    DISK = "disk"
    MEMORY = "memory"
    STORAGE = "storage"
    LICENSE = "license"
    DENIED = "denied"
    CRASHED = "crashed"
    TAKEN = "taken"
    SLOW = "slow"
    CANCELED = "canceled"


#: Matches messages about a usage quota for a period, such as hours per month. Stopping a workspace doesn't
#: give any of it back.
_OVER_TIME: Final = (
    r"(?=.*\b(?:quotas?|limit(?:s|ed)?|allowances?|budget|used up|exhausted|exceed\w*|used [\d.]+ of)\b)"
    r"(?=.*(?:\b(?:[cg]pu|tpu|cores?|vcpu|compute|node|machine|instance|server|memory|gi?b)s?[- ]hours?\b"
    r"|\b(?:daily|weekly|monthly|yearly|annual)\b"
    r"|\b(?:last|past|previous|current|this|rolling) (?:\d+[- ])?(?:hour|day|week|month|quarter|year|billing)"
    r"|\b(?:hours|minutes) (?:per|a|each|every|/) ?(?:day|week|month|quarter|year)\b))"
)
#: Matches the names of services that manage quotas. An error in such a service doesn't mean that a quota has
#: been used up.
_QUOTA_KEEPER: Final = (
    r"\bquotas?[- ](?:\w+ )?"
    r"(?:systems?|services?|servers?|api|backend|database|checks?|checker|manager|plugin)\b"
)
_QUOTA_USED_UP: Final = (
    r"(?:\bquotas? (?:of|limit|allows)\b|\bno (?:\w+ )?quota (?:left|remaining)\b"
    r"|\bquotas?\b.{0,80}\b(?:used up|reached|exhausted|depleted|full|violated)\b"
    r"|\b(?:over|above|beyond|(?:more|larger|greater) than|reached|exhausted|used up|hit|out of)\b"
    r".{0,40}\bquotas?\b)"
)
#: Matches words for storage. Deleting files frees a storage quota, but stopping a workspace doesn't.
_STORAGE: Final = r"\b(?:home|disk|storage|file ?systems?|inodes?)\b"
#: Matches words for things whose number an account's quota may limit, such as workspaces.
_COUNTED: Final = (
    r"(?:workspace|server|session|codespace|environment|machine|instance|container|notebook|pod|job|gpu)s?\b"
)
#: Reasons, each with a pattern for its messages. The first pattern that matches a message determines the
#: reason. The patterns follow the wording of Kubernetes' scheduler and kubelet, Slurm, JupyterHub's spawners,
#: Posit Workbench, Sphere Engine and cloud providers.
_PATTERNS: Final = (
    # Usher's own provider packages use this message if the provider gives no reason for a state.
    (Reason.CANCELED, r"^(?:start|stop|delete) canceled$"),
    (
        Reason.DISK,
        r"no space left|disk ?pressure|disk (?:is )?full|resource: ephemeral",
    ),
    (Reason.QUOTA, r"exceeded quota:"),
    (
        Reason.DISK,
        rf"(?=.*\b(?:exceed\w*|over|full|used|reached|exhausted|out of|no)\b)(?=.*{_STORAGE}).*\bquota",
    ),
    (Reason.USAGE, rf"^(?!.*{_QUOTA_KEEPER}){_OVER_TIME}"),
    (Reason.USAGE, r"\b(?:qos|assoc)(?:max|grp)(?!\w*perjob)\w*minutes"),
    (
        Reason.QUOTA,
        r"exceed\w*\b.{0,80}quota|quota.{0,80}exceed|\b(?:insufficient|not enough|failed) quota\b",
    ),
    (Reason.QUOTA, rf"^(?!.*{_QUOTA_KEEPER}).*{_QUOTA_USED_UP}"),
    (Reason.QUOTA, r"\b(?:qos|assoc)(?:max|grp)\w+|\b(?:max|min)imum \S+ usage per\b"),
    (Reason.QUOTA, r"\byour (?:\S+ ){0,3}(?:limit|allowance)\b|\bper[- ]user\b"),
    (Reason.ADDING, r"\btriggered scale-up|\bscaling up\b"),
    (
        Reason.NO_GPU,
        r"insufficient \S*(?:gpu|nvidia|amd\.com)|no (?:free |available )?gpus? (?:is |are )?avail",
    ),
    (Reason.MEMORY, r"\boom-?kill|out of memory|allocate memory|exit code:? 137\b|resource: memory"),
    (
        Reason.NO_ROOM,
        r"\binsufficient (?:cpu|memory|ephemeral|pods|resources)|too many pods|no (?:existing )?nodes ",
    ),
    (
        Reason.NO_ROOM,
        r"not enough (?:cpu|memory|gpus?|resources|capacity)|trigger scale-up|out of resources",
    ),
    # Messages that come from the clouds themselves: AWS, Google and Azure.
    (Reason.NO_ROOM, r"insufficient\w*capacity|resource_pool_exhausted|skunotavailable|allocationfailed"),
    (Reason.NO_ROOM, r"(?:not|n't) have (?:enough|sufficient) (?:\S+ )?(?:resources|capacity)\b"),
    # Kubernetes also reports volumes that it has attached: "AttachVolume.Attach succeeded for volume …".
    (
        Reason.STORAGE,
        r"failed ?(?:mount|attach)|(?:mount|attach)volume(?!\S* succeeded)|attach or mount|multi-attach",
    ),
    (Reason.STORAGE, r"persistentvolumeclaim|volume node affinity"),
    # Kubernetes gives such taints to machines that have just been added or aren't responding.
    (Reason.NO_ROOM, r"\btaint \{node\.(?:cloudprovider\.)?kubernetes\.io/"),
    (
        Reason.NO_MATCH,
        r"affinity/selector|node selector|no such gpu|(?:unknown|invalid) (?:gpu|generic resource)",
    ),
    (Reason.NO_MATCH, r"requested node configuration is not available|untolerated taint"),
    (
        Reason.IMAGE,
        r"(?:errimage|imageinspect)\w+|imagepull|image pull|(?:invalid|no such) ?image|pull access",
    ),
    # An image's name may contain "error", as in "Pulling image …/error-analysis", which isn't a failure.
    (Reason.IMAGE, r"pull(?:ing)? (?:the )?image (?!\S+$).*(?:fail|error)"),
    (Reason.IMAGE, r"(?:failed to|back-off) pull|manifest.* unknown"),
    (Reason.IMAGE, r"\bimage\b.{0,80}(?:not be (?:pulled|found)|not found|does(?:n't| not) exist)"),
    (Reason.PROFILE, r"(?:unknown|invalid|no such) profile"),
    (Reason.PROFILE, r"\bprofiles?\b.{0,80}(?:misconfigured|not found|does(?:n't| not) exist|no longer)"),
    (Reason.LICENSE, r"\blicen[cs]e\b.{0,80}(?:expired|exceeded|limit|invalid|not (?:valid|activated))"),
    (
        Reason.QUOTA,
        rf"(?<!time )(?<!rate )\b(?:limit|maximum)\b.{{0,40}}\b{_COUNTED}|\b{_COUNTED} limit\b",
    ),
    (Reason.DENIED, r"\bforbidden\b|denied the request|not authorized|permission denied|podsecurity"),
    (Reason.CRASHED, r"crashloop|back-off restarting|exit(?:ed)? (?:with )?(?:code|status)"),
    (
        Reason.TAKEN,
        r"\bpreempted\b|\bevict(?:ed|ing)\b|node (?:was )?(?:lost|shutdown|shut down)|nodenotready",
    ),
    (
        Reason.SLOW,
        r"\btime[ds]?[ -]?out|did(?:n't| not) (?:respond|start) in|deadline ?exceeded|took too long",
    ),
)

#: Matches a provider's message that there isn't enough of a resource. The group is the resource's name.
_SHORT_OF: Final = r"(?i)(?:insufficient|not enough) (cpu|memory|ephemeral-storage)\b"
#: Matches an autoscaler's message that it won't add a machine.
_ADDS_NONE: Final = r"(?i)trigger scale-up|\bscale[- ]up\b.{0,200}\bfailed\b"


def find_scarce_resources(message: str) -> tuple[str, ...]:
    """Return which of "cpu", "memory" and "ephemeral-storage" are scarce according to a message."""
    return tuple(dict.fromkeys(name.lower() for name in re.findall(_SHORT_OF, message[:MAX_REASON_LENGTH])))


#: Shortages that end when other people free up machines. This doesn't include an expired licence, or a quota
#: that the user has used up.
_SHARED: Final = frozenset({Reason.NO_GPU, Reason.NO_ROOM})
_SEATS: Final = r"(?i)\blicen[cs]e\b.{0,80}(?:exceeded|limit)|no .{0,20}licen[cs]es? .{0,20}avail"
#: Reasons that have to do with limits on the user's own account.
OWN_LIMITS: Final = frozenset({Reason.QUOTA, Reason.USAGE})
#: Matches messages about a quota of the cloud account (Google, Azure, AWS), which everyone shares.
_OF_ALL: Final = (
    r"(?i)\bquota '\w+' exceeded|exceeding approved .{0,60}\bquota|(?:vcpu|instance)limitexceeded"
)


def lacks_capacity(message: str) -> bool:
    """Return whether a message reports a shortage of shared machines, licence seats or shared quota."""
    said = message[:MAX_REASON_LENGTH]
    return find_reason(said) in _SHARED or any(re.search(pattern, said) for pattern in (_SEATS, _OF_ALL))


def find_reason(message: str) -> Reason | None:
    """Return the reason that a provider's message gives, or None if Usher recognises none."""
    said = message[:MAX_REASON_LENGTH]
    return next((reason for reason, pattern in _compile_patterns() if pattern.search(said)), None)


@cache
def _compile_patterns() -> list[tuple[Reason, re.Pattern[str]]]:
    """Compile the patterns on first use, because compiling them delays the start."""
    return [(reason, re.compile(pattern, re.IGNORECASE)) for reason, pattern in _PATTERNS]


def split_message(state: State, message: str) -> tuple[str | None, str | None]:
    """Split the message of a workspace that isn't running into (detail, reason). At most one of them is set.

    The message is a reason if the workspace has failed, or if ``find_reason`` recognises it.
    """
    is_reason = state is State.FAILED or find_reason(message) is not None
    return (None, message or None) if is_reason else (message or None, None)


def choose_reason(before: State, known: str | None, after: State, new: str | None) -> str | None:
    """Return why a workspace is held up or has failed, given the known reason and the reason just read.

    The known reason is kept until the workspace runs, is started again, or fails while stopping, or until
    ``new`` is "" while it is starting, which means that nothing holds it up any more.
    """
    is_stop_over = before is State.STOPPING and after is State.FAILED
    is_fresh = after is State.RUNNING or (after in UP_STATES and before in NOT_UP_STATES) or is_stop_over
    if is_fresh or (after is State.STARTING and new == ""):
        return new or None
    return pick_failure_message([known, new])


def pick_failure_message(messages: Sequence[str | None]) -> str | None:
    """Return the most informative of several failure messages, or None if there are none.

    This is usually the latest one. A time-out doesn't say what the start was waiting for. An autoscaler's
    message says why no machine was added, but the scheduler's message says what is missing.
    """
    said = [one for one in messages if one]
    while len(said) > 1 and find_reason(said[-1]) is Reason.SLOW:
        said.pop()
    if not said or not re.search(_ADDS_NONE, said[-1]):
        return said[-1] if said else None
    named = [one for one in said if find_reason(one) is Reason.NO_GPU or find_scarce_resources(one)]
    return ([one for one in named if not re.search(_ADDS_NONE, one)] or named or said)[-1]
