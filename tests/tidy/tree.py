"""The files of a source tree, and how a law complains about one."""

import ast
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

Law = Callable[[Path], list[str]]
"""Takes the root of a source tree and returns one complaint for each violation."""

PACKAGES = ("events", "projections", "services")

# What tools and running platforms leave behind is not source.
_NOT_SOURCE = frozenset({"__pycache__", "node_modules", "data", "build", "dist"})


def files(root: Path, *suffixes: str, under: tuple[str, ...] = ()) -> Iterator[Path]:
    """The source files of a tree with one of these suffixes, in a fixed order; under some folders, or everywhere."""
    found: list[Path] = []
    for folder, inner, names in os.walk(root):
        # What is pruned is not walked: an environment holds more files than the source.
        inner[:] = [name for name in inner if not _is_no_source(name)]
        found += [Path(folder, name) for name in names]
    for path in sorted(found):
        if under and path.relative_to(root).parts[0] not in under:
            continue
        if path.is_file() and (not suffixes or path.suffix in suffixes):
            yield path


def _is_no_source(folder: str) -> bool:
    return folder in _NOT_SOURCE or folder.startswith(".") or folder.endswith(".egg-info")


@cache
def parsed(text: str) -> ast.Module:
    """A module's syntax tree; every law reads the same ones."""
    return ast.parse(text)


def module_name(root: Path, path: Path) -> str:
    """``services.intake.http`` for ``services/intake/http.py``; a package is named without ``__init__``."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, root: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of everything that a module imports, wherever in the module it does.

    ``from a import b`` gives ``a.b``, since whether ``b`` is a module is not visible here.
    """
    package = module_name(root, path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(parsed(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            # One dot is the module's own package, each further dot one above it.
            above = package[: len(package) - (node.level - 1)] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, f"{base}.{alias.name}"


def is_inside(name: str, package: str) -> bool:
    """Whether a dotted name is a package or something in it."""
    return name == package or name.startswith(f"{package}.")


def at(root: Path, path: Path, line: int = 0) -> str:
    """How a complaint names a place: ``services/intake/http.py:12``."""
    where = str(path.relative_to(root))
    return f"{where}:{line}" if line else where
