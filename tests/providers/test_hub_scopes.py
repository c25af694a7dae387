"""Tests of the scopes of a hub's token: whether they suffice for Usher, in each release's terms."""

import pytest

from bot.providers.jupyterhub.provider import check_owner
from bot.providers.jupyterhub.servers import TokenOwner
from bot.support.errors import Forbidden
from tests.rigs.hubs import ALL, list_full_scopes

#: The hub lists an administrator's scopes without filters, and with the scopes that each one includes.
ADMIN = [
    "admin:servers",
    "servers",
    "read:servers",
    "delete:servers",
    "access:servers",
    "tokens",
    "read:users",
]


def owner_of(scopes, release, **more):
    owner = TokenOwner({"kind": "user", "name": "alice", "groups": ["class"], "scopes": scopes, **more})
    owner.release = release
    return owner


@pytest.mark.parametrize("release", [0, 2, 3, *ALL], ids=str)
@pytest.mark.parametrize(
    "scopes",
    [
        ["servers!user=alice"],
        ["servers!user"],
        ["servers"],
        ["admin:servers"],
        ["servers!group=class"],
        ["read:servers!user=alice", "servers!user=alice", "servers!server=bob/shared"],
        ["read:servers", "delete:servers!user=alice", "start:servers!group=class"],
        ["self"],
        ["inherit"],
        ["all"],
        ADMIN,
        [*ADMIN, "start:servers"],
    ],
    ids=str,
)
def test_check_owner_with_servers_covered_returns_name(release, scopes):
    username, granted = check_owner(owner_of(scopes, release))
    assert (username, granted.has_scope("start:servers")) == ("alice", True)


@pytest.mark.parametrize("release", [2, 3, *ALL], ids=str)
def test_check_owner_with_full_token_covers_all_that_usher_mints(release):
    _, granted = check_owner(owner_of(list_full_scopes(release, "alice"), release))
    assert all(granted.has_scope(name) for name in ("servers", "access:servers", "read:users:name", "tokens"))


def test_check_owner_with_hidden_groups_takes_a_groups_filter():
    assert check_owner(owner_of(["servers!group=class"], 5, groups=None))[0] == "alice"


NARROW = [
    [],
    ["access:servers!user=alice", "tokens!user=alice", "read:users!user=alice"],
    ["servers!user=bob"],
    ["servers!server=alice/lab"],
    ["servers!group=others"],
    ["servers!service=usher"],
    ["admin:server_state!user=alice"],
]


@pytest.mark.parametrize("scopes", NARROW, ids=str)
@pytest.mark.parametrize("release", [0, 2, 4, 5])
def test_check_owner_before_6_names_a_scope_that_the_hub_has(scopes, release):
    with pytest.raises(Forbidden, match=r"^This token lacks servers\. Request a new one"):
        check_owner(owner_of(scopes, release))


@pytest.mark.parametrize("scopes", NARROW, ids=str)
def test_check_owner_at_6_names_each_scope_that_is_missing(scopes):
    with pytest.raises(Forbidden, match="lacks start:servers, read:servers, delete:servers"):
        check_owner(owner_of(scopes, 6))


@pytest.mark.parametrize(
    ("scopes", "release", "lacking"),
    [
        (["read:servers!user=alice", "delete:servers!user=alice"], 5, "servers"),
        (["read:servers!user=alice", "delete:servers!user=alice"], 6, "start:servers"),
        (["read:servers!user=alice", "start:servers!user=alice"], 6, "delete:servers"),
    ],
    ids=str,
)
def test_check_owner_with_some_of_the_scopes_names_the_others(scopes, release, lacking):
    with pytest.raises(Forbidden, match=rf"lacks {lacking}\."):
        check_owner(owner_of(scopes, release))
