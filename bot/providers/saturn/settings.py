"""The settings of a Saturn connection, with the recipes that an operator keeps as JSON files.

``[[connections.NAME.templates]] name, title, file, who``. A recipe describes a whole resource
(``docs/providers/saturn.md``, "Recipes") and is checked when the settings are loaded; its name and owner are
filled in for each person.
"""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import SecretStr, ValidationInfo, field_validator, model_validator

from bot.providers.connection import ConnectionSettings, Linking
from bot.providers.prepared import AllOf, Prepared

#: A recipe is a page of JSON; a larger file must be something else.
MAX_BYTES = 200_000
#: The fields of ``spec`` that the documents name, and their types.
_TEXTS = (
    "name",
    "owner",
    "instance_type",
    "command",
    "disk_space",
    "auto_shutoff",
    "working_directory",
    "start_script",
)
_LISTS = ("git_repositories",)


@dataclass(frozen=True, slots=True)
class RecipeFile:
    """Hold the contents of a recipe's file."""

    path: str
    content: Mapping[str, Any] = field(default_factory=dict, repr=False)


class Recipe(Prepared):
    """Hold one recipe; ``file`` is a path relative to the connections file's folder."""

    file: RecipeFile

    @field_validator("file", mode="plain")
    @classmethod
    def _file(cls, value: Any, info: ValidationInfo) -> RecipeFile:
        if isinstance(value, RecipeFile):
            return value
        if not isinstance(value, str) or not value:
            raise ValueError("needs the path of a JSON file")
        folder = (info.context or {}).get("folder")
        path = Path(value) if folder is None else Path(folder) / value
        return RecipeFile(value, parse(path.name, _read(path)))

    @property
    def size(self) -> str:
        """Return the recipe's size, or "" if it leaves that to the server."""
        return str(self.file.content["spec"].get("instance_type") or "")

    @property
    def organisation(self) -> str:
        """Return the organisation of the recipe's owner, or "" if it names none."""
        return str(self.file.content["spec"].get("owner") or "").rpartition("/")[0]

    def filled(self, name: str, owner: str, size: str) -> dict[str, Any]:
        """Return what is sent: with this name and owner ("": the token's own), and without a state."""
        content = {key: value for key, value in self.file.content.items() if key != "state"}
        spec = {key: value for key, value in content["spec"].items() if key not in {"name", "owner"}}
        spec["name"] = name
        if owner:
            spec["owner"] = owner
        if size:
            spec["instance_type"] = size
        return {**content, "spec": spec}


class SaturnSettings(ConnectionSettings):
    """Hold a Saturn connection; ``act_as``: whose token drives workspaces."""

    ways: ClassVar[Mapping[Linking, str]] = {"token": "", "admin": "admin_token"}

    admin_token: SecretStr | None = None
    #: ``admin`` applies to people whom an administrator approved; those who linked their own token use that.
    act_as: Literal["person", "admin"] = "person"
    templates: AllOf[Recipe] = ()

    @model_validator(mode="after")
    def _together(self) -> SaturnSettings:
        if self.act_as == "admin" and "admin" not in self.linking:
            raise ValueError('act_as: "admin" is for people whom administrators link: linking needs "admin"')
        return self


def parse(name: str, text: str) -> dict[str, Any]:
    """Return a recipe from its file's text; raise ValueError naming file, line and field."""
    try:
        content = json.loads(text)
    except json.JSONDecodeError as broken:
        place = f"line {broken.lineno}, column {broken.colno}"
        raise ValueError(f"{name} isn't valid JSON ({place}): {broken.msg}") from None
    except RecursionError:
        raise ValueError(f"{name} is nested too deeply") from None
    problems = _problems(content)
    if problems:
        found = [f"{field}{_line(text, field)}: {said}" for field, said in problems]
        raise ValueError(f"{name}: {'; '.join(found)}")
    return dict(content)


def _problems(content: Any) -> list[tuple[str, str]]:
    if not isinstance(content, dict):
        return [("recipe", "needs to be an object with type and spec")]
    found = []
    if content.get("type") != "workspace":
        found.append(("type", 'needs to be "workspace"'))
    spec = content.get("spec")
    if not isinstance(spec, dict):
        return [*found, ("spec", "needs to be an object")]
    found += [
        (f"spec.{key}", "needs to be a text")
        for key in _TEXTS
        if spec.get(key) is not None and not isinstance(spec[key], str)
    ]
    found += [
        (f"spec.{key}", "needs to be a list")
        for key in _LISTS
        if spec.get(key) is not None and not isinstance(spec[key], list)
    ]
    return found


def _line(text: str, field: str) -> str:
    """Return the line of a field that occurs only once."""
    key = field.rpartition(".")[2]
    places = [match.start() for match in re.finditer(rf'"{re.escape(key)}"\s*:', text)]
    return f" (line {text.count(chr(10), 0, places[0]) + 1})" if len(places) == 1 else ""


def _read(path: Path) -> str:
    """Return a file's text; raise ValueError if others may write to it: it runs in people's names."""
    try:
        status = path.stat()
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise ValueError(f"others on this machine can write {path.name}: chmod 644 it")
        if status.st_size > MAX_BYTES:
            raise ValueError(f"{path.name} has more than {MAX_BYTES} bytes")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ValueError(f"there is no file {path.absolute()}") from None
    except (OSError, UnicodeDecodeError):
        raise ValueError(f"the file {path.name} can't be read") from None
