"""Creates servers, and defines the form for new ones.

Since 6.0, a hub can create a server without starting it, and refuses a name that is already in use. An older
hub creates a server by starting it, and would restart an existing server of that name, so Usher checks its
list of servers first.
"""

from __future__ import annotations

import re
import unicodedata
from abc import abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from bot.domain import forms
from bot.domain.observations import Created, OutcomeSearch
from bot.domain.people import Principal
from bot.providers import connection, facets
from bot.providers.answers import find_object, find_text, parse_time
from bot.providers.base import MAX_CLOCK_SKEW_SECONDS, Access
from bot.providers.jupyterhub.servers import (
    DEFAULT_NAME,
    DISPLAY_NAMES_RELEASE,
    ServerList,
    ServerName,
    Servers,
)
from bot.providers.jupyterhub.settings import JupyterHubSettings
from bot.providers.words import clean
from bot.support import errors

#: Matches names that any spawner can use for a container, folder or host.
_SERVER_NAME_PATTERN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,38}[A-Za-z0-9])?")
MAX_SERVER_NAME_LENGTH = 40
#: Key that a new server's spec contains if the hub could create servers without starting them when the form
#: was filled in. That depends on the hub's release.
_CREATE_STOPPED_KEY = "at_rest"
#: For each set of naming rules that a hub may have, a hint that says which names are allowed.
NAME_HINTS = {
    "any": f"At most {MAX_SERVER_NAME_LENGTH} characters, with a letter or a digit among them.",
    "path": f"Letters, digits, - _ and ., at most {MAX_SERVER_NAME_LENGTH}.",
    "plain": "Lower-case letters, digits and single hyphens, at most 30, with a letter first.",
}


@dataclass(frozen=True, slots=True)
class JupyterHubOffer:
    """The names in use. The offer has no options, because a hub doesn't report its spawner's options."""

    names: tuple[str, ...] = ()
    #: The hub's major release; 0 if it isn't known.
    release: int = 0

    @property
    def name_style(self) -> str:
        """Return which of the hub's naming rules apply, as a key of ``NAME_HINTS``."""
        return "any" if self.release >= DISPLAY_NAMES_RELEASE else "path" if self.release else "plain"


class HubMaking(facets.Creation[JupyterHubOffer]):
    """The part of the provider that builds the form for a new server and creates the server."""

    settings: JupyterHubSettings
    name_rule: ClassVar[forms.NameRule]

    @property
    @abstractmethod
    def _servers(self) -> Servers:
        """Return the client for calls to a hub's servers."""

    async def read_offer(self, access: Access) -> JupyterHubOffer:
        """Read the names of the user's servers, and the hub's release."""
        servers = await self._servers.list_servers(access, None)
        servers = ServerList() if servers is None else servers
        names = {name for name in _list_names(servers) if name.isprintable()}
        return JupyterHubOffer(tuple(sorted(names)), await self._servers.read_release(access, servers))

    def form(
        self, offer: JupyterHubOffer, purpose: forms.Purpose, values: forms.Values, principal: Principal
    ) -> forms.Form:
        """Build a form with a name and, if there are templates, a choice of template."""
        offered = connection.list_available(self.settings.templates, principal)
        chosen = connection.select_available(offered, values)
        free = self._free_name(chosen.name if chosen is not None else "", offer)
        fields = [connection.template_field(offered, chosen)] if offered else []
        return forms.Form(
            (*fields, forms.name_field(free, MAX_SERVER_NAME_LENGTH, hint=NAME_HINTS[offer.name_style]))
        )

    def _free_name(self, text: str, offer: JupyterHubOffer) -> str:
        return forms.find_free_name(self.name_rule.to_stem(text, "server"), offer.names)

    def spec(
        self, offer: JupyterHubOffer, purpose: forms.Purpose, values: forms.Values, principal: Principal
    ) -> forms.Spec:
        """Return the spec, with ``template`` if one was chosen; raise FormProblems if a value is invalid."""
        problems = {}
        offered = connection.list_available(self.settings.templates, principal)
        template = connection.find_by_name(offered, forms.text_of(values, "template"))
        if offered and template is None:
            problems["template"] = forms.TEMPLATE_NOT_OFFERED
        typed = clean(forms.text_of(values, "name"), 10 * MAX_SERVER_NAME_LENGTH)
        name, shown = self._choose_name(typed, offer)
        is_shaped = not typed or bool(name)
        wrong = forms.find_name_problem(typed, MAX_SERVER_NAME_LENGTH, offer.names, "server")
        if wrong := wrong if is_shaped else NAME_HINTS[offer.name_style]:
            problems["name"] = wrong
        if problems:
            raise forms.FormProblems(problems)
        chosen = {} if template is None else {"template": template.name}
        chosen |= {_CREATE_STOPPED_KEY: "yes"} if offer.release >= DISPLAY_NAMES_RELEASE else {}
        return forms.Spec(name, chosen | ({forms.DISPLAY_NAME_KEY: shown} if shown else {}))

    def _choose_name(self, typed: str, offer: JupyterHubOffer) -> tuple[str, str]:
        """Convert typed text to a name that the hub allows, and to a display name. Either may be ""."""
        if self.name_rule.allows(typed) or (
            offer.name_style == "path" and _SERVER_NAME_PATTERN.fullmatch(typed)
        ):
            return typed, ""
        if offer.name_style != "any" or not any(map(str.isalnum, typed)):
            return "", ""
        # Keep only characters that the hub allows in a display name
        # (``jupyterhub.slugs.is_valid_display_name``).
        shown = "".join(sign for sign in typed if sign == " " or unicodedata.category(sign)[0] in "LMNPS")
        return self._free_name(typed, offer), " ".join(shown.split())

    async def create(self, access: Access, spec: forms.Spec, key: str) -> Created:
        """Create a server with its options, and start it."""
        if self.can_create_stopped(spec):
            return await self._create_and_start(access, spec, key)
        name, options = self._prepare(access, spec)
        servers = await self._servers.list_servers(access, None)
        if servers is None:
            raise errors.NotFound("the hub knows no such person")
        if await self._servers.read_release(access, servers) >= DISPLAY_NAMES_RELEASE:
            # The hub was older when the form was filled in, or its release wasn't known then.
            return await self._create_and_start(access, spec, key)
        if name.server in servers and not _is_untouched(servers, name.server):
            raise errors.Conflict(forms.NAME_IN_USE)
        try:
            is_other = await self._servers.request("start", name, access, options) is not None
        except errors.Conflict:
            is_other = True
        if is_other:
            # Someone else created the server after the list was read.
            raise errors.Conflict(forms.NAME_IN_USE)
        return Created(name.remote_id, spec.label)

    def can_create_stopped(self, spec: forms.Spec) -> bool:
        """Return whether the hub, when the form was filled in, could create servers without starting them."""
        return bool(spec.text(_CREATE_STOPPED_KEY))

    async def create_stopped(self, access: Access, spec: forms.Spec, key: str) -> Created:
        """Create a server with its options, which are used when it is first started."""
        name, options = self._prepare(access, spec)
        body = {"display_name": spec.label, "user_options": options or {}}
        try:
            await self._servers.change("PUT", name, access, body)
        except errors.Conflict as error:
            raise errors.Conflict(forms.NAME_IN_USE, status=error.status) from None
        return Created(name.remote_id, spec.label, is_started=False)

    def _prepare(self, access: Access, spec: forms.Spec) -> tuple[ServerName, Mapping[str, Any] | None]:
        name = ServerName(access.username, spec.name)
        if not name.server:
            raise errors.InvalidRequest("The server needs a name. Choose one.")
        if not spec.text("template"):
            return name, None
        template = connection.find_by_name(self.settings.templates, spec.text("template"))
        if template is None:
            raise errors.InvalidRequest("That kind of server is no longer set up. Choose another one.")
        return name, template.options

    async def _create_and_start(self, access: Access, spec: forms.Spec, key: str) -> Created:
        made = await self.create_stopped(access, spec, key)
        try:
            await self._servers.request("start", ServerName(access.username, spec.name), access)
        except errors.UnknownOutcome:
            return replace(made, is_started=True)
        except errors.ProviderError:
            # The server was created, even though this start failed. Its next start will show why.
            return made
        return replace(made, is_started=True)

    async def list_names(self, access: Access, stem: str) -> Collection[str]:
        """Return the names of the user's servers. Other users' servers may have the same names."""
        return _list_names(await self._servers.list_servers(access, None) or {})

    async def is_name_in_use(self, access: Access, spec: forms.Spec) -> bool:
        """Check whether a server already has this name or display name."""
        names = await self.list_names(access, spec.name)
        return any(forms.is_in_use(name, names) for name in {spec.name, spec.label})

    async def find_created(self, access: Access, spec: forms.Spec, key: str, since: float) -> OutcomeSearch:
        """Search for the server by its name. Ignore a server that was started or used before the call."""
        name = ServerName(access.username, spec.name)
        servers = await self._servers.list_servers(access, None) or ServerList()
        server, is_started = find_object(servers, name.server), not _is_untouched(servers, name.server)
        # For a server that isn't running, the hub reports when it was last used.
        used_at = parse_time(server.get("started")) or parse_time(server.get("last_activity"))
        is_older = used_at is not None and used_at < since - MAX_CLOCK_SKEW_SECONDS
        # If an older hub refuses a start, it leaves behind a server without its options. Such a server
        # doesn't count as created.
        is_made = is_started or self.can_create_stopped(spec) or servers.release >= DISPLAY_NAMES_RELEASE
        if name.server not in servers or is_older or not is_made:
            return OutcomeSearch(is_conclusive=True)
        return OutcomeSearch(Created(name.remote_id, spec.label, is_started), is_conclusive=True)


def _list_names(servers: Mapping[str, Any]) -> set[str]:
    """Return the names and display names of servers, always including the default server's."""
    shown = (find_text(find_object(servers, name), "display_name") for name in servers)
    return {DEFAULT_NAME, *(name for name in (*servers, *shown) if name)}


def _is_untouched(servers: Mapping[str, Any], name: str) -> bool:
    """Return whether a server has never been started.

    Hubs before 6.0 leave such a server behind when they refuse a start. Usher's own attempt must have created
    it, because no server had the name just before the first attempt (``is_name_in_use``).
    """
    server = find_object(servers, name)
    return not any(server.get(key) for key in ("started", "last_activity", "pending", "ready"))
