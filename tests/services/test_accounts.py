"""Tests of linking from Slack: invitations, unlinking, and refusals before a page is opened."""

import asyncio
from typing import Any

import pytest

from bot.domain.installations import Installation
from bot.domain.people import Person, Principal
from bot.messages.texts import pages
from bot.services import departures, linking
from bot.services.caller import Caller
from bot.services.linking import (
    CODE_LENGTH,
    create_code,
    create_nonce,
    format_person_name,
    is_nonce,
    is_token,
    normalise_code,
)
from bot.store import accounts, audit, links
from bot.support import errors
from bot.support.errors import (
    BadAnswer,
    Conflict,
    CredentialRefused,
    Forbidden,
    InvalidRequest,
    LimitReached,
    RateLimited,
    Refused,
    ServerFailed,
    Unreachable,
)
from tests.rigs.store import link_account
from tests.web.rig import ALICE, BOB, GOOD, rig


@pytest.mark.parametrize(
    ("connection", "rule"), [("nowhere", "link.unknown_connection"), ("sphere", "link.not_by_token")]
)
async def test_invitations_need_a_connection_that_links_by_token(connection, rule):
    async with rig() as made:
        assert made.context.list_linkable("token", ALICE) == ["saturn"]
        with pytest.raises(Refused) as refused:
            await made.accounts.invite(ALICE, connection)
        assert refused.value.rule == rule
        assert await made.audit() == []


async def test_an_invitation_keeps_the_digest_of_its_nonce_only():
    async with rig() as made:
        url = await made.accounts.invite(ALICE, "saturn")
        nonce = url.rpartition("/")[2]
        assert is_nonce(nonce)
        assert await made.store.read(links.find_link, nonce) is None
        (row,) = await made.store.read(audit.read_audit)
        assert nonce not in str(dict(row))


async def test_a_link_leads_nowhere_once_its_connection_is_for_other_slack_workspaces():
    async with rig() as made:
        steps = made.accounts
        nonce = (await made.accounts.invite(ALICE, "saturn")).rpartition("/")[2]
        checked = await steps.check(nonce, "a browser", GOOD)
        code = (await steps.confirm(nonce, "a browser", checked.mark)).code
        other = (await made.accounts.invite(BOB, "saturn")).rpartition("/")[2]
        made.provider.settings = made.provider.settings.model_copy(update={"workspaces": ("T9",)})
        with pytest.raises(Refused) as refused:
            await steps.open(other, "a browser")
        assert refused.value.rule == "link.connection"
        with pytest.raises(Refused) as refused:
            await made.accounts.confirm_code(ALICE, code)
        assert refused.value.rule == "code.none"
        assert await made.store.perform(accounts.list_active_accounts) == []


async def test_names_come_from_what_is_known():
    assert format_person_name(ALICE, None) == format_person_name(ALICE, Person(ALICE, "  ")) == "U0ALICE"
    assert format_person_name(ALICE, Person(ALICE, "Alice")) == "Alice"
    async with rig(installation=Installation(ALICE.team_id, team_name="  ")) as made:
        nonce = (await made.accounts.invite(ALICE, "saturn")).rpartition("/")[2]
        opened = await made.accounts.open(nonce, "a browser")
        assert (opened.person, opened.workspace) == ("Alice Liddell", ALICE.team_id)


def test_codes_are_readable_and_forgive_how_they_are_typed():
    codes = {create_code() for _ in range(200)}
    assert len(codes) == 200
    for code in codes:
        assert len(code) == CODE_LENGTH
        assert not set(code) & set("01OILUAE")
        assert normalise_code(f" {code[:4].lower()}-{code[4:].lower()}\n") == code
    assert normalise_code("K7QX–2MPW ") == "K7QX2MPW"
    assert normalise_code("\u202e" * 9) == ""
    assert len(normalise_code("B" * 9999)) == 2 * CODE_LENGTH


def test_nonces_have_256_bits_and_one_shape():
    nonces = {create_nonce() for _ in range(100)}
    assert len(nonces) == 100
    assert all(is_nonce(nonce) for nonce in nonces)
    for wrong in ("", "a" * 42, "a" * 44, "a" * 42 + "\n", "a" * 42 + "é", "a" * 42 + "/"):
        assert not is_nonce(wrong)


def test_a_token_is_one_piece_of_printable_ascii():
    for shape in ("abc-DEF_123=", "a<b", "eyJhbGciOiJFUzI1NiJ9.eyJqdGkiOiJ4In0.c2ln"):
        assert is_token(shape)
    for wrong in ("", "a b", "a\nb", "a\x7fb", "é", "a" * 4097, "\ud800"):
        assert not is_token(wrong)


@pytest.mark.parametrize(
    ("principal", "proven", "is_org", "is_same"),
    [
        (Principal(None, "T1", "U1"), Principal(None, "T1", "U1"), False, True),
        (Principal("E1", "T1", "U1"), Principal(None, "T1", "U1"), False, True),
        (Principal(None, "T1", "U1"), Principal(None, "T1", "U2"), False, False),
        (Principal(None, "T1", "U1"), Principal(None, "T2", "U1"), False, False),
        (Principal("E1", "T1", "U1"), Principal("E1", "T2", "U1"), False, False),
        (Principal("E1", "T1", "U1"), Principal("E1", "T2", "U1"), True, True),
        (Principal("E1", "T1", "U1"), Principal("E1", "T2", "U2"), True, False),
        (Principal("E1", "T1", "U1"), Principal("E2", "T2", "U1"), True, False),
        (Principal(None, "T1", "U1"), Principal(None, "T2", "U1"), True, False),
    ],
)
def test_who_is_the_same_person(principal, proven, is_org, is_same):
    installation = Installation("T1", "E1", is_org_wide=is_org)
    assert installation.is_same_person(principal, proven) == is_same


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (CredentialRefused("canary"), "didn't accept this token"),
        (Forbidden("canary"), "recognises this token"),
        (RateLimited("canary", retry_after=7), "in 7 seconds"),
        (RateLimited("canary"), "in a minute"),
        (ServerFailed("canary"), "having problems"),
        (BadAnswer("canary"), "base URL"),
        (Unreachable("canary"), "didn't answer"),
        (errors.UntrustedCertificate("canary"), "a certificate that isn't trusted here"),
        (InvalidRequest("canary"), "wouldn't check this token"),
        (Conflict("canary"), "wouldn't check this token"),
        (LimitReached("canary"), "reached a limit"),
    ],
)
def test_every_failed_check_says_what_to_do_and_repeats_nothing(error, said):
    sentence = pages.explain_failed_check(error, "Saturn Cloud", 1)
    assert said in sentence
    assert sentence.startswith("Saturn Cloud ")
    assert "canary" not in sentence


@pytest.mark.parametrize(
    ("kind", "status", "begins"),
    [
        (CredentialRefused, 401, "Saturn Cloud didn't accept this token. "),
        (CredentialRefused, 403, "Saturn Cloud didn't accept this token. "),
        (
            Forbidden,
            403,
            "Saturn Cloud recognises this token, but doesn't let Usher do what it needs to with it. ",
        ),
        (LimitReached, 402, "Saturn Cloud has reached a limit, so it couldn't check this token. "),
        (InvalidRequest, 422, "Saturn Cloud wouldn't check this token. "),
    ],
)
def test_failed_check_quotes_the_server(kind, status, begins):
    error = kind("Resource not accessible by personal access token", status=status)
    sentence = pages.explain_failed_check(error, "Saturn Cloud", 1)
    quoted = "Saturn Cloud says: “Resource not accessible by personal access token.” "
    assert sentence.startswith(begins + quoted)
    # A proxy in front of the server may answer instead of it.
    said = pages.explain_failed_check(errors.RefusedInFront(status=status), "Saturn Cloud", 1)
    assert said.startswith("Something in front of Saturn Cloud refused this. ")
    assert said.endswith(" Nothing was stored. 1 try is left.")
    # A status's standard phrase says no more than Usher's own sentence.
    assert "says" not in pages.explain_failed_check(kind("Forbidden", status=status), "Saturn Cloud", 1)


def test_provider_says_in_its_own_sentence_what_a_token_lacks():
    said = pages.explain_failed_check(Forbidden("This token lacks list:servers."), "Team hub", 1)
    assert "This token lacks list:servers. The steps below say how to get one. 1 try is left." in said
    assert "says" not in said.partition("The steps")[0]


def test_a_refused_token_that_looks_like_none_is_answered_once():
    said = pages.explain_failed_check_of_odd_token(CredentialRefused("canary"), "Saturn Cloud", 1)
    assert said.startswith("That doesn't look like a token from Saturn Cloud.")
    assert said.count("Copy it again") == 1
    assert said.endswith("1 try is left.")
    other = ServerFailed("canary")
    assert pages.explain_failed_check_of_odd_token(other, "T", 1) == pages.explain_failed_check(other, "T", 1)


async def test_a_person_waits_ten_seconds_for_a_provider_at_most():
    loop: Any = asyncio.get_running_loop()

    async def asking():
        return [timer.when() - loop.time() for timer in loop._scheduled if not timer.cancelled()]

    (ends_in,) = await linking._wait_in_time(asking())
    assert 9.0 < ends_in <= 10.0


async def test_user_who_left_is_unlinked_under_each_of_their_keys():
    """Some people linked before their Slack workspace joined an organisation, and again afterwards."""
    former = Principal("E7", ALICE.team_id, ALICE.user_id)
    async with rig() as made:
        for person in (ALICE, former, BOB):
            await link_account(made.store, person, username=person.key)
        left = Person(ALICE, "Alice", is_deleted=True, seen_at=made.clock.now())
        await Caller(made.context, ALICE).run(departures.end_departed, left, actor="slack")
        assert [one.principal for one in await made.store.perform(accounts.list_active_accounts)] == [BOB]
