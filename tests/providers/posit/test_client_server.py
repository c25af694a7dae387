"""Methods on the server: version, users, compute environments."""

import pytest

from bot.providers.posit.types import Version
from bot.support import errors
from tests.providers.posit.fake import CREDENTIAL, TOKEN, FakeWorkbench

VERSION = {
    "version": {
        "major": "2024",
        "minor": "09",
        "patch": "1",
        "build_number": "394.pro7",
        "release_name": "Cranberry Hibiscus",
        "build_type": "Release",
    },
    "features": ["jobs", "launcher"],
}
USERS = [
    {
        "username": "user1",
        "status": "Active",
        "isAdmin": True,
        "uid": 1037,
        "lastSignIn": "2024-07-30T23:45:28.351868Z",
        "created": "2024-07-30T23:41:28.109218Z",
    },
    {"username": "user2", "status": "Inactive", "isAdmin": False, "isSuperAdmin": True},
]


@pytest.mark.parametrize("answer", [VERSION, {"result": VERSION}], ids=["bare", "wrapped"])
async def test_the_version_comes_bare_or_wrapped(fake: FakeWorkbench, answer):
    fake.answer = answer
    version = await fake.client.version(CREDENTIAL)
    assert version.text == "2024.09.1"
    assert version.features == ("jobs", "launcher")
    assert version.release_name == "Cranberry Hibiscus"
    (asked,) = fake.asked
    assert (asked.verb, asked.method, asked.body) == ("GET", "version", None)
    assert asked.authorization == f"Bearer {TOKEN}"


async def test_the_version_may_be_asked_without_a_token(fake: FakeWorkbench):
    fake.answer = {"version": "2024.09.1"}
    assert await fake.client.version(None) == Version(major="2024", minor="09", patch="1")
    assert fake.asked[0].authorization is None


@pytest.mark.parametrize("answer", [{}, {"version": None}, {"version": {}}, {"result": []}, []])
async def test_no_version_is_a_bad_answer(fake: FakeWorkbench, answer):
    fake.answer = answer
    with pytest.raises(errors.BadAnswer):
        await fake.client.version(CREDENTIAL)


@pytest.mark.parametrize("answer", [{"result": USERS}, USERS, {"result": {"users": USERS}}])
async def test_users_are_listed_with_their_level(fake: FakeWorkbench, answer):
    fake.answer = answer
    first, second = await fake.client.get_users(CREDENTIAL)
    assert (first.username, first.is_active, first.is_admin, first.is_super_admin) == (
        "user1",
        True,
        True,
        False,
    )
    assert (second.is_active, second.is_super_admin) == (False, True)
    assert fake.asked[0].verb == "GET"


@pytest.mark.parametrize("answer", [{"result": {}}, {"result": [7]}, {"result": [{"status": "Active"}]}])
async def test_a_list_of_users_that_is_none_is_a_bad_answer(fake: FakeWorkbench, answer):
    fake.answer = answer
    with pytest.raises(errors.BadAnswer):
        await fake.client.get_users(CREDENTIAL)


async def test_compute_environments_are_asked_by_get_for_oneself_and_by_post_for_a_user(fake: FakeWorkbench):
    fake.answer = {"result": {"clusters": [], "workbenches": {}}}
    assert (await fake.client.get_compute_envs(CREDENTIAL)).clusters == ()
    assert (fake.asked[0].verb, fake.asked[0].body) == ("GET", None)
    fake.asked.clear()
    await fake.client.get_compute_envs(CREDENTIAL, "alice")
    assert fake.kwparams == {"user": "alice"}
