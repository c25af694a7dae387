"""The configuration file of the local hub. The variable parts come from a settings file."""

from __future__ import annotations

import atexit
import json
import os
import shutil
from pathlib import Path

from jupyterhub import orm  # type: ignore[import-untyped] # it brings no types
from traitlets.config import get_config

from playground.jupyterhub.bound import binder
from playground.jupyterhub.hub_classes import PasswordAuthenticator, PausingSpawner

_settings = json.loads(Path(os.environ["PLAYGROUND_HUB_SETTINGS"]).read_text(encoding="utf-8"))
_state = Path(_settings["state"])
binder(_settings["launcher"])()
_database = f"sqlite:///{_state / 'hub.sqlite'}"

c = get_config()
c.JupyterHub.bind_url = _settings["url"]
c.JupyterHub.hub_bind_url = _settings["hub_url"]
c.JupyterHub.db_url = _database
c.JupyterHub.cookie_secret_file = str(_state / "cookie_secret")
c.JupyterHub.log_level = "WARN"
c.JupyterHub.authenticator_class = PasswordAuthenticator
c.JupyterHub.spawner_class = PausingSpawner
c.JupyterHub.allow_named_servers = True
c.JupyterHub.named_server_limit_per_user = _settings["named_server_limit"]
c.JupyterHub.concurrent_spawn_limit = _settings["concurrent_spawn_limit"]
c.JupyterHub.active_server_limit = _settings["active_server_limit"]
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 0}  # a start answers 202 at once

c.ConfigurableHTTPProxy.command = _settings["proxy_command"]
c.ConfigurableHTTPProxy.api_url = _settings["proxy_api_url"]
c.ConfigurableHTTPProxy.pid_file = str(_state / "proxy.pid")
_host = ""
if _settings["subdomains"]:
    c.JupyterHub.subdomain_host = _settings["url"]
    _host = "localhost"  # such a hub's routes begin with their host
c.Proxy.extra_routes = {
    f"{_host}{path}": _settings["forwarder_url"] for path in ("/_playground/", "/hub/api/")
}

c.PasswordAuthenticator.passwords = _settings["passwords"]
c.Authenticator.allowed_users = set(_settings["passwords"])
c.Authenticator.admin_users = set(_settings["admins"])

c.PausingSpawner.pause_seconds = _settings["pause_seconds"]
c.PausingSpawner.gpus = _settings["gpus"]
c.PausingSpawner.account = _settings["account"]
c.PausingSpawner.home_dir_template = _settings["homes"] + "/{username}"
c.PausingSpawner.term_timeout = 3
c.PausingSpawner.poll_interval = 5
c.Spawner.ip = "127.0.0.1"
c.Spawner.http_timeout = 120  # JupyterLab takes its time on a machine that has much else to do
c.Spawner.cmd = _settings["server_command"]
c.Spawner.args = _settings["server_arguments"]
c.Spawner.default_url = "/lab"
c.Spawner.env_keep = ["LANG", "LC_ALL", "LD_LIBRARY_PATH"]
c.Spawner.environment = _settings["server_environment"]

_scopes = ["self"]
if _settings["oauth"]:
    _scopes.append("access:services!service=usher")
    c.JupyterHub.services = [
        {
            "name": "usher",
            "oauth_client_id": _settings["oauth"]["client_id"],
            "api_token": _settings["oauth"]["client_secret"],
            "oauth_redirect_uri": _settings["oauth"]["redirect_uri"],
            "oauth_client_allowed_scopes": _settings["oauth"]["scopes"],
            "oauth_no_confirm": True,
        }
    ]
c.JupyterHub.load_roles = [{"name": "user", "scopes": _scopes}]

# A hub creates a named server when it is first started. Those in the seed have to exist before that, so they
# are added here. So are the seed's tokens, because their values weren't chosen by the hub. They belong to the
# OAuth client that the hub creates for its own page.
_session = orm.new_session_factory(_database)()
if _settings["tokens"]:
    _session.add(orm.OAuthClient(identifier="jupyterhub"))
for _name, _servers in _settings["named_servers"].items():
    _user = orm.User(name=_name)
    _session.add(_user)
    for _server in _servers:
        _session.add(orm.Spawner(user=_user, name=_server))
    if _name in _settings["tokens"]:
        _token = orm.APIToken(user=_user, client_id="jupyterhub", note="made at start")
        _token.scopes, _token.token = _settings["scopes"], _settings["tokens"][_name]
        _session.add(_token)
_session.commit()
_session.close()


def _clear_up() -> None:
    """Remove the directory if the launcher, which normally does so, was killed."""
    if os.getppid() != _settings["launcher"]:
        shutil.rmtree(_state.parent, ignore_errors=True)


atexit.register(_clear_up)
