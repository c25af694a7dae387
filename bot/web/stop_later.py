"""*Stop later…* on the page of a workspace: when it is stopped, as the form in Slack sets it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from aiohttp import web

from bot.domain.models import Look, Workspace
from bot.domain.models.stopping import SOONEST_SECONDS, coming_ends, planned_mode
from bot.domain.moments import Moment, Unread, zone_of
from bot.messages.blocks import kit, moments
from bot.messages.blocks.timers import NEVER, PROPOSED
from bot.messages.texts import timers as words
from bot.messages.texts import times
from bot.messages.texts.cards import LOST
from bot.providers.base import Provider
from bot.services.gather import IDE_PATH
from bot.support.errors import Refused
from bot.web.browsers import Browsers
from bot.web.page_state import PageState
from bot.web.render import Renderer
from bot.web.signed_in import see_other
from handlers.services import Services
from handlers.workspace.timing import chosen_moment, moment_at

#: Rows older than this are read again while somebody looks, in seconds; the credential must be no older.
FRESH_SECONDS = 20.0
#: How long a requested read is waited for before it is requested again, in seconds.
ASKED_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Shown:
    """Hold the subject of one request: a session's own workspace, and its current state."""

    session_id: str
    look: Look
    workspace: Workspace
    provider: Provider
    page_state: PageState

    @property
    def page(self) -> str:
        """Return the page's own path."""
        return f"{IDE_PATH}/{self.workspace.id}"

    @property
    def is_old(self) -> bool:
        """Return whether the row should be read again."""
        seen = self.workspace.observed_at or 0.0
        return not self.workspace.is_provisional and self.look.now - seen > FRESH_SECONDS

    @property
    def is_asked_for(self) -> bool:
        """Return whether a read was requested a moment ago, and so is on its way."""
        return self.look.now - (self.workspace.used_at or 0.0) < ASKED_SECONDS


class StopLater:
    """Show the form, and set, change or take back the timer of a workspace that its owner looks at."""

    def __init__(self, services: Services, browsers: Browsers, renderer: Renderer) -> None:
        self._services = services
        self._browsers = browsers
        self._renderer = renderer

    async def zone(self, workspace: Workspace) -> tzinfo:
        """Return the time zone of a workspace's person."""
        person = await self._services.store.person(workspace.principal)
        return zone_of(person.time_zone if person is not None else None)

    async def form(self, shown: Shown, problem: str = "") -> web.Response:
        """Show when it is stopped so far, and the choices."""
        workspace, timers = shown.workspace, self._services.timers
        names = {"name": workspace.title, "title": shown.provider.settings.title}
        effects, zone, now = timers.effects(workspace), await self.zone(workspace), shown.look.now
        is_suspended = (workspace.stop_mode or planned_mode(effects)) == "suspend"
        notes = [
            kit.bare(words.FORM_NOW[how]).format(at=times.day_in(at, now, zone), **names)
            for how, at in coming_ends(workspace, effects, now)
        ] or [kit.bare(words.FORM_NONE).format(**names)]
        return self._page(
            shown,
            notes=[*notes, words.FORM_SUSPENDS] if is_suspended else notes,
            choices=[(str(minutes), label) for minutes, label in words.FORM_CHOICES.items()],
            never=NEVER if workspace.stop_at is not None else "",
            problem=problem,
        )

    async def sent(self, shown: Shown, fields: Mapping[str, str]) -> web.Response:
        """Do what the form says; what would end the workspace for good is asked about first."""
        services, workspace = self._services, shown.workspace
        principal, typed = workspace.principal, fields.get("other", "").strip()
        if fields.get("when") == NEVER and not typed:
            await services.timers.keep(principal, workspace.id, interaction="")
            return see_other(shown.page)
        at = fields.get("at", "")
        if at.isdecimal():
            found: Moment | Unread | None = moment_at(float(at[:11]), shown.look.now)
        else:
            found = await chosen_moment(services, principal, fields.get("when", ""), typed)
        if not isinstance(found, Moment):
            said = words.FORM_EMPTY if found is None else moments.unread(found, typed, SOONEST_SECONDS)
            return await self.form(shown, kit.bare(said))
        try:
            timer = services.timers.made(workspace, found.at, workspace.stop_mode, agreed=at.isdecimal())
        except Refused as refused:
            if refused.rule != "workspace.ends":
                raise
            return await self._asked(shown, found)
        await services.timers.set(principal, workspace.id, timer, interaction="")
        return see_other(shown.page)

    async def _asked(self, shown: Shown, moment: Moment) -> web.Response:
        """Ask in the words of the question in Slack."""
        question = kit.bare(words.ASK).format(
            name=shown.workspace.title,
            title=shown.provider.settings.title,
            at=times.day_in(moment.at, shown.look.now, await self.zone(shown.workspace)),
            lost=LOST[self._services.timers.effects(shown.workspace)["stop"]],
        )
        return self._page(shown, question=question, at=f"{moment.at:.0f}")

    def _page(self, shown: Shown, **facts: Any) -> web.Response:
        given = {"question": "", "at": "", "notes": [], "choices": [], "never": "", "problem": ""}
        return self._renderer.page(
            "stop_later.html",
            page=shown.page,
            later=words,
            proposed=PROPOSED,
            form_mark=self._browsers.session_mark(shown.session_id),
            **given | facts,
        )
