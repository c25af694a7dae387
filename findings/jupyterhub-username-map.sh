#!/usr/bin/env bash
# JupyterHub 6.1.1: username_map never matches a name with a capital letter
#
# Expected: Authenticator.username_map is a "dictionary mapping authenticator usernames
#   to JupyterHub users", "primarily used to normalize OAuth user names". Names like
#   AdaL are common on GitHub, and its API returns them in this form. So {"AdaL": "ada"}
#   maps AdaL to ada, or is refused when the hub starts.
# Seen: The name is converted to lower case first, but the keys of the dictionary
#   aren't. AdaL signs in as adal, a new account, and no warning says that the entry
#   can't match. Only the key "adal" works. If all keys happen to be lower case, the
#   problem stays hidden.
# Why it matters: The mapping that an administrator copies from the other service has no
#   effect. A bot that uses the same mapping to link people to accounts finds a
#   different account than the hub does. Compare names in lower case on both sides.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  oauthenticator==17.4.0 jupyterhub==6.1.1 traitlets==5.16.1 sqlalchemy==2.1.9 tornado==6.6.1

cat >"$work/names.py" <<'PYTHON'
import asyncio

from oauthenticator.github import GitHubOAuthenticator
from traitlets.config import Config


class Answers(GitHubOAuthenticator):
    """Sign in whom the test names, without asking GitHub."""

    async def authenticate(self, handler, login):
        return {"name": self.user_info_to_username({"login": login}), "auth_state": None}


async def main():
    for names in ({"AdaL": "ada"}, {"adal": "ada"}):
        config = Config({"Authenticator": {"username_map": names, "allow_all": True}})
        account = await Answers(config=config).get_authenticated_user(None, "AdaL")
        print(f"username_map {names}: AdaL signs in as {account['name']}")


asyncio.run(main())
PYTHON
seen="$("$work/venv/bin/python" -W ignore "$work/names.py" 2>&1)"

echo "jupyterhub 6.1.1 with GitHubOAuthenticator of oauthenticator 17.4.0"
echo "Expected: ada in the first line."
echo "Seen:"
echo "$seen"
wanted="username_map {'AdaL': 'ada'}: AdaL signs in as adal
username_map {'adal': 'ada'}: AdaL signs in as ada"
if [ "$seen" != "$wanted" ]; then
  echo "The behaviour has changed."
  exit 1
fi
