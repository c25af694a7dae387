"""The form for creating a codespace: its repository, branch and machine."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import usher.provider as up

API_REVISION = "2022-11-28"
HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": API_REVISION}
PAGE_SIZE = 100
#: Maximum number of repositories in a form. Each repository costs two requests.
MAX_REPOSITORIES = 10
#: Maximum number of these that come first because the user has codespaces of them.
MAX_USED_REPOSITORIES = 5
MAX_CONCURRENT_REQUESTS = 4
BRANCH_HINT = "Without a choice, the repository's default branch."
NO_REPOSITORIES = "Your token shows no repository in which you can use Codespaces."
NO_REPOSITORIES_ADVICE = "Set `repositories` for the connection, and let the organization enable Codespaces."


@dataclass(frozen=True)
class Repository:
    """A repository for new codespaces, with its branches and machines. A machine has a name and a title."""

    full_name: str
    branches: tuple[str, ...]
    machines: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Offer:
    """The choices in a user's form, and the codespace names in use."""

    repositories: tuple[Repository, ...]
    names: tuple[str, ...]


async def read_offer(
    api: up.ApiClient, configured: Sequence[str], names: Collection[str], used: Sequence[str]
) -> Offer:
    """Read the branches and machines of the configured repositories.

    If no repositories are configured, read those of the user's codespaces (``used``), and then those to which
    anybody has most recently pushed.
    """
    full_names = configured or await _choose_repositories(api, used)
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


async def _choose_repositories(api: up.ApiClient, used: Sequence[str]) -> list[str]:
    query = {"sort": "pushed", "per_page": str(MAX_REPOSITORIES)}
    page = {"repositories": (await api.call("GET", "/user/repos", query=query, headers=HEADERS)).json()}
    pushed = up.read_entries([page], "repositories", lambda entry: up.require_text(entry, "full_name"))
    first = list(dict.fromkeys(used))[:MAX_USED_REPOSITORIES]
    return list(dict.fromkeys([*first, *pushed]))[:MAX_REPOSITORIES]


async def _read_repository(api: up.ApiClient, full_name: str) -> Repository:
    def to_machine(entry: Any) -> tuple[str, str]:
        value = up.require_text(entry, "name")
        return value, up.clean(up.find_text(entry, "display_name") or value)

    ids, query = full_name.partition("/")[::2], {"per_page": str(PAGE_SIZE)}
    response = await api.call("GET", "/repos/{}/{}/codespaces/machines", *ids, headers=HEADERS)
    machines = up.read_entries([response.json_object()], "machines", to_machine)
    response = await api.call("GET", "/repos/{}/{}/branches", *ids, query=query, headers=HEADERS)
    page = {"branches": response.json()}
    branches = up.read_entries([page], "branches", lambda entry: up.require_text(entry, "name"))
    return Repository(full_name, tuple(branches), tuple(machines))


def _find_repository(offer: Offer, values: up.Values) -> Repository | None:
    full_name = up.text_of(values, "repository")
    return next((each for each in offer.repositories if each.full_name == full_name), None)


class CodespaceForms(up.Provider, up.Creation[Offer]):
    """Offers the form for a new codespace."""

    offer_model: ClassVar[type[Offer]] = Offer

    def form(self, offer: Offer, purpose: up.Purpose, values: up.Values, principal: up.Principal) -> up.Form:
        """Build the form for the values filled in so far, dropping those that are no longer offered."""
        if not offer.repositories:
            return up.Form((), note=NO_REPOSITORIES, advice=NO_REPOSITORIES_ADVICE)
        repository = _find_repository(offer, values) or offer.repositories[0]
        branch, machine = up.text_of(values, "branch"), up.text_of(values, "machine")
        full_names = tuple(up.Choice(each.full_name, each.full_name) for each in offer.repositories)
        branches = tuple(up.Choice(branch, up.clean(branch)) for branch in repository.branches)
        branch = branch if branch in repository.branches else ""
        machines = tuple(up.Choice(name, title) for name, title in repository.machines)
        machine = machine if machine in dict(repository.machines) else machines[0].value
        stem = self.name_rule.to_stem(repository.full_name.partition("/")[2], "codespace")
        name = repository.full_name
        fields = [
            up.choice_field("repository", "Repository", full_names, name, has_dependents=True),
            up.choice_field("branch", "Branch", branches, branch, optional=True, hint=BRANCH_HINT),
            up.choice_field("machine", "Machine", machines, machine),
            up.name_field(up.find_free_name(stem, offer.names), self.name_rule.max_length),
        ]
        if not branches:  # of an empty repository
            del fields[1]
        return up.Form(tuple(fields))

    def spec(self, offer: Offer, purpose: up.Purpose, values: up.Values, principal: up.Principal) -> up.Spec:
        """Check a form's values; raise FormProblems for any that GitHub would refuse."""
        if (repository := _find_repository(offer, values)) is None:
            raise up.FormProblems({"repository": "Choose one of the repositories."})
        keys = ("repository", "branch", "machine")
        chosen = {key: text for key in keys if (text := up.text_of(values, key))}
        name = up.text_of(values, "name")
        problems = {"name": up.find_name_problem(name, self.name_rule.max_length, offer.names)}
        if chosen.get("branch", "") not in ("", *repository.branches):
            problems["branch"] = "Choose a branch of this repository."
        if chosen.get("machine") not in dict(repository.machines):
            problems["machine"] = "Choose a machine that this repository offers."
        if problems := {key: problem for key, problem in problems.items() if problem}:
            raise up.FormProblems(problems)
        return up.Spec(name, chosen)
