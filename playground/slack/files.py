"""The app's files: how methods describe them, how they are uploaded, and who may download them."""

from __future__ import annotations

import mimetypes
from urllib.parse import quote

from aiohttp import web

from playground.harness import Harness
from playground.slack.calls import bearer
from playground.slack.errors import SlackError
from playground.slack.records import File, Json
from playground.slack.state import State

CHUNK = 1 << 16
#: Size of the preview that Slack shows below a message, in lines and characters.
PREVIEW_LINES, PREVIEW_CHARACTERS = 5, 1000


def _text_of(file: File) -> str | None:
    """Return the content of a text file, or None for any other file."""
    kind = mimetypes.guess_type(file.name)[0] or ""
    plain = (
        bool(file.snippet_type) or kind.startswith("text/") or file.name.endswith((".log", ".out", ".err"))
    )
    return (file.content or b"").decode("utf-8", "replace") if plain else None


def described(state: State, file: File, *, shares: bool = True) -> Json:
    """Return a file object. Just after an upload is completed, Slack leaves out the type and the shares."""
    named = quote(file.name.lower().replace(" ", "_"))
    private = f"{state.base_url}/files-pri/{state.team.id}-{file.id}"
    shown: Json = {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title,
        "mimetype": "",
        "filetype": "",
        "pretty_type": "",
        "user": file.user,
        "user_team": state.team.id,
        "editable": False,
        "size": file.length,
        "mode": "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": False,
        "public_url_shared": False,
        "display_as_bot": False,
        "username": "",
        "url_private": f"{private}/{named}",
        "url_private_download": f"{private}/download/{named}",
        "permalink": f"{state.base_url}/files/{file.user}/{file.id}/{named}",
        "comments_count": 0,
        "is_starred": False,
        "shares": {},
        "channels": [],
        "groups": [],
        "ims": [],
        "has_rich_preview": False,
        "file_access": "visible",
    }
    if file.alt_txt:
        shown["alt_txt"] = file.alt_txt
    return {**shown, **_typed(file), **_shared(state, file)} if shares else shown


def _typed(file: File) -> Json:
    text, ending = _text_of(file), file.name.rpartition(".")[2].lower() if "." in file.name else ""
    if text is None:
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return {"mimetype": kind, "filetype": ending or "binary", "pretty_type": ending.upper() or "Binary"}
    lines = text.splitlines()
    preview = "\n".join(lines[:PREVIEW_LINES])[:PREVIEW_CHARACTERS]
    return {
        "mimetype": "text/plain",
        "filetype": file.snippet_type or "text",
        "pretty_type": "Plain Text",
        "mode": "snippet",
        "preview": preview,
        "lines": len(lines),
        "lines_more": max(0, len(lines) - PREVIEW_LINES),
        "preview_is_truncated": len(preview) < len(text.rstrip("\n")),
    }


def _shared(state: State, file: File) -> Json:
    found: Json = {"channels": [], "groups": [], "ims": [], "shares": {}, "is_public": False}
    lists = {"channel": "channels", "group": "groups", "im": "ims"}
    for name, ts, thread in file.shares:
        channel = state.channels[name]
        found[lists[channel.kind]].append(name)
        visibility = "public" if channel.kind == "channel" else "private"
        found["is_public"] = found["is_public"] or visibility == "public"
        share: Json = {"ts": ts, "channel_name": channel.name, "team_id": state.team.id, "reply_count": 0}
        if thread:
            share["thread_ts"] = thread
        found["shares"].setdefault(visibility, {}).setdefault(name, []).append(share)
    return found


def readable(state: State, file_id: str, user: str) -> File:
    """Return a completed file that a person or the bot owns, or that was shared where they are a member.

    Otherwise, raise file_not_found.
    """
    file = state.files.get(file_id)
    if file is not None and file.complete:
        for name, ts, _thread in file.shares:
            if user in state.channels[name].members and state.message(name, ts) is not None:
                return file
        if user == file.user:
            return file
    raise SlackError("file_not_found")


def download(file: File) -> web.Response:
    """Return a response that makes the browser save the file and never run it as part of the page."""
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name)}",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }
    return web.Response(body=file.content, content_type=kind, headers=headers)


class FileServer:
    """Receives the content of announced files, and serves completed files."""

    def __init__(self, state: State, harness: Harness) -> None:
        self._state = state
        self._harness = harness

    def install(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_post("/upload/v1/{secret}", self.upload)
        app.router.add_get("/files-pri/{name}/{filename}", self._download)
        app.router.add_get("/files-pri/{name}/download/{filename}", self._download)

    async def upload(self, request: web.Request) -> web.Response:
        """Receive a file as raw bytes or as part of a form. Its length must be the announced one."""
        secret = request.match_info["secret"]
        file = next((f for f in self._state.files.values() if f.secret == secret), None)
        if file is None or file.complete:
            return web.Response(status=404, text="No such upload")
        content = await self._read(request, file.length)
        if len(content) != file.length:
            self._harness.violation("file_length", f"{file.name}: announced {file.length} bytes")
            return web.Response(status=400, text="The length is not the one that was announced")
        file.content = bytes(content)
        return web.Response(text=f"OK - {file.length}")

    @staticmethod
    async def _read(request: web.Request, length: int) -> bytearray:
        """Read the content, but at most one byte more than announced."""
        content = bytearray()
        if request.content_type.startswith("multipart/"):
            part = await (await request.multipart()).next()
            while part is not None and len(content) <= length:
                chunk = await part.read_chunk(CHUNK)  # type: ignore[union-attr]  # Slack knows no nested forms
                if not chunk:
                    break
                content += chunk
            return content
        async for chunk in request.content.iter_chunked(CHUNK):
            content += chunk
            if len(content) > length:
                break
        return content

    async def _download(self, request: web.Request) -> web.Response:
        """Serve a file to a token with ``files:read``. Redirect all other requests to the sign-in page."""
        token = self._state.tokens.get(bearer(request) or "")
        if token is None or token.revoked or token.user is None or "files:read" not in token.scopes:
            raise web.HTTPFound("/")
        try:
            file = readable(self._state, request.match_info["name"].partition("-")[2], token.user)
        except SlackError:
            raise web.HTTPNotFound from None
        return download(file)
