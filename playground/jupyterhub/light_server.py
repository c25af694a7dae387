"""A single-user server with one page, ready in a second. It has only as much of JupyterLab as a hub needs.

A copy of this file runs alone, under an account that can't read this project.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from typing import Any
from urllib.parse import urlsplit

from jupyterhub.services.auth import HubOAuthCallbackHandler, HubOAuthenticated  # type: ignore[import-untyped] # it brings no types
from tornado.web import Application, HTTPError, RequestHandler, authenticated


class Page(HubOAuthenticated, RequestHandler):  # type: ignore[misc] # its base class brings no types
    """Greet the owner; send anonymous visitors to the login page, and refuse everyone else."""

    @authenticated
    def get(self) -> None:
        """Answer the page."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.write(f"The light server of {self.current_user['name']} is running.\n")


class Status(Page):
    """Answer like JupyterLab's ``api/status``, to show that the server responds."""

    def get_login_url(self) -> str:
        """Refuse instead of redirecting to a login page, because this isn't a page for people."""
        raise HTTPError(403)

    @authenticated
    def get(self) -> None:
        """Answer a JSON object."""
        status: dict[str, Any] = {"started": True, "kernels": 0, "connections": 0}
        self.write(status)


async def main() -> None:
    """Serve at the address given by the hub, until SIGTERM."""
    prefix = os.environ["JUPYTERHUB_SERVICE_PREFIX"]
    address = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    application = Application(
        [
            (prefix + "oauth_callback", HubOAuthCallbackHandler),
            (prefix + "api/status", Status),
            (prefix + "?(?:lab.*|tree.*)?", Page),
        ],
        cookie_secret=secrets.token_bytes(32),
    )
    server = application.listen(address.port or 0, address=address.hostname or "127.0.0.1")
    await stopped.wait()
    server.stop()


if __name__ == "__main__":
    asyncio.run(main())
