"""Parsers for the deployment files."""

import re

from tests.project.repository import ROOT

DEPLOY = ROOT / "deploy"


def instructions() -> list[tuple[str, str]]:
    """Return the Containerfile's instructions in order, each with its arguments."""
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    lines = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines) if word]


def list_service_variables(service: str, ports: dict[str, int]) -> list[str]:
    """Return the variables that Kubernetes sets in each pod for a service with these named ports.

    https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
    """
    name = service.upper().replace("-", "_")
    named = [f"{name}_SERVICE_PORT_{port.upper().replace('-', '_')}" for port in ports]
    links = [
        f"{name}_PORT_{port}_TCP{end}" for port in ports.values() for end in ("", "_PROTO", "_PORT", "_ADDR")
    ]
    return [f"{name}_SERVICE_HOST", f"{name}_SERVICE_PORT", *named, f"{name}_PORT", *links]
