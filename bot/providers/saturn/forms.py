"""The forms: a recipe, a name and a size for a workspace; which job for a run; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bot.domain.models import Choice, Field, Form, FormProblems
from bot.providers.hosts import path_below
from bot.providers.reading import clean
from bot.providers.saturn.recipes import named

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.domain.models import Principal, Values
    from bot.providers.saturn.offers import Offer, OfferedJob
    from bot.providers.saturn.recipes import Recipe

MAX_NAME = 60
#: Above so many the menu asks for what matches.
FEW = 20
_ID = re.compile(r"[0-9a-fA-F]{32}")
_JOB_LINK = re.compile(r"/dash/resources/job/([0-9a-fA-F]{32})(/.*)?")
NO_RECIPES = "Nobody has prepared a recipe for you here. Ask whoever runs me to add one."
NO_JOBS = "You have no jobs here yet. Set one up on its page there, then come back."
JOB_HINT = "This server lists no jobs: paste the link or the id of the job's page."
JOB_UNKNOWN = "That is no job of yours here: write its name, or paste the link or id of its page."
JOB_TWICE = "Two of your jobs have that name: paste the link or id of the one that is meant."


def job_id(text: str, base_url: str) -> str | None:
    """Take a job's id from a link to its page, or from the bare id."""
    text = text.strip()
    if _ID.fullmatch(text):
        return text.lower()
    path = path_below(text, base_url)
    link = _JOB_LINK.fullmatch(path) if path is not None else None
    return link[1].lower() if link is not None else None


def workspace_form(offer: Offer, recipes: Sequence[Recipe], values: Values, asker: Principal) -> Form:
    """Return the form for a workspace; without fields where no recipe is for the person."""
    offered = [recipe for recipe in recipes if recipe.is_for(asker)]
    if not offered:
        return Form((), NO_RECIPES)
    asked = _word(values, "preset").casefold()
    only = offered[0] if len(offered) == 1 else None
    chosen = next((one for one in offered if asked in {one.name, one.label.casefold()}), only)
    fields = [
        Field(
            "preset",
            "Recipe",
            "choice" if len(offered) <= FEW else "search",
            tuple(Choice(one.name, one.label) for one in offered),
            chosen.name if chosen is not None else "",
            redraws=True,
        ),
        Field(
            "name",
            "Name",
            "text",
            initial=_free_name(chosen.name if chosen is not None else "workspace", offer.names),
            max_length=MAX_NAME,
            remembers=False,
        ),
    ]
    if offer.sizes:
        sizes = [value for value, _ in offer.sizes]
        size = chosen.size if chosen is not None and chosen.size in sizes else ""
        fields.append(
            Field(
                "size",
                "Size",
                "choice" if len(sizes) <= FEW else "search",
                tuple(Choice(value, label) for value, label in offer.sizes),
                size,
                optional=True,
                hint="The recipe's own when it is empty.",
            )
        )
    return Form(tuple(fields))


def workspace_spec(
    offer: Offer, recipes: Iterable[Recipe], values: Values, asker: Principal
) -> dict[str, Any]:
    """Return ``name``, ``recipe``, ``size`` and ``owner``; raise FormProblems."""
    problems: dict[str, str] = {}
    offered = [recipe for recipe in recipes if recipe.is_for(asker)]
    recipe = named(offered, _word(values, "preset"))
    if recipe is None:
        problems["preset"] = "That recipe is not offered any more: choose again."
    name = clean(_word(values, "name"), 10 * MAX_NAME)
    if not name:
        problems["name"] = "Needs a name."
    elif len(name) > MAX_NAME:
        problems["name"] = f"At most {MAX_NAME} characters."
    elif name in offer.names:
        problems["name"] = "You have a workspace of that name already: choose another one."
    size = _word(values, "size")
    if size and size not in {value for value, _ in offer.sizes or ()}:
        problems["size"] = "That size is not offered here: choose another one."
    if problems or recipe is None:
        raise FormProblems(problems)
    return {"name": name, "recipe": recipe.name, "size": size, "owner": offer.owner}


def job_form(offer: Offer, values: Values) -> Form:
    """Return the form for a run; the job may be named by what a command calls a preset."""
    if offer.jobs is None:
        return Form((Field("preset", "Job", "text", hint=JOB_HINT, max_length=500, remembers=False),))
    if not offer.jobs:
        return Form((), NO_JOBS)
    found = _matching(offer.jobs, _word(values, "preset"))
    kind = "choice" if len(offer.jobs) <= FEW else "search"
    choices = tuple(Choice(job.id, job.name) for job in offer.jobs)
    initial = found[0].id if len(found) == 1 else choices[0].value if len(choices) == 1 else ""
    return Form((Field("preset", "Job", "choice" if kind == "choice" else "search", choices, initial),))


def job_spec(offer: Offer, values: Values, base_url: str) -> dict[str, Any]:
    """Return ``name`` and ``job`` (its id) for a name, an id or a link; raise FormProblems."""
    asked = _word(values, "preset")
    found = _matching(offer.jobs or (), asked)
    if len(found) == 1:
        return {"name": found[0].name, "job": found[0].id}
    key = job_id(asked, base_url)
    if found or key is None:
        raise FormProblems({"preset": JOB_TWICE if found else JOB_UNKNOWN})
    name = next((job.name for job in offer.jobs or () if job.id == key), f"job {key[:8]}")
    return {"name": name, "job": key}


def _matching(jobs: Iterable[OfferedJob], asked: str) -> list[OfferedJob]:
    """Return the jobs that a word means: of that id, of that name, or of a name that begins so."""
    needle = " ".join(asked.casefold().split())
    if not needle:
        return []
    listed = list(jobs)
    exact = [job for job in listed if needle in {job.id, " ".join(job.name.casefold().split())}]
    return exact or [job for job in listed if job.name.casefold().startswith(needle)]


def _free_name(stem: str, taken: frozenset[str]) -> str:
    tries = (stem if number == 1 else f"{stem}-{number}" for number in range(1, 1000))
    return next((name for name in tries if name not in taken), "")


def _word(values: Values, name: str) -> str:
    value = values.get(name, "")
    return value.strip() if isinstance(value, str) else ""
