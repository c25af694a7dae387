"""The form: which project, and what the person calls it; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.domain.models import Choice, Field, Form, FormProblems, Value, Values
from bot.providers.reading import clean

MAX_NAME = 80
#: Above so many the menu asks for what matches.
FEW = 20
NAME_HINT = "What you call it here; the project's name when you leave it empty."
NOT_OFFERED = "That project is not offered any more: choose again."


def as_snapshot(projects: Mapping[str, str]) -> dict[str, Any]:
    """Return projects (name by id) JSON-ready."""
    return {"projects": [{"id": key, "name": name} for key, name in projects.items()]}


def projects_of(snapshot: Any) -> dict[str, str]:
    """Read projects back: name by id, in the server's order."""
    told = snapshot.get("projects") if isinstance(snapshot, dict) else None
    return {
        one["id"]: one["name"]
        for one in (told if isinstance(told, list) else [])
        if isinstance(one, dict) and isinstance(one.get("id"), str) and isinstance(one.get("name"), str)
    }


def form_of(snapshot: Any, values: Values) -> Form:
    """Return the form; without fields where there is no project. A project's name may come as the preset."""
    projects = projects_of(snapshot)
    if not projects:
        return Form(())
    asked = _word(values, "preset").casefold()
    named = [key for key, name in projects.items() if asked and name.casefold() == asked]
    only = next(iter(projects)) if len(projects) == 1 else ""
    return Form(
        (
            Field(
                "project",
                "Project",
                "choice" if len(projects) <= FEW else "search",
                choices=tuple(Choice(key, name) for key, name in projects.items()),
                initial=named[0] if len(named) == 1 else only,
            ),
            Field(
                "name",
                "Name",
                "text",
                optional=True,
                hint=NAME_HINT,
                max_length=MAX_NAME,
                remembers=False,
            ),
        )
    )


def spec_of(snapshot: Any, values: Values) -> dict[str, Any]:
    """Return what a creation needs: ``name``, ``project`` (id) and ``project_name``; raise FormProblems."""
    projects = projects_of(snapshot)
    project = _word(values, "project")
    problems = {}
    if project not in projects:
        problems["project"] = NOT_OFFERED if project else "Choose a project."
    name = clean(_word(values, "name"), 10 * MAX_NAME)
    if len(name) > MAX_NAME:
        problems["name"] = f"At most {MAX_NAME} characters."
    if problems:
        raise FormProblems(problems)
    return {
        "name": name or clean(projects[project], MAX_NAME),
        "project": project,
        "project_name": projects[project],
    }


def _word(values: Values, name: str) -> str:
    value: Value = values.get(name, "")
    return value.strip() if isinstance(value, str) else ""
