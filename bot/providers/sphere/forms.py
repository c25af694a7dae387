"""The form: which project, and the person's own name for the workspace; pure."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.models import Choice, Form, FormProblems, Spec, Values, text_of
from bot.providers.prepared import NOT_OFFERED, choice_field, name_field, name_problem
from bot.providers.reading import clean

MAX_NAME = 80
NAME_HINT = "Defaults to the template's name."


@dataclass(frozen=True, slots=True)
class Offer:
    """Hold the projects that people may use, in the server's order."""

    projects: tuple[Choice, ...]


def form_of(offer: Offer, values: Values) -> Form:
    """Return the form; without fields if there are no projects. The preset may be a project's name."""
    projects = offer.projects
    if not projects:
        return Form(())
    asked = text_of(values, "preset").casefold()
    named = [one.value for one in projects if asked and one.label.casefold() == asked]
    only = projects[0].value if len(projects) == 1 else ""
    return Form(
        (
            choice_field("project", "Template", projects, named[0] if len(named) == 1 else only),
            name_field("", MAX_NAME, optional=True, hint=NAME_HINT),
        )
    )


def spec_of(offer: Offer, values: Values) -> Spec:
    """Return the spec: ``project`` (id) and ``project_name``; raise FormProblems."""
    projects = {one.value: one.label for one in offer.projects}
    project = text_of(values, "project")
    problems = {}
    if project not in projects:
        problems["project"] = NOT_OFFERED if project else "Choose a template."
    name = clean(text_of(values, "name"), 10 * MAX_NAME)
    if name and (wrong := name_problem(name, MAX_NAME)):
        problems["name"] = wrong
    if problems:
        raise FormProblems(problems)
    label = projects[project]
    return Spec(name or clean(label, MAX_NAME), {"project": project, "project_name": label})
