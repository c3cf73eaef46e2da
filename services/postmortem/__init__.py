"""Postmortems: the story of an incident as Markdown, by replay.

Hears  nothing: a document is rendered when somebody asks, over the views at one log position.
Says   nothing: that one was published is said by the incidents service, on the command ``publish_review``.
Keeps  nothing: the same position gives the same bytes, so there is nothing to keep.
"""

from services.postmortem.render import render

__all__ = ["render"]
