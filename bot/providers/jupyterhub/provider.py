"""The translator for one JupyterHub. Facts: ``docs/providers/jupyterhub.md``, measured against 6.1.

A hub doesn't report its spawner's options, so named servers are made from templates:
``[[connections.NAME.templates]] name, title, options = {…}, who``; ``options`` is passed to the spawner
(the JSON body of a start).
"""

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

from pydantic import Field, SecretStr, field_validator

from bot.domain.forms import Form, FormProblems, Purpose, Spec, Values, free_name, text_of
from bot.domain.people import Principal
from bot.domain.workspaces import Created, Observed, State, StopMode, Traces
from bot.providers import base, connection, prepared
from bot.providers.jupyterhub import linking
from bot.providers.jupyterhub.servers import ServerName, Servers, parse_reference
from bot.providers.requests import Api, clean, note, side_by_side, text_in
from bot.support import errors
from bot.support.http import Http

#: What every spawner can use as the name of a container, a folder or a host.
_SERVER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,38}[A-Za-z0-9])?")
MAX_NAME = 40
NAME_HINT = "Letters, digits, - _ and ., at most 40."


class Template(prepared.Prepared):
    """Hold the options of one kind of server."""

    options: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Offer:
    """Hold the used names: the hub doesn't report what its spawner offers."""

    names: tuple[str, ...] = ()


def form_of(offer: Offer, templates: Sequence[Template], values: Values, asker: Principal) -> Form:
    """Return the form: a template, if there are any, and the name."""
    offered = [template for template in templates if template.is_for(asker)]
    chosen = prepared.proposed(offered, values)
    free = free_name(chosen.name if chosen is not None else "server", offer.names)
    fields = [prepared.template_field(offered, chosen)] if offered else []
    return Form((*fields, prepared.name_field(free, MAX_NAME, hint=NAME_HINT)))


def spec_of(offer: Offer, templates: Sequence[Template], values: Values, asker: Principal) -> Spec:
    """Return the spec: ``template``, if one was chosen; raise FormProblems."""
    problems = {}
    offered = [template for template in templates if template.is_for(asker)]
    template = prepared.named(offered, text_of(values, "template"))
    if offered and template is None:
        problems["template"] = prepared.NOT_OFFERED
    name = clean(text_of(values, "name"), 10 * MAX_NAME)
    is_shaped = not name or _SERVER.fullmatch(name) is not None
    if wrong := prepared.name_problem(name, MAX_NAME, offer.names, "server") if is_shaped else NAME_HINT:
        problems["name"] = wrong
    if problems:
        raise FormProblems(problems)
    return Spec(name, {"template": template.name} if template is not None else {})


#: How a refusal with 400 reads (hub 6.1, ``UserServerAPIHandler`` and ``_check_named_server_request``).
_RUNNING = re.compile(r"\bis already running\b")
_PENDING = re.compile(r"\bpending \w+|\bbeing renamed\b")
_LIMIT = re.compile(r"\bmaximum of \d+ named servers\b")
PROBE_SECONDS = 8.0
#: How many servers are read at the same time for one list.
LIST_WIDTH = 5


class JupyterHubSettings(connection.ConnectionSettings):
    """Hold a hub's connection: ``base_url`` is the address of it or its API, ``public_url`` is for people."""

    public_url: str | None = None
    #: Usher's registration as a service of the hub; without the secret, people paste tokens.
    client_id: str = Field(default=linking.CLIENT_ID, pattern=r"^service-[A-Za-z0-9._~-]{1,200}$")
    client_secret: SecretStr | None = None
    templates: prepared.AllOf[Template] = ()

    @field_validator("public_url")
    @classmethod
    def _public_url(cls, value: str | None) -> str | None:
        return None if value is None else connection.normalise_base_url(value.strip())


class JupyterHub(
    base.Provider,
    base.Lists,
    base.Removal,
    base.Revocation,
    base.Tokens,
    base.SignIn,
    base.Making[Offer],
):
    """Translate for one hub."""

    kind: ClassVar[str] = "jupyterhub"
    settings_model: ClassVar[type[connection.ConnectionSettings]] = JupyterHubSettings
    settings: JupyterHubSettings
    offer_model: ClassVar[type[Offer]] = Offer
    token_shape: ClassVar[re.Pattern[str] | None] = re.compile(r"[0-9A-Fa-f]{32,512}")
    pace: ClassVar[base.Pace] = base.Pace(min_poll_interval=2.0, pending=2.0, running=60.0, unused=1800.0)

    def __init__(self, settings: JupyterHubSettings, http: Http) -> None:
        super().__init__(settings, http)
        root = _hub_root(settings.base_url)
        self._public = root if settings.public_url is None else _hub_root(settings.public_url)
        self._api = Api(http, f"{root}/hub/api")
        self._servers = Servers(self._api, self._public, self.allowed_url)
        self._templates = settings.templates

    def gate_key(self, remote_id: str) -> str:
        """Return the API's address and the id."""
        return f"{self._api.root}#{remote_id}"

    def renamed(self, remote_id: str, former: str, username: str) -> str:
        """Return the id with the new name in place of the former one."""
        with suppress(errors.NotFound):
            name = ServerName.of(remote_id)
            if name.user == former:
                return ServerName(username, name.server).remote_id
        return remote_id

    async def status(
        self, access: base.Access, remote_ids: Sequence[str], window: base.SendWindow | None = None
    ) -> Mapping[str, Observed]:
        """Read all servers in one response, then those that are up, coming up or broken one by one."""
        servers = await self._servers.of_person(access, window)
        return {
            remote_id: await self._servers.state_of(access, remote_id, servers) for remote_id in remote_ids
        }

    async def discover(self, access: base.Access) -> base.Listing[base.Discovered]:
        """List the default server and every named one, running or not."""
        servers = await self._servers.of_person(access, None)
        if servers is None:
            raise errors.NotFound("the hub knows no such person")

        async def one(remote_id: str) -> base.Discovered:
            try:
                observed = await self._servers.state_of(access, remote_id, servers)
            except errors.TemporaryError as error:
                # A server that can't be read doesn't affect the others.
                observed = Observed(State.UNKNOWN, detail=error.message)
            return base.Discovered(remote_id, observed.name or "", observed)

        names = [ServerName(access.username, name) for name in {"": None, **servers}]
        can_be_named = [remote_id for name in names if (remote_id := _id_of(name))]
        found = await side_by_side(LIST_WIDTH, one, can_be_named)
        return base.Listing(found, is_whole=len(can_be_named) == len(names))

    async def start(self, access: base.Access, remote_id: str) -> None:
        """Ask for a start; 201 and 202 both mean accepted, not ready. Already running is success."""
        await self._start(access, _own(access, remote_id), None)

    async def _start(self, access: base.Access, name: ServerName, options: Mapping[str, Any] | None) -> None:
        try:
            await self._servers.call("POST", name.path, access, json_body=options)
        except errors.InvalidRequest as error:
            if not _RUNNING.search(error.message):
                _raise_refusal(error)
        except errors.RateLimited as error:
            # With Retry-After, too many are starting at once; without it, the hub is full.
            if error.retry_after is None:
                raise errors.LimitReached(error.message, status=error.status) from None
            raise
        except errors.ServerFailed as error:
            # The start failed before the hub answered: a read brings the reason.
            raise errors.UnknownOutcome(
                error.message, status=error.status, retry_after=error.retry_after
            ) from None

    async def stop(self, access: base.Access, remote_id: str, mode: StopMode = "stop") -> None:
        """Ask for a stop, which cancels a start under way. One that is already stopped counts as success."""
        self.need_mode(mode)
        await self._delete(access, remote_id, None)

    async def remove(self, access: base.Access, remote_id: str) -> None:
        """Stop and remove a named server; the hub refuses to remove the default one."""
        await self._delete(access, remote_id, {"remove": True})

    async def _delete(self, access: base.Access, remote_id: str, body: Mapping[str, Any] | None) -> None:
        try:
            await self._servers.call("DELETE", _own(access, remote_id).path, access, json_body=body)
        except errors.InvalidRequest as error:
            _raise_refusal(error)

    # -- making something new --------------------------------------------------------------------------------

    async def templates(self, access: base.Access) -> Offer:
        """Read the names of the person's servers; the hub doesn't report what its spawner offers."""
        servers = await self._servers.of_person(access, None)
        return Offer(tuple(sorted(name for name in servers or () if name.isprintable())))

    def form(self, offer: Offer, purpose: Purpose, values: Values, asker: Principal) -> Form:
        """Ask for a template and a name."""
        return form_of(offer, self._templates, values, asker)

    def spec(
        self,
        offer: Offer,
        purpose: Purpose,
        values: Values,
        asker: Principal,
    ) -> Spec:
        """Check what was filled in."""
        return spec_of(offer, self._templates, values, asker)

    async def create(self, access: base.Access, spec: Spec, key: str) -> Created:
        """Start a server with a new name and its options; doing so twice still makes one server."""
        name = ServerName(access.username, spec.name)
        if not name.server:
            raise errors.InvalidRequest("The server needs a name. Choose one.")
        options: Mapping[str, Any] | None = None
        if spec.word("template"):
            template = prepared.named(self._templates, spec.word("template"))
            if template is None:
                raise errors.InvalidRequest("That kind of server is no longer set up. Choose another one.")
            options = template.options
        await self._start(access, name, options)
        return Created(name.remote_id, name.server)

    async def names(self, access: base.Access, stem: str) -> Collection[str]:
        """Return the names of the person's servers: they are a person's own namespace."""
        return await self._servers.of_person(access, None) or ()

    async def find(
        self,
        access: base.Access,
        spec: Spec,
        key: str,
        since: float,
    ) -> Traces:
        """Look for the server by its name."""
        name = ServerName(access.username, spec.name)
        servers = await self._servers.of_person(access, None)
        is_there = servers is not None and name.server in servers
        return Traces(Created(name.remote_id, name.server) if is_there else None, is_proof=True)

    async def probe(self) -> str:
        """Ask for the version: the one response that the hub gives to everybody."""
        response = await self._api.call("GET", "/", None, total=PROBE_SECONDS)
        return f"JupyterHub {clean(text_in(response.json_object(), 'version'))}"

    async def remark(self) -> str:
        """Say where servers may open, and if that can't be reached from here: then IDEs can't be probed."""
        origin = connection.origin_of(self._public)
        hosts = f"Servers open on {origin.netloc} and on hosts directly below it (subdomain_host)."
        try:
            await self.http.request("GET", f"{self._public}/hub/api/", total=PROBE_SECONDS)
        except errors.TemporaryError:
            return (
                f"{hosts} {self._public} can't be reached from here. That's fine if people's browsers can "
                "reach it; otherwise check public_url."
            )
        return hosts

    async def check(self, credential: base.Credential) -> base.Identity:
        """Find out whose token it is, and replace it by one of our own if the hub allows that."""
        return await linking.check(self._api, credential)

    async def who_am_i(self, access: base.Access) -> None:
        """Ask whose token it is, without minting one; raise Renamed if that has another name by now."""
        await linking.confirm(self._api, access)

    async def revoke(self, access: base.Access) -> None:
        """Delete the token that Usher minted; one that the person pasted is theirs to delete."""
        await linking.revoke(self._api, access)

    @property
    def client(self) -> base.OAuthClient | None:
        """Return Usher's registration as a service of the hub."""
        own = self.settings
        if own.client_secret is None:
            return None
        return linking.SignInClient(self._api, self._public, own.client_id, own.client_secret)

    def registration(self, back: str) -> str:
        """Return the lines of the hub's configuration, and the one of the connection."""
        return linking.registration(self.settings.client_id, back, self.settings.name)

    def parse_reference(self, text: str) -> str | None:
        """Extract the server from a link to it or its pages, or from ``person/server``."""
        return parse_reference(text, self._public)

    def page_url(self, remote_id: str) -> str:
        """Return the hub's home, which lists the person's servers; a server's own page could start it."""
        return f"{self._public}/hub/home"

    def token_help(self) -> base.TokenHelp:
        """Explain where to request a token."""
        return base.TokenHelp(
            url=f"{self._public}/hub/token",
            steps=(
                f"Press Open {self.settings.title} and sign in.",
                "Press “Request new API token” and leave its permissions empty.",
                "Copy the token and paste it here.",
                "Usher uses it to create one of its own. After that, you can delete the one you pasted.",
            ),
            pattern=r"^[0-9A-Za-z._~+/=-]{8,512}$",
        )

    def ide_hosts(self) -> tuple[str, ...]:
        """Return the operator's hosts and the public address's host with its port."""
        origin = connection.origin_of(self._public)
        return (*self.settings.ide_hosts, f"{origin.shown_host}:{origin.port}")

    def allowed_url(self, url: str | None) -> str | None:
        """Allow also the hosts of people: a hub with ``subdomain_host`` gives each one below its own."""
        home = connection.one_label_below(url or "", self._public)
        return super().allowed_url(url) if home is None else connection.allowed_ide_url(url, home, ())

    def describe(self) -> Mapping[str, Any]:
        """Add the addresses in use."""
        return {
            **super().describe(),
            "api": self._api.root,
            "public_url": self._public,
            "templates": [template.name for template in self._templates],
        }


def _hub_root(url: str) -> str:
    """Return the address in front of ``/hub``, whichever of its addresses is configured."""
    for ending in ("/hub/api", "/hub/home", "/hub"):
        if url.endswith(ending):
            return url.removesuffix(ending)
    return url


def _id_of(name: ServerName) -> str:
    """Return a server's id, "" if its name can't be part of a path."""
    try:
        return name.remote_id
    except errors.NotFound:
        note("a server's name can't be part of an address")
        return ""


def _own(access: base.Access, remote_id: str) -> ServerName:
    """Return the server's name; raise NotFound for somebody else's, as the hub does."""
    name = ServerName.of(remote_id)
    if name.user != access.username:
        raise errors.NotFound("there is no such server")
    return name


def _raise_refusal(error: errors.InvalidRequest) -> NoReturn:
    if _LIMIT.search(error.message):
        raise errors.LimitReached(error.message, status=error.status) from None
    if _PENDING.search(error.message):
        raise errors.Conflict(error.message, status=error.status) from None
    raise error
