"""What is handed through construction is one context, and who belongs to the installation is decided once."""

import ast

from tests.project.repository import named, nodes, python_files

#: A constructor that needs more takes the context, or is two classes.
MOST_PARAMETERS = 8
#: The one module that reads whether a whole enterprise has installed us.
DECIDES = "bot/domain/installations.py"


def constructors():
    """Return (where, parameters) of all constructors and of what puts the rooms together."""
    for path in python_files("bot", "handlers"):
        for node in nodes(path):
            if isinstance(node, ast.FunctionDef) and node.name.startswith(("__init__", "build_")):
                names = [one.arg for one in (*node.args.args, *node.args.kwonlyargs) if one.arg != "self"]
                yield f"{named(path)}:{node.lineno}", names


def test_no_constructor_takes_what_the_context_holds_one_by_one():
    found = {where: len(names) for where, names in constructors() if len(names) > MOST_PARAMETERS}
    assert not found


def test_one_function_decides_who_belongs_to_the_installation():
    asking = {
        named(path)
        for path in python_files("bot", "handlers")
        for node in nodes(path)
        if isinstance(node, ast.Attribute) and node.attr == "is_org_wide"
    }
    assert asking == {DECIDES}


def test_what_returns_an_answer_does_not_raise_one():
    found = [
        f"{named(path)}:{node.lineno}"
        for path in python_files("handlers")
        for function in nodes(path)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        if function.returns is not None and ast.unparse(function.returns) in {"Answer", "Answer | None"}
        for node in ast.walk(function)
        if isinstance(node, ast.Raise) and node.exc is not None and "Answered(" in ast.unparse(node.exc)
    ]
    assert found == []
