"""The translator for one Posit Workbench."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from pydantic import SecretStr

from bot.domain.models import (
    About,
    Created,
    Effects,
    Form,
    Observed,
    Principal,
    Purpose,
    Spec,
    State,
    StopEffect,
    StopMode,
    Traces,
    User,
    Values,
    Workspace,
)
from bot.providers import facets
from bot.providers.base import (
    Access,
    ConnectionSettings,
    Credential,
    Discovered,
    Identity,
    Linking,
    Listing,
    Pace,
    Provider,
    SendWindow,
    TokenHelp,
)
from bot.providers.posit import addresses, forms, launches, specs
from bot.providers.posit.acting import CHECK_SECONDS, NO_TOKEN, Acting, acting, rightly
from bot.providers.posit.client import Workbench
from bot.providers.posit.computing import Offer
from bot.providers.posit.jobs import PositRuns
from bot.providers.posit.presets import Preset
from bot.providers.posit.sessions import BATCH, Sessions
from bot.providers.posit.states import suspends
from bot.providers.posit.transport import Transport
from bot.providers.posit.types import Version, WorkbenchUser
from bot.providers.prepared import AllOf, named
from bot.providers.reading import MAX_NAME, clean
from bot.providers.requests import checks_token
from bot.support.errors import CredentialRefused, Forbidden, NotFound
from bot.support.http import Http

PROBE_SECONDS = 8.0
ABOUT_SECONDS = 10.0


class PositSettings(ConnectionSettings):
    """Hold a Workbench connection; ``super_admin_token`` acts for approved usernames."""

    ways: ClassVar[Mapping[Linking, str]] = {"token": "", "admin": "super_admin_token"}

    super_admin_token: SecretStr | None = None
    presets: AllOf[Preset] = ()


class PositProvider(
    Provider,
    facets.Lists,
    facets.Tokens,
    facets.Making[Offer],
    PositRuns,
    facets.Behalf,
    facets.Overview,
):
    """Translate for one Workbench, whose sessions are the workspaces."""

    kind: ClassVar[str] = "posit"
    settings_model: ClassVar[type[ConnectionSettings]] = PositSettings
    settings: PositSettings
    offer_model: ClassVar[type[Offer]] = Offer
    # No rate limit is documented; one request reads up to 50 sessions of a person.
    pace: ClassVar[Pace] = Pace(
        min_poll_interval=2.0, pending=2.0, running=60.0, unused=1800.0, batch_size=BATCH, concurrency=40
    )
    stop_modes: ClassVar[frozenset[StopMode]] = frozenset({"stop", "suspend", "force"})
    # Random letters of both cases and digits, unlike any name that people choose.
    token_shape: ClassVar[re.Pattern[str] | None] = re.compile(
        r"(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=\D*\d)[0-9A-Za-z_+/-]{32,512}={0,2}"
    )

    def __init__(self, settings: PositSettings, http: Http) -> None:
        super().__init__(settings, http)
        self._presets = settings.presets
        self.workbench = Workbench(Transport(http, settings.base_url))
        self._sessions = Sessions(self.workbench, self._address)

    # -- sessions --------------------------------------------------------------------------------------------

    async def status(
        self, access: Access, remote_ids: Sequence[str], window: SendWindow | None = None
    ) -> Mapping[str, Observed]:
        """Read up to 50 sessions per request."""
        return await self._sessions.status(self._who(access), remote_ids, window)

    async def discover(self, access: Access) -> Listing[Discovered]:
        """List the person's sessions that haven't ended."""
        return await self._sessions.discover(self._who(access))

    async def start(self, access: Access, remote_id: str) -> None:
        """Resume a suspended RStudio session; nothing else can be started here."""
        await self._sessions.resume(self._who(access), remote_id)

    async def stop(self, access: Access, remote_id: str, mode: StopMode = "stop") -> None:
        """Stop, suspend or kill."""
        self.need_mode(mode)
        await self._sessions.stop(self._who(access), remote_id, mode)

    def stops(self, workspace: Workspace) -> Effects:
        """Say that a stopped session is over; only an RStudio session can be suspended instead."""
        if workspace.state in {State.FAILED, State.GONE}:
            return {}
        effects: dict[StopMode, StopEffect] = {"stop": StopEffect.ENDS, "force": StopEffect.ENDS}
        spec = workspace.spec
        ide = launches.workbench_of(spec, self._preset(spec)) if spec is not None else ""
        # While that is unknown it may be tried: the server is asked for the IDE before anything is suspended.
        if suspends(workspace.state, workspace.actions, ide) is not False:
            effects["suspend"] = StopEffect.KEEPS
        return effects

    # -- making something new --------------------------------------------------------------------------------

    async def templates(self, access: Access) -> Offer:
        """Read what may be launched, and which names are taken."""
        who = self._who(access)
        asking = self.workbench.get_compute_envs(who.credential, who.user)
        envs = await rightly(self.workbench, who, "read", asking)
        return Offer(envs, tuple(sorted(set(await self._sessions.names(who)))))

    def form(self, offer: Offer, purpose: Purpose, values: Values, asker: Principal) -> Form:
        """Ask for what the server offers and no preset sets."""
        return forms.form_of(offer, forms.draft(offer, purpose, values, asker, self._presets))

    def spec(self, offer: Offer, purpose: Purpose, values: Values, asker: Principal) -> Spec:
        """Check what was filled in (``launches`` describes the result)."""
        return specs.spec_of(offer, forms.draft(offer, purpose, values, asker, self._presets), values)

    def withholds(self, spec: Spec, asker: Principal) -> bool:
        """Return whether it uses a preset that is for other people."""
        preset = self._preset(spec)
        return preset is not None and not preset.is_for(asker)

    async def create(self, access: Access, spec: Spec, key: str) -> Created:
        """Launch a session; not idempotent: ``find`` comes before a second attempt."""
        launch = launches.session_launch(spec, launches.preset_named(self._presets, spec), key)
        return await self._sessions.create(self._who(access), launch)

    async def names(self, access: Access, stem: str) -> Collection[str]:  # noqa: ARG002 - all come at once
        """Return the names of the person's sessions, which may be alike but had better differ."""
        return await self._sessions.names(self._who(access))

    async def find(self, access: Access, spec: Spec, key: str, since: float) -> Traces:
        """Look for the session of an earlier launch."""
        return await self._sessions.find(self._who(access), spec, key, since)

    # -- credentials and the server --------------------------------------------------------------------------

    async def check(self, credential: Credential) -> Identity:
        """Ask for the version, then for the token's own sessions, by which newer servers reveal its owner."""
        who = Acting(credential)
        await self._take(credential)
        only = ("id", "activity_state", "username")
        found = await self.workbench.get_session(who.credential, only=only, total=CHECK_SECONDS)
        names = {clean(session.username, MAX_NAME) for session in found.sessions} - {""}
        return Identity(names.pop() if len(names) == 1 else "", credential)

    async def who_am_i(self, access: Access) -> None:
        """Ask for the version, which every valid token may."""
        await self._take(access.credential)

    async def _take(self, credential: Credential) -> None:
        with checks_token():
            await self.workbench.version(credential, total=CHECK_SECONDS)

    async def check_username(self, username: str) -> Identity:
        """Look a username up among the server's users."""
        users = await self._users(self._administrator())
        found = next((user for user in users if user.username == username), None)
        if found is None:
            raise NotFound(f"there is no user {clean(username, MAX_NAME)}")
        if not found.is_active:
            raise Forbidden(f"the user {clean(username, MAX_NAME)} is not active")
        return Identity(username, Credential.of_connection("admin"))

    def can_tell(self) -> bool:
        """Return whether there is a super-admin token."""
        return self.settings.super_admin_token is not None

    async def about(self) -> About:
        """Return version, features and users with their level."""
        who = self._administrator()
        version = await self._version(who)
        users = await self._users(who)
        facts = (("Version", _words(version)), ("Features", ", ".join(version.features) or "none told"))
        levels = (
            User(
                clean(user.username, MAX_NAME),
                user.is_active,
                "super-admin" if user.is_super_admin else "admin" if user.is_admin else "user",
            )
            for user in users
        )
        return About(tuple((name, clean(value, 1000)) for name, value in facts), tuple(levels))

    async def probe(self) -> str:
        """Ask for the version, with the connection's own token if there is one: some servers require one."""
        token = self.settings.super_admin_token
        credential = Credential(token) if token is not None else None
        try:
            version = await self.workbench.version(credential, total=PROBE_SECONDS)
        except (CredentialRefused, Forbidden):
            return "version not told"
        return f"Workbench {_words(version)}"

    def parse_reference(self, text: str) -> str | None:
        """Extract the session from a link to it, or from its bare id."""
        return addresses.reference(text, self.settings.base_url)

    def page_url(self, remote_id: str) -> str:  # noqa: ARG002 - one page lists all of them
        """Return the home page, which lists the person's sessions."""
        return f"{self.settings.base_url}/home"

    def token_help(self) -> TokenHelp:
        """Explain how to get a token: an administrator creates it on the server."""
        return TokenHelp(
            url="",
            steps=(
                f"Ask your {self.settings.title} admin for a user API token for your account.",
                "They create it on the server: rstudio-server generate-api-token user usher YOUR-USERNAME.",
                "Paste it here.",
            ),
            pattern=r"^[0-9A-Za-z._~+/=-]{8,512}$",
        )

    def describe(self) -> Mapping[str, Any]:
        """Add whether a super-admin token is configured, and the presets' names; never the token."""
        return {
            **super().describe(),
            "super_admin_token": "set" if self.settings.super_admin_token is not None else "not set",
            "presets": [preset.name for preset in self._presets],
        }

    # -- inside ----------------------------------------------------------------------------------------------

    def _preset(self, spec: Spec) -> Preset | None:
        return named(self._presets, spec.word("preset"))

    def _who(self, access: Access) -> Acting:
        return acting(access, self.settings.super_admin_token)

    def _administrator(self) -> Acting:
        if self.settings.super_admin_token is None:
            raise CredentialRefused(NO_TOKEN)
        return Acting(Credential(self.settings.super_admin_token))

    async def _version(self, who: Acting) -> Version:
        asking = self.workbench.version(who.credential, total=ABOUT_SECONDS)
        return await rightly(self.workbench, who, "read", asking)

    async def _users(self, who: Acting) -> Listing[WorkbenchUser]:
        asking = self.workbench.get_users(who.credential, total=ABOUT_SECONDS)
        return await rightly(self.workbench, who, "read", asking)

    def _address(self, address: str) -> str | None:
        return self.allowed_url(addresses.session_url(address, self.settings.base_url))


def _words(version: Version) -> str:
    """Return a version with its build and name, as the server's own pages show it."""
    build = f"+{version.build_number}" if version.build_number else ""
    name = f" “{version.release_name}”" if version.release_name else ""
    return clean(f"{version.text}{build}{name}", MAX_NAME) or "version not told"
