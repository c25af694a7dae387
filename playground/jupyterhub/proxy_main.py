"""Run the Python proxy bound to the hub's life: the hub's command for its proxy."""

from __future__ import annotations

import os

from configurable_http_proxy.cli import main  # type: ignore[import-untyped] # it brings no types

from playground.jupyterhub.bound import binder

if __name__ == "__main__":
    binder(os.getppid())()
    main()
