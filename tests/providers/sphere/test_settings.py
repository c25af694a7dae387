"""Tests of a Sphere connection in the connections file: what is accepted, and errors without values."""

import pytest

from bot.providers import list_secrets
from bot.providers.sphere import SphereProvider
from bot.support.settings import SettingsError
from tests.rigs.connections import load_connections

BASE = """
[connections.sphere]
provider = "sphere"
title = "Courses"
base_url = "https://acme.containers.sphere-engine.com/api/v1"
access_token = "s3cret-token"
"""


def loaded(path):
    return load_connections(path)["sphere"]


def test_little_is_needed(file):
    own = loaded(file(BASE))
    assert own.base_url == "https://acme.containers.sphere-engine.com"
    assert own.linking == ("none",)
    assert own.sdk_host == "acme.containers.sphere-engine.com"
    assert own.sdk_is_https
    assert (own.projects, own.retention_minutes, own.inactivity_minutes) == ("all", 1440, None)
    assert not own.auto_resume
    assert own.webhook_secret is None


def test_all_of_it(file):
    more = f"""
linking = ["none"]
sdk_base = "https://SDK.example.org/"
projects = ["{"a" * 32}", "{"b" * 32}"]
webhook_secret = "wh00k"
retention_minutes = 60
inactivity_minutes = 15
total_minutes = 600
auto_resume = true
page_hosts = ["CDN.example.org", "*.sphere.example.org:8443"]
page_inline_styles = true
"""
    own = loaded(file(BASE + more))
    assert own.sdk_host == "sdk.example.org"
    loads = SphereProvider(own, None).embedding()
    assert (loads.hosts, loads.has_inline_styles) == (("cdn.example.org", "*.sphere.example.org:8443"), True)
    assert [loads.allows(one) for one in ("cdn.example.org", "a.sphere.example.org:8443", "example.org")] == [
        True,
        True,
        False,
    ]
    assert own.projects == ("a" * 32, "b" * 32)
    assert sorted(list_secrets({"sphere": own})) == ["s3cret-token", "wh00k"]
    assert "wh00k" not in repr(own)


def test_the_sdk_is_loaded_readable_from_this_machine_alone(file):
    here = BASE.replace("https://acme.containers.sphere-engine.com", "http://127.0.0.1:8")
    for sdk, is_https in (("", False), ('sdk_base = "127.0.0.1:9"', False), ('sdk_base = "a.io"', True)):
        assert loaded(file(here + sdk)).sdk_is_https is is_https


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ('linking = ["none", "token"]', "linking"),
        ("retention_minutes = 0", "retention_minutes"),
        ("retention_minutes = -5", "retention_minutes"),
        ("inactivity_minutes = 0", "inactivity_minutes"),
        ("total_minutes = 0", "total_minutes"),
        ('page_hosts = ["a b"]', "page_hosts"),
        ('page_hosts = ["*"]', "page_hosts"),
        ('sdk_base = "*.example.org"', "sdk_base"),
        ('sdk_base = "a b"', "sdk_base"),
        ('sdk_base = "http://a/x?y"', "sdk_base"),
        ("projects = []", "projects"),
        ('projects = "some"', "projects"),
        ('projects = ["../x"]', "projects"),
        ('webhook_secret = ""', "webhook_secret"),
        ('super_admin_token = "x"', "super_admin_token"),
    ],
)
def test_what_is_wrong_is_named(file, more, key):
    with pytest.raises(SettingsError) as wrong:
        loaded(file(BASE + more))
    assert key in "\n".join(wrong.value.problems)
    assert "s3cret" not in str(wrong.value)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        *(
            (f'access_token = "{token}"', "access_token")
            for token in ("", "with space", "x" * 2000, "t\u00f6k")
        ),
        ("", "access_token: is not set"),
    ],
)
def test_without_a_token_there_is_no_connection(file, line, said):
    with pytest.raises(SettingsError, match=said):
        loaded(file(BASE.replace('access_token = "s3cret-token"', line)))
