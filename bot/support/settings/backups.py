"""The setting of nightly backups."""

from pathlib import Path

from pydantic import field_validator

from bot.support.settings.core import CoreSettings
from bot.support.settings.database import explain_wrong_path, find_database_file
from bot.support.settings.field import setting


class BackupSettings(CoreSettings):
    """The folder for nightly backups of a SQLite file."""

    backups: Path | None = setting(
        "USHER_BACKUPS",
        None,
        "the folder for nightly backups of a file: `usher docs operate#backups`",
        "none: `backups` beside it",
    )

    @field_validator("backups")
    @classmethod
    def _backups(cls, value: Path | None) -> Path | None:
        if value is not None and (wrong := explain_wrong_path(str(value))):
            raise ValueError(wrong)
        return value

    def nightly_backups(self) -> tuple[Path, Path] | None:
        """Return the SQLite file and the folder that it is copied to every night; None without a file."""
        file = find_database_file(self.database_url)
        return None if file is None else (file, self.backups or file.with_name("backups"))
