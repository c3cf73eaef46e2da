"""Views over views that compute once what many of them read.

The engine expands a view wherever it is named, so a view over a score of metrics would find the population of all of
them a score of times. Its header says ``once: metric_population``; then everything between the two is written out as
common table expressions of the same names, which shadow the views, and the shared one is materialized.
"""

from collections.abc import Iterable

import msgspec


class Definition(msgspec.Struct, frozen=True):
    """What sharing needs to know of a view."""

    sql: str
    uses: frozenset[str]


def share(asked: Definition, once: str, views: dict[str, Definition]) -> str:
    """The SELECT of a view, with one of the views beneath it computed once.

    Args:
        asked: the view.
        once: the name of the view to compute once.
        views: those that are not stored, by name, each after what it reads.

    Raises:
        ValueError: the view does not read ``once``.
    """
    # Everything on a path from the view down to the shared one, in the order of creation.
    above = {once}
    for name, view in views.items():
        if view.uses & above:
            above.add(name)
    reached = _beneath(asked.uses, views)
    if once not in reached:
        raise ValueError(f"it does not read {once}, which its header says is computed once")
    steps = [
        f"{name} as {'materialized ' if name == once else ''}(\n{view.sql}\n)"
        for name, view in views.items()
        if name in above & reached
    ]
    beneath = ",\n".join(steps)
    return f"with {beneath}\nselect * from (\n{asked.sql}\n)"


def _beneath(names: Iterable[str], views: dict[str, Definition]) -> set[str]:
    reached = set(names)
    for name in reversed(views):
        if name in reached:
            reached |= views[name].uses
    return reached
