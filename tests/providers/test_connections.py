"""Tests of the connections file: all problems are reported at once, by key and without values."""

from decimal import Decimal
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.domain.people import Principal
from bot.domain.prices import Price
from bot.providers import build_providers, find_ambiguous_people, list_provider_classes, list_secrets
from bot.providers.jupyterhub import JupyterHub
from bot.providers.saturn import Saturn, SaturnSettings
from bot.support.http import Http
from bot.support.settings import SettingsError
from tests.rigs.connections import load_connections

SATURN = '[connections.saturn]\nprovider = "saturn"\nbase_url = "https://app.acme.example"\n'
HUB = '[connections.hub]\nprovider = "jupyterhub"\nbase_url = "https://hub.acme.example"\n'


def problems(path) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        load_connections(path)
    return raised.value.problems


def test_two_connections_become_their_providers(file):
    found = load_connections(file(SATURN + 'title = "Saturn Cloud"\n' + HUB))
    assert {name: one.title for name, one in found.items()} == {"saturn": "Saturn Cloud", "hub": "JupyterHub"}
    providers = build_providers(found, Http(None))
    assert {name: type(one) for name, one in providers.items()} == {"saturn": Saturn, "hub": JupyterHub}


def test_without_a_title_it_is_called_as_its_provider_is_and_two_of_one_are_told_apart(file):
    other = HUB.replace(".hub]", ".lab]")
    found = load_connections(file(SATURN + HUB + other))
    assert {name: one.title for name, one in found.items()} == {
        "saturn": "Saturn Cloud",
        "hub": "JupyterHub (hub)",
        "lab": "JupyterHub (lab)",
    }
    titled = load_connections(file(HUB + 'title = "Team hub"\n' + other))
    assert [one.title for one in titled.values()] == ["Team hub", "JupyterHub"]


def test_a_connection_serves_the_slack_workspaces_that_it_names(file):
    found = build_providers(load_connections(file(SATURN + 'workspaces = ["T1", "E1"]\n' + HUB)), Http(None))
    people = [Principal(None, "T1", "U1"), Principal("E1", "E1", "U1"), Principal("E1", "T2", "U1")]
    assert [found["saturn"].is_available_to(one) for one in people] == [True, True, False]
    assert all(found["hub"].is_available_to(one) for one in people)
    for wrong in ("[]", '["acme"]', '["U1"]'):
        (problem,) = problems(file(f"{SATURN}workspaces = {wrong}\n"))
        assert "T0123ABCD" in problem


def test_an_id_without_its_slack_workspace_is_unclear_among_several(file):
    recipe = HUB + '[[connections.hub.templates]]\nname = "gpu"\nwho = {who}\n'
    found = load_connections(file(recipe.format(who='["T1:U1", "U2"]')))
    assert [one.partition(": without")[0] for one in find_ambiguous_people(found)] == ["connections.hub: gpu"]
    assert find_ambiguous_people(load_connections(file(recipe.format(who='["T1:U1", "E1:U2"]')))) == []


def test_all_problems_of_all_connections_come_at_once_without_values(file):
    text = """
        [connections.saturn]
        provider = "saturn"
        base_url = "http://canary.example"
        token_canary = "canary"
        admin_token = "env:ABSENT_VARIABLE"

        [connections.hub]
        provider = "jupyterhub"
        linking = ["canary"]

        [connections.other]
        provider = "canary"

        [connections.Big]
        provider = "saturn"

        [conections.typo]
        provider = "saturn"
    """
    found = problems(file(text))
    text = "\n".join(found)
    for expected in (
        "connections.saturn.base_url: the address must begin with https",
        "connections.saturn.token_canary: isn't a key of this provider",
        "connections.saturn.admin_token: names the variable ABSENT_VARIABLE, which is not set",
        "connections.hub.base_url: is not set",
        'connections.hub.linking: needs a list of "token": this provider has no other',
        f"connections.other.provider: needs one of {', '.join(sorted(list_provider_classes()))}",
        "connections.Big: its name needs lower-case letters",
        "USHER_CONNECTIONS: conections is not known",
    ):
        assert expected in text
    assert "canary" not in text.replace("token_canary", "")
    assert len(found) == 8


def test_a_secret_may_come_from_the_environment_or_a_file(file, tmp_path, monkeypatch):
    secret = tmp_path / "token"
    secret.write_text("from-a-file\n")
    secret.chmod(0o600)
    monkeypatch.setenv("CANARY_TOKEN", "from-the-environment")
    for given, expected in (
        (f"file:{secret}", "from-a-file"),
        ("env:CANARY_TOKEN", "from-the-environment"),
        ("as-it-is", "as-it-is"),
    ):
        found = load_connections(file(SATURN + f'admin_token = "{given}"\n'))
        saturn = found["saturn"]
        assert isinstance(saturn, SaturnSettings)
        assert saturn.admin_token is not None
        assert saturn.admin_token.get_secret_value() == expected
        assert list_secrets(found) == [expected]
        assert expected not in repr(found)


def test_a_secret_file_that_others_can_read_is_refused(file, tmp_path):
    secret = tmp_path / "token"
    secret.write_text("canary")
    secret.chmod(0o644)
    found = problems(file(SATURN + f'admin_token = "file:{secret}"\n'))
    assert found == [
        (
            "connections.saturn.admin_token: names the file token, which others on this machine can read: "
            "chmod 600 it"
        )
    ]


@pytest.mark.parametrize("mode", [0o666, 0o664, 0o602])
def test_a_file_that_others_can_write_is_refused(file, mode):
    path = file(SATURN)
    path.chmod(mode)
    assert problems(path) == [
        "USHER_CONNECTIONS: others on this machine can write connections.toml: chmod 600 connections.toml"
    ]


@pytest.mark.parametrize("mode", [0o755, 0o777])
def test_a_folder_is_called_one_whoever_can_write_to_it(tmp_path, mode):
    """Docker creates one if the file to be mounted doesn't exist. After chmod 600, nobody could use it."""
    folder = tmp_path / "connections.toml"
    folder.mkdir()
    folder.chmod(mode)
    assert problems(folder) == [f"USHER_CONNECTIONS: {folder} is a folder"]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_secrets_in_a_file_that_others_can_read_are_refused(file, mode, monkeypatch):
    path = file(SATURN + 'admin_token = "canary"\n' + HUB)
    path.chmod(mode)
    assert problems(path) == [
        (
            "USHER_CONNECTIONS: connections.toml contains secrets, but others on this machine can read it: "
            "chmod 600 connections.toml"
        )
    ]
    path.chmod(0o600)
    settings: Any = load_connections(path)["saturn"]
    assert settings.admin_token.get_secret_value() == "canary"
    # If the file says only where a secret is, anybody may read it.
    monkeypatch.setenv("A_TOKEN", "canary")
    path = file(SATURN + 'admin_token = "env:A_TOKEN"\n')
    path.chmod(mode)
    assert "saturn" in load_connections(path)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[connections.saturn\nprovider = 1", "(at line 1, column 20)"),
        ('[connections.saturn]\nprovider = "saturn', "(at end of document)"),
    ],
)
def test_broken_toml_is_named_with_its_place(file, text, place):
    assert problems(file(text)) == [f"USHER_CONNECTIONS: connections.toml isn't valid TOML {place}"]


def test_what_is_no_text_is_named(file):
    path = file("")
    path.write_bytes(b"\xff\xfe\x00")
    assert problems(path) == ["USHER_CONNECTIONS: connections.toml isn't valid TOML"]


def test_a_file_that_is_not_there_or_is_a_folder(tmp_path):
    absent = tmp_path / "absent.toml"
    assert problems(absent) == [f"USHER_CONNECTIONS: there is no file {absent}"]
    assert problems(tmp_path) == [f"USHER_CONNECTIONS: {tmp_path} is a folder"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "names no connection"),
        ("connections = 3", "needs a table"),
        ("[connections]\nsaturn = 3", "needs a table"),
        ("[connections.saturn]", ".provider: needs one of"),
        ("[connections.saturn]\nprovider = ['saturn']", ".provider: needs one of"),
        (SATURN + 'name = "other"', ".name: isn't a key"),
        (SATURN + "[[connections.saturn.recipes]]", ".recipes: is called templates now"),
        (HUB + "[[connections.hub.presets]]", ".presets: is called templates now"),
        (SATURN + "title = 3", ".title: "),
        (SATURN + 'ide_hosts = ["not a host"]', ".ide_hosts: "),
    ],
)
def test_each_problem_is_one_sentence(file, text, problem):
    found = problems(file(text))
    assert len(found) == 1
    assert problem in found[0]


def test_removed_key_of_a_connection_is_left_out_and_logged(file):
    with capture_logs() as logs:
        found = load_connections(file(SATURN + 'changes_limits = ["U1"]'))
    assert not hasattr(found["saturn"], "changes_limits")
    (entry,) = [one for one in logs if one["event"] == "connection key removed"]
    assert (entry["connection"], entry["key"]) == ("saturn", "changes_limits")
    assert "Remove it" in entry["advice"]


def test_a_connection_keeps_the_name_of_its_table(file):
    assert load_connections(file(SATURN))["saturn"].name == "saturn"


SECRETS = {"saturn": 'admin_token = "s3cret"', "posit": 'super_admin_token = "s3cret"'}
WAYS = {
    "jupyterhub": {"token"},
    "posit": {"token", "admin"},
    "saturn": {"token", "admin"},
    "sphere": {"none"},
}


@pytest.mark.parametrize("provider", sorted(list_provider_classes()))
def test_a_provider_refuses_the_ways_of_linking_that_it_does_not_have(file, provider):
    needed = 'access_token = "t0ken"' if provider == "sphere" else ""
    base = f'[connections.one]\nprovider = "{provider}"\nbase_url = "https://one.example"\n{needed}\n'
    for way in ("token", "admin", "none", "oauth"):
        table = f'{base}{SECRETS.get(provider, "")}\nlinking = ["{way}"]\n'
        if way in WAYS.get(provider, {"token"}):
            assert load_connections(file(table))["one"].linking == (way,)
            continue
        broken = f"{table}{base.replace('.one', '.two')}unknown_key = 1\n"
        first, *others = problems(file(broken))
        assert first.startswith("connections.one.linking: needs a list of ")
        assert others == ["connections.two.unknown_key: isn't a key of this provider"]
    for odd in ("[]", '"token"', "[1]", "1"):
        (said,) = problems(file(f"{base}linking = {odd}\n"))
        assert said.startswith("connections.one.linking: needs a list of ")
    if provider in SECRETS:
        (said,) = problems(file(f'{base}linking = ["admin"]\n'))
        assert said == f'connections.one: {SECRETS[provider].split()[0]}: is required if linking has "admin"'


# -- prices --------------------------------------------------------------------------------------------------

TEMPLATE = '[[connections.hub.templates]]\nname = "{name}"\n{rest}\n'


def test_templates_have_prices_in_the_connections_currency_or_are_said_to_have_none(file):
    gpu = TEMPLATE.format(name="gpu", rest='title = "GPU"\nprice_per_hour = 0.5')
    small = TEMPLATE.format(name="small", rest="")
    hub = load_connections(file(f'{HUB}currency = "EUR"\n{gpu}{small}'))["hub"]
    assert [one.offer_label for one in hub.prepared] == ["GPU · 0.50 EUR an hour", "small · no price"]
    assert [one.price for one in hub.prepared] == [Price(Decimal("0.5"), "EUR"), None]
    without = load_connections(file(HUB + small))["hub"]
    assert [one.offer_label for one in without.prepared] == ["small"]


@pytest.mark.parametrize("price", ["-1", "nan", "inf", '"much"', "true", "10000"])
def test_price_that_can_be_none_is_a_problem_of_its_key_beside_the_others(file, price):
    wrong = TEMPLATE.format(name="gpu", rest=f"price_per_hour = {price}")
    found = problems(file(f'{HUB}currency = "EUR"\nstarts_per_second = -1\n{wrong}'))
    assert any("price_per_hour" in one for one in found)
    assert any("starts_per_second" in one for one in found)


def test_price_without_a_currency_is_a_problem(file):
    (problem,) = problems(file(HUB + TEMPLATE.format(name="gpu", rest="price_per_hour = 1")))
    assert "currency" in problem
    assert "price_per_hour" in problem


@pytest.mark.parametrize("currency", ["", "EUR 2", "<b>", "*", "abcdefghijklm"])
def test_currency_is_a_short_word(file, currency):
    (problem,) = problems(file(f'{HUB}currency = "{currency}"\n'))
    assert "currency" in problem


@pytest.mark.parametrize("blank", [" ", "\\t", "\\r\\n", "\u00a0", "\u200b", "\ufeff"], ids=ascii)
def test_blanks_around_any_value_are_cut_off(file, blank):
    def written(blank):
        return (
            f'[connections.hub]\nprovider = "{blank}jupyterhub{blank}"\ntitle = "{blank}Team hub{blank}"\n'
            f'base_url = "{blank}https://hub.acme.example{blank}"\nlinking = ["{blank}token{blank}"]\n'
            f'ide_hosts = ["{blank}*.acme.example{blank}"]\nworkspaces = ["{blank}T1{blank}"]\n'
            f'[[connections.hub.templates]]\nname = "{blank}gpu{blank}"\nwho = ["{blank}T1:U1{blank}"]\n'
            'options = {prompt = " $ "}\n'
        )

    (plain,), (blanked,) = (load_connections(file(written(one))).values() for one in ("", blank))
    assert plain.model_dump() == blanked.model_dump()
    assert plain.model_dump()["templates"][0]["options"] == {"prompt": " $ "}


def test_blank_title_is_none(file):
    assert [one.title for one in load_connections(file(SATURN + 'title = " "\n')).values()] == [
        "Saturn Cloud"
    ]


@pytest.mark.parametrize("quotes", ["''", "``", "“”"])
def test_quotes_around_a_value_are_refused(file, monkeypatch, quotes):
    quoted = f"{quotes[0]}canary-0123{quotes[1]}"
    monkeypatch.setenv("QUOTED", quoted)
    for value in (quoted, "env:QUOTED"):
        found = problems(file(f'{SATURN}linking = ["admin"]\nadmin_token = "{value}"\n'))
        said = "has quotes around it, which would be a part of it: remove them"
        assert f"connections.saturn.admin_token: {said}" in found
        assert "canary" not in str(found)
