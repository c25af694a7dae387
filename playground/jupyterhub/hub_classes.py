"""The authenticator and the spawner of the local hub, loaded by the hub's own process."""

from __future__ import annotations

import asyncio
import os
import pwd
from collections.abc import AsyncIterator, Callable
from hmac import compare_digest
from pathlib import Path
from typing import Any, ClassVar

from jupyterhub.auth import Authenticator  # type: ignore[import-untyped] # it brings no types
from jupyterhub.spawner import SimpleLocalProcessSpawner  # type: ignore[import-untyped] # it brings no types
from tornado import web
from traitlets import Dict, Float, Integer, Unicode

from playground.jupyterhub.bound import binder

STEPS = (
    (10, "Waiting for a place"),
    (40, "Preparing the home directory"),
    (70, "Starting the server"),
    (90, "Waiting until the server answers"),
)
#: A server of this name never starts.
BROKEN = "broken"
_STEP_SECONDS = 0.05
_EVENT_TIME = "2026-03-04T05:06:07Z"


class SpawnRefusedError(RuntimeError):
    """Raised if a spawn fails. The hub shows people its ``jupyterhub_message``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.jupyterhub_message = reason


class PasswordAuthenticator(Authenticator):  # type: ignore[misc] # its base class brings no types
    """Lets each person sign in with a password of their own."""

    passwords = Dict(config=True)

    async def authenticate(self, _handler: Any, data: dict[str, str]) -> str | None:
        """Return the username if the password is correct, otherwise None."""
        name = data.get("username", "")
        known = self.passwords.get(name)
        given = data.get("password", "")
        return name if known is not None and compare_digest(known.encode(), given.encode()) else None


class PausingSpawner(SimpleLocalProcessSpawner):  # type: ignore[misc] # its base class brings no types
    """Runs servers as local processes, after a pause, with progress, and under an unprivileged account.

    ``user_options``: ``{"fail": true}`` makes the start fail. ``{"raises": [status, message]}`` raises an
    HTTPError, or another exception if the status is 0. ``{"pause": seconds}`` sets a different pause.
    ``{"waits_for": message}`` shows the message in the format of KubeSpawner's warnings, then fails like a
    start that takes too long.
    """

    pause_seconds = Float(2.0, config=True)
    account = Unicode("", config=True, help="whom to run servers as; empty: as oneself")
    gpus = Integer(0, config=True, help="how many servers have a place; 0: all")
    #: The servers that have a GPU: pairs of a username and a server name.
    having: ClassVar[set[tuple[str, str]]] = set()
    _step = 0
    _warning = ""

    async def start(self) -> Any:
        """Start the server after the pause, or fail with a reason."""
        self._step, me = 0, (self.user.name, self.name)
        self._warning = self.user_options.get("waits_for") or ""
        if self.gpus and len(self.having - {me}) >= self.gpus:
            self._warning = f"0/{self.gpus} nodes are available: {self.gpus} Insufficient nvidia.com/gpu."
        elif self.gpus:
            self.having.add(me)
        pause = float(self.user_options.get("pause", self.pause_seconds))
        await asyncio.sleep(pause / 2)
        self._step = 1
        self._make_home()
        await asyncio.sleep(pause / 2)
        if raises := self.user_options.get("raises"):
            status, words = raises
            raise web.HTTPError(status, words) if status else RuntimeError(words)
        if self.user_options.get("fail") or self.name == BROKEN:
            raise SpawnRefusedError("the image of this server could not be pulled")
        if self._warning:
            raise TimeoutError  # without a message, like the hub's own at the end of ``start_timeout``
        self._step = 2
        address = await super().start()
        self._step = 3
        return address

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """Yield each step of the start once. Listeners who come late get the earlier steps, too."""
        shown = -1
        while True:
            while shown < self._step:
                shown += 1
                percent, message = STEPS[shown]
                yield {"progress": percent, "message": message}
                if shown and self._warning:
                    yield {"progress": percent, "message": f"{_EVENT_TIME} [Warning] {self._warning}"}
            await asyncio.sleep(_STEP_SECONDS)

    async def stop(self, now: bool = False) -> None:  # noqa: ARG002 - the base class's signature
        """Send SIGTERM at once. If interrupted with SIGINT, some servers would ask for confirmation first."""
        self.having.discard((self.user.name, self.name))
        await super().stop(now=True)

    def make_preexec_fn(self, _name: str) -> Callable[[], None]:
        """Return the function that the child process runs before it becomes the server."""
        bind, home = binder(os.getpid()), self.home_dir
        account = pwd.getpwnam(self.account) if self.account else None

        def become() -> None:
            if account is not None:
                os.setgroups([])
                os.setgid(account.pw_gid)
                os.setuid(account.pw_uid)
            os.chdir(home)
            bind()

        return become

    def _make_home(self) -> None:
        home = Path(self.home_dir)
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.account:
            account = pwd.getpwnam(self.account)
            os.chown(home, account.pw_uid, account.pw_gid)
