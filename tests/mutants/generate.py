"""Mutants, made from a module's syntax tree and from the conditions of the queries and of declared queues.

Comparisons are flipped, conditions left out, numbers moved by one, results and calls dropped. A mutant that
changes nothing that anybody can see has a row in ``equivalent.toml`` and isn't made.
"""

import ast
import copy
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.project.repository import ROOT

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
_QUERY = re.compile(r"^-- (?:name|part): (\w+)$", re.MULTILINE)
#: The keywords that tell whether an = assigns or compares.
_KEYWORD = re.compile(r"\b(SET|WHERE|WHEN|AND|OR|ON|HAVING|VALUES|SELECT|THEN|ELSE|END)\b")
#: The arguments of a declared queue or claim that hold its conditions.
_CONDITION_ARGUMENTS = ("where", "only")
#: Calls for operators' logs or for a type checker: no test reads what they say.
_UNTESTED_CALL = re.compile(r"(?:log|logger\(\))\.\w+$|(?:cast|assert_never)$")

Key = tuple[str, str]
#: A function's name, what is replaced, and its replacement.
Replacement = tuple[str, Any, str]


def has_queries(file: str) -> bool:
    """Return whether a file has statements of the store by name."""
    path = Path(file)
    folders = (Path("bot/store"), Path("bot/features"))
    return path.suffix == ".sql" and (path.parent == folders[0] or path.parent.parent == folders[1])


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of a file: its function or query, the old text and the new one, and where it is made."""

    file: str
    function: str
    old: str
    new: str
    #: In bytes of the file.
    begin: int
    end: int
    replacement: str
    is_guard: bool = False

    @property
    def name(self) -> str:
        """Return the mutant's name in reports."""
        return f"{self.file}::{self.function}: {self.change}"

    @property
    def change(self) -> str:
        """Return the old and the new text."""
        return f"{self.old} -> {self.new}"

    @property
    def key(self) -> Key:
        """Return the mutant's key in ``equivalent.toml``: it survives the move of its function."""
        return self.function, self.change

    @property
    def text(self) -> str:
        """Return the whole file with the change."""
        data = (ROOT / self.file).read_bytes()
        return (data[: self.begin] + self.replacement.encode() + data[self.end :]).decode()


@cache
def read_equivalents() -> dict[Key, str]:
    """Return the reasons of the mutants that change nothing that anybody can see."""
    rows = tomllib.loads((Path(__file__).parent / "equivalent.toml").read_text(encoding="utf-8"))["mutant"]
    return {(row["function"], row["change"]): row["reason"] for row in rows}


def make_mutants(file: str) -> list[Mutant]:
    """Return the mutants of a Python file or of the queries; none of other files, or of one that is gone."""
    return [mutant for mutant in make_all(file) if mutant.key not in read_equivalents()]


def make_all(file: str) -> list[Mutant]:
    """Return the mutants of a file, with those that are equal in effect."""
    if not (ROOT / file).is_file():
        return []
    text = (ROOT / file).read_text(encoding="utf-8")
    if file.endswith(".py"):
        made = _mutate_module(file, text)
    elif has_queries(file):
        made = _mutate_queries(file, text)
    else:
        return []
    return list({(mutant.begin, mutant.end, mutant.replacement): mutant for mutant in made}.values())


def _mutate_queries(file: str, text: str) -> Iterator[Mutant]:
    begins = list(_QUERY.finditer(text))
    for query, following in zip(begins, [*begins[1:], None], strict=True):
        start, end = query.end(), following.start() if following is not None else len(text)
        for pattern in (_CONDITION, _OPERATOR):
            for part in pattern.finditer(text, start, end):
                line_start = text.rfind("\n", 0, part.start()) + 1
                line = text[line_start : text.find("\n", part.end())]
                is_assigned = pattern is _OPERATOR and _is_assignment(text[start : part.start()])
                if line.startswith("--") or is_assigned:
                    continue
                new = "AND 1 = 1" if pattern is _CONDITION else _FLIPPED_SQL[part[0]]
                changed = line[: part.start() - line_start] + new + line[part.end() - line_start :]
                above = text[:line_start].splitlines()[-1]
                place = len(text[: part.start()].encode()), len(text[: part.end()].encode())
                is_guard = pattern is _CONDITION and above.startswith("-- guards: ")
                yield Mutant(file, query[1], line.strip(), changed.strip(), *place, new, is_guard)


def _is_assignment(before: str) -> bool:
    """Return whether an = after this text is that of a SET."""
    keywords = _KEYWORD.findall(before)
    return bool(keywords) and keywords[-1] in {"SET", "END", "THEN", "ELSE", "SELECT"}


def _mutate_module(file: str, text: str) -> Iterator[Mutant]:
    starts, data, module = _line_starts(text), text.encode(), ast.parse(text)
    functions = list(_functions(module, ""))
    guards = {name for name, function in functions if _is_guard(function)}
    changes = [(name, *change) for name, function in functions for change in _replacements(function)]
    for name, node, new in [*changes, *_double_constants(module)]:
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        old = data[begin:end].decode()
        is_guard = name in guards
        yield Mutant(file, name, " ".join(old.split()), " ".join(new.split()), begin, end, new, is_guard)
    for name, node in _declared_conditions(module):
        begin = starts[node.lineno - 1] + node.col_offset
        text = data[begin : starts[node.end_lineno - 1] + node.end_col_offset].decode()
        for first, last, new in _mutate_conditions(text):
            yield Mutant(file, name, text[first:last], new, begin + first, begin + last, new)


def _is_guard(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(ast.unparse(decorator).startswith("guards(") for decorator in function.decorator_list)


def _double_constants(module: ast.Module) -> Iterator[Replacement]:
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


def _declared_conditions(module: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Return the conditions of the queues and claims that a module declares, each with its name."""
    for statement in module.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                pass
            case _:
                continue
        for node in ast.walk(statement):
            match node:
                case ast.Call(func=ast.Name(id="Queue" | "Claim"), keywords=arguments):
                    yield from ((name, one.value) for one in arguments if one.arg in _CONDITION_ARGUMENTS)


def _mutate_conditions(text: str) -> Iterator[tuple[int, int, str]]:
    """Return the begin and the end of each condition in a declaration's text, and a replacement."""
    for literal in re.finditer(r"\"([^\"]*)\"", text):
        begin = literal.start(1)
        for part in literal[1].split(" AND "):
            end = begin + len(part)
            if part.strip():
                yield begin, end, "1 = 1"
                for operator in _OPERATOR.finditer(part):
                    flipped = _FLIPPED_SQL[operator[0]]
                    yield begin, end, part[: operator.start()] + flipped + part[operator.end() :]
            begin = end + len(" AND ")


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


def _replacements(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[Any, str]]:
    """Return the replacements of parts of a function's body."""
    for statement in function.body:
        for node in ast.walk(statement):
            if isinstance(node, ast.JoinedStr):
                continue
            yield from ((node, new) for new in _replace(node))


def _replace(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in _FLIPPED:
            other = copy.copy(node)
            other.ops = [_FLIPPED[type(operator)]()]
            yield f"({ast.unparse(other)})"
        case ast.BoolOp(op=operator, values=values):
            other = ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values)
            yield f"({ast.unparse(other)})"
            for left_out in values:
                rest = [value for value in values if value is not left_out]
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
            if not _UNTESTED_CALL.search(ast.unparse(called)):
                yield "pass"
