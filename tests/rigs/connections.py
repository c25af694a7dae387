"""The connections file, read as a process reads it at its start."""

from pathlib import Path

from bot.providers import read_connections
from bot.providers.connection import ConnectionSettings
from bot.support.settings import SettingsError


def load_connections(source: Path | str) -> dict[str, ConnectionSettings]:
    """Read and check all connections. Raise SettingsError with all problems, without showing any values."""
    checked, problems = read_connections(source)
    if problems:
        raise SettingsError(problems)
    return checked
