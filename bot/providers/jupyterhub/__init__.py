"""JupyterHub: a user's workspaces are the user's servers, both the default server and the named ones."""

from bot.providers.jupyterhub.provider import JupyterHub
from bot.providers.jupyterhub.settings import JupyterHubSettings

__all__ = ["JupyterHub", "JupyterHubSettings"]
