"""The rules of settings as a whole: what depends on each other, and variables that look like settings.

Each setting by itself is checked in ``bot.support.settings``. A misspelt one would be ignored without a word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rapidfuzz import fuzz, process

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from bot.support.settings import Settings


#: How similar (0–100) a variable is to a setting that isn't set to be taken for it.
_ALIKE: Final = 88.0
#: Variables that begin like this are for Usher; those of other programs begin with SLACK_, too.
OURS: Final = "USHER_"
PREFIXES: Final = (OURS, "SLACK_")


def together(settings: Settings, wrong: Mapping[str, str]) -> list[str]:
    """Return what is wrong with settings that depend on each other; one that is wrong by itself is enough."""

    def are_right(*names: str) -> bool:
        return not set(names) & wrong.keys()

    problems = []
    has_way_in = settings.slack_signing_secret is not None or settings.slack_app_token is not None
    if not has_way_in and are_right("SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN"):
        problems.append(
            "SLACK_SIGNING_SECRET (HTTP) or SLACK_APP_TOKEN (Socket Mode) is required, "
            "so that Slack can reach Usher"
        )
    is_half = (settings.slack_client_id is None) != (settings.slack_client_secret is None)
    if is_half and are_right("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"):
        problems.append("SLACK_CLIENT_ID and SLACK_CLIENT_SECRET belong together: set both or neither")
    problems += _for_several(settings, are_right)
    if settings.command == settings.job_command and are_right("USHER_COMMAND", "USHER_JOB_COMMAND"):
        problems.append("USHER_COMMAND and USHER_JOB_COMMAND are the same: each needs its own name")
    return problems


def _for_several(settings: Settings, are_right: Callable[..., bool]) -> list[str]:
    """Return what is missing where Usher is installed by OAuth, because there is no bot token."""
    if settings.slack_bot_token is not None or not are_right("SLACK_BOT_TOKEN"):
        return []
    problems = []
    if settings.public_url is None and are_right("USHER_PUBLIC_URL"):
        problems.append(
            "USHER_PUBLIC_URL is required without SLACK_BOT_TOKEN: Usher is installed at /slack/install there"
        )
    named = {"USHER_ADMINS": settings.admin_ids(), "USHER_GLOBAL_ADMINS": settings.global_admin_ids()}
    problems += [
        f"{variable}: without SLACK_BOT_TOKEN, each id needs its workspace (T0123:U0123ABCD) or its "
        "organisation (E0123:U0123ABCD), because the same id may be somebody else in another one"
        for variable, ids in named.items()
        if are_right(variable) and any(":" not in name for name in ids)
    ]
    if not settings.slack_workspaces and are_right("USHER_SLACK_WORKSPACES"):
        problems.append(
            "USHER_SLACK_WORKSPACES is required without SLACK_BOT_TOKEN: "
            "the Slack workspaces that may install and use Usher, or * for any"
        )
    return problems


def strangers(
    given: Iterable[str], known: Collection[str], referenced: Collection[str] = ()
) -> tuple[dict[str, str], list[str]]:
    """Return the misspelt variables with the settings they look like, and the others that do nothing.

    ``known`` are the settings, ``referenced`` the variables that a secret is read from (``env:NAME``).
    """
    names = {name.upper(): name for name in given if name.upper().startswith(PREFIXES)}
    unset = [name for name in known if name not in names]
    misspelt: dict[str, str] = {}
    unknown: list[str] = []
    for upper, name in sorted(names.items()):
        if upper in known or name in referenced:
            continue
        near = process.extractOne(upper, unset, scorer=fuzz.ratio, score_cutoff=_ALIKE)
        if near is not None:
            misspelt[name] = near[0]
        elif upper.startswith(OURS):
            unknown.append(name)
    return misspelt, unknown
