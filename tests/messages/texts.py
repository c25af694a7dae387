"""All texts of the catalogue, with example values."""

import ast
import inspect
import pkgutil
import re
from collections.abc import Mapping
from pathlib import Path

from bot.messages import texts
from tests.rigs.verbs import VERBS

ROOT = Path(__file__).resolve().parents[2]
#: Example arguments for functions that return texts.
EXAMPLES = {
    "command": "/workspace",
    "connection": "saturn",
    "is_removed": False,
    "known": "hub, saturn",
    "lasts": "8 hours",
    "minutes": 5,
    "name": "moon",
    "person": "Alice Liddell",
    "reference": "7F3A-9C2K",
    "title": "Saturn Cloud",
    "attempts_left": 2,
    "username": "alice",
    "word": "unknown state 'x'",
    "workspace": "Acme Research",
}


#: The modules of the catalogue by name.
MODULES = [
    *(f"{texts.__name__}.{one.name}" for one in pkgutil.iter_modules(texts.__path__)),
]


def every_text(module):
    """Yield every text in a module, including parts of questions and the results of functions."""
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", module.__name__) != module.__name__:
            continue
        if inspect.isfunction(value):
            asked = inspect.signature(value).parameters
            if set(asked) <= set(EXAMPLES):
                yield name, value(**{one: EXAMPLES[one] for one in asked})
        elif isinstance(value, Mapping):
            for key, text in value.items():
                yield from _parts(f"{name}.{key}", text)
        else:
            yield from _parts(name, value)


def declared_texts():
    """Yield every text in the declarations of verbs and actions."""
    for command, verbs in VERBS.items():
        for name, verb in verbs.items():
            offers = ((field, getattr(verb, field)) for field in ("offer", "bulk", "bulk_at"))
            yield from (
                (f"{command}.{name}.{field}.{part}", "".join(getattr(offer, part)))
                for field, offer in offers
                for part in ("text", "button", "done")
            )
            words = ("alone", "does", "button_at")
            yield from ((f"{command}.{name}.{field}", getattr(verb, field)) for field in words)
            yield f"{command}.{name}.help", " ".join([verb.summary, *verb.more])


def texts_in_place():
    """Yield every text that is written where it is used, in code that renders or answers."""
    for place in ("bot/messages/blocks", "handlers"):
        for path in sorted((ROOT / place).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            aside = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            aside |= {
                id(part) for node in ast.walk(tree) if isinstance(node, ast.Raise) for part in ast.walk(node)
            }
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and id(node) not in aside and _is_text(node.value):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node.value


def texts_of_pages():
    """Yield every text that is written in a page's template: between its tags, and in quotes."""
    for path in sorted((ROOT / "bot/web/templates").glob("*.html")):
        html = re.sub(r"\{%.*?%\}", "<>", path.read_text(encoding="utf-8"))
        quoted = re.findall(r"\"([A-Z][^\"]* [^\"]*)\"", html)
        for text in [*quoted, *re.split(r"<[^>]*>", html)]:
            if said := re.sub(r"\{\{.*?\}\}", "…", text).strip():
                yield path.name, said


def _is_text(value):
    return isinstance(value, str) and re.match(r"[A-Z*{]\S* \S", value) is not None


def _parts(name, value):
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, tuple) and all(isinstance(part, str) for part in value):
        yield from ((f"{name}[{number}]", part) for number, part in enumerate(value))
