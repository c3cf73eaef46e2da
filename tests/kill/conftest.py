"""The same platform and mailbox that the end-to-end tests use."""

from tests.e2e.conftest import deployment, mailbox

__all__ = ["deployment", "mailbox"]
