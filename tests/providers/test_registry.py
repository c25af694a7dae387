"""Tests of providers from other packages: the connection selects one, and all others are refused."""

import sys
from functools import partial

import pytest

from bot.commands.connection_checks import check_connection
from bot.providers import (
    build,
    build_providers,
    list_distributions,
    list_provider_classes,
    read_connections,
    registry,
)
from bot.providers.jupyterhub import JupyterHub
from bot.support.http import Http
from bot.support.settings import SettingsError
from tests.rigs.outside import GOOD, install


@pytest.fixture
def installed(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    registry.find_provider_class.cache_clear()
    yield partial(install, tmp_path)
    registry.find_provider_class.cache_clear()


def read(source="", provider="lagoon"):
    line = f'from = "{source}"\n' if source else ""
    text = f'[connections.new]\nprovider = "{provider}"\n{line}base_url = "https://new.example.org"\n'
    return read_connections(text + 'access_token = "t0ken-of-the-account"\n')


def test_it_is_imported_only_once_a_connection_names_its_distribution(installed):
    installed(GOOD)
    assert registry.list_installed()["lagoon"] == "usher-lagoon 1.4"
    assert read("", "saturn")[1] != []
    assert read()[1] == [
        'connections.new.from: needs to be "usher-lagoon", the distribution that brings lagoon'
    ]
    assert "lagoon_provider" not in sys.modules
    found, problems = read("usher-lagoon")
    assert problems == []
    assert "lagoon_provider" in sys.modules
    assert list_distributions(found) == {"new": "usher-lagoon 1.4"}
    assert type(build(found["new"], Http(None))).__name__ == "Lagoon"


def test_builtin_provider_reads_no_metadata_of_distributions(installed, monkeypatch):
    """There may be hundreds of packages, and reading them for each connection would slow down each start."""
    installed(GOOD)
    asked = []
    monkeypatch.setattr(registry, "entry_points", lambda **which: asked.append(which) or ())
    found = read("", "jupyterhub")[0]
    assert list_distributions(found) == {}
    assert asked == []


async def test_a_check_of_the_connection_names_distribution_and_version(installed):
    installed(GOOD)
    (provider,) = build_providers(read("Usher_Lagoon")[0], Http(None)).values()
    found = await check_connection("new", provider)
    assert found.found == "https://new.example.org answers to usher-lagoon 1.4 (Lagoon 4.2)"


BROKEN = """
    from bot.providers.base import Provider

    class Lagoon(Provider):
        api_version = 7
        kind = "laguna"
        title = "Lagoon"

        async def start(self, access, workspace): ...
        async def stop(self, access, workspace, mode="stop"): ...
        async def check_credential(self, credential): ...
        def page_url(self, remote_id): ...
"""


def test_all_that_it_lacks_is_said_at_once(installed):
    installed(BROKEN)
    assert read("usher-lagoon")[1] == [
        f"connections.new.provider: usher-lagoon 1.4 {problem}"
        for problem in (
            "lacks pace",
            "lacks the method probe",
            "lacks the method status",
            "calls itself laguna, not lagoon",
            "is written for API 7, not 0",
        )
    ]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import nothing_of_that_name", "usher-lagoon 1.4 can't be imported: ModuleNotFoundError"),
        ("raise RuntimeError('at import')", "usher-lagoon 1.4 can't be imported: RuntimeError: at import"),
        ("Lagoon = dict", "lagoon_provider:Lagoon of usher-lagoon 1.4 isn't a subclass of Provider"),
        ("class Other: ...", "usher-lagoon 1.4 can't be imported: AttributeError"),
        (GOOD.replace("api_version = 0", "pass"), "usher-lagoon 1.4 is written for API -1, not 0"),
    ],
)
def test_what_is_no_provider_is_refused_by_name(installed, source, said):
    installed(source)
    (problem,) = read("usher-lagoon")[1]
    assert problem.startswith(f"connections.new.provider: {said}")


def test_another_distribution_or_none_is_refused_by_name(installed):
    installed(GOOD)
    assert read("usher-evil")[1] == [
        'connections.new.from: needs to be "usher-lagoon", the distribution that brings lagoon'
    ]
    assert read("usher-lagoon", "atoll")[1] == [
        "connections.new.from: usher-lagoon isn't installed, or doesn't bring a provider atoll"
    ]
    assert "needs one of jupyterhub, posit, saturn, sphere" in read("", "atoll")[1][0]


def test_of_two_that_bring_the_same_kind_the_connection_chooses(installed):
    installed(GOOD)
    installed(GOOD.replace("4.2", "5.0"), name="usher-other", module="other_provider")
    assert "lagoon" not in registry.list_installed()
    assert 'needs to be "usher-lagoon" or "usher-other", the distribution' in read()[1][0]
    found, problems = read("usher-other")
    assert (problems, list_distributions(found)) == ([], {"new": "usher-other 1.4"})
    assert type(build(found["new"], Http(None))).__module__ == "other_provider"


def test_our_own_kinds_are_shadowed_by_nobody(installed):
    installed(GOOD, kind="sphere")
    assert read("", "sphere")[1] == []
    assert registry.find_provider_class("sphere") is list_provider_classes()["sphere"]
    assert read("usher-lagoon", "sphere")[1] == [
        "connections.new.from: has to be left out: sphere is Usher's own provider"
    ]
    assert "lagoon_provider" not in sys.modules
    installed(GOOD, kind="base", name="usher-base", module="base_provider")
    assert "calls itself lagoon, not base" in read("usher-base", "base")[1][0]


def test_a_subclass_in_a_module_of_its_own_is_what_runs(installed):
    installed(
        """
        from bot.providers.jupyterhub import JupyterHub

        class MyHub(JupyterHub):
            api_version = 0
            kind = "my-hub"
            title = "My Hub"
        """,
        kind="my-hub",
        value="MyHub",
    )
    found = registry.find_provider_class("my-hub", "usher-lagoon")
    assert (found.__name__, issubclass(found, JupyterHub)) == ("MyHub", True)


def test_a_connection_that_cannot_be_built_says_which(installed):
    installed(GOOD)
    settings = read("usher-lagoon")[0]["new"].model_copy(update={"source": "usher-evil"})
    with pytest.raises(SettingsError) as caught:
        build(settings, Http(None))
    assert caught.value.problems[0].startswith("connections.new.from: needs to be")
