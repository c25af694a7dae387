"""A provider for Lagoon, whose workspaces can be listed, started and stopped."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

import usher.provider as up

STATES = {
    "off": up.State.STOPPED,
    "booting": up.State.STARTING,
    "on": up.State.RUNNING,
    "halting": up.State.STOPPING,
    "broken": up.State.FAILED,
}


class Lagoon(up.Provider, up.Lists, up.Tokens):
    """Translate between Usher and one Lagoon server."""

    api_version: ClassVar[int] = up.API_VERSION
    kind: ClassVar[str] = "lagoon"
    title: ClassVar[str] = "Lagoon"
    pace: ClassVar[up.Pace] = up.Pace(min_poll_interval=2.0, pending_interval=2.0)
    # Calls go to this path below the connection's base URL, each with the token in the header named here.
    api_path: ClassVar[str] = "/api"
    credential_in: ClassVar[up.CredentialPlacement] = up.CredentialPlacement("X-Lagoon-Token", scheme="")
    # The path, in the body of an error, of the message for people.
    message_pointer: ClassVar[str] = "/error/message"

    # Linking: find out who the token belongs to and, for the person who sets up the connection, whether the
    # server responds.

    async def check_credential(self, credential: up.Credential) -> up.Identity:
        """Find out whose token it is. Then read the list, because a token that can't read it is useless."""
        api = self.api.acting_as(credential)
        response = await api.call("GET", "/me")
        await api.call("GET", "/workspaces")
        return up.Identity(up.require_text(response.json_object(), "name"), credential)

    async def probe(self) -> str:
        """Read the version without a token, because anyone may read it."""
        response = await self.api.call("GET", "/version")
        return f"Lagoon {up.clean(up.require_text(response.json_object(), 'version'))}"

    def token_help(self) -> up.TokenHelp:
        """Explain where to find tokens."""
        url = f"{self.settings.base_url}/tokens"
        return up.TokenHelp(url, ("Copy a token from your page of tokens.",), r"[0-9a-f]{40}")

    # List: a malformed entry doesn't hide the others, and a list with entries missing is marked as
    # incomplete.

    async def discover(self, access: up.Access) -> up.Listing[up.DiscoveredWorkspace]:
        """List the user's workspaces."""
        response = await access.api.call("GET", "/workspaces")
        return up.read_entries([response.json_object()], "workspaces", self._listed)

    def _listed(self, entry: object) -> up.DiscoveredWorkspace:
        remote_id = up.require_id(entry, "id")
        assert isinstance(entry, dict), "it has an id"
        seen = self._observed(entry)
        return up.DiscoveredWorkspace(remote_id, seen.name or "", seen)

    # Start and stop: the row has just been read, so nothing is read here.

    async def start(self, access: up.Access, workspace: up.Workspace) -> None:
        """Request a start."""
        await access.api.call("POST", "/workspaces/{}/start", workspace.remote_id)

    async def stop(self, access: up.Access, workspace: up.Workspace, mode: up.StopMode = "stop") -> None:
        """Request a stop."""
        self.require_stop_mode(mode)
        await access.api.call("POST", "/workspaces/{}/stop", workspace.remote_id)

    # Readiness: a link is shown only once the IDE responds, and only if the link's host is allowed.

    async def status(
        self, access: up.Access, remote_ids: Sequence[str], window: up.SendWindow | None = None
    ) -> Mapping[str, up.Observed]:
        """Read the workspaces one after another, each within the send window of its request."""
        return {remote_id: await self._status(access, remote_id, window) for remote_id in remote_ids}

    async def _status(self, access: up.Access, remote_id: str, window: up.SendWindow | None) -> up.Observed:
        try:
            response = await access.api.call("GET", "/workspaces/{}", remote_id, window=window)
        except up.errors.NotFound:
            return up.Observed(up.State.GONE)
        workspace = response.json_object()
        if up.require_id(workspace, "id") != remote_id:
            raise up.errors.BadAnswer("the answer is about another workspace")
        up.require_text(workspace, "state")
        return self._observed(workspace)

    def _observed(self, workspace: Mapping[str, object]) -> up.Observed:
        word = up.find_text(workspace, "state") or ""
        name = up.clean(up.find_text(workspace, "name") or "", up.MAX_NAME_LENGTH) or None
        if word not in STATES:
            return up.Observed(up.State.UNKNOWN, detail=up.describe_unknown_state(up.clean(word)), name=name)
        url = self.allowed_url(up.find_text(workspace, "url")) if word == "on" else None
        return up.Observed(STATES[word], url=url, name=name)

    # The workspace's pages, and links that people paste.

    def page_url(self, remote_id: str) -> str:
        """Return the workspace's page."""
        return f"{self.settings.base_url}/workspaces/{up.encode_path_segment(remote_id)}"

    def parse_reference(self, text: str) -> str | None:
        """Extract the id from a link to the page."""
        path = up.path_below(text, self.settings.base_url) or ""
        found = re.fullmatch(r"/workspaces/([\w-]+)", path)
        return None if found is None else found[1]
