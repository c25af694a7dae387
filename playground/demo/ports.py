"""The ports of the demonstration: the same at every start, unless another program uses one of them."""

from __future__ import annotations

from collections.abc import Callable

from playground.processes import PortInUseError, StageError, free_port

#: The local Slack's port; the others follow in these steps, which is also how far the next free one may be.
FIRST = 8400
STEP = 10
#: The servers with a port that people or Slack see, by their names as processes.
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
    """Return a free port for each server; a port that is in use is named. Raises StageError."""
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
