"""The forms: a recipe, a name and a size for a workspace; which job for a run; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from bot.domain.models import Choice, Field, Form, FormProblems, Principal, Purpose, Spec, Values, text_of
from bot.domain.names import free_name
from bot.providers.contract import Scheduled
from bot.providers.hosts import path_below
from bot.providers.prepared import (
    NOT_OFFERED,
    choice_field,
    name_field,
    name_problem,
    named,
    preset_field,
    proposed,
)
from bot.providers.reading import clean
from bot.providers.saturn.offers import Offer
from bot.providers.saturn.settings import Recipe

MAX_NAME = 60
_ID = re.compile(r"[0-9a-fA-F]{32}")
_LINK = re.compile(r"/dash/resources/(workspace|job)/([0-9a-fA-F]{32})(/.*)?")
NO_RECIPES = "There are no templates for you here yet. Ask your Usher admin to add one."
NO_JOBS = "You don't have any jobs here yet. Set one up on Saturn Cloud, then come back."
JOB_HINT = "This server doesn't list jobs. Paste the link or the id of the job's page."
JOB_UNKNOWN = "I can't find that job. Type its name, or paste the link or id of its page."
JOB_TWICE = "Two of your jobs have that name. Paste the link or id of the one you mean."


def resource_id(text: str, base_url: str, kind: Purpose) -> str | None:
    """Extract an id of 32 hex characters from a link to its page, or from the bare id."""
    text = text.strip()
    if _ID.fullmatch(text):
        return text.lower()
    path = path_below(text, base_url)
    link = _LINK.fullmatch(path) if path is not None else None
    return link[2].lower() if link is not None and link[1] == kind else None


def workspace_form(offer: Offer, recipes: Sequence[Recipe], values: Values, asker: Principal) -> Form:
    """Return the form for a workspace; without fields if there is no recipe for the person."""
    offered = [recipe for recipe in recipes if recipe.is_for(asker)]
    if not offered:
        return Form((), NO_RECIPES)
    chosen = proposed(offered, values)
    fields = [
        preset_field(offered, chosen),
        name_field(free_name(chosen.name if chosen is not None else "workspace", offer.names), MAX_NAME),
    ]
    if offer.sizes:
        size = chosen.size if chosen is not None else ""
        initial = size if size in {one.value for one in offer.sizes} else ""
        hint = "Defaults to the template's own."
        fields.append(choice_field("size", "Size", offer.sizes, initial, optional=True, hint=hint))
    return Form(tuple(fields))


def workspace_spec(offer: Offer, recipes: Iterable[Recipe], values: Values, asker: Principal) -> Spec:
    """Return the spec: ``recipe``, ``size`` and ``owner``; raise FormProblems."""
    problems: dict[str, str] = {}
    offered = [recipe for recipe in recipes if recipe.is_for(asker)]
    recipe = named(offered, text_of(values, "preset"))
    if recipe is None:
        problems["preset"] = NOT_OFFERED
    name = clean(text_of(values, "name"), 10 * MAX_NAME)
    if wrong := name_problem(name, MAX_NAME, offer.names):
        problems["name"] = wrong
    size = text_of(values, "size")
    if size and size not in {one.value for one in offer.sizes or ()}:
        problems["size"] = "That size isn't available here. Choose another one."
    if problems or recipe is None:
        raise FormProblems(problems)
    return Spec(name, {"recipe": recipe.name, "size": size, "owner": offer.owner})


def job_form(offer: Offer, values: Values) -> Form:
    """Return the form for a run; a command's preset may name the job."""
    if offer.jobs is None:
        return Form((Field("preset", "Job", "text", hint=JOB_HINT, max_length=500, remembers=False),))
    if not offer.jobs:
        return Form((), NO_JOBS)
    found = _matching(offer.jobs, text_of(values, "preset"))
    choices = tuple(Choice(job.job_id, job.name) for job in offer.jobs)
    initial = found[0].job_id if len(found) == 1 else choices[0].value if len(choices) == 1 else ""
    return Form((choice_field("preset", "Job", choices, initial),))


def job_spec(offer: Offer, values: Values, base_url: str) -> Spec:
    """Return the spec: ``job`` (its id), from a name, an id or a link; raise FormProblems."""
    asked = text_of(values, "preset")
    found = _matching(offer.jobs or (), asked)
    if len(found) == 1:
        return Spec(found[0].name, {"job": found[0].job_id})
    key = resource_id(asked, base_url, "job")
    if found or key is None:
        raise FormProblems({"preset": JOB_TWICE if found else JOB_UNKNOWN})
    name = next((job.name for job in offer.jobs or () if job.job_id == key), f"job {key[:8]}")
    return Spec(name, {"job": key})


def _matching(jobs: Iterable[Scheduled], asked: str) -> list[Scheduled]:
    """Return the jobs that a word refers to: by id, by name, or by the beginning of a name."""
    needle = " ".join(asked.casefold().split())
    if not needle:
        return []
    listed = list(jobs)
    exact = [job for job in listed if needle in {job.job_id, " ".join(job.name.casefold().split())}]
    return exact or [job for job in listed if job.name.casefold().startswith(needle)]
