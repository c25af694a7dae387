"""The form for a new codespace: its repository, branch and machine, and the request made from these."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Unpack

import usher.provider as up

API_REVISION = "2022-11-28"
HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": API_REVISION}
PAGE_SIZE = 100
#: Each costs two requests: a form offers those that were pushed to last.
MAX_RECENT_REPOSITORIES = 10
MAX_CONCURRENT_REQUESTS = 4
MINUTES_PER_DAY = 1440
#: GitHub's limits: idle timeouts of 5 minutes to 4 hours, retention of at most 30 days.
NUMBER_FIELDS = {
    "idle_minutes": ("Stop after minutes without activity", 5, 240),
    "retention_days": ("Delete after days without a start", 0, 30),
}
NUMBER_HINT = "Without a number, as your settings on GitHub say."
FIELD_NAMES = ("repository", "branch", "machine", *NUMBER_FIELDS)
NO_REPOSITORIES = "Your token shows no repository in which you can use Codespaces."
NO_REPOSITORIES_ADVICE = "Set `repositories` for the connection, and let the organization enable Codespaces."


@dataclass(frozen=True)
class Repository:
    """A repository in which codespaces can be made: its branches and machines (value and title)."""

    full_name: str
    branches: tuple[str, ...]
    machines: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Offer:
    """The choices of a person's form, and the names in use."""

    repositories: tuple[Repository, ...]
    names: tuple[str, ...]


async def call(
    api: up.ApiClient,
    method: str,
    address: str,
    *ids: str,
    window: up.SendWindow | None = None,
    **options: Unpack[up.Options],
) -> up.Response:
    """Call the API in the version that this package is written for."""
    return await api.call(method, address, *ids, window=window, **(options | {"headers": HEADERS}))


async def read_offer(api: up.ApiClient, configured: Sequence[str], names: Collection[str]) -> Offer:
    """Read branches and machines of the configured or the latest repositories."""
    full_names = configured or await _read_recent_repositories(api)
    refusals: list[up.errors.Forbidden] = []

    async def read(full_name: str) -> Repository | None:
        try:
            return await up.none_if_absent(_read_repository(api, full_name))
        except up.errors.Forbidden as error:
            refusals.append(error)
            return None

    answers = await up.map_concurrently(MAX_CONCURRENT_REQUESTS, read, full_names)
    repositories = tuple(each for each in answers if each is not None and each.machines)
    if refusals and not repositories:
        raise refusals[0]
    return Offer(repositories, tuple(names))


async def _read_recent_repositories(api: up.ApiClient) -> list[str]:
    query = {"sort": "pushed", "per_page": str(MAX_RECENT_REPOSITORIES)}
    page = {"repositories": (await call(api, "GET", "/user/repos", query=query)).json()}
    return up.read_entries([page], "repositories", lambda entry: up.require_text(entry, "full_name"))


async def _read_repository(api: up.ApiClient, full_name: str) -> Repository:
    owner, _, name = full_name.partition("/")
    machines = await call(api, "GET", "/repos/{}/{}/codespaces/machines", owner, name)
    query = {"per_page": str(PAGE_SIZE)}
    branches = await call(api, "GET", "/repos/{}/{}/branches", owner, name, query=query)
    return Repository(
        full_name,
        tuple(up.read_entries([{"branches": branches.json()}], "branches", _to_branch)),
        tuple(up.read_entries([machines.json_object()], "machines", _to_machine)),
    )


def _to_branch(entry: Any) -> str:
    return up.require_text(entry, "name")


def _to_machine(entry: Any) -> tuple[str, str]:
    value = up.require_text(entry, "name")
    return value, up.clean(up.find_text(entry, "display_name") or value)


def _find_repository(offer: Offer, values: up.Values) -> Repository | None:
    full_name = up.text_of(values, "repository")
    return next((each for each in offer.repositories if each.full_name == full_name), None)


class CodespaceForms(up.Provider, up.Creation[Offer]):
    """The form for a codespace."""

    offer_model: ClassVar[type[Offer]] = Offer
    template_key: ClassVar[str] = "repository"

    def form(self, offer: Offer, purpose: up.Purpose, values: up.Values, principal: up.Principal) -> up.Form:
        """Draw the form for the values so far; a value that isn't offered any more is dropped."""
        if not offer.repositories:
            return up.Form((), note=NO_REPOSITORIES, advice=NO_REPOSITORIES_ADVICE)
        repository = _find_repository(offer, values) or offer.repositories[0]
        texts = {key: up.text_of(values, key) for key in FIELD_NAMES}
        branch = texts["branch"] if texts["branch"] in repository.branches else ""
        titles = dict(repository.machines)
        machine = texts["machine"] if texts["machine"] in titles else repository.machines[0][0]
        full_names = _to_choices({each.full_name: each.full_name for each in offer.repositories})
        stem = self.name_rule.to_stem(repository.full_name.partition("/")[2], "codespace")
        name = up.find_free_name(stem, offer.names)
        fields = [
            up.choice_field(
                "repository", "Repository", full_names, repository.full_name, has_dependents=True
            ),
            up.choice_field("machine", "Machine", _to_choices(titles), machine),
            up.name_field(name, self.name_rule.max_length),
        ]
        if branches := _to_choices({each: up.clean(each) for each in repository.branches}):
            hint = "Without a choice, the repository's default branch."
            fields.insert(1, up.choice_field("branch", "Branch", branches, branch, optional=True, hint=hint))
        for key, (label, minimum, maximum) in NUMBER_FIELDS.items():
            field = up.Field(key, label, "number", (), texts[key], True, NUMBER_HINT)
            fields.append(replace(field, minimum=minimum, maximum=maximum))
        return up.Form(tuple(fields))

    def spec(self, offer: Offer, purpose: up.Purpose, values: up.Values, principal: up.Principal) -> up.Spec:
        """Check the values of a form; raise FormProblems for those that GitHub would refuse."""
        if (repository := _find_repository(offer, values)) is None:
            raise up.FormProblems({"repository": "Choose one of the repositories."})
        chosen = {key: text for key in FIELD_NAMES if (text := up.text_of(values, key))}
        name = up.text_of(values, "name")
        problems = {"name": up.find_name_problem(name, self.name_rule.max_length, offer.names)}
        if chosen.get("branch", "") not in ("", *repository.branches):
            problems["branch"] = "Choose a branch of this repository."
        if chosen.get("machine") not in dict(repository.machines):
            problems["machine"] = "Choose a machine that this repository offers."
        for key, (_label, minimum, maximum) in NUMBER_FIELDS.items():
            number = chosen.get(key, str(minimum))
            if re.fullmatch(r"[0-9]{1,3}", number) is None or not minimum <= int(number) <= maximum:
                problems[key] = f"Enter a whole number from {minimum} to {maximum}."
        if problems := {key: problem for key, problem in problems.items() if problem}:
            raise up.FormProblems(problems)
        return up.Spec(name, chosen)


def _to_choices(titles: Mapping[str, str]) -> tuple[up.Choice, ...]:
    return tuple(up.Choice(value, title) for value, title in titles.items())


def to_request(spec: up.Spec) -> dict[str, Any]:
    """Return the body of the request that creates a codespace."""
    body: dict[str, Any] = {"display_name": spec.name, "machine": spec.text("machine")}
    if branch := spec.text("branch"):
        body["ref"] = branch
    if minutes := spec.text("idle_minutes"):
        body["idle_timeout_minutes"] = int(minutes)
    if days := spec.text("retention_days"):
        body["retention_period_minutes"] = int(days) * MINUTES_PER_DAY
    return body
