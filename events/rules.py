"""Facts about rules: what decides which alert opens, joins, is held back or is only recorded.

Stream ``rules.default``. The whole rule set is one document, so that the rules of any moment are the last one
published before it, and a decision of the past can be made again.
"""

from typing import ClassVar, Literal

from events.fact import Fact


class RulesPublished(Fact, frozen=True, tag="rules.published"):
    """From now on alerts are decided by this rule set."""

    headline: ClassVar[str] = "rules published: {note}"
    text: str
    """The rule set as written, in TOML."""
    text_sha256: str
    """SHA-256 of the text as UTF-8, in hexadecimal."""
    origin: Literal["settings", "person"] = "person"
    """Whether a person published it, or it came from the configuration file at a start."""
    note: str = ""
    """What changed and why."""


RulesFact = RulesPublished
