"""The last answers of providers: the templates that forms are made from, and facts about a server.

An outdated snapshot is shown and refreshed in the background; nobody waits for a provider here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from bot.domain.forms import Form, Purpose, Spec, Values
from bot.domain.people import About, Account, Principal, Snapshot, TaskKind
from bot.providers import base
from bot.providers.base import Provider
from bot.services.context import Part
from bot.store.records import NewTask

TEMPLATES: Final = "templates"
ABOUT: Final = "about"
#: A snapshot older than this is refreshed when somebody looks at it, in seconds.
STALE_SECONDS: Final = 300.0

log = structlog.get_logger(__name__)


def payload_of(value: object) -> Any:
    """Return a provider's answer in the form that rows keep."""
    return to_jsonable_python(value)


def _read(kind: type[Any], kept: Snapshot[Any] | None) -> Snapshot[Any] | None:
    """Return a snapshot with its payload in its own type; one that can't be read counts as none."""
    if kept is None:
        return None
    try:
        return replace(kept, payload=TypeAdapter(kind).validate_python(kept.payload))
    except ValidationError:
        log.warning("snapshot can't be read", connection=kept.connection, kind=kept.kind)
        return None


class Snapshots(Part):
    """Return what is known, and request what isn't; ``wake`` notifies the background work."""

    async def templates(self, account: Account) -> Snapshot[Any] | None:
        """Return what an account was last offered, in its provider's own type; None if it was never read."""
        forms = self._connections[account.connection].need(base.Forms)
        return _read(forms.offer_model, await self._store.snapshot(account.connection, account.id, TEMPLATES))

    async def about(self, connection: str) -> Snapshot[About] | None:
        """Return what a connection's server last said about itself."""
        return _read(About, await self._store.snapshot(connection, "", ABOUT))

    def is_stale(self, snapshot: Snapshot[Any]) -> bool:
        """Return whether it is time to refresh it."""
        return self._clock.now() - snapshot.read_at > STALE_SECONDS

    async def refresh(
        self, account: Account, *, then: Mapping[str, Any] | None = None, interaction: str = ""
    ) -> None:
        """Have templates read with the account; ``then`` is the command waiting for them."""
        await self._ask(f"{account.id}/{TEMPLATES}", then, interaction)

    async def refresh_about(
        self, connection: str, *, then: Mapping[str, Any] | None = None, interaction: str = ""
    ) -> None:
        """Have facts about a server read; otherwise like ``refresh``."""
        await self._ask(f"connection:{connection}/{ABOUT}", then, interaction)

    async def _ask(self, subject: str, then: Mapping[str, Any] | None, interaction: str) -> None:
        waiting = [dict(then)] if then is not None else []
        task = NewTask(TaskKind.SNAPSHOT, subject, payload={"then": waiting})
        await self._store.add_tasks([task], interaction)
        self._wake()


@dataclass(frozen=True, slots=True)
class PersonalOffer:
    """Hold what a provider last offered, as one person may use it for one purpose."""

    provider: Provider
    snapshot: Snapshot[Any]
    purpose: Purpose
    asker: Principal

    def form(self, values: Values) -> Form:
        """Return the form for the values filled in so far."""
        forms = self.provider.need(base.Forms)
        return forms.form(self.snapshot.payload, self.purpose, values, self.asker)

    def spec(self, values: Values) -> Spec:
        """Return the spec of a filled form; raises FormProblems."""
        forms = self.provider.need(base.Forms)
        return forms.spec(self.snapshot.payload, self.purpose, values, self.asker)
