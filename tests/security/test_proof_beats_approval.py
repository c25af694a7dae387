"""Tests of two people who link one account: a proof ends an approved link, and never the reverse."""

import pytest
from pydantic import SecretStr

from bot.domain.accounts import APPROVED_SECONDS
from bot.domain.installations import Installation
from bot.domain.notices import NoticeKind
from bot.domain.people import Person, Principal
from bot.messages.blocks.notices import render
from bot.providers.base import Credential, Identity
from bot.services import approvals as approvals_use_cases
from bot.services.caller import Caller
from bot.services.message_context import Gatherer
from bot.store import accounts, credentials, notices
from bot.store import approvals as approval_rows
from bot.store import audit as audit_rows
from bot.store.transaction import from_json
from bot.support.errors import Refused
from tests.web import signed
from tests.web.rig import ALICE, BOB, GOOD, ScriptedProvider, rig

DANA = Principal(None, signed.TEAM, "U0DANA")
ADMINISTRATORS = frozenset({DANA.user_id})


@pytest.fixture
async def made():
    place = Installation(signed.TEAM, team_name="Acme Research", administrators=ADMINISTRATORS)
    provider = ScriptedProvider(linking=("token", "admin"))
    async with rig(connections={"saturn": provider}, installation=place) as ready:
        ready.provider = provider
        await ready.store.save_people([Person(DANA, "Dana", seen_at=ready.clock.now())])
        yield ready


async def approved(made, principal=BOB, username="alice"):
    """Approve a person as a username that the provider knows."""
    approval = await Caller(made.context, principal).run(approvals_use_cases.ask, "saturn", username)
    await Caller(made.context, DANA).run(approvals_use_cases.decide, approval.id, username, approve=True)
    identity = Identity(username, Credential(SecretStr("minted"), extra={"acts": "admin"}))
    await Caller(made.context, principal).run(approvals_use_cases.link_approved, approval.id, identity)
    return await made.store.read(approval_rows.find_request, approval.id)


async def proven(made, principal=ALICE):
    """Link with a valid token, and prove the person with the page's code."""
    nonce = (await made.accounts.invite(principal, "saturn")).rpartition("/")[2]
    checked = await made.accounts.check(nonce, "a browser", GOOD)
    code = (await made.accounts.confirm(nonce, "a browser", checked.mark)).code
    return await made.accounts.confirm_code(principal, code)


async def told(made, *kinds):
    """Return the messages to each person, by user id and kind of message."""
    gatherer = Gatherer(made.context)
    claimed = await made.store.perform(notices.claim_notices, 50, 30.0, range(20))
    texts = {}
    for one in claimed:
        if one.kind in kinds:
            shown = render(one.kind, await gatherer.describe_notice(one))
            texts[one.principal.user_id, one.kind] = f"{shown.text} {shown.blocks}"
    return texts


async def test_the_owners_proof_ends_an_approved_link_at_once_and_tells_everybody(made):
    assert (await approved(made)).state == "linked"
    account = await proven(made)
    assert (account.username, account.link_source, account.is_proven) == ("alice", "token", True)
    assert await made.store.perform(accounts.list_active_accounts) == [account]
    said = await told(made, NoticeKind.LINK_PROVEN, NoticeKind.UNLINKED)
    assert set(said) == {
        ("U0ALICE", NoticeKind.LINK_PROVEN),
        ("U0DANA", NoticeKind.LINK_PROVEN),
        ("U0BOB", NoticeKind.UNLINKED),
    }
    assert "<@U0BOB> was linked to your Saturn Cloud account" in said["U0ALICE", NoticeKind.LINK_PROVEN]
    assert "<@U0ALICE>" in said["U0DANA", NoticeKind.LINK_PROVEN]
    assert "<@U0BOB>" in said["U0DANA", NoticeKind.LINK_PROVEN]
    assert "has proven that this account is theirs" in said["U0BOB", NoticeKind.UNLINKED]
    audit = [
        (row["action"], from_json(row["detail"])) for row in await made.store.read(audit_rows.read_audit)
    ]
    linked = [detail["link_source"] for action, detail in audit if action == "account.linked"]
    assert linked == ["approval", "token"]
    (ended,) = [detail for action, detail in audit if action == "account.unlinked"]
    assert (ended["cause"], ended["link_source"]) == ("proven", "approval")


async def test_an_approval_never_ends_a_proof_nor_does_another_proof(made):
    account = await proven(made)
    assert (await approved(made)).state == "failed"
    with pytest.raises(Refused, match=r"link\.taken"):
        await proven(made, BOB)
    assert await made.store.perform(accounts.list_active_accounts) == [account]


async def test_of_two_approvals_the_first_stays(made):
    await approved(made, ALICE)
    assert (await approved(made)).state == "failed"
    (account,) = await made.store.perform(accounts.list_active_accounts)
    assert account.principal == ALICE


async def test_a_request_ends_with_the_proof_of_who_asked(made):
    """A request for approval ends when its person proves the account.

    Otherwise a click on an old message could replace the proof with an approval.
    """
    request = await Caller(made.context, ALICE).run(approvals_use_cases.ask, "saturn", "alice")
    await proven(made)
    assert await made.store.read(approval_rows.find_request, request.id) is None


async def test_an_approved_link_ends_after_ninety_days_and_is_renewed_by_another_approval(made):
    await approved(made)
    first = await made.store.read(accounts.find_account, BOB, "saturn")
    assert first.expires_at == made.clock.now() + APPROVED_SECONDS
    # A new token for the same link doesn't extend it.
    await made.store.write(
        credentials.save_secret, first.id, first.secret, "fresh", is_fresh=True, expires_at=None
    )
    assert (await made.store.read(accounts.find_account, BOB, "saturn")).expires_at == first.expires_at
    made.clock.advance(80 * 86_400.0)
    await made.store.save_people([Person(who, who.user_id, seen_at=made.clock.now()) for who in (BOB, DANA)])
    await approved(made)
    assert (
        await made.store.read(accounts.find_account, BOB, "saturn")
    ).expires_at == made.clock.now() + APPROVED_SECONDS
