"""Names of people and servers as ids, paths and links: percent-encoded, never joined by a hyphen.

``alice-prod`` could be alice's server *prod* or the person *alice-prod*.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from bot.providers.hosts import one_label_below, path_below
from bot.providers.requests import path_part
from bot.support.errors import NotFound

#: What follows ``/user/NAME/`` in an address of the default server's own pages: not names of servers.
_PAGES = frozenset(
    {"lab", "tree", "notebooks", "edit", "terminals", "files", "view", "doc", "api", "nbclassic"}
)
_LINK = re.compile(r"/(?:hub/)?(user|spawn|spawn-pending)/([^/]+)(?:/([^/]*))?(?:/.*)?")
_PLAIN = re.compile(r"[^\s/]+/[^\s/]*")


@dataclass(frozen=True, slots=True)
class ServerName:
    """Name one server: its owner and its own name, empty for the default one."""

    user: str
    server: str = ""

    @property
    def remote_id(self) -> str:
        """Return the id: both names percent-encoded, so the one slash between them is part of neither."""
        return f"{path_part(self.user)}/{self._server_part}"

    @property
    def user_path(self) -> str:
        """Return the person's path below the API."""
        return f"/users/{path_part(self.user)}"

    @property
    def path(self) -> str:
        """Return the server's path below the API."""
        if not self.server:
            return f"{self.user_path}/server"
        return f"{self.user_path}/servers/{self._server_part}"

    @property
    def ide_path(self) -> str:
        """Return the path of its IDE below the hub's public address."""
        name = f"{self._server_part}/" if self.server else ""
        return f"/user/{path_part(self.user)}/{name}"

    @property
    def _server_part(self) -> str:
        return path_part(self.server) if self.server else ""

    @classmethod
    def of(cls, remote_id: str) -> ServerName:
        """Parse an id; raise NotFound if it is malformed."""
        user, slash, server = remote_id.partition("/")
        if not slash or "/" in server:
            raise NotFound("there is no such server")
        name = cls(unquote(user), unquote(server))
        path_part(name.user)
        if name.server:
            path_part(name.server)
        return name


def parse_reference(text: str, public_root: str) -> str | None:
    """Return the id in a link to a server of this hub, or in ``person/server``; None for anything else."""
    text = text.strip()
    path = path_below(text, one_label_below(text, public_root) or public_root)
    if path is not None:
        link = _LINK.fullmatch(path)
        if link is None:
            return None
        rest = link[3] or ""
        # A server may be called "lab", but far more addresses are pages of the default server.
        server = "" if link[1] == "user" and rest in _PAGES else rest
        return _id_of(f"{link[2]}/{server}")
    return _id_of(text) if _PLAIN.fullmatch(text) and ":" not in text else None


def _id_of(text: str) -> str | None:
    try:
        return ServerName.of(text).remote_id
    except NotFound:
        return None
