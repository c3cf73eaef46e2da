"""The same platform and mailbox that the end-to-end tests use."""

from tests.e2e.conftest import mailbox, platform

__all__ = ["mailbox", "platform"]
