"""Tests of variables that look like settings: misspelt ones are recognised, other programs' ignored."""

import pytest

from bot.support.settings import VARIABLES, find_unknown_variables
from tests.project.deployment import list_service_variables


@pytest.mark.parametrize(
    ("given", "misspelt", "unknown"),
    [
        (["USHER_ADMINS", "SLACK_BOT_TOKEN", "PATH"], {}, []),
        (["USHER_ADMIN"], {"USHER_ADMIN": "USHER_ADMINS"}, []),
        # A misspelt name is reported even next to the right one. Next to Slack's token, it may be another
        # program's.
        (["USHER_ADMIN", "USHER_ADMINS"], {"USHER_ADMIN": "USHER_ADMINS"}, []),
        (["SLACK_BOT_TOKENS", "SLACK_BOT_TOKEN"], {}, []),
        (["usher_admin"], {"usher_admin": "USHER_ADMINS"}, []),
        (["USHER_ADMINISTRATOR_GROUP"], {}, ["USHER_ADMINISTRATOR_GROUP"]),
        (["SLACK_SIGNIN_SECRET"], {"SLACK_SIGNIN_SECRET": "SLACK_SIGNING_SECRET"}, []),
        # Variables that other Slack programs use.
        (["SLACK_TOKEN", "SLACK_WEBHOOK_URL", "SLACK_CHANNEL", "SLACK_USER_TOKEN"], {}, []),
    ],
)
def test_strangers(given, misspelt, unknown):
    assert find_unknown_variables(given, VARIABLES) == (misspelt, unknown)


@pytest.mark.parametrize("service", ["USHER", "USHER_WEB", "USHER_HOST", "SLACK_BOT_TOKENS", "USHER_ADMIN"])
def test_variables_of_kubernetes_services_are_nobodys_mistake(service):
    given = list_service_variables(service, {"http": 80, "metrics": 9090})
    assert find_unknown_variables(given, VARIABLES) == ({}, [])


def test_variable_like_a_services_is_a_mistake_without_the_service():
    assert find_unknown_variables(["USHER_PORT"], VARIABLES) == ({}, ["USHER_PORT"])
    given = [*list_service_variables("USHER_WEB", {"http": 80}), "USHER_PORT", "USHER_WEB_PORTS"]
    assert find_unknown_variables(given, VARIABLES) == ({}, ["USHER_PORT", "USHER_WEB_PORTS"])


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_each_setting_is_recognised_with_a_letter_missing(name):
    if name in {"PORT", "HTTPS_PROXY", "NO_PROXY"}:  # They begin like nothing of ours.
        return
    found, _ = find_unknown_variables([name[:-2] + name[-1:]], VARIABLES)
    assert found == {name[:-2] + name[-1:]: name}
