"""Links and ids that people paste, and the hosts that belong to a Saturn base URL."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.providers import build, list_provider_classes
from bot.providers.base import Provider
from bot.support.http import Http
from bot.support.settings import SettingsError

ID = "0123456789abcdef" * 2


def provider(base_url: str = "https://app.acme.saturnenterprise.io", **more: object) -> Provider:
    model = list_provider_classes()["saturn"].settings_model
    told = {"name": "saturn", "provider": "saturn", "title": "Saturn Cloud", "base_url": base_url, **more}
    # These tests send nothing, so the client needs no session.
    return build(model.model_validate(told), Http.__new__(Http))


BASE = provider().settings.base_url


@pytest.mark.parametrize(
    "text",
    [
        ID,
        ID.upper(),
        f"  {ID}\n",
        f"{BASE}/dash/resources/workspace/{ID}",
        f"{BASE}/dash/resources/workspace/{ID.upper()}/",
        f"{BASE}/dash/resources/workspace/{ID}/logs?tab=1#x",
        f"HTTPS://APP.acme.saturnenterprise.io:443/dash/resources/workspace/{ID}",
    ],
)
def test_a_link_or_id_is_understood(text):
    assert provider().parse_reference(text) == ID


@pytest.mark.parametrize(
    "text",
    [
        "",
        "notebook",
        ID[:-1],
        ID + "0",
        "g" * 32,
        f"{BASE}/dash/resources/job/{ID}",
        f"{BASE}/dash/resources/deployment/{ID}",
        f"{BASE}/dash/resources/workspace/",
        f"{BASE}/dash/resources/workspace/{ID}0",
        f"{BASE}/x/dash/resources/workspace/{ID}",
        f"{BASE}.evil.example/dash/resources/workspace/{ID}",
        f"http://app.acme.saturnenterprise.io/dash/resources/workspace/{ID}",
        f"https://app.other.saturnenterprise.io/dash/resources/workspace/{ID}",
        f"https://evil.example/?{BASE}/dash/resources/workspace/{ID}",
        f"app.acme.saturnenterprise.io/dash/resources/workspace/{ID}",
        f"<{BASE}/dash/resources/workspace/{ID}>",
        f"{BASE}/dash/resources/workspace/{ID}\x00",
    ],
)
def test_everything_else_is_not(text):
    assert provider().parse_reference(text) is None


@given(st.text() | st.text().map(lambda text: f"{BASE}/dash/resources/workspace/{text}"))
def test_a_reference_is_an_id_or_nothing(text):
    found = provider().parse_reference(text)
    assert found is None or (len(found) == 32 and set(found) <= set("0123456789abcdef"))


@given(st.text())
def test_a_page_is_an_address_and_leads_back(text):
    page = provider().page_url(text)
    assert page.startswith(f"{BASE}/dash/resources/workspace/")
    assert page.isascii()
    assert provider().parse_reference(provider().page_url(ID)) == ID


@pytest.mark.parametrize(
    ("base_url", "hosts"),
    [
        ("https://app.acme.saturnenterprise.io", ("*.acme.saturnenterprise.io",)),
        ("https://saturn.acme.io", ()),
        ("https://app.io", ()),
        ("http://127.0.0.1:9", ()),
        ("https://application.acme.io", ()),
    ],
)
def test_a_base_named_app_stands_for_its_neighbours(base_url, hosts):
    assert provider(base_url).ide_hosts() == hosts
    assert provider(base_url, ide_hosts=["ide.acme.io"]).ide_hosts() == ("ide.acme.io", *hosts)


def test_an_ide_at_a_neighbour_is_allowed_and_at_a_stranger_is_not():
    assert provider().allowed_url("https://w-alice.acme.saturnenterprise.io/x")
    assert provider().allowed_url("https://w-alice.other.saturnenterprise.io/x") is None


def test_an_administrators_token_is_told_of_but_not_told():
    told = provider(admin_token="very-secret", act_as="admin", linking=["admin"]).describe()
    assert told["admin_token"] == "set"
    assert told["act_as"] == "admin"
    assert "very-secret" not in repr((told, provider(admin_token="very-secret").settings))


def test_every_provider_of_the_folder_is_found():
    assert {"saturn", "jupyterhub"} <= set(list_provider_classes())
    for kind, found in list_provider_classes().items():
        assert found.kind == kind
        assert found.pace.pending_interval >= found.pace.min_poll_interval
    assert list_provider_classes()["saturn"].pace.min_poll_interval == 10


def test_a_provider_that_is_none_is_named():
    settings = provider().settings.model_copy(update={"provider": "nimbus"})
    with pytest.raises(SettingsError, match=r"connections\.saturn\.provider"):
        build(settings, Http.__new__(Http))
