"""The ``demo`` command. It replaces its own process with the demo, which is a separate program."""

import argparse
import json
import os
import shlex
import sys
from importlib.metadata import distribution
from importlib.util import find_spec
from typing import Final, NoReturn

from bot.support.environment import hide_variables
from bot.support.errors import NotDone
from bot.support.settings import PREFIXES

#: Additional packages that the demo imports. None of them needs npm or a compiler.
_REQUIRED_PACKAGES: Final = ("playground", "jupyterhub", "configurable_http_proxy", "jupyterlab")
#: The app's credentials in the simulated Slack that runs on this machine. They never change, and are useless
#: anywhere else.
_LOCAL: Final = {
    "SLACK_BOT_TOKEN": "xoxb-local",
    "SLACK_APP_TOKEN": "xapp-local",
    "SLACK_SIGNING_SECRET": "local",
}
_SLACK_PORT: Final = 8090


def demo(arguments: argparse.Namespace) -> NoReturn:
    """Replace this process with the demo, without the environment variables of a real Usher installation."""
    if arguments.slack_only:
        _become_slack(arguments)
    if missing := [name for name in _REQUIRED_PACKAGES if find_spec(name) is None]:
        raise NotDone(
            f"The demonstration needs more than Usher itself ({', '.join(missing)}). Install its extra:\n"
            f"{shlex.join([sys.executable, '-m', 'pip', 'install', _find_extra()])}"
        )
    words = ["demo-once" if arguments.once else "demo", *(["--light"] if arguments.light else [])]
    words += [] if arguments.port is None else ["--port", str(arguments.port)]
    program = [sys.executable, "-P", "-m", "playground", *words]
    with hide_variables(PREFIXES):
        os.execv(sys.executable, program)  # noqa: S606 - fixed words


def _become_slack(arguments: argparse.Namespace) -> NoReturn:
    """Run only the local Slack, which works with any app. Nothing else needs to be installed."""
    port = str(_SLACK_PORT if arguments.port is None else arguments.port)
    words = ["slack", "--port", port]
    for name in ("manifest", "request_url"):
        if value := getattr(arguments, name):
            words += [f"--{name.replace('_', '-')}", value]
    print(f"Open http://127.0.0.1:{port}. An app reaches this Slack with")
    print(f"export SLACK_API_URL=http://127.0.0.1:{port}/api/")
    print("export", *(f"{name}={value}" for name, value in _LOCAL.items()))
    print("and Usher with USHER_SLACK_API_URL in place of SLACK_API_URL.", flush=True)
    with hide_variables(PREFIXES, **_LOCAL):
        os.execv(sys.executable, [sys.executable, "-P", "-m", "playground", *words])  # noqa: S606


def _find_extra() -> str:
    """Return the requirement from which pip installs the demo: Usher's own wheel or folder.

    pip records the source from which Usher was installed (PEP 610). If there is no record, Usher came from an
    index, which also has the other packages.
    """
    origin = json.loads(distribution("usher-bot").read_text("direct_url.json") or "{}")
    kind = f"{origin['vcs_info']['vcs']}+" if "vcs_info" in origin else ""
    return f"usher-bot[demo] @ {kind}{origin['url']}" if origin else "usher-bot[demo]"
