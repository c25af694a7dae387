"""Imports between tests: helpers stand beside test files or in tests/rigs, never in a test file."""

import ast

from tests.project.repository import ROOT


def imported_test_modules(path):
    """Return the test modules that a file imports."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found += [node.module or "", *(f"{node.module}.{one.name}" for one in node.names)]
        elif isinstance(node, ast.Import):
            found += [one.name for one in node.names]
    return [module for module in found if module.startswith("tests.") and is_test_module(module)]


def is_test_module(module):
    path = ROOT / f"{module.replace('.', '/')}.py"
    return path.name.startswith("test_") and path.exists()


def test_no_file_imports_from_a_test_file():
    paths = (ROOT / "tests").rglob("*.py")
    found = {str(path.relative_to(ROOT)): imported_test_modules(path) for path in paths}
    assert {path: modules for path, modules in found.items() if modules} == {}


def test_every_way_of_importing_a_test_file_is_seen(tmp_path):
    path = tmp_path / "one.py"
    lines = (
        "from tests.project.test_docs import x",
        "from tests.project import test_docs",
        "import tests.project.test_docs",
    )
    for line in lines:
        path.write_text(f"{line}\n")
        assert imported_test_modules(path) == ["tests.project.test_docs"]
    path.write_text("from tests.rigs import store\nfrom tests.rigs.store import test_id\n")
    assert imported_test_modules(path) == []
