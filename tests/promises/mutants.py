"""Mutants: small wrong changes that nobody thought of, made of every function and query of a file.

Comparisons are flipped, conditions dropped, numbers moved by one, results and calls left out. A mutant that
stays unnoticed is either a missing test, or changes nothing: then it stands, with the reason, in
``survivors.toml``.
"""

import ast
import copy
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.project.repository import ROOT
from tests.promises.patches import FOLDER

_SURVIVORS = FOLDER / "survivors.toml"
_FLIPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_FLIPPED_SQL = {"<=": "<", ">=": ">", "<": "<=", ">": ">=", "=": "<>", "<>": "="}
_OPERATOR = re.compile(r"(?<= )(?:<=|>=|<>|<|>|=)(?= )")
_CONDITION = re.compile(r"\bAND ((?:[\w.]+) (?:(?:<=|>=|<>|<|>|=) [\w.:']+|IS (?:NOT )?NULL))")
_QUERY = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
#: What only says something: to operators, to whoever reads the code, to a type checker.
_SAYS = re.compile(r"(?:log|logger\(\))\.\w+$|(?:cast|assert_never)$")


@dataclass(frozen=True, slots=True)
class Mutant:
    """Hold one change: where it is made, what stood there, and what stands there instead."""

    file: str
    where: str
    old: str
    new: str
    patched: str

    @property
    def name(self) -> str:
        """Return what it is called in reports."""
        return f"{self.file}::{self.where}: {self.old} -> {self.new}"


@cache
def accepted() -> dict[tuple[str, str, str, str], str]:
    """Return the mutants that change nothing that anybody can notice, with the reasons."""
    if not _SURVIVORS.exists():
        return {}
    rows = tomllib.loads(_SURVIVORS.read_text(encoding="utf-8")).get("survivor", [])
    return {(one["file"], one["where"], one["old"], one["new"]): one["because"] for one in rows}


def mutants(file: str) -> list[Mutant]:
    """Return the mutants of a file that aren't accepted.

    There are none of a file that has gone, nor of one that is neither Python nor the queries.
    """
    if not (ROOT / file).exists():
        return []
    text = (ROOT / file).read_text(encoding="utf-8")
    if file.endswith(".py"):
        found = _of_module(file, text)
    elif file == "bot/store/queries.sql":
        found = _of_queries(file, text)
    else:
        return []
    known = accepted()
    once = {one.patched: one for one in found if (one.file, one.where, one.old, one.new) not in known}
    return list(once.values())


def _of_queries(file: str, text: str) -> Iterator[Mutant]:
    begins = list(_QUERY.finditer(text))
    for found, following in zip(begins, [*begins[1:], None], strict=True):
        start, end = found.end(), following.start() if following is not None else len(text)
        for pattern in (_CONDITION, _OPERATOR):
            for part in pattern.finditer(text, start, end):
                line = text[text.rfind("\n", 0, part.start()) + 1 : text.find("\n", part.end())]
                if line.startswith("--") or (
                    pattern is _OPERATOR and _is_assignment(text[start : part.start()])
                ):
                    continue
                new = "AND 1 = 1" if pattern is _CONDITION else _FLIPPED_SQL[part[0]]
                patched = text[: part.start()] + new + text[part.end() :]
                changed = patched[text.rfind("\n", 0, part.start()) + 1 :].split("\n", 1)[0]
                yield Mutant(file, found[1], line.strip(), changed.strip(), patched)


def _is_assignment(before: str) -> bool:
    """Return whether what follows is the = of a SET, not of a condition."""
    last = re.findall(r"\b(SET|WHERE|WHEN|AND|OR|ON|HAVING|VALUES|SELECT|THEN|ELSE|END)\b", before)
    return bool(last) and last[-1] in {"SET", "END", "THEN", "ELSE", "SELECT"}


def _of_module(file: str, text: str) -> Iterator[Mutant]:
    starts, data, module = _line_starts(text), text.encode(), ast.parse(text)
    changes = [(name, *change) for name, function in _functions(module, "") for change in _changed(function)]
    for where, node, new in [*changes, *_of_constants(module)]:
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        old = data[begin:end].decode()
        patched = (data[:begin] + new.encode() + data[end:]).decode()
        yield Mutant(file, where, " ".join(old.split()), " ".join(new.split()), patched)


def _of_constants(module: ast.Module) -> Iterator[tuple[str, ast.expr, str]]:
    """Return twice the number for each number that has a name: tests may know it by that name alone."""
    for statement in module.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=value):
                pass
            case _:
                continue
        match value:
            case ast.Constant(value=bool()):
                pass
            case ast.Constant(value=int() | float() as number):
                yield name, value, repr(number * 2 or 1)


def _line_starts(text: str) -> list[int]:
    starts = [0]
    for line in text.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return starts


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Return the outermost functions and methods, by name."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield prefix + child.name, child
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")


def _changed(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[Any, str]]:
    """Return what to write in place of parts of a function's body."""
    for statement in function.body:
        for node in ast.walk(statement):
            if isinstance(node, ast.JoinedStr):
                continue
            yield from ((node, new) for new in _instead(node))


def _instead(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in _FLIPPED:
            other = copy.copy(node)
            other.ops = [_FLIPPED[type(operator)]()]
            yield f"({ast.unparse(other)})"
        case ast.BoolOp(op=operator, values=values):
            other = ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values)
            yield f"({ast.unparse(other)})"
            for left_out in values:
                rest = [one for one in values if one is not left_out]
                yield f"({ast.unparse(rest[0] if len(rest) == 1 else ast.BoolOp(operator, rest))})"
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield f"({ast.unparse(operand)})"
        case ast.Constant(value=bool() as value):
            yield repr(not value)
        case ast.Constant(value=int() | float() as value):
            yield repr(value + 1)
        case ast.Return(value=value) if value is not None and not isinstance(value, ast.Constant):
            yield "return None"
        case ast.Expr(value=ast.Await(value=ast.Call(func=called)) | ast.Call(func=called)):
            if not _SAYS.search(ast.unparse(called)):
                yield "pass"
