"""Fact: something that happened, said once and never changed.

A fact is a frozen struct with a permanent tag ``<category>.<name>``. The category is also the first word of the
streams that may hold it: ``incident.declared`` lives in streams such as ``incident.INC-42``. The class name may
change; the tag may not, because released bytes stay readable for ever.
"""

from typing import ClassVar

import msgspec


class Fact(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    """Base of every fact.

    A subclass gives a ``tag``, a docstring that says what the fact means, and a ``headline``: one line for people,
    rendered with the fact's fields and ``{actor}``. Timeline, postmortem, notification and page all use it, so none
    of them needs a switch over types.

    Field names are legal SQL column names (a test tries each) and carry their unit: ``delay_s``, not ``delay``.
    A field added after a release has a default.
    """

    headline: ClassVar[str]


def tag_of(kind: type[Fact]) -> str:
    """The permanent wire name of a fact class, such as ``incident.declared``."""
    return str(kind.__struct_config__.tag)


def category_of(kind: type[Fact]) -> str:
    """The category of a fact class: ``incident`` for ``incident.declared``."""
    return tag_of(kind).partition(".")[0]


def name_of(kind: type[Fact]) -> str:
    """The name of a fact class inside its category: ``declared`` for ``incident.declared``."""
    return tag_of(kind).partition(".")[2]
