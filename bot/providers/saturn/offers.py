"""Creates workspaces, and defines the form for new ones from what the server offers an account.

Operators store recipes as JSON files, to which their templates refer (``[[connections.NAME.templates]] name,
title, file, who``). A recipe describes a whole resource (``docs/internals/providers/saturn.md``, "Recipes").
For each user, Usher fills in the name and the owner.

Some servers have only the endpoints from the published guides, and can't list sizes, workspaces or jobs. On
such a server, users can't choose a size and have to identify a job by its link or id, and Usher can't check
whether the name of a new workspace is already in use.
"""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator

from bot.domain import forms
from bot.domain.observations import Created, OutcomeSearch
from bot.domain.people import Principal
from bot.domain.prices import MachineKind, Price, parse_amount
from bot.providers import answers, connection, requests
from bot.providers.answers import MAX_NAME_LENGTH, Listing
from bot.providers.base import Access
from bot.providers.facets import Creation
from bot.providers.requests import ApiClient
from bot.providers.words import clean
from bot.support import errors
from bot.support.responses import Response

#: Maximum size of a recipe file, in bytes.
MAX_BYTES = 200_000
#: Maps the fields that Saturn Cloud documents for a recipe's ``spec`` to their types.
_SPEC_TYPES = {
    **dict.fromkeys(("name", "owner", "instance_type", "command", "disk_space", "auto_shutoff"), str),
    **dict.fromkeys(("working_directory", "start_script"), str),
    "git_repositories": list,
}
#: Fields of a recipe's ``spec`` that Usher doesn't copy from the file, because it decides about them itself.
_FILLED_IN = frozenset({"name", "owner", "status"})


@dataclass(frozen=True, slots=True)
class ListedJob:
    """A job that is set up on a server.

    Attributes:
        job_id: The job's id on the server.
        name: The job's name.
        size: The size of the machine that the job runs on.
    """

    job_id: str
    name: str
    size: str = ""


class Recipe(connection.PreparedTemplate):
    """A recipe. ``file`` is given as a path relative to the folder of the connections file, and read once."""

    file: Mapping[str, Any] = Field(repr=False)

    @field_validator("file", mode="plain")
    @classmethod
    def _file(cls, value: Any, info: ValidationInfo) -> Mapping[str, Any]:
        if not isinstance(value, str) or not value:
            raise ValueError("needs the path of a JSON file")
        folder = (info.context or {}).get("folder")
        path = Path(value) if folder is None else Path(folder) / value
        return parse(path.name, _read(path))

    @property
    def size(self) -> str:
        """Return the recipe's size, or "" if the recipe lets the server choose."""
        return str(self.file["spec"].get("instance_type") or "")

    @property
    def organisation(self) -> str:
        """Return the organisation of the recipe's owner, or "" if the recipe names none."""
        return str(self.file["spec"].get("owner") or "").rpartition("/")[0]

    @property
    def has_image(self) -> bool:
        """Return whether the recipe names an image, as newer servers require."""
        return bool(self.file["spec"].get("image"))

    def to_request(self, name: str, owner: str, size: str) -> dict[str, Any]:
        """Return the recipe as a request, without its state. The owner "" stands for the token's owner.

        Newer servers start a workspace when they create it if the spec's ``status`` is ``running``. Usher
        decides itself whether a workspace is started, so leave the ``status`` out.
        """
        content = {key: value for key, value in self.file.items() if key != "state"}
        spec = {key: value for key, value in content["spec"].items() if key not in _FILLED_IN}
        spec["name"] = name
        if owner:
            spec["owner"] = owner
        if size:
            spec["instance_type"] = size
        return {**content, "spec": spec}


class SaturnSettings(connection.ConnectionSettings):
    """The settings of a connection to Saturn Cloud."""

    link_methods: ClassVar[Mapping[connection.LinkMethod, str]] = {"token": "", "admin": "admin_token"}

    admin_token: SecretStr | None = None
    #: Whose token Usher uses to read, start and stop workspaces: the user's own (``person``), or the
    #: administrator's (``admin``). For users who linked with their own token, Usher always uses that token.
    act_as: Literal["person", "admin"] = "person"
    templates: connection.TemplateList[Recipe] = ()

    @model_validator(mode="after")
    def _check_act_as(self) -> SaturnSettings:
        if self.act_as == "admin" and "admin" not in self.linking:
            raise ValueError('act_as: "admin" is for people whom administrators link: linking needs "admin"')
        return self


def parse(name: str, text: str) -> dict[str, Any]:
    """Parse the text of a recipe file; raise ValueError naming the file, line and field."""
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
    return found + [
        (f"spec.{key}", f"needs to be a {'text' if kind is str else 'list'}")
        for key, kind in _SPEC_TYPES.items()
        if spec.get(key) is not None and not isinstance(spec[key], kind)
    ]


def _line(text: str, field: str) -> str:
    """Format a field's position as `` (line N)``, or return "" unless the field occurs exactly once."""
    key = field.rpartition(".")[2]
    places = [match.start() for match in re.finditer(rf'"{re.escape(key)}"\s*:', text)]
    return f" (line {text.count(chr(10), 0, places[0]) + 1})" if len(places) == 1 else ""


def _read(path: Path) -> str:
    """Return a file's text.

    Raise ValueError if others can write to it, because recipes are used for everyone.
    """
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


LIST_SECONDS = 10.0
#: Maximum number of pages to read from one list. A longer list is marked as incomplete.
MAX_PAGES = 50


@dataclass(frozen=True, slots=True)
class Resource:
    """A workspace or a job. Any field that couldn't be read is "", except for the id."""

    id: str
    name: str = ""
    owner: str = ""
    status: str = ""
    spec: Mapping[str, Any] = field(default_factory=dict)


async def list_resources(
    access: Access, kind: str, beginning: str = "", *, group: str = ""
) -> Listing[Resource]:
    """List the user's own resources of a kind with a given name prefix, or those of a ``group``.

    Raises NotFound if the server has no lists. Other people's workspaces are left out, because only the owner
    can open the IDE.
    """
    query = (
        {"type": kind} | ({"name": beginning} if beginning else {}) | ({"owner_name": group} if group else {})
    )

    def read(recipe: Any) -> Resource | None:
        found = parse_resource(recipe)
        its_kind = answers.find_text(recipe, "type") or kind
        is_its = found.owner == group if group else is_theirs(found.owner, access.username)
        return found if its_kind == kind and is_its else None

    try:
        found = await fetch_pages(access.api, "/api/recipes", query)
    except errors.BadAnswer as error:
        if error.status == 404:
            raise errors.NotFound("this server has no lists", status=404) from None
        raise
    return answers.read_entries(found, "recipes", read)


async def list_groups(access: Access) -> Mapping[str, str]:
    """Map owners (``org/group``) to group names, for each group that shares its resources with the user."""
    try:
        found = await fetch_pages(access.api, "/api/user/owners", {})
    except (errors.NotFound, errors.Forbidden, errors.RefusedInFront):
        return {}
    except (errors.BadAnswer, errors.InvalidRequest) as error:
        if error.status not in ABSENT:
            raise
        return {}

    def read(owner: Any) -> tuple[str, str] | None:
        name = answers.require_text(owner, "name")
        shown = clean(answers.find_text(owner, "identity_name") or name.rpartition("/")[2], MAX_NAME_LENGTH)
        return (name, shown) if answers.find_text(owner, "identity_type") == "group" else None

    return dict(answers.read_entries(found, "owners", read))


async def fetch_pages(api: ApiClient, path: str, query: Mapping[str, str]) -> Listing[dict[str, Any]]:
    """Return the pages of a list."""

    async def ask(key: str | None) -> dict[str, Any]:
        more = {} if key is None else {"next_key": key}
        response = await api.call("GET", path, query={**query, **more}, total=LIST_SECONDS)
        return response.json_object()

    return await requests.read_pages(ask, lambda answer: answer.get("next_key"), MAX_PAGES)


async def read_sizes(access: Access) -> Mapping[str, Any] | None:
    """Return the server's sizes by name, or None if it doesn't list them."""
    servers = await requests.none_if_absent(access.api.call("GET", "/api/info/servers", total=LIST_SECONDS))
    return None if servers is None else answers.require_object(servers.json_object(), "sizes")


def _to_listed_job(job: Resource) -> ListedJob:
    return ListedJob(job.id, job.name or job.id, _get_size(job))


def _get_size(resource: Resource) -> str:
    size = resource.spec.get("instance_type")
    return size if isinstance(size, str) else ""


def parse_resource(recipe: Any) -> Resource:
    """Return the resource described by a recipe and its state; raise BadAnswer if it has no id or owner."""
    if not isinstance(recipe, Mapping):
        raise errors.BadAnswer("the answer's recipe is not an object")
    spec, state = answers.find_object(recipe, "spec"), answers.find_object(recipe, "state")
    owner = read_owner(spec)
    made = clean(answers.require_id(state if "id" in state else recipe, "id", "state."), MAX_NAME_LENGTH)
    if not made:
        raise errors.BadAnswer("the answer's field state.id is no id")
    name = clean(answers.find_text(spec, "name", "spec.") or "", MAX_NAME_LENGTH)
    return Resource(made, name, owner, answers.find_text(state, "status", "state.") or "", spec)


def read_owner(answer: Mapping[str, Any]) -> str:
    """Return the name of a resource's owner, given as a string or in an object; "" if there is no owner."""
    owner = answer.get("owner")
    if isinstance(owner, Mapping):
        return answers.require_text(owner, "name", "owner.")
    return "" if owner in (None, "") else answers.require_text(answer, "owner")


def is_theirs(owner: str, username: str) -> bool:
    """Return whether a resource could be the user's own, judging by its owner's name (``org/user``)."""
    return not username or not owner or owner.rpartition("/")[2] == username


@dataclass(frozen=True, slots=True)
class SaturnOffer:
    """The choices that the server offers. Anything that it doesn't report is None."""

    sizes: tuple[forms.Choice, ...] | None = None
    names: tuple[str, ...] = ()
    owner: str = ""
    jobs: tuple[ListedJob, ...] | None = None
    #: Whether this server requires recipes to name an image.
    needs_image: bool = False
    #: Maps sizes to their hourly prices, written as decimal strings. Sizes without a price are left out.
    prices: Mapping[str, str] = field(default_factory=dict)


#: Path for creating a workspace, according to the OpenAPI document.
CREATE_PATH = "/api/recipes"
#: Path for creating a workspace, according to the guide. Newer servers no longer support this path.
CLONE_PATH = "/api/resource_recipes/clone"
#: Status codes that a server returns if it doesn't support a path or a method.
ABSENT = frozenset({404, 405, 410})
#: First release in which Saturn Cloud no longer clones workspaces, and requires an image for each new
#: workspace.
IMAGES_SINCE = (2026, 2, 1)
_VERSION_PATTERN = re.compile(r"(\d{4})\.(\d{1,2})\.(\d{1,4})")
PROBE_SECONDS = 8.0
MAX_WORKSPACE_NAME_LENGTH = 60
_ID = re.compile(r"[0-9a-fA-F]{32}")
_LINK_PATTERN = re.compile(r"/dash/resources/(workspace|job)/([0-9a-fA-F]{32})(/.*)?")
NO_RECIPES = "There are no templates for you here yet. Ask your Usher admin to add one."
TEMPLATE = """\
A template is a recipe in a file beside the connections file, which needs these lines:
[[connections.{name}.templates]]
name = "course"
file = "course.json"
The file holds at least {{"type": "workspace", "spec": {{"instance_type": "…", "image": "…"}}}}."""
JOB_HINT = "This server doesn't list jobs. Paste the link or the id of the job's page."
JOB_UNKNOWN = "I can't find that job. Type its name, or paste the link or id of its page."
JOB_TWICE = "Two of your jobs have that name. Paste the link or id of the one you mean."


#: Matches messages saying that a name is already taken. The guides don't specify their wording.
_NAME_TAKEN_PATTERN = re.compile(r"\balready (exists|taken|in use)\b|\bname is taken\b", re.IGNORECASE)
#: Matches 404 messages about something that a recipe refers to, rather than about the path. The guides don't
#: specify their wording.
_LACKING_PATTERN = re.compile(
    r"\b(owner|user|group|org(anization|anisation)?|image|tag|instance|size|repository|secret|folder)\b",
    re.IGNORECASE,
)
NO_IMAGE = "That template names no image, which this server requires. Ask your Usher admin to add one."
NO_CREATION = "This server offers no way to create workspaces that Usher knows."


class SaturnMaking(Creation[SaturnOffer]):
    """The part of the provider that creates workspaces and builds the forms for them and for runs."""

    settings: SaturnSettings
    api: ApiClient

    async def read_offer(self, access: Access) -> SaturnOffer:
        """Read the sizes, and the user's workspaces and jobs."""
        try:
            workspaces = await self._list_or_none(access, "workspace")
        except errors.BadAnswer as error:
            # The offer is still useful if the names in use are unknown.
            answers.log_oddity(f"the names of workspaces can't be read: {error.message}")
            workspaces = None
        jobs = await self._list_or_none(access, "job")
        listed = await read_sizes(access)
        sizes = listed or {}
        choices = (
            forms.Choice(name, _format_size(name, one, self.settings.currency or ""))
            for name, one in sizes.items()
            if name.isprintable() and not (isinstance(one, dict) and one.get("disabled") is True)
        )
        return SaturnOffer(
            sizes=None if listed is None else tuple(choices),
            names=tuple(one.name for one in workspaces or () if one.name),
            owner=next((one.owner for one in (*(workspaces or ()), *(jobs or ())) if one.owner), ""),
            jobs=None if jobs is None else tuple(map(_to_listed_job, jobs)),
            needs_image=await self._needs_image(),
            prices={
                name: f"{amount:f}" for name, one in sizes.items() if (amount := _find_price(one)) is not None
            },
        )

    async def _read_version(self) -> str:
        try:
            response = await requests.none_if_absent(self.api.call("GET", "/api/status", total=PROBE_SECONDS))
        except (errors.CredentialRefused, errors.Forbidden, errors.RefusedInFront):
            return ""
        return clean(
            (answers.find_text(response.json_object(), "version") if response else "") or "", MAX_NAME_LENGTH
        )

    async def _needs_image(self) -> bool:
        if all(one.has_image for one in self.settings.templates):
            return False
        try:
            version = _VERSION_PATTERN.match(await self._read_version())
        except errors.ProviderError:
            # The server itself refuses recipes without an image.
            return False
        return version is not None and tuple(int(part) for part in version.groups()) >= IMAGES_SINCE

    async def _list_or_none(self, access: Access, kind: str) -> Listing[Resource] | None:
        try:
            return await list_resources(access, kind)
        except errors.NotFound:
            return None

    def form(
        self, offer: SaturnOffer, purpose: forms.Purpose, values: forms.Values, principal: Principal
    ) -> forms.Form:
        """Build the form for a new workspace (recipe, name and size) or for a run (its job)."""
        if purpose == "job":
            return _build_job_form(offer, values, self.settings.currency or "")
        offered = connection.list_available(self.settings.templates, principal)
        if not offered:
            return forms.Form((), NO_RECIPES, TEMPLATE.format(name=self.settings.name))
        chosen = connection.select_available(offered, values)
        free = forms.find_free_name(chosen.name if chosen is not None else "workspace", offer.names)
        fields = [
            connection.template_field(offered, chosen),
            forms.name_field(free, MAX_WORKSPACE_NAME_LENGTH),
        ]
        if offer.sizes:
            size = chosen.size if chosen is not None else ""
            initial = size if size in {one.value for one in offer.sizes} else ""
            hint = "Defaults to the template's own."
            fields.append(forms.choice_field("size", "Size", offer.sizes, initial, optional=True, hint=hint))
        return forms.Form(tuple(fields))

    def spec(
        self, offer: SaturnOffer, purpose: forms.Purpose, values: forms.Values, principal: Principal
    ) -> forms.Spec:
        """Return the spec: ``recipe``, ``size`` and ``owner`` for a workspace, or ``job`` for a run."""
        if purpose == "job":
            return self.update_spec(offer, _build_job_spec(offer, values, self.settings.base_url))
        problems: dict[str, str] = {}
        recipe = connection.find_by_name(
            connection.list_available(self.settings.templates, principal), forms.text_of(values, "template")
        )
        if recipe is None:
            problems["template"] = forms.TEMPLATE_NOT_OFFERED
        elif offer.needs_image and not recipe.has_image:
            problems["template"] = NO_IMAGE
        name = clean(forms.text_of(values, "name"), 10 * MAX_WORKSPACE_NAME_LENGTH)
        if wrong := forms.find_name_problem(name, MAX_WORKSPACE_NAME_LENGTH, offer.names):
            problems["name"] = wrong
        size = forms.text_of(values, "size")
        if size and size not in {one.value for one in offer.sizes or ()}:
            problems["size"] = "That size isn't available here. Choose another one."
        if problems or recipe is None:
            raise forms.FormProblems(problems)
        chosen = {"recipe": recipe.name, "size": size, "owner": offer.owner}
        return self.update_spec(offer, forms.Spec(name, chosen))

    def update_spec(self, offer: SaturnOffer, spec: forms.Spec) -> forms.Spec:
        """Return a spec with the price of its size, if the operator has set a currency."""
        recipe = connection.find_by_name(self.settings.templates, spec.text("recipe"))
        size = spec.text("size") or (recipe.size if recipe else "")
        chosen = {key: value for key, value in spec.chosen.items() if key != "price"}
        price = offer.prices.get(size) if self.settings.currency else None
        return replace(spec, chosen=chosen | ({"price": price} if price else {}))

    async def create(self, access: Access, spec: forms.Spec, key: str) -> Created:
        """Create a workspace from a recipe. A second call might create a second workspace of that name."""
        recipe = connection.find_by_name(self.settings.templates, spec.text("recipe"))
        if recipe is None:
            raise errors.InvalidRequest("That template is no longer set up. Choose another one.")
        if await self.is_name_in_use(access, spec):
            raise errors.Conflict(forms.NAME_IN_USE)
        # The owner is ``org/user`` if the organisation is known.
        organisation = spec.text("owner").rpartition("/")[0] or recipe.organisation
        owner = f"{organisation}/{access.username}" if organisation and access.username else access.username
        body = recipe.to_request(spec.name, owner, spec.text("size"))
        response = await self._post_recipe(
            access, body, (CREATE_PATH, CLONE_PATH) if recipe.has_image else (CLONE_PATH,)
        )
        if response is None:
            raise errors.InvalidRequest(NO_CREATION if recipe.has_image else NO_IMAGE)
        with requests.bad_answer_as_unknown_outcome():
            answer = response.json_object()
            made = clean(
                answers.require_id(answer if "id" in answer else answers.find_object(answer, "state"), "id"),
                MAX_NAME_LENGTH,
            )
        return Created(made, spec.name, is_started=False)

    def can_create_stopped(self, spec: forms.Spec) -> bool:
        """Return True, because without a ``status`` in its recipe, a new workspace isn't started."""
        return True

    async def _post_recipe(
        self, access: Access, body: Mapping[str, Any], paths: Iterable[str]
    ) -> Response | None:
        """Send a recipe to the first of these paths that the server has, or return None if it has none.

        This never uses ``PUT``, which would overwrite an existing resource with the same name. Raises
        InvalidRequest if the recipe refers to something that doesn't exist, such as an owner or image.
        """
        for path in paths:
            try:
                return await access.api.call("POST", path, json_body=body)
            except (errors.PermanentError, errors.BadAnswer) as error:
                if isinstance(error, errors.NotFound) and _LACKING_PATTERN.search(error.message):
                    raise errors.InvalidRequest(error.message, status=error.status) from None
                if error.status in ABSENT:
                    continue
                if _NAME_TAKEN_PATTERN.search(error.message):
                    raise errors.Conflict(error.message, status=error.status) from None
                raise
        return None

    async def list_names(self, access: Access, stem: str) -> Collection[str] | None:
        """Return the user's names that begin with ``stem``, or None if the server doesn't report owners."""
        try:
            found = await list_resources(access, "workspace", stem)
        except errors.NotFound:
            return None
        says_whose = bool(access.username) and found.is_whole and all(one.owner and one.name for one in found)
        return {one.name for one in found} if says_whose else None

    async def is_name_in_use(self, access: Access, spec: forms.Spec) -> bool:
        """Return whether a workspace already has the new name, or False if the server can't look it up."""
        try:
            return await self._find(access, spec.name) is not None
        except errors.OutcomeNotReported:
            return False

    async def find_created(self, access: Access, spec: forms.Spec, key: str, since: float) -> OutcomeSearch:
        """Search for the workspace by its name, which was unused until the workspace was created."""
        return OutcomeSearch(await self._find(access, spec.name), is_conclusive=True)

    async def _find(self, access: Access, name: str) -> Created | None:
        asking = access.api.call("GET", "/api/recipes/workspace/{}", name, total=LIST_SECONDS)
        response = await requests.none_if_absent(asking)
        if response is not None:
            found = parse_resource(response.json_object())
            if is_theirs(found.owner, access.username):
                return Created(found.id, name, is_started=False)
            # Someone else has a workspace with this name, but the user may have one, too.
        try:
            listed = await list_resources(access, "workspace", name)
        except errors.NotFound:
            raise errors.OutcomeNotReported("this server tells no names") from None
        made = next((one for one in listed if one.name == name), None)
        if made is not None:
            return Created(made.id, name, is_started=False)
        if not listed.is_whole or not all(one.name for one in listed):
            raise errors.BadAnswer("an entry of the list can't be read: it may be the one")
        return None


def _build_job_form(offer: SaturnOffer, values: forms.Values, currency: str) -> forms.Form:
    if offer.jobs is None:
        return forms.Form(
            (forms.Field("template", "Job", "text", hint=JOB_HINT, max_length=500, is_remembered=False),)
        )
    if not offer.jobs:
        return forms.Form((), "You don't have any jobs here yet. Set one up on Saturn Cloud, then come back.")
    found = _match_jobs(offer.jobs, forms.text_of(values, "template"))
    choices = tuple(
        forms.Choice(job.job_id, job.name + _format_price(parse_amount(offer.prices.get(job.size)), currency))
        for job in offer.jobs
    )
    initial = found[0].job_id if len(found) == 1 else choices[0].value if len(choices) == 1 else ""
    return forms.Form((forms.choice_field("template", "Job", choices, initial),))


def _build_job_spec(offer: SaturnOffer, values: forms.Values, base_url: str) -> forms.Spec:
    asked = forms.text_of(values, "template")
    listed = offer.jobs or ()
    found = _match_jobs(listed, asked)
    if not found and (key := parse_resource_id(asked, base_url, "job")) is not None:
        found = [job for job in listed if job.job_id == key] or [ListedJob(key, f"job {key[:8]}")]
    if len(found) != 1:
        raise forms.FormProblems({"template": JOB_TWICE if found else JOB_UNKNOWN})
    (job,) = found
    return forms.Spec(job.name, {"job": job.job_id} | ({"size": job.size} if job.size else {}))


def _match_jobs(jobs: Iterable[ListedJob], asked: str) -> list[ListedJob]:
    needle = " ".join(asked.casefold().split())
    if not needle:
        return []
    listed = list(jobs)
    exact = [job for job in listed if needle in {job.job_id, " ".join(job.name.casefold().split())}]
    return exact or [job for job in listed if job.name.casefold().startswith(needle)]


def parse_resource_id(text: str, base_url: str, kind: forms.Purpose) -> str | None:
    """Return the id (32 hex characters) from a link to a resource's page, or from a bare id."""
    text = text.strip()
    if _ID.fullmatch(text):
        return text.lower()
    path = connection.path_below(text, base_url)
    link = _LINK_PATTERN.fullmatch(path) if path is not None else None
    return link[2].lower() if link is not None and link[1] == kind else None


def _format_size(name: str, value: Any, currency: str) -> str:
    one = value if isinstance(value, dict) else {}
    price = _format_price(_find_price(one), currency)
    shown = one.get("display_name")
    if isinstance(shown, str) and clean(shown):
        return clean(shown, 70 - len(price)) + price
    facts = [f"{one[key]} {word}" for key, word in (("cores", "cores"), ("memory", "memory")) if one.get(key)]
    facts += [f"{one['gpu']} GPU"] if one.get("gpu") else []
    return clean(f"{name}: {', '.join(facts)}" if facts else name, 70 - len(price)) + price


def _format_price(amount: Decimal | None, currency: str) -> str:
    return "" if amount is None else f" · {Price(amount, currency).label}"


async def price_resources(access: Access, currency: str | None) -> Callable[[Resource], MachineKind | None]:
    """Return a function that finds a listed resource's size and price.

    The function returns None if no currency is set or the sizes can't be read.
    """
    sizes: Mapping[str, Any] = {}
    if currency:
        with suppress(errors.ProviderError):
            sizes = await read_sizes(access) or {}

    def describe(resource: Resource) -> MachineKind | None:
        size = _get_size(resource)
        amount = _find_price(sizes.get(size))
        return None if amount is None else MachineKind(None, size, Price(amount, currency or ""))

    return describe


def _find_price(size: Any) -> Decimal | None:
    """Return a size's hourly price; Saturn Cloud's OpenAPI document doesn't specify the currency."""
    return parse_amount(size.get("price_per_hour")) if isinstance(size, dict) else None
