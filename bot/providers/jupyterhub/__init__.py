"""JupyterHub: a person's servers, the default one and the named ones, are their workspaces."""

from __future__ import annotations

from bot.providers.jupyterhub.provider import JupyterHub, JupyterHubSettings

__all__ = ["JupyterHub", "JupyterHubSettings"]
