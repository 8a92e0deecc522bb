"""The house rules that a program can check: sizes, names, annotations, test files."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("ganlab", "scripts", "tests")
FILES = [
    path.relative_to(ROOT)
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*.py")
]
MODULES = [path for path in FILES if path.parts[0] == "ganlab"]
MAX_LINES = 400
TOP_LEVEL = {"errors.py", "files.py", "pictures.py", "sampling.py", "text.py"}
PRONOUNS = {"found", "each", "shown", "ours", "theirs"}
WITHOUT_TESTS = {"__init__.py", "__main__.py"}


def tree_of(path):
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def bound_names(tree):
    """Names that are assigned, looped over, or taken as arguments, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno


def public_functions(tree):
    """Functions and methods without an underscore, but for those within functions."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node)
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_file_is_long(folder):
    lengths = {
        str(path): len((ROOT / path).read_text(encoding="utf-8").splitlines())
        for path in FILES
        if path.parts[0] == folder
    }
    assert {path: count for path, count in lengths.items() if count > MAX_LINES} == {}


def test_few_modules_stand_at_the_top():
    top = {path.name for path in MODULES if len(path.parts) == 2}
    assert top - WITHOUT_TESTS == TOP_LEVEL


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_variable_is_a_pronoun(folder):
    pronouns = [
        f"{path}:{line} {name}"
        for path in FILES
        if path.parts[0] == folder
        for name, line in bound_names(tree_of(path))
        if name in PRONOUNS
    ]
    assert pronouns == []


def test_public_functions_are_annotated():
    bare = []
    for path in MODULES:
        for function in public_functions(tree_of(path)):
            arguments = function.args
            every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
            every += [a for a in (arguments.vararg, arguments.kwarg) if a is not None]
            bare += [
                f"{path}:{function.lineno} {function.name}({argument.arg})"
                for argument in every
                if argument.annotation is None and argument.arg not in ("self", "cls")
            ]
            if function.returns is None:
                bare.append(f"{path}:{function.lineno} {function.name} -> ?")
    assert bare == []


def test_every_module_has_its_test_file():
    missing = []
    for path in MODULES:
        test = Path("tests", *path.parts[1:-1], f"test_{path.name}")
        if path.name not in WITHOUT_TESTS and not (ROOT / test).is_file():
            missing.append(str(test))
    assert missing == []


def test_tests_reach_into_no_private_name():
    private = [
        f"{path}:{node.lineno} {ast.unparse(node)}"
        for path in FILES
        if path.parts[0] == "tests"
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"))
    ]
    assert private == []


def test_decisions_are_numbered_once():
    numbers = [path.name[:4] for path in (ROOT / "docs" / "decisions").glob("0*.md")]
    assert sorted(numbers) == [f"{number:04}" for number in range(1, len(numbers) + 1)]
