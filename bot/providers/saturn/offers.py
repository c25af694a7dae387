"""What a server offers an account, the forms made from it, and workspaces: cloned once, found again by name.

An offer is stored between two reads. A server that only implements the published guides reports none of it:
then there are no sizes to choose from, names can't be checked, and jobs are named by their links.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.domain.forms import Choice, Field, Form, FormProblems, Purpose, Spec, Values, free_name, text_of
from bot.domain.people import Principal
from bot.domain.workspaces import Created
from bot.providers import prepared
from bot.providers.base import Access, Credential, Listing, Scheduled
from bot.providers.connection import path_below
from bot.providers.requests import (
    MAX_NAME,
    Api,
    clean,
    entries,
    id_in,
    may_have_acted,
    note,
    object_in,
    pages,
    part_of,
    path_part,
    unless_absent,
    word_in,
)
from bot.providers.saturn.settings import Recipe
from bot.support import errors

LIST_SECONDS = 10.0
#: A longer list is taken to be endless.
MAX_PAGES = 50


@dataclass(frozen=True, slots=True)
class Resource:
    """Hold one workspace or job; fields that couldn't be read are "", except for its id."""

    id: str
    name: str = ""
    owner: str = ""
    status: str = ""
    spec: Mapping[str, Any] = field(default_factory=dict)


async def resources(api: Api, access: Access, kind: str, beginning: str = "") -> Listing[Resource]:
    """Return the person's own resources of a type whose names have a prefix.

    Raises NotFound if there are no lists. The IDE opens only for its owner, so somebody else's
    workspace isn't one of this person's.
    """
    query = {"type": kind} | ({"name": beginning} if beginning else {})

    def read(recipe: Any) -> Resource | None:
        found = resource(recipe)
        its_kind = word_in(recipe, "type") or kind
        return found if its_kind == kind and is_theirs(found.owner, access.username) else None

    try:
        found = await paged(api, "/api/recipes", access.credential, query)
    except errors.BadAnswer as error:
        if error.status == 404:
            raise errors.NotFound("this server has no lists", status=404) from None
        raise
    return entries(found, "recipes", read)


async def paged(
    api: Api, path: str, credential: Credential, query: Mapping[str, str]
) -> Listing[dict[str, Any]]:
    """Return the pages of a list."""

    async def ask(key: str | None) -> dict[str, Any]:
        more = {} if key is None else {"next_key": key}
        response = await api.call("GET", path, credential, query={**query, **more}, total=LIST_SECONDS)
        return response.json_object()

    return await pages(ask, lambda answer: answer.get("next_key"), MAX_PAGES)


def resource(recipe: Any) -> Resource:
    """Read a recipe with its state; raise BadAnswer if its id or its owner is missing."""
    if not isinstance(recipe, Mapping):
        raise errors.BadAnswer("the answer's recipe is not an object")
    spec, state = part_of(recipe, "spec"), part_of(recipe, "state")
    owner = spec.get("owner")
    if owner is not None and not isinstance(owner, str):
        raise errors.BadAnswer("the answer's field spec.owner is not a text")
    made = clean(id_in(state if "id" in state else recipe, "id", "state."), MAX_NAME)
    if not made:
        raise errors.BadAnswer("the answer's field state.id is no id")
    name = clean(word_in(spec, "name", "spec.") or "", MAX_NAME)
    return Resource(made, name, owner or "", word_in(state, "status", "state.") or "", spec)


def is_theirs(owner: str, username: str) -> bool:
    """Return whether a resource is a person's own, as far as both are known; owners are ``org/user``."""
    return not username or not owner or owner.rpartition("/")[2] == username


SIZES_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Offer:
    """Hold what the server offers; None for what it doesn't report."""

    sizes: tuple[Choice, ...] | None = None
    names: tuple[str, ...] = ()
    owner: str = ""
    jobs: tuple[Scheduled, ...] | None = None


async def read_offer(api: Api, access: Access) -> Offer:
    """Read sizes, the person's workspaces and their jobs."""
    try:
        workspaces = await _listed(api, access, "workspace")
    except errors.BadAnswer as error:
        # Knowing the used names is merely useful: the offer doesn't fail without them.
        note(f"the names of workspaces can't be read: {error.message}")
        workspaces = None
    jobs = await _listed(api, access, "job")
    return Offer(
        sizes=await _sizes(api, access),
        names=tuple(one.name for one in workspaces or () if one.name),
        owner=next((one.owner for one in (*(workspaces or ()), *(jobs or ())) if one.owner), ""),
        jobs=None if jobs is None else tuple(_job(one) for one in jobs),
    )


async def _listed(api: Api, access: Access, kind: str) -> Listing[Resource] | None:
    """Return the person's own resources; None if the server has no lists."""
    try:
        return await resources(api, access, kind)
    except errors.NotFound:
        return None


def _job(one: Resource) -> Scheduled:
    return Scheduled(one.id, one.name or one.id, schedule_of(one.spec))


def schedule_of(spec: Mapping[str, Any]) -> str | None:
    """Return a job's cron expression; None if the recipe doesn't contain it.

    The documents say how it is set but not where it is read, so it is looked up under the name by which it
    is set, and under the short one.
    """
    options = spec.get("cron_schedule_options")
    value = options.get("schedule") if isinstance(options, dict) else spec.get("schedule", options)
    if value is None:
        return "" if {"schedule", "cron_schedule_options"} & spec.keys() else None
    return clean(value, 100) if isinstance(value, str) else None


async def _sizes(api: Api, access: Access) -> tuple[Choice, ...] | None:
    asking = api.call("GET", "/api/info/servers", access.credential, total=SIZES_SECONDS)
    response = await unless_absent(asking)
    if response is None:
        return None
    sizes = object_in(response.json_object(), "sizes")
    return tuple(Choice(name, _label(name, one)) for name, one in sizes.items() if name.isprintable())


def _label(name: str, value: Any) -> str:
    """Return a label that tells sizes apart: the server's own, or made from its description of each."""
    one = value if isinstance(value, dict) else {}
    shown = one.get("display_name")
    if isinstance(shown, str) and clean(shown):
        return clean(shown, 70)
    facts = [f"{one[key]} {word}" for key, word in (("cores", "cores"), ("memory", "memory")) if one.get(key)]
    facts += [f"{one['gpu']} GPU"] if one.get("gpu") else []
    return clean(f"{name}: {', '.join(facts)}" if facts else name, 70)


LONGEST_NAME = 60
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
    chosen = prepared.proposed(offered, values)
    fields = [
        prepared.template_field(offered, chosen),
        prepared.name_field(
            free_name(chosen.name if chosen is not None else "workspace", offer.names), LONGEST_NAME
        ),
    ]
    if offer.sizes:
        size = chosen.size if chosen is not None else ""
        initial = size if size in {one.value for one in offer.sizes} else ""
        hint = "Defaults to the template's own."
        fields.append(prepared.choice_field("size", "Size", offer.sizes, initial, optional=True, hint=hint))
    return Form(tuple(fields))


def workspace_spec(offer: Offer, recipes: Iterable[Recipe], values: Values, asker: Principal) -> Spec:
    """Return the spec: ``recipe``, ``size`` and ``owner``; raise FormProblems."""
    problems: dict[str, str] = {}
    offered = [recipe for recipe in recipes if recipe.is_for(asker)]
    recipe = prepared.named(offered, text_of(values, "template"))
    if recipe is None:
        problems["template"] = prepared.NOT_OFFERED
    name = clean(text_of(values, "name"), 10 * LONGEST_NAME)
    if wrong := prepared.name_problem(name, LONGEST_NAME, offer.names):
        problems["name"] = wrong
    size = text_of(values, "size")
    if size and size not in {one.value for one in offer.sizes or ()}:
        problems["size"] = "That size isn't available here. Choose another one."
    if problems or recipe is None:
        raise FormProblems(problems)
    return Spec(name, {"recipe": recipe.name, "size": size, "owner": offer.owner})


def job_form(offer: Offer, values: Values) -> Form:
    """Return the form for a run; a command's template may name the job."""
    if offer.jobs is None:
        return Form((Field("template", "Job", "text", hint=JOB_HINT, max_length=500, remembers=False),))
    if not offer.jobs:
        return Form((), NO_JOBS)
    found = _matching(offer.jobs, text_of(values, "template"))
    choices = tuple(Choice(job.job_id, job.name) for job in offer.jobs)
    initial = found[0].job_id if len(found) == 1 else choices[0].value if len(choices) == 1 else ""
    return Form((prepared.choice_field("template", "Job", choices, initial),))


def job_spec(offer: Offer, values: Values, base_url: str) -> Spec:
    """Return the spec: ``job`` (its id), from a name, an id or a link; raise FormProblems."""
    asked = text_of(values, "template")
    found = _matching(offer.jobs or (), asked)
    if len(found) == 1:
        return Spec(found[0].name, {"job": found[0].job_id})
    key = resource_id(asked, base_url, "job")
    if found or key is None:
        raise FormProblems({"template": JOB_TWICE if found else JOB_UNKNOWN})
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


#: How refusals about limits, or about names, read: the guides don't say.
_LIMIT = re.compile(r"\bquota\b|\b(limit|maximum)\b.*\b(exceeded|reached)\b", re.IGNORECASE)
_TAKEN = re.compile(r"\balready (exists|taken|in use)\b|\bname is taken\b", re.IGNORECASE)
NO_RECIPE = "That template is no longer set up. Choose another one."
TAKEN = "There's already a workspace with that name. Choose another name."


async def create(api: Api, access: Access, spec: Spec, recipes: Iterable[Recipe]) -> Created:
    """Clone a recipe; doing so twice would make two."""
    recipe = prepared.named(recipes, spec.word("recipe"))
    if recipe is None:
        raise errors.InvalidRequest(NO_RECIPE)
    name = spec.name
    try:
        existing = await find(api, access, spec)
    except errors.Untold:
        existing = None
    if existing is not None:
        raise errors.Conflict(TAKEN)
    body = recipe.filled(name, _owner(access, spec, recipe), spec.word("size"))
    try:
        response = await api.call("POST", "/api/resource_recipes/clone", access.credential, json_body=body)
    except (errors.Forbidden, errors.Conflict, errors.InvalidRequest) as error:
        raise refusal(error) from None
    with may_have_acted():
        made = _id_of(response.json_object())
    return Created(made, name, is_started=False)


async def names(api: Api, access: Access, stem: str) -> Collection[str] | None:
    """Return the person's own names with a prefix; None if the server doesn't say whose they are."""
    try:
        found = await resources(api, access, "workspace", stem)
    except errors.NotFound:
        return None
    says_whose = bool(access.username) and found.is_whole and all(one.owner and one.name for one in found)
    return {one.name for one in found} if says_whose else None


async def find(api: Api, access: Access, spec: Spec) -> Created | None:
    """Look for a workspace by its name; raise Untold if the server can't look it up."""
    name = spec.name
    path = f"/api/recipes/workspace/{path_part(name)}"
    response = await unless_absent(api.call("GET", path, access.credential, total=LIST_SECONDS))
    if response is None:
        return await _find_in_list(api, access, name)
    found = resource(response.json_object())
    if is_theirs(found.owner, access.username):
        return Created(found.id, name, is_started=False)
    # Somebody else's has that name, too: the person's own may be behind it.
    return await _find_in_list(api, access, name)


async def _find_in_list(api: Api, access: Access, name: str) -> Created | None:
    """Look in the list as well: a server that supports neither answers 404 to everything."""
    try:
        found = await resources(api, access, "workspace", name)
    except errors.NotFound:
        raise errors.Untold("this server tells no names") from None
    made = next((one for one in found if one.name == name), None)
    if made is not None:
        return Created(made.id, name, is_started=False)
    if not found.is_whole or not all(one.name for one in found):
        raise errors.BadAnswer("an entry of the list can't be read: it may be the one")
    return None


def refusal(error: errors.PermanentError) -> errors.PermanentError:
    """Return what a refusal's message means: a limit, a taken name, or nothing more specific."""
    if _LIMIT.search(error.message):
        return errors.LimitReached(error.message, status=error.status)
    if _TAKEN.search(error.message):
        return errors.Conflict(error.message, status=error.status)
    return error


def _owner(access: Access, spec: Spec, recipe: Recipe) -> str:
    """Return the future owner, ``org/user`` if the organisation is known; "": the token's own."""
    if not access.username:
        return ""
    prefix = spec.word("owner").rpartition("/")[0] or recipe.organisation
    return f"{prefix}/{access.username}" if prefix else access.username


def _id_of(answer: Mapping[str, Any]) -> str:
    """Return the id of the new workspace: ``id``, or ``state.id``."""
    return clean(id_in(answer if "id" in answer else part_of(answer, "state"), "id"), MAX_NAME)
