"""The base address of each provider, and an `Access` to it, for calls without a rig."""

from pydantic import SecretStr

from bot.providers.base import Access, Credential

BASES = {
    "saturn": "https://app.acme.io",
    "jupyterhub": "https://hub.acme.io",
    "posit": "https://wb.acme.io/rstudio",
    "sphere": "https://se.acme.io",
}


ACCESS = Access("alice", Credential(SecretStr("t" * 32)))
