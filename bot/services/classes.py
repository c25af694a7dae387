"""Class cards: posted by a trainer, pressed by many; each press acts for the presser and records consent.

A press is one transaction and calls no provider. A class stops only what its owners agreed to (ADR 12).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Final

from bot.domain.models import (
    Account,
    AuditEntry,
    ClassCard,
    ClassCounts,
    ClassProblem,
    Joined,
    OperationVerb,
    Participant,
    Principal,
    Spec,
    State,
    Workspace,
)
from bot.domain.models.classes import CLASS_WARNING_SECONDS, Waiting
from bot.domain.names import marked
from bot.domain.policy import Target
from bot.messages.texts import classes as words
from bot.messages.texts import problems
from bot.services.accounts import Accounts
from bot.services.authority import Authority
from bot.services.context import Context, Part
from bot.services.gather import shown_url
from bot.services.making import check_account, unmade
from bot.store.classes import posting
from bot.store.records import NewOperation, NewParticipant
from bot.support.errors import Refused

#: How much of a title goes into a workspace's name at most.
TITLE_PART: Final = 28


@dataclass(frozen=True, slots=True)
class Draft:
    """Describe a card to post; ``spec`` makes new workspaces, otherwise ``pattern`` names existing ones."""

    channel_id: str
    connection: str
    title: str
    pattern: str = ""
    template: str = ""
    spec: Spec | None = None
    maximum: int | None = None
    time_zone: str = "UTC"
    stops_at: float | None = None


@dataclass(frozen=True, slots=True)
class JoinTarget:
    """Say which workspace a press is about.

    ``waits_for`` says why there is none. ``instead_of`` is a previous one that is gone. ``beside`` names
    another one, whose name the new one would have had.
    """

    workspace: Workspace | None
    waits_for: Waiting = ""
    instead_of: str = ""
    beside: str = ""


class Classes(Part):
    """Post cards, handle presses, and end classes; ``wake`` notifies the background work."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._authority = Authority(context)
        self._accounts = Accounts(context)
        self._deadline_seconds = context.deadline_seconds

    # -- the trainer ---------------------------------------------------------------------------------------

    async def post(
        self, principal: Principal, draft: Draft, *, interaction: str, reference: str
    ) -> ClassCard:
        """Write a card to be sent to its channel."""
        await self._authority.check(principal, "card")
        self._provider(draft.connection)
        card = ClassCard(
            id=self._ids.new("class"),
            principal=principal,
            channel_id=draft.channel_id,
            connection=draft.connection,
            title=draft.title,
            reference=reference,
            created_at=await self._store.now(),
            pattern=draft.pattern,
            template=draft.template,
            spec=draft.spec,
            maximum=draft.maximum,
            time_zone=draft.time_zone,
            stops_at=draft.stops_at,
        )
        audit = [_entry(principal, "class.post", card, channel=draft.channel_id)]
        await self._store.post_class(card, interaction, [posting(card)], audit)
        self._wake()
        return card

    async def post_again(self, principal: Principal, card_id: str, *, interaction: str) -> bool:
        """Send a card again; return False if it is known to have been posted."""
        card = await self.owned(principal, "class_post", card_id)
        again = await self._store.repost_class(card.id, interaction)
        self._wake()
        return again is not None

    async def problems(
        self, principal: Principal, card_id: str
    ) -> tuple[ClassCard, ClassCounts, list[ClassProblem]]:
        """Return who is not ready and why; raises Refused as ``owned`` does."""
        card = await self.owned(principal, "class_problems", card_id)
        return card, await self._store.class_counts(card.id), await self._store.class_problems(card.id)

    async def stop_all(self, principal: Principal, card_id: str, *, interaction: str) -> ClassCard | None:
        """End a class: notify everybody now, and stop what they don't keep in five minutes.

        Return None if it has already ended. Raises Refused as ``owned`` does.
        """
        card = await self.owned(principal, "class_stop", card_id)
        stops_at = await self._store.now() + CLASS_WARNING_SECONDS
        audit = [_entry(principal, "class.stop_all", card)]
        closed = await self._store.close_class(card.id, stops_at, principal.key, audit, interaction)
        self._wake()
        return closed

    async def owned(self, principal: Principal, verb: str, card_id: str) -> ClassCard:
        """Return a trainer's card; raises Refused (``class.unknown``, ``policy.not_trainer``)."""
        card = await self._card(card_id)
        await self._authority.check(principal, verb, Target("class", card.id, card.principal))
        return card

    async def _card(self, card_id: str) -> ClassCard:
        card = await self._store.class_card(card_id)
        if card is None:
            raise Refused("class.unknown", words.UNKNOWN)
        return card

    # -- everybody -----------------------------------------------------------------------------------------

    async def card(self, principal: Principal, card_id: str) -> ClassCard:
        """Return a card of the person's own Slack workspace; raises Refused (``class.unknown``)."""
        card = await self._card(card_id)
        if not self._installation.are_together(principal, card.principal):
            raise Refused("class.unknown", words.UNKNOWN)
        return card

    async def account(self, principal: Principal, card: ClassCard) -> Account:
        """Return the presser's account; raises NotLinked."""
        provider = self._provider(card.connection)
        return check_account(provider, await self._accounts.acting(principal, card.connection))

    async def target_of(
        self, principal: Principal, card: ClassCard, account: Account, *, has_looked: bool = False
    ) -> JoinTarget:
        """Find which of the presser's workspaces a card is about, or what has to be made.

        What an earlier press made is found in their list again after an unlink, which deletes its row; their
        list must have been read since, or ``has_looked``. Raises Refused (``workspace.withheld``,
        ``workspace.unmade``).
        """
        rows = await self._store.workspaces(principal, connection=card.connection)
        if card.spec is None:
            return _named(card.pattern, [row for row in rows if row.state is not State.GONE])
        before = await self._store.participant(card.id, principal)
        stem = workspace_stem(card.title)
        mine = _made(rows, before, stem)
        if mine is not None and await self._is_there(mine):
            return JoinTarget(mine)
        provider = self._provider(card.connection)
        if mine is None and before is not None and before.workspace_id is not None:
            if account.discovered_at is None and provider.has_lists and not has_looked:
                return JoinTarget(None, "no_workspace")
            found = _found_again(rows, stem, before.workspace_id)
            if found:
                return JoinTarget(found[0]) if len(found) == 1 else JoinTarget(None, "many_workspaces")
        if provider.withholds(card.spec, principal):
            # The poster may use this template, but that gives nobody else the right to.
            raise Refused("workspace.withheld", words.WITHHELD.format(title=provider.settings.title))
        fresh = unmade(self._ids, provider, principal, replace(card.spec, name="", stem=stem))
        beside = next((row.title for row in rows if row.name.casefold() == stem and row != mine), "")
        return JoinTarget(fresh, instead_of=mine.id if mine is not None else "", beside=beside)

    async def _is_there(self, workspace: Workspace) -> bool:
        """Return whether a workspace exists or is being made; raises Refused while it is being cancelled."""
        if not workspace.is_provisional:
            return workspace.state is not State.GONE
        operation = await self._store.latest_operation(workspace.id)
        if operation is None or not operation.is_open:
            # It was never made, so another takes its place.
            return False
        if operation.verb is not OperationVerb.CREATE:
            provider = self._provider(workspace.connection)
            raise Refused("workspace.unmade", problems.sentence("unmade", provider.settings.title))
        return True

    async def press(
        self,
        principal: Principal,
        card: ClassCard,
        wanted: JoinTarget,
        *,
        interaction: str,
        reference: str,
        channel_id: str | None = None,
        message_ts: str | None = None,
    ) -> Joined:
        """Write a press and everything that follows from it, in one transaction."""
        workspace = wanted.workspace
        assert workspace is not None, "a press is about a workspace"
        await self._authority.check(
            principal, "class_press", Target("workspace", workspace.id, workspace.principal)
        )
        verb = OperationVerb.CREATE if workspace.is_provisional else OperationVerb.START
        operation = NewOperation(
            principal=principal,
            workspace_id=workspace.id,
            connection=card.connection,
            verb=verb,
            deadline_seconds=self._deadline_seconds,
            reference=reference,
            channel_id=channel_id,
        )
        # Its link can be shown at once.
        url = shown_url(self._connections.get(workspace.connection), workspace, self._public_url)
        is_running = workspace.state is State.RUNNING and url is not None
        audit = _entry(principal, "class.press", card, workspace=workspace.id, consent="stop")
        pressed = await self._store.join_class(
            NewParticipant(
                card_id=card.id,
                principal=principal,
                workspace=workspace,
                operation=None if is_running else operation,
                interaction=interaction,
                audit=[audit],
                instead_of=wanted.instead_of,
                channel_id=channel_id,
                message_ts=message_ts,
            )
        )
        self._wake()
        return pressed

    async def note(
        self, principal: Principal, card: ClassCard, waits_for: Waiting, *, interaction: str
    ) -> Joined:
        """Record a press by somebody who can't have an operation yet, for the trainer to see."""
        pressed = await self._store.note_participant(card.id, principal, waits_for, interaction)
        self._wake()
        return pressed

    async def keep(self, principal: Principal, card_id: str, *, interaction: str) -> bool:
        """Withdraw a consent; return False if there is none left to withdraw."""
        card = await self._card(card_id)
        audit = [_entry(principal, "class.keep", card, consent="withdrawn")]
        if await self._store.keep_from_class(card.id, principal, audit, interaction):
            return True
        existing = await self._store.participant(card.id, principal)
        return existing is not None and existing.withdrawn_at is not None


def workspace_stem(title: str) -> str:
    """Return what a person's workspace in a class is called: letters, digits and hyphens."""
    ascii_only = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^a-z0-9]+", "-", ascii_only.casefold()).strip("-")
    return plain[:TITLE_PART].strip("-") or "class"


def _made(rows: Sequence[Workspace], before: Participant | None, stem: str) -> Workspace | None:
    """Return what an earlier press of this card made, or of another one with the same title."""
    if before is not None and before.workspace_id is not None:
        found = next((row for row in rows if row.id == before.workspace_id), None)
        if found is not None:
            return found
    same = [row for row in rows if row.spec is not None and row.spec.stem == stem]
    return next((row for row in same if row.state is not State.GONE), next(iter(same), None))


def _found_again(rows: Sequence[Workspace], stem: str, key: str) -> list[Workspace]:
    """Return what a list has of what was made for a row that an unlink deleted, by the names it can have."""
    there = [row for row in rows if row.state is not State.GONE]
    certain = [row for row in there if row.name.casefold() == marked(stem, key)]
    return certain or [row for row in there if re.fullmatch(rf"{stem}(-[0-9]+)?", row.name.casefold())]


def _named(pattern: str, rows: Sequence[Workspace]) -> JoinTarget:
    """Resolve a pattern: a whole name or id first, then one with ``*``, then a prefix."""
    needle = " ".join(pattern.split()).casefold()

    def names(row: Workspace) -> set[str]:
        return {row.title.casefold(), row.name.casefold(), row.remote_id.casefold()}

    exact = [row for row in rows if needle in names(row)]
    alike = [row for row in rows if any(fnmatchcase(name, needle) for name in names(row))]
    begun = [row for row in rows if any(name.startswith(needle) for name in names(row))]
    for found in (exact, alike, begun):
        if len(found) == 1:
            return JoinTarget(found[0])
        if found:
            return JoinTarget(None, "many_workspaces")
    return JoinTarget(None, "no_workspace")


def _entry(principal: Principal, action: str, card: ClassCard, **detail: str) -> AuditEntry:
    detail |= {"card": card.id, "trainer": card.principal.key}
    return AuditEntry(principal.key, action, f"{card.connection}/{card.title}", "accepted", detail)
