"""Connections files, as a process reads them when it starts."""

from pathlib import Path

from bot.providers import read_connections
from bot.providers.connection import ConnectionSettings
from bot.support.settings import SettingsError


def load_connections(source: Path | str) -> dict[str, ConnectionSettings]:
    """Read and check every connection; raise SettingsError with all problems, without values."""
    checked, problems = read_connections(source)
    if problems:
        raise SettingsError(problems)
    return checked
