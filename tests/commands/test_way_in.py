"""Tests of doctor's check of signing in with a provider."""

from bot.commands import connection_checks
from bot.support import errors
from tests.web.rig import ScriptedProvider
from tests.web.there import SigningProvider


async def test_where_people_could_sign_in_it_says_what_to_add():
    provider = SigningProvider()
    (good,) = await connection_checks.check_way_in("saturn", provider, "https://usher.example/")
    back = "https://usher.example/link/back/saturn"
    assert (good.is_good, good.advice, back in good.found) == (True, "", True)
    provider.oauth_client.knows_us = False
    (bad,) = await connection_checks.check_way_in("saturn", provider, "https://usher.example")
    assert (bad.is_good, bad.advice) == (False, f"Register Usher there: {back}")
    provider.oauth_client.knows_us = errors.Forbidden("no such client")
    (unknown,) = await connection_checks.check_way_in("saturn", provider, "https://usher.example")
    assert (unknown.is_good, unknown.is_warning) == (True, True)
    assert unknown.found.startswith("can't tell whether people can sign in: no such client")
    provider.oauth_client.knows_us = errors.Unreachable("away")
    assert await connection_checks.check_way_in("saturn", provider, "https://usher.example") == []
    provider.oauth_client = None
    (none,) = await connection_checks.check_way_in("saturn", provider, "https://usher.example")
    assert (none.is_good, none.advice) == (True, f"Register Usher there: {back}")
    assert await connection_checks.check_way_in("other", ScriptedProvider(), "https://usher.example") == []
