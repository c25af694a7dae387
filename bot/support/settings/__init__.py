"""All settings, read from the environment. All problems are reported together, without quoting values."""

import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from cryptography.fernet import Fernet
from pydantic import ValidationError

from bot.support.environment import find_key_file, list_referenced_variables, list_variables
from bot.support.settings.core import Settings as Settings
from bot.support.settings.database import find_database_file

#: Minimum similarity, from 0 to 100, for a variable's name to count as a misspelt setting.
_MIN_SIMILARITY: Final = 88.0
#: Prefix of Usher's own variables. Variables that begin with SLACK_ may belong to other programs, so they are
#: reported as misspelt only if the setting that they resemble isn't set.
OWN_PREFIX: Final = "USHER_"
PREFIXES: Final = (OWN_PREFIX, "SLACK_")
#: For each service, Kubernetes sets several variables in every pod. One of them is named after the service,
#: with this suffix. ``_SERVICE_VARIABLE_PATTERN`` matches the suffixes of all the variables.
_SERVICE_HOST: Final = "_SERVICE_HOST"
_SERVICE_VARIABLE_PATTERN: Final = re.compile(
    r"_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_[A-Z]+(?:_(?:PROTO|PORT|ADDR))?)?)"
)
#: Maps each removed setting to a message that says what to do, and how Usher behaves now.
REMOVED_SETTINGS: Final = {
    "USHER_DEADLINE_MINUTES": "Remove it: people hear that a request is slow after 30 minutes.",
    "USHER_GLOBAL_ADMINS": "Remove it, and put those ids into USHER_ADMINS without their Slack workspace: "
    "there, they administer all. Their own workspace must come first in USHER_SLACK_WORKSPACES.",
    "USHER_LOG_FORMAT": "Remove it: the log is text on a terminal, and JSON everywhere else.",
    "USHER_PERSON_BURST": "Remove it: everybody may make 30 requests at once, and one more each second.",
    "USHER_PERSON_RATE": "Remove it: everybody may make 30 requests at once, and one more each second.",
    "USHER_POLL_MARGIN_SECONDS": "Remove it: the margin of status reads is 0.5 seconds.",
    "USHER_SESSION_HOURS": "Remove it: a browser is signed out after 12 hours, or after 2 hours without use.",
    "USHER_SESSION_IDLE_MINUTES": "Remove it: a browser is signed out after 12 hours, or after 2 hours "
    "without use.",
    "USHER_SOCKET_CONNECTIONS": "Remove it: in Socket Mode each web has two connections, or one "
    "if there are more than four webs.",
    "USHER_UNWARNED_HOURS": "Remove it: a planned stop waits for its warning for 12 hours.",
    "USHER_WARN_MINUTES": "Remove it: people are warned 5 minutes before their workspace ends by itself.",
}


class SettingsError(Exception):
    """Raised with all problems of the settings, one sentence each, without values.

    The exit status is then 2. ``advice`` is shown below the problems, in place of the usual advice.
    """

    def __init__(self, problems: list[str], advice: str = "") -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
        self.advice = advice


VARIABLES: Final = {str(field.validation_alias): field for field in Settings.model_fields.values()}


#: Arguments for ``Settings``. There are none, because every field is read from the environment, but the type
#: checker expects some.
_FROM_ENVIRONMENT: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class ParsedSettings:
    """The settings from the environment, and what is wrong with them.

    ``problems`` are sentences without values. ``wrong`` are the variables with invalid values, for each of
    which ``settings`` contains a stand-in. ``unknown`` are variables that look like Usher's but that no
    setting reads. ``removed`` are variables that only an earlier release read.
    """

    settings: Settings
    problems: list[str]
    wrong: frozenset[str]
    unknown: list[str]
    removed: list[str]


def read_settings() -> ParsedSettings:
    """Read the settings from the environment, collecting all problems."""
    wrong: dict[str, str] = {}
    try:
        settings = Settings(**_FROM_ENVIRONMENT)
    except ValidationError as invalid:
        wrong = {str(error["loc"][0]): _format_error(error) for error in invalid.errors()}
        settings = Settings(**{name: _choose_stand_in(name) for name in wrong})
    given, elsewhere = set(list_variables()), list_referenced_variables()
    removed = {name for name in given - elsewhere if name.upper() in REMOVED_SETTINGS}
    misspelt, unknown = find_unknown_variables(given - removed, VARIABLES, elsewhere)
    is_installed = settings.slack_client_id is not None and settings.slack_client_secret is not None
    if settings.slack_bot_token is None and not is_installed and "SLACK_BOT_TOKEN" not in wrong:
        wrong = {"SLACK_BOT_TOKEN": "SLACK_BOT_TOKEN: is not set", **wrong}
    problems = [
        *wrong.values(),
        *settings.clashes(lambda *names: wrong.keys().isdisjoint(names)),
        *(_find_key_beside_database(settings) if "USHER_DATABASE_URL" not in wrong else ()),
        *(f"{name}: there is no such setting. Did you mean {near}?" for name, near in misspelt.items()),
    ]
    return ParsedSettings(settings, problems, frozenset(wrong), unknown, sorted(map(str.upper, removed)))


def find_problem(name: str, value: str) -> str:
    """Return what is wrong with a single setting's value, or "" if it is valid on its own."""
    try:
        Settings(**dict[str, Any]({name: value}))
    except ValidationError as invalid:
        return next((_format_error(error) for error in invalid.errors() if error["loc"] == (name,)), "")
    return ""


def _choose_stand_in(name: str) -> Any:
    """Return a valid value to use in place of an invalid one, so that the other settings can be checked."""
    needed = {
        "USHER_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "USHER_CONNECTIONS": os.devnull,
    }
    return needed.get(name, VARIABLES[name].default)


def _find_key_beside_database(settings: Settings) -> list[str]:
    keys, database = find_key_file(), find_database_file(settings.database_url)
    if keys is None or database is None or keys.resolve().parent != database.resolve().parent:
        return []
    return [
        "USHER_ENCRYPTION_KEYS: the key file must not be in the database's folder: whoever gets one gets both"
    ]


def _format_error(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"])
    message = "is not set" if error["type"] == "missing" else translate_message(error)
    return f"{place}: {message}" if place else message


def translate_message(error: Any) -> str:
    """Reword a validation error's message so that it can follow the setting's name."""
    message = str(error["msg"]).removeprefix("Value error, ").partition(", unable to")[0]
    return message.replace("Input should be", "needs to be")


def leave_out_service_variables(names: Iterable[str]) -> list[str]:
    """Return environment variables without those that Kubernetes sets for its services."""
    given = list(names)
    services = [name.removesuffix(_SERVICE_HOST) for name in given if name.endswith(_SERVICE_HOST)]
    return [
        name
        for name in given
        if not any(
            name.startswith(service) and _SERVICE_VARIABLE_PATTERN.fullmatch(name, len(service))
            for service in services
        )
    ]


def find_unknown_variables(
    given: Iterable[str], known: Collection[str], referenced: Collection[str] = ()
) -> tuple[dict[str, str], list[str]]:
    """Return misspelt variables, each with the setting that it resembles, and other unknown variables.

    ``known`` are the settings. ``referenced`` are the variables that others refer to (``env:NAME``).
    """
    from rapidfuzz import fuzz, process  # noqa: PLC0415 - only needed for typing mistakes

    names = {name for name in leave_out_service_variables(given) if name.upper().startswith(PREFIXES)}
    unset = [name for name in known if name not in names]
    misspelt: dict[str, str] = {}
    unknown: list[str] = []
    for name in sorted(names.difference(known, referenced)):
        upper = name.upper()
        candidates = list(known) if upper.startswith(OWN_PREFIX) else unset
        near = process.extractOne(upper, candidates, scorer=fuzz.ratio, score_cutoff=_MIN_SIMILARITY)
        if near is not None:
            misspelt[name] = near[0]
        elif upper.startswith(OWN_PREFIX):
            unknown.append(name)
    return misspelt, unknown
