"""Facts about people. Stream ``person.<person_id>``; everything that could name somebody is sealed.

``sealed`` is AES-256-GCM under a key of that person (`events.sealing`). The key lies beside the log, never in it, so
destroying the key erases the person while every position and every proof stays valid.
"""

from typing import ClassVar

import msgspec

from events.fact import Fact


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """One way to reach a person: ``smtp``, ``console`` or an Apprise URL."""

    channel: str
    address: str = ""


class PersonDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What is sealed inside a person fact; never written in clear."""

    handle: str
    """What the person is called on the command line, such as ``ada``."""
    name: str
    contacts: tuple[Contact, ...] = ()
    zone: str = "UTC"


class PersonAdded(Fact, frozen=True, tag="person.added"):
    """Somebody who can be paged, hold a role, or act."""

    headline: ClassVar[str] = "person added"
    sealed: str


class PersonChanged(Fact, frozen=True, tag="person.changed"):
    """New details; the newest are valid."""

    headline: ClassVar[str] = "person's details changed"
    sealed: str


class PersonErased(Fact, frozen=True, tag="person.erased"):
    """The person's key was destroyed. What they did stays, under their opaque id."""

    headline: ClassVar[str] = "person erased: {reason}"
    reason: str


class DirectoryChanged(Fact, frozen=True, tag="directory.changed"):
    """Somebody was added, changed or erased: the guard that lets one handle have one owner.

    Stream ``directory.people``. Handles are sealed, so no subject can carry one; every change of a person appends here
    too, with a version check, and two writers cannot both give the same handle away.
    """

    headline: ClassVar[str] = "directory changed: {person_id}"
    person_id: str


PersonFact = PersonAdded | PersonChanged | PersonErased
DirectoryFact = DirectoryChanged
