"""Variables that look like settings: misspelt ones are recognised, other programs' are left alone."""

import pytest

from bot.support.settings import VARIABLES, find_unknown_variables


@pytest.mark.parametrize(
    ("given", "misspelt", "unknown"),
    [
        (["USHER_ADMINS", "SLACK_BOT_TOKEN", "PATH"], {}, []),
        (["USHER_ADMIN"], {"USHER_ADMIN": "USHER_ADMINS"}, []),
        # What both say can't hold; beside a token of Slack's, another program may have its own.
        (["USHER_ADMIN", "USHER_ADMINS"], {"USHER_ADMIN": "USHER_ADMINS"}, []),
        (["SLACK_BOT_TOKENS", "SLACK_BOT_TOKEN"], {}, []),
        (["usher_admin"], {"usher_admin": "USHER_ADMINS"}, []),
        (["USHER_ADMINISTRATOR_GROUP"], {}, ["USHER_ADMINISTRATOR_GROUP"]),
        (["SLACK_SIGNIN_SECRET"], {"SLACK_SIGNIN_SECRET": "SLACK_SIGNING_SECRET"}, []),
        # What other programs that know Slack are set up with.
        (["SLACK_TOKEN", "SLACK_WEBHOOK_URL", "SLACK_CHANNEL", "SLACK_USER_TOKEN"], {}, []),
    ],
)
def test_strangers(given, misspelt, unknown):
    assert find_unknown_variables(given, VARIABLES) == (misspelt, unknown)


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_each_setting_is_recognised_with_a_letter_missing(name):
    if name in {"PORT", "HTTPS_PROXY", "NO_PROXY"}:  # They begin like nothing of ours.
        return
    found, _ = find_unknown_variables([name[:-2] + name[-1:]], VARIABLES)
    assert found == {name[:-2] + name[-1:]: name}
