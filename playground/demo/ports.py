"""The demo's ports. They are the same at each start, unless another program uses one of them."""

from __future__ import annotations

from collections.abc import Callable

from playground.processes import PortInUseError, StageError, free_port

#: The local Slack's usual port, and the step from each server's usual port to the next server's. If a port is
#: in use, the ports up to the next step are tried.
FIRST = 8400
STEP = 10
#: Maps the name of each process to the title of its server. Only servers with fixed ports are listed.
SERVERS = {
    "slack": "the local Slack",
    "usher": "Usher",
    "saturn": "Saturn Cloud",
    "jupyterhub": "JupyterHub",
    "posit": "Workbench",
    "sphere": "Sphere Engine",
}
_HIGHEST = 65535 - STEP * len(SERVERS) + 1


def choose(
    first: int, tell: Callable[[str], None], probe: Callable[[int], object] = free_port
) -> dict[str, int]:
    """Return a free port for each server, reporting usual ports that are in use. Raises StageError."""
    if not 1 <= first <= _HIGHEST:
        raise StageError(f"--port {first} leaves no room for {len(SERVERS)} servers: it's at most {_HIGHEST}")
    return {
        name: _free(first + STEP * place, title, tell, probe)
        for place, (name, title) in enumerate(SERVERS.items())
    }


def _free(usual: int, title: str, tell: Callable[[str], None], probe: Callable[[int], object]) -> int:
    for port in range(usual, usual + STEP):
        try:
            probe(port)
        except PortInUseError:
            continue
        if port != usual:
            tell(f"Port {usual} is in use by another program; using {port} for {title}.")
        return port
    raise StageError(f"ports {usual} to {usual + STEP - 1} are all in use: choose others with --port")
