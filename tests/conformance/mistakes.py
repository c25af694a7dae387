"""Eighteen faulty providers with mistakes that authors have made. Each of them works, but harms somebody."""

from __future__ import annotations

import asyncio

import structlog
from usher_coder import Coder

import usher.provider as up


class ShowsOthers(Coder):
    """A provider that accepts everything an administrator's token can see."""

    def _is_ours(self, access, workspace):
        return True

    async def _status(self, access, remote_id, window):
        try:
            response = await access.api.call(
                "GET", f"/workspaces/{up.encode_path_segment(remote_id)}", window=window
            )
        except (up.errors.NotFound, up.errors.InvalidRequest):
            return up.Observed(up.State.GONE)
        workspace = response.json_object()
        is_ours = self._is_ours(access, workspace)
        return self._observed(workspace) if is_ours else up.Observed(up.State.GONE)


class TakesAnyAnswer(ShowsOthers):
    """A provider that doesn't check whether an answer is about the workspace that was requested."""

    def _is_ours(self, access, workspace):
        return up.require_text(workspace, "owner_name") == access.username


class TakesUnknownForFailed(Coder):
    """A provider that takes states it doesn't know for failures."""

    def _observed(self, workspace, **options):
        seen = super()._observed(workspace, **options)
        return up.Observed(up.State.FAILED) if seen.state is up.State.UNKNOWN else seen


class SpoiltByOneEntry(Coder):
    """A provider that fails to read a list if one entry is malformed."""

    async def discover(self, access):
        page = (await access.api.call("GET", "/workspaces", query={"q": "owner:me"})).json_object()
        return up.Listing(
            up.DiscoveredWorkspace(up.require_id(one, "id"), one["name"], self._observed(one))
            for one in page["workspaces"]
        )


class ListsRawNames(Coder):
    """A provider that doesn't clean the names that its server sends."""

    async def discover(self, access):
        page = (await access.api.call("GET", "/workspaces", query={"q": "owner:me"})).json_object()

        def read(entry):
            return up.DiscoveredWorkspace(up.require_id(entry, "id"), entry["name"], self._observed(entry))

        return up.read_entries([page], "workspaces", read)


class PutsIdsAsTheyAre(TakesAnyAnswer):
    """A provider that doesn't escape ids in paths."""

    async def _status(self, access, remote_id, window):
        try:
            response = await access.api.call("GET", f"/workspaces/{remote_id}", window=window)
        except (up.errors.NotFound, up.errors.InvalidRequest):
            return up.Observed(up.State.GONE)
        return self._observed(response.json_object())


class CallsCutWhole(Coder):
    """A provider that ignores further pages of a list."""

    async def discover(self, access):
        found = await super().discover(access)
        return up.Listing(found)


class FindsOlderNamesake(Coder):
    """A provider that takes an older workspace of the same name for the one it created."""

    async def find_created(self, access, spec, key, since):
        return await super().find_created(access, spec, key, 0.0)


class LosesGarbledCreation(Coder):
    """A provider that reports a failed creation if it can't read the answer."""

    async def create(self, access, spec, key):
        body = {"name": spec.name, "template_version_id": spec.text("version")}
        response = await access.api.call("POST", "/users/me/workspaces", json_body=body)
        return up.Created(up.require_id(response.json_object(), "id"), spec.name)


class ReadyTooEarly(Coder):
    """A provider that shows a workspace's link as soon as the build is done."""

    def _running(self, workspace, build, **options):
        url = (
            f"{self.settings.base_url}/@{workspace['owner_name']}/{workspace['name']}.main/apps/code-server/"
        )
        return up.Observed(up.State.RUNNING, url=self.allowed_url(url))


class LogsToken(Coder):
    """A provider that logs a token to make debugging easier."""

    async def check_credential(self, credential):
        structlog.get_logger().info("linking", header=credential.token.get_secret_value())
        return await super().check_credential(credential)


class ShowsToken(Coder):
    """Say as whom it asked."""

    async def _status(self, access, remote_id, window):
        seen = await super()._status(access, remote_id, window)
        return up.Observed(seen.state, name=f"as {access.credential.token.get_secret_value()}")


class Sleeps(Coder):
    """Give the server time."""

    async def _status(self, access, remote_id, window):
        await asyncio.sleep(0.001)
        return await super()._status(access, remote_id, window)


class Repeats(Coder):
    """A provider that repeats a call whose answer was lost."""

    async def start(self, access, workspace):
        try:
            await super().start(access, workspace)
        except up.errors.UnknownOutcome:
            await super().start(access, workspace)


class ReadsBesideGate(Coder):
    """Look once more before acting."""

    async def start(self, access, workspace):
        await access.api.call("GET", f"/workspaces/{up.encode_path_segment(workspace.remote_id)}")
        await super().start(access, workspace)


class LinksElsewhere(Coder):
    """A provider that shows an address without checking its host."""

    def _running(self, workspace, build, **options):
        seen = super()._running(workspace, build, **options)
        return up.Observed(seen.state, url="https://ide.evil.example/" if seen.url else None)


class CachesReads(Coder):
    """Spare the server a read."""

    async def _status(self, access, remote_id, window):
        known = self.__dict__.setdefault("known", {})
        if remote_id not in known:
            known[remote_id] = await super()._status(access, remote_id, window)
        return known[remote_id]


class TakesPageForNothing(Coder):
    """A provider that takes an HTML page for a sign that the workspace is gone."""

    async def _status(self, access, remote_id, window):
        try:
            return await super()._status(access, remote_id, window)
        except up.errors.BadAnswer:
            return up.Observed(up.State.GONE)
