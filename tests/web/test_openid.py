"""Tests of Sign in with Slack against the local Slack, which signs as Slack does."""

import re

import aiohttp
import pytest
from pydantic import SecretStr
from yarl import URL

from bot.domain.people import Principal
from bot.support.errors import SlackFailed
from bot.support.http import Http
from bot.web.browsers import SlackSignIn
from playground.faults import Fault
from tests.playground.slack_help import CHEN, OLIVIA, slack
from tests.rigs.clock import FakeClock
from tests.rigs.people import Colleagues

BACK = "http://127.0.0.1:3000/link/slack"


async def code_of(url, person, state):
    asked = URL(url).update_query({"as": person})
    async with aiohttp.ClientSession() as browser, browser.get(asked, allow_redirects=False) as response:
        back = URL(response.headers["Location"])
    assert str(back.with_query(None)) == BACK
    assert back.query["state"] == state
    return back.query["code"]


def sign_in_at(server, client, session):
    """Return the sign-in for this Slack, and the team that it is for."""
    told = server.credentials
    sign_in = SlackSignIn(
        http=Http(session),
        clock=FakeClock(),
        people=Colleagues(None),  # it looks nobody up
        api_url=client.base_url,
        client_id=told["client_id"],
        client_secret=SecretStr(told["client_secret"]),
        redirect_url=BACK,
    )
    return sign_in, told["team_id"]


async def test_slack_proves_who_signed_in_once_and_for_one_sign_in():
    async with slack() as (server, client), Http.new_session() as session:
        sign_in, team = sign_in_at(server, client, session)
        for person in (OLIVIA, CHEN):
            url, flow = sign_in.begin(team)
            assert URL(url).query["scope"] == "openid"
            assert URL(url).query["team"] == team
            assert "code_challenge" not in URL(url).query
            code = await code_of(url, person, flow.state)
            proven = await sign_in.finish(code, flow)
            assert proven == Principal(proven.enterprise_id, team, person)
            with pytest.raises(SlackFailed):
                await sign_in.finish(code, flow)
        url, flow = sign_in.begin(team)
        _url, other = sign_in.begin(team)
        code = await code_of(url, OLIVIA, flow.state)
        with pytest.raises(SlackFailed):
            await sign_in.finish(code, other)


async def test_keys_that_could_not_be_read_are_asked_for_by_the_next_who_signs_in():
    async with slack() as (server, client), Http.new_session() as session:
        sign_in, team = sign_in_at(server, client, session)
        server.harness.faults.append(Fault(re.compile("/openid/connect/keys"), status=503))
        url, flow = sign_in.begin(team)
        with pytest.raises(SlackFailed):
            await sign_in.finish(await code_of(url, OLIVIA, flow.state), flow)
        url, flow = sign_in.begin(team)
        proven = await sign_in.finish(await code_of(url, OLIVIA, flow.state), flow)
        assert proven.user_id == OLIVIA
