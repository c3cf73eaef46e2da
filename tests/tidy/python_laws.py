"""Laws about Python modules: who may import whom, what a decider may touch, and what is documented."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.tidy.tree import PACKAGES, at, files, imports, is_inside, module_name, parsed

# Composition roots: they put services together, so they may import any of them.
COMPOSITION_ROOTS = ("services.cli", "services.supervisor")

# Packages that several services build on. They know no service, as the modules beside them.
SHARED_PACKAGES = ("rules",)

MAY_IMPORT_DUCKDB = ("projections",)
MAY_IMPORT_NATS = ("events.nats_", "events.timers", "services.broker", "services.supervisor")

# Files with these names decide, so they are pure, and so is everything of ours that they import.
_DECIDING_NAMES = frozenset({"state", "decider", "grouping", "schedule", "escalation", "delivery", "alert_decider"})
_IMPURE_MODULES = (
    *("time", "random", "secrets", "uuid", "os", "socket", "ssl", "subprocess", "threading", "asyncio", "pathlib"),
    *("faststream", "nats", "duckdb", "httpx", "litestar", "apprise", "logging"),
    *("events.nats_log", "events.nats_streams", "events.timers", "events.sealing"),
    *("events.ids.new_event_id", "events.ids.new_id"),
)
_CLOCKS = frozenset({"now", "utcnow", "today"})


def layers_import_downwards(root: Path) -> list[str]:
    """events <- projections <- services."""
    above = {"events": ("projections", "services"), "projections": ("services",)}
    return [
        f"{at(root, path, line)} imports {name}: {layer} may not know {forbidden}"
        for layer, higher in above.items()
        for path in files(root, ".py", under=(layer,))
        for line, name in imports(path, root)
        for forbidden in higher
        if is_inside(name, forbidden)
    ]


def source_does_not_import_tests(root: Path) -> list[str]:
    """Nothing that ships depends on tests or benchmarks."""
    return [
        f"{at(root, path, line)} imports {name}: only tests may"
        for path in files(root, ".py", under=PACKAGES)
        for line, name in imports(path, root)
        if is_inside(name, "tests") or is_inside(name, "benchmarks")
    ]


def services_know_only_each_others_commands(root: Path) -> list[str]:
    """A service imports a sibling's ``commands`` and nothing else of it; shared modules import no service."""
    packages = {path.parent.name for path in files(root, ".py", under=("services",)) if path.name == "__init__.py"}
    packages.discard("services")
    complaints = []
    for path in files(root, ".py", under=("services",)):
        own = module_name(root, path)
        if any(is_inside(own, composition) for composition in COMPOSITION_ROOTS):
            continue
        for line, name in imports(path, root):
            parts = name.split(".")
            if parts[0] != "services" or len(parts) < 2 or parts[1] not in packages:
                continue
            if parts[1] in SHARED_PACKAGES:
                continue
            if own.split(".")[1:2] != parts[1:2] and parts[2:3] != ["commands"]:
                complaints.append(f"{at(root, path, line)} imports {name}: use services.{parts[1]}.commands")
    return complaints


def only_projections_import_duckdb(root: Path) -> list[str]:
    """One package knows DuckDB."""
    return _only(root, "duckdb", MAY_IMPORT_DUCKDB)


def few_modules_import_nats(root: Path) -> list[str]:
    """The log, the timers, the bus and the supervisor know NATS; handlers are FastStream subscribers."""
    return _only(root, "nats", MAY_IMPORT_NATS)


def deciders_are_pure(root: Path) -> list[str]:
    """No clock, id, socket, randomness or await in what decides, nor in any module of ours that it imports."""
    return [complaint for path in _pure_modules(root) for complaint in _impurities(root, path)]


def public_names_are_documented(root: Path) -> list[str]:
    """Every module, public class, function and method in the three packages has a docstring."""
    complaints = []
    for path in files(root, ".py", under=PACKAGES):
        tree = parsed(path.read_text())
        if tree.body and not ast.get_docstring(tree):
            complaints.append(f"{at(root, path)} has no docstring")
        complaints += [f"{at(root, path, line)} {name} has no docstring" for line, name in _undocumented(tree.body)]
    return complaints


def _only(root: Path, library: str, allowed: tuple[str, ...]) -> list[str]:
    # A prefix that ends in an underscore allows a family of modules.
    return [
        f"{at(root, path, line)} imports {name}: only {', '.join(allowed)} may"
        for path in files(root, ".py", under=PACKAGES)
        for line, name in imports(path, root)
        if is_inside(name, library)
        and not any(
            module_name(root, path).startswith(prefix)
            if prefix.endswith("_")
            else is_inside(module_name(root, path), prefix)
            for prefix in allowed
        )
    ]


def _pure_modules(root: Path) -> list[Path]:
    modules = {module_name(root, path): path for path in files(root, ".py", under=("services",))}
    waiting = [
        name
        for name, path in modules.items()
        if path.stem in _DECIDING_NAMES
        or ("adapters" in path.parts and path.stem != "__init__")
        or set(path.parts) & set(SHARED_PACKAGES)
    ]
    pure: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in pure:
            continue
        pure.add(name)
        for _line, imported in imports(modules[name], root):
            # ``from a.b import c`` is a module a.b.c, or the module a.b with a name c in it.
            waiting += [found for found in (imported, imported.rpartition(".")[0]) if found in modules]
    return [modules[name] for name in sorted(pure)]


def _impurities(root: Path, path: Path) -> Iterator[str]:
    for line, name in imports(path, root):
        if any(is_inside(name, impure) for impure in _IMPURE_MODULES):
            yield f"{at(root, path, line)} imports {name}: a decision is pure, so give it what it needs"
    for node in ast.walk(parsed(path.read_text())):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            yield f"{at(root, path, node.lineno)} awaits: a decision is pure, so load first and decide after"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CLOCKS:
            yield f"{at(root, path, node.lineno)} reads a clock: the time comes with the command"


def _undocumented(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[int, str]]:
    for node in body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
            continue
        if not ast.get_docstring(node):
            yield node.lineno, prefix + node.name
        if isinstance(node, ast.ClassDef):
            yield from _undocumented(node.body, f"{prefix}{node.name}.")
