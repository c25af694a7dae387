"""Reduces GitHub's OpenAPI document to the operations this package calls, without text or examples.

The document is ``generated/api.github.com.json`` of npm's ``@octokit/openapi`` (MIT):

    python cut_github_api.py api.github.com.json github_api.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OPERATIONS = {
    "/versions": ["get"],
    "/user": ["get"],
    "/user/repos": ["get"],
    "/user/codespaces": ["get"],
    "/user/codespaces/{codespace_name}": ["get", "delete"],
    "/user/codespaces/{codespace_name}/start": ["post"],
    "/user/codespaces/{codespace_name}/stop": ["post"],
    "/repos/{owner}/{repo}/branches": ["get"],
    "/repos/{owner}/{repo}/codespaces": ["post"],
    "/repos/{owner}/{repo}/codespaces/machines": ["get"],
}
#: Keys that don't affect validation, unless they are names of properties.
TEXT_KEYS = {"description", "example", "examples", "externalDocs", "summary", "tags", "x-github", "x-octokit"}


def strip_texts(node: Any, *, names_properties: bool = False) -> Any:
    """Return part of the document without its text and examples."""
    if isinstance(node, list):
        return [strip_texts(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: strip_texts(value, names_properties=key == "properties" and not names_properties)
        for key, value in node.items()
        if names_properties or key not in TEXT_KEYS
    }


def find_references(node: Any) -> Iterator[str]:
    """Yield the references in part of the document."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from find_references(value)
    elif isinstance(node, list):
        for item in node:
            yield from find_references(item)


def cut_document(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document that contains only these operations and the components to which they refer."""
    info = document["info"]
    cut: dict[str, Any] = {
        "openapi": document["openapi"],
        "info": {
            "title": info["title"],
            "version": info["version"],
            "license": info["license"],
            "x-cut": "by cut_github_api.py, from @octokit/openapi: some operations, no texts, no examples",
        },
        "paths": {
            path: {method: strip_texts(document["paths"][path][method]) for method in methods}
            for path, methods in OPERATIONS.items()
        },
        "components": {},
    }
    pending = set(find_references(cut["paths"]))
    while pending:
        _, _, kind, name = pending.pop().split("/")
        components = cut["components"].setdefault(kind, {})
        if name not in components:
            components[name] = strip_texts(document["components"][kind][name])
            pending |= set(find_references(components[name]))
    return cut


if __name__ == "__main__":
    whole = json.loads(Path(sys.argv[1]).read_text())
    cut = json.dumps(cut_document(whole), sort_keys=True, separators=(",", ":"))
    Path(sys.argv[2]).write_text(cut + "\n")
