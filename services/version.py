"""The installed version of Recount."""

from importlib.metadata import PackageNotFoundError, version

PACKAGE = "recount"


def recount_version() -> str:
    """The version, or a text that says that this is not an installation."""
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        return "0+source"
