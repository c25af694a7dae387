"""Checks of the settings: what is wrong with each, and where its value is found."""

from collections.abc import Sequence
from typing import Final

from bot.support.environment import command
from bot.upkeep.checks import Check

_APP: Final = "your app's page at api.slack.com/apps"
#: What to do, by the variable that a problem begins with.
_SETTING_ADVICE: Final = {
    "SLACK_BOT_TOKEN": f"Copy the Bot User OAuth Token from {_APP}, OAuth & Permissions.",
    "SLACK_SIGNING_SECRET": f"Copy the Signing Secret from {_APP}, Basic Information.",
    "SLACK_APP_TOKEN": f"Create an app-level token with connections:write on {_APP}, Basic Information.",
    "SLACK_CLIENT_ID": f"Copy both from {_APP}, Basic Information.",
    "SLACK_CLIENT_SECRET": f"Copy both from {_APP}, Basic Information.",
    "USHER_ENCRYPTION_KEYS": (
        f"{command('keys new')} creates a key. Keep your old keys too: stored data needs them."
    ),
    "USHER_CONNECTIONS": f"{command('up')} writes one. Set it to the path of yours: `usher docs server`.",
    "USHER_PUBLIC_URL": "Set it to the address that people's browsers use, such as https://usher.example.org.",
    "USHER_ASSISTANT": "Set both, or leave it out: `usher docs assistant` says what it needs.",
    "USHER_DATABASE_URL": (
        "Set it to a file, such as sqlite:////var/lib/usher/usher.db, or to a PostgreSQL database."
    ),
    "USHER_SLACK_WORKSPACES": (
        "Name the Slack workspaces that you serve, such as T0123ABCD,E0123ABCD: "
        "a browser shows a workspace's id in the address of app.slack.com."
    ),
    "USHER_GLOBAL_ADMINS": "Copy member ids from people's profiles in Slack, and join them with commas.",
    "USHER_ADMINS": "Copy member ids from people's profiles in Slack, and join them with commas.",
}
_OTHER: Final = "Correct or remove it: `usher docs settings` lists the values each one takes."
_CONNECTIONS: Final = "Correct it in the connections file: `usher docs settings` lists every key."
#: In a problem that says itself what to do.
_SAYS_IT: Final = "chmod 600"
_SYSTEMD: Final = "systemd sets that: run `usher-run doctor` in place of `usher doctor`."
_MISSPELT: Final = "Correct its name, or remove it."
_UNKNOWN: Final = "Remove it, or correct its name: `usher docs settings` lists them all."


def check_settings(problems: Sequence[str], unknown: Sequence[str], exposed: str = "") -> list[Check]:
    """Return a check for each problem of the settings, or the one that all is well.

    ``exposed`` says what others may do with their file, and what to do about it.
    """
    checks = [Check("settings", False, problem, _setting_advice(problem)) for problem in problems]
    checks += [
        Check("settings", False, f"{name}: there is no such setting, so it does nothing", _UNKNOWN)
        for name in unknown
    ]
    if exposed:
        checks.append(Check("settings", False, exposed))
    return checks or [Check("settings", True, "all there")]


def _setting_advice(problem: str) -> str:
    if _SAYS_IT in problem:
        return ""
    if "CREDENTIALS_DIRECTORY" in problem:
        return _SYSTEMD
    if "there is no such setting" in problem:
        return _MISSPELT
    if problem.startswith("connections."):
        return _CONNECTIONS
    return _SETTING_ADVICE.get(problem.split(":", maxsplit=1)[0].split(maxsplit=1)[0], _OTHER)
