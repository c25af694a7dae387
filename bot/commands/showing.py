"""The command that shows Usher: it becomes the demonstration, a program of its own."""

import argparse
import json
import os
import shlex
import sys
from importlib.metadata import distribution
from importlib.util import find_spec
from typing import Final, NoReturn

from bot.support.environment import without_variables
from bot.support.errors import NotDone
from bot.support.settings import PREFIXES

#: What the demonstration imports besides; none of it needs npm or a compiler.
_NEEDED: Final = ("playground", "jupyterhub", "configurable_http_proxy", "jupyterlab")


def demo(arguments: argparse.Namespace) -> NoReturn:
    """Run the demonstration in place of this process, without settings of a real Usher."""
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        raise NotDone(
            f"The demonstration needs more than Usher itself ({', '.join(missing)}). Install its extra:\n"
            f"{shlex.join([sys.executable, '-m', 'pip', 'install', _with_extra()])}"
        )
    words = ["demo-once" if arguments.once else "demo", *(["--light"] if arguments.light else [])]
    words += [] if arguments.port is None else ["--port", str(arguments.port)]
    program = [sys.executable, "-P", "-m", "playground", *words]
    with without_variables(PREFIXES):
        os.execv(sys.executable, program)  # noqa: S606 - fixed words


def _with_extra() -> str:
    """Return what pip installs the demonstration from: the wheel or folder that Usher was installed from.

    pip writes that down (PEP 610); without it, Usher came from an index, which has the rest, too.
    """
    origin = json.loads(distribution("usher-bot").read_text("direct_url.json") or "{}")
    kind = f"{origin['vcs_info']['vcs']}+" if "vcs_info" in origin else ""
    return f"usher-bot[demo] @ {kind}{origin['url']}" if origin else "usher-bot[demo]"
