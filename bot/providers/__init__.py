"""The providers, each a package in this folder, and the connections that operators configure.

The connections file has one TOML table per connection, validated by the provider's own settings model. Anyone
who can write to the file decides where users' tokens are sent. Usher therefore rejects the file if other
users of the machine can write to it, or can read it while it contains secrets.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import structlog
from pydantic import ValidationError

from bot.providers.base import Provider
from bot.providers.binding import bind
from bot.providers.connection import ConnectionSettings
from bot.providers.registry import find_distribution, find_provider_class
from bot.providers.registry import list_provider_classes as list_provider_classes
from bot.support.cleaning import trim
from bot.support.environment import READABLE_BITS, REFERENCE_PREFIXES, WRITABLE_BITS, resolve_secret
from bot.support.http import Http
from bot.support.settings import SettingsError, translate_message

log = structlog.get_logger(__name__)
CONNECTION_NAME_PATTERN = re.compile(r"^[a-z][a-z0-9_-]{0,30}$")
#: Maps the old names of renamed settings keys to the new ones.
_FORMER_KEYS: Final = {"recipes": "templates", "presets": "templates"}
#: Maps removed settings keys to advice for the operator. These keys are ignored, and a warning is logged.
_REMOVED_KEYS: Final = {"changes_limits": "Remove it: nobody is asked for a higher limit any more."}


def build(settings: ConnectionSettings, http: Http) -> Provider:
    """Create the provider for a connection. Raise SettingsError if no provider has the connection's kind."""
    try:
        provider = find_provider_class(settings.provider, settings.source)
    except SettingsError as wrong:
        raise SettingsError([f"connections.{settings.name}{one}" for one in wrong.problems]) from None
    return build_bound_provider(provider, settings, http)


def build_bound_provider(provider: type[Provider], settings: ConnectionSettings, http: Http) -> Provider:
    """Create a provider whose methods each use the right secret (see ``bind``).

    From now on, ``http`` removes the connection's own secrets from every response.
    """
    http.hide(settings.secrets())
    built = provider(settings, http)
    bind(built)
    return built


def read_connections(
    source: Path | str, *, has_several: bool = False
) -> tuple[dict[str, ConnectionSettings], list[str]]:
    """Return the valid connections, and every problem found in the others.

    ``source`` is the file's path, or the file's content if the environment contains it. ``has_several`` says
    whether Usher is installed in more than one Slack workspace.
    """
    checked: dict[str, ConnectionSettings] = {}
    try:
        tables, problems = _read_tables(source)
    except SettingsError as wrong:
        return checked, wrong.problems
    if not tables and not problems:
        problems.append("USHER_CONNECTIONS: the file names no connection: add a [connections.NAME] table")
    untitled = Counter(str(table.get("provider")) for table in tables.values() if not table.get("title"))
    folder = source.parent if isinstance(source, Path) else None
    for name, table in tables.items():
        try:
            is_only = untitled[str(table.get("provider"))] == 1
            checked[name] = _check_connection(name, table, folder, is_only=is_only)
        except SettingsError as wrong:
            problems.extend(f"connections.{name}{problem}" for problem in wrong.problems)
    has_secrets = any(_has_secrets(table) for table in tables.values())
    if isinstance(source, Path) and has_secrets and source.stat().st_mode & READABLE_BITS:
        problems.append(
            f"USHER_CONNECTIONS: {source.name} contains secrets, but others on this machine can read it: "
            f"chmod 600 {source.name}"
        )
    return checked, problems + (find_ambiguous_people(checked) if has_several else [])


def find_ambiguous_people(settings: Mapping[str, ConnectionSettings]) -> list[str]:
    """Return a problem for each template whose ``who`` lists a user id without its Slack workspace.

    If Usher is installed in several workspaces, the same id may belong to a different person in each.
    """
    return [
        f"connections.{name}: {one.name}: without SLACK_BOT_TOKEN, each id in who needs its Slack workspace, "
        "such as T0123ABCD:U0123ABCD"
        for name, given in settings.items()
        for one in given.prepared
        if any(":" not in who for who in one.who or ())
    ]


def build_providers(settings: Mapping[str, ConnectionSettings], http: Http) -> dict[str, Provider]:
    """Create a provider for each connection."""
    return {name: build(given, http) for name, given in settings.items()}


def list_secrets(settings: Mapping[str, ConnectionSettings]) -> list[str]:
    """Return every secret in the connections' settings, so that logs can leave them out."""
    return [secret for given in settings.values() for secret in given.secrets()]


def list_distributions(settings: Mapping[str, ConnectionSettings]) -> dict[str, str]:
    """Map each connection whose provider isn't part of Usher to the provider's distribution and version."""
    # Avoid ``entry_points`` for our own providers, because it reads the metadata of every installed package.
    return {
        name: find_distribution(given.provider, given.source)
        for name, given in settings.items()
        if given.source
    }


def _has_secrets(table: dict[str, Any]) -> bool:
    """Return whether a table contains a secret itself, rather than a reference to one."""
    try:
        fields = _find_class(table).settings_model.model_fields
    except SettingsError:
        return False
    return any(
        "SecretStr" in str(field.annotation)
        and isinstance(table.get(name), str)
        and not str(table[name]).startswith(REFERENCE_PREFIXES)
        for name, field in fields.items()
    )


def _find_class(table: Mapping[str, Any]) -> type[Provider]:
    return find_provider_class(str(table.get("provider")), str(table.get("from", "")))


def _read_tables(source: Path | str) -> tuple[dict[str, Any], list[str]]:
    """Return the tables under ``connections``; report anything else in the file as a problem."""
    path = source if isinstance(source, Path) else Path("its text")
    try:
        if isinstance(source, Path) and not path.is_dir() and path.stat().st_mode & WRITABLE_BITS:
            raise SettingsError(
                [f"USHER_CONNECTIONS: others on this machine can write {path.name}: chmod 600 {path.name}"]
            )
        content = tomllib.loads(trim(source if isinstance(source, str) else path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise SettingsError([f"USHER_CONNECTIONS: there is no file {path.absolute()}"]) from None
    except IsADirectoryError:
        raise SettingsError([f"USHER_CONNECTIONS: {path.absolute()} is a folder"]) from None
    except OSError:
        raise SettingsError([f"USHER_CONNECTIONS: the file {path.name} can't be read"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as broken:
        place = re.search(r"\(at .*\)", str(broken))
        where = place.group() if place else ""
        raise SettingsError([f"USHER_CONNECTIONS: {path.name} isn't valid TOML {where}".rstrip()]) from None
    tables = content.get("connections", {})
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise SettingsError(["USHER_CONNECTIONS: every connection needs a table [connections.NAME]"])
    strangers = sorted(content.keys() - {"connections"})
    return {name: _trim_table(table) for name, table in tables.items()}, [
        f"USHER_CONNECTIONS: {key} is not known: a connection is a table [connections.NAME]"
        for key in strangers
    ]


def _trim_table(table: dict[str, Any]) -> dict[str, Any]:
    """Return a table with its strings trimmed, except for those in inner tables, such as options."""
    return {key: _trim(value) for key, value in table.items()}


def _trim(value: Any) -> Any:
    if isinstance(value, list):
        return [_trim_table(one) if isinstance(one, dict) else _trim(one) for one in value]
    return trim(value) if isinstance(value, str) else value


def _check_connection(
    name: str, table: dict[str, Any], folder: Path | None, *, is_only: bool
) -> ConnectionSettings:
    if not CONNECTION_NAME_PATTERN.match(name):
        raise SettingsError([": its name needs lower-case letters, digits, - and _, at most 31"])
    provider = _find_class(table)
    # The key "name" isn't allowed, because a connection's name is the name of its table.
    problems = [".name: isn't a key: the table's name is the connection's"] if "name" in table else []
    values: dict[str, Any] = {}
    for key in table.keys() & _REMOVED_KEYS.keys():
        log.warning("connection key removed", connection=name, key=key, advice=_REMOVED_KEYS[key])
    for key, value in table.items():
        if key in _REMOVED_KEYS:
            continue
        try:
            values[key] = resolve_secret(value) if isinstance(value, str) else value
        except ValueError as wrong:
            problems.append(f".{key}: {wrong}")
    values["title"] = values.get("title") or (provider.title if is_only else f"{provider.title} ({name})")
    unresolved = {problem.partition(":")[0] for problem in problems}
    try:
        # File names in a table are relative to the folder of the connections file.
        checked = provider.settings_model.model_validate({**values, "name": name}, context={"folder": folder})
    except ValidationError as invalid:
        found = [_format_error(error) for error in invalid.errors()]
        problems += [one for one in found if one.partition(":")[0] not in unresolved]
    else:
        if not problems:
            return checked
    raise SettingsError(problems)


def _format_error(error: Any) -> str:
    place = "".join(f".{part}" for part in error["loc"])
    now = _FORMER_KEYS.get(str(error["loc"][-1]) if error["loc"] else "")
    message = {
        "missing": "is not set",
        "extra_forbidden": f"is called {now} now" if now else "isn't a key of this provider",
    }.get(error["type"], translate_message(error))
    return f"{place}: {message}"
