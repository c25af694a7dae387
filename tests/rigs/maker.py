"""A provider with forms for workspaces and jobs. The forms' choices depend on the selected cluster."""

from collections.abc import Sequence
from typing import Any

from bot.domain.forms import Field, Form, FormProblems, Purpose, Spec, Values
from bot.domain.observations import Created, OutcomeSearch
from bot.domain.people import Principal
from bot.providers import facets
from bot.providers.base import Access, Credential, Identity
from tests.rigs.forms import choices
from tests.rigs.providers import FakeProvider
from tests.rigs.run_provider import FakeRuns

OFFER = {"clusters": {"Local": [], "Kubernetes": ["r-base", "python & co"]}, "maximum": 8}


class Maker(FakeProvider, FakeRuns, facets.Impersonation, facets.EmailLookup):
    """A provider that offers clusters with images. It requires a name, and limits ``cpus``."""

    def form(self, snapshot: Any, purpose: Purpose, values: Values, principal: Principal) -> Form:
        clusters = snapshot["clusters"]
        cluster = values.get("cluster")
        cluster = cluster if isinstance(cluster, str) and cluster in clusters else max(clusters, default="")
        if not cluster:
            return Form(())
        fields = [
            Field("name", "Name", "text", max_length=40),
            Field("cluster", "Cluster", "choice", choices(list(clusters)), cluster, has_dependents=True),
        ]
        images = choices(clusters[cluster])
        if images:
            fields.append(Field("image", "Image", "search", images, optional=True))
        fields.append(Field("cpus", "CPUs", "number", initial="1", minimum=1, maximum=snapshot["maximum"]))
        if purpose == "job":
            fields.append(Field("command", "Command", "long_text", is_remembered=False))
        return Form(tuple(fields))

    def spec(self, snapshot: Any, purpose: Purpose, values: Values, principal: Principal) -> Spec:
        problems = {}
        if not values.get("name"):
            problems["name"] = "Needs a name."
        if float(str(values.get("cpus", "1"))) > snapshot["maximum"]:
            problems["cpus"] = f"At most {snapshot['maximum']} are allowed here."
        if purpose == "job" and not values.get("command"):
            problems["command"] = "Needs a command."
        if problems:
            raise FormProblems(problems)
        return Spec.from_json(values)

    async def read_email(self, username: str) -> str | None:
        self._note("read_email", Access("", Credential.for_connection("admin")), username)
        self._raise("read_email", after=False)
        return f"{username}@example.org"

    async def check_username(self, username: str) -> Identity:
        self._note("check_username", Access("", Credential.for_connection("admin")), username)
        self._raise("check_username", after=False)
        return Identity(username, Credential.for_connection("admin"))


class FakeMaking(facets.Creation):
    """Declares that the provider can create workspaces. Fails if a test ever asks it to."""

    async def read_offer(self, access: Access) -> Any:
        raise AssertionError("nothing is offered here")

    def form(self, snapshot: Any, purpose: Purpose, values: Values, principal: Principal) -> Form:
        raise AssertionError("nothing is asked with a form here")

    def spec(self, snapshot: Any, purpose: Purpose, values: Values, principal: Principal) -> Spec:
        raise AssertionError("nothing is asked with a form here")

    async def create(self, access: Access, spec: Spec, key: str) -> Created:
        raise AssertionError("nothing is made here")

    async def list_names(self, access: Access, stem: str) -> Sequence[str]:
        raise AssertionError("nothing is made here")

    async def find_created(self, access: Access, spec: Spec, key: str, since: float) -> OutcomeSearch:
        raise AssertionError("nothing is looked for here")
