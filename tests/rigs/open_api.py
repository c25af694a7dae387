"""A published OpenAPI document, and checks of requests and responses against it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from bot.support.http import Http
from bot.support.responses import Response


@cache
def _validator() -> Any:
    """Create the validator when it is first used. Importing it takes too long to do so in every test run."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    def one_of(validator: Any, kinds: Any, value: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
        """Select the schema that OpenAPI's discriminator names, since several may match the fields."""
        told = schema.get("discriminator", {})
        kind = value.get(told.get("propertyName")) if isinstance(value, dict) else None
        if kind in told.get("mapping", {}):
            yield from validator.descend(value, {"$ref": told["mapping"][kind]})
        else:
            yield from Draft202012Validator.VALIDATORS["oneOf"](validator, kinds, value, schema)

    return extend(Draft202012Validator, {"oneOf": one_of})


@dataclass
class Document:
    """An OpenAPI document, the operations that were used, and the differences found."""

    content: Mapping[str, Any]
    problems: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, path: Path) -> "Document":
        return cls(yaml.load(path.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader)))

    def operation(self, method: str, path: str) -> tuple[str, Mapping[str, Any]] | None:
        """Return an operation's name and definition. A path without variables is preferred."""
        for template, item in sorted(self.content["paths"].items(), key=lambda one: one[0].count("{")):
            if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path) and method.lower() in item:
                shared = item.get("parameters", [])
                found = item[method.lower()]
                return f"{method} {template}", {
                    **found,
                    "parameters": [*shared, *found.get("parameters", [])],
                }
        return None

    def hold(
        self, method: str, path: str, query: Mapping[str, Any], body: Any, status: int, answer: Any
    ) -> None:
        """Record everything in a request and its response that differs from the document."""
        found = self.operation(method, path)
        if found is None:
            self.problems.append(f"{method} {path}: there is no such operation")
            return
        name, operation = found
        self.used.add(name)
        wrong = [*self._of_request(operation, query, body), *self._of_answer(operation, status, answer)]
        self.problems += [f"{name}: {one}" for one in wrong]

    def _of_request(self, operation: Mapping[str, Any], query: Mapping[str, Any], body: Any) -> Iterator[str]:
        known = [self._whole(one) for one in operation["parameters"]]
        of_query = {one["name"]: one for one in known if one["in"] == "query"}
        yield from (f"query {key} isn't documented" for key in query if key not in of_query)
        yield from (
            f"query {key} is required"
            for key, one in of_query.items()
            if one.get("required") and key not in query
        )
        if body is not None and (schema := _json(self._whole(operation.get("requestBody", {})))) is not None:
            yield from self._wrong("body", schema, body)
            properties = self._whole(schema).get("properties", {})
            unknown = set(body) - set(properties) if isinstance(body, dict) and properties else ()
            yield from (f"body {key} isn't documented" for key in sorted(unknown))
        elif body is not None:
            yield "no body is documented"

    def _of_answer(self, operation: Mapping[str, Any], status: int, answer: Any) -> Iterator[str]:
        # In YAML, an unquoted status is a number.
        documented = operation["responses"].get(str(status), operation["responses"].get(status))
        if documented is None:
            if status < 400:
                yield f"status {status} isn't documented"
        elif (schema := _json(self._whole(documented))) is not None and answer is not None:
            yield from self._wrong(f"answer {status}", schema, answer)

    def _wrong(self, what: str, schema: Mapping[str, Any], value: Any) -> Iterator[str]:
        whole = {**schema, "components": self.content.get("components", {})}
        for error in _validator()(whole).iter_errors(value):
            yield f"{what} {error.json_path}: {error.message[:200]}"

    def _whole(self, part: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in part:
            found: Any = self.content
            for key in part["$ref"].removeprefix("#/").split("/"):
                found = found[key]
            part = found
        return part


def _json(part: Mapping[str, Any]) -> Mapping[str, Any] | None:
    schema: Mapping[str, Any] | None = part.get("content", {}).get("application/json", {}).get("schema")
    return schema


def checking(document: Document, root: str) -> type[Http]:
    """Return a client class that checks requests below a path, and their responses, against a document."""

    class Checked(Http):
        async def request(self, method: str, url: str, **options: Any) -> Response:
            response = await super().request(method, url, **options)
            path = urlsplit(url).path
            if path.startswith(root):
                answer = response.json(unredacted=True) if response.body.strip() else None
                sent = (options.get("query") or {}, options.get("json_body"))
                document.hold(method, path.removeprefix(root), *sent, response.status, answer)
            return response

    return Checked
