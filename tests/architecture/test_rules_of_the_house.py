"""Rules of the house that a reader should not have to check by eye."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = [ROOT / name for name in ("services", "shared", "infra")]
SERVICES = ("members", "catalog", "suppliers", "orders")
FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "helper", "base", "misc", "core"}
MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 70


def python_files(*roots: Path) -> Iterator[Path]:
    for root in roots:
        yield from (path for path in sorted(root.rglob("*.py")) if "versions" not in path.parts)


def lines_of(*roots: Path) -> int:
    return sum(len(path.read_text().splitlines()) for path in python_files(*roots))


def modules_imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def test_files_stay_small():
    long = {
        str(p.relative_to(ROOT)): n for p in python_files(*CODE) if (n := len(p.read_text().splitlines())) > MOST_LINES
    }
    assert not long


def test_functions_stay_small():
    long = []
    for path in python_files(*CODE):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                size = (node.end_lineno or node.lineno) - node.lineno + 1
                if size > MOST_LINES_OF_A_FUNCTION:
                    long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name} {size}")
    assert not long


def test_no_module_has_a_name_that_says_nothing():
    assert not [p for p in python_files(*CODE) if p.stem in FORBIDDEN_NAMES or p.parent.name in FORBIDDEN_NAMES]


def test_only_the_edge_commits():
    allowed = {"shared/database.py", "shared/migrations.py"}
    found = {
        str(path.relative_to(ROOT))
        for path in python_files(ROOT / "services", ROOT / "shared")
        if re.search(r"\.(commit|rollback)\(", path.read_text())
    }
    assert found <= allowed


def test_no_floats_near_goods_and_money():
    found = []
    for path in python_files(ROOT / "services"):
        found += [
            f"{path.relative_to(ROOT)}:{node.lineno}"
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
        ]
    assert not found


def test_only_edges_ask_the_clock():
    edges = {"routes", "jobs", "worker", "app", "reactions"}
    asking = re.compile(r"\b(clock\.now|datetime\.now|datetime\.utcnow|date\.today|time\.time)\(")
    found = [
        str(path.relative_to(ROOT))
        for path in python_files(ROOT / "services")
        if path.stem not in edges and asking.search(path.read_text())
    ]
    assert not found


def test_every_shared_module_serves_at_least_two_services():
    users: dict[str, set[str]] = {}
    for service in SERVICES:
        for path in python_files(ROOT / "services" / service):
            for name in modules_imported(path):
                users.setdefault(name, set()).add(service)
    carried = {name for path in python_files(ROOT / "shared") for name in modules_imported(path)}
    lonely = []
    for path in python_files(ROOT / "shared"):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        if path.stem == "__init__" or module.startswith(("shared.clients.", "shared.contracts.")):
            continue
        if len(users.get(module, set())) < 2 and module not in carried:
            lonely.append(module)
    assert not lonely


def test_shared_does_not_fill_up():
    """design.md: under a tenth of the services' lines once they are all there; a quarter while they are young."""
    assert lines_of(ROOT / "shared") < lines_of(ROOT / "services") / 4


@pytest.mark.parametrize("word", [r"pypi\.org", r"pythonhosted", r"npmjs", r"deb\.debian"])
def test_no_file_names_a_package_registry(word):
    found = subprocess.run(["git", "grep", "-lE", word], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.stdout.replace("tests/architecture/test_rules_of_the_house.py\n", "") == ""
