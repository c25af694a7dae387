"""JupyterHub: a person's servers, the default server and the named ones, are their workspaces."""

from bot.providers.jupyterhub.provider import JupyterHub
from bot.providers.jupyterhub.settings import JupyterHubSettings

__all__ = ["JupyterHub", "JupyterHubSettings"]
