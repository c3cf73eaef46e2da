"""Settings of a session: what a client may set, and which of it means something here.

As PostgreSQL has it, what is set in a transaction is undone when that is rolled back, and ``set local`` when it ends.
"""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from services.pgwire.refusals import Refused

SERVER_VERSION, SERVER_VERSION_NUMBER = "16.0", "160000"
"""The version whose catalog and protocol we follow; tools choose their questions by it."""

AS_OF, KNOWN_BY, HAPPENED_BY = "recount.as_of", "recount.known_by", "recount.happened_by"
STATEMENT_TIMEOUT = "statement_timeout"


class Variable(msgspec.Struct, frozen=True):
    """A setting."""

    name: str
    """As it is written; it is found in any case."""
    value: str
    """When nobody set it."""
    meaning: str
    is_told: bool = False
    """Whether a client is told of it, at the beginning and when it changes."""
    check: Callable[[str], str] | None = None
    """Takes what somebody wants and gives what it becomes; raises ValueError with what is expected."""
    is_fixed: bool = False


def _utf8(value: str) -> str:
    if value.strip("'").lower().replace("-", "").replace("_", "") not in ("utf8", "unicode", "sqlascii"):
        raise ValueError("every text is UTF8")
    return "UTF8"


def _iso(value: str) -> str:
    if not value.lower().replace('"', "").lstrip().startswith("iso"):
        raise ValueError("every date is written as ISO 8601 has it")
    return "ISO, MDY"


def _milliseconds(value: str) -> str:
    amount, unit = value.strip(), 1
    for suffix, factor in (("ms", 1), ("min", 60_000), ("s", 1_000), ("h", 3_600_000)):
        if amount.endswith(suffix):
            amount, unit = amount.removesuffix(suffix).strip(), factor
            break
    if not amount.isdecimal():
        raise ValueError("expected milliseconds, or a time such as 30s")
    return str(int(amount) * unit)


def _postgres_intervals(value: str) -> str:
    if value.lower() != "postgres":
        raise ValueError("every interval is written as PostgreSQL has it")
    return "postgres"


def _standard_strings(value: str) -> str:
    if value.lower() not in ("on", "true", "1", "yes"):
        raise ValueError("a backslash is a character like any other")
    return "on"


VARIABLES: tuple[Variable, ...] = (
    Variable("server_version", SERVER_VERSION, "PostgreSQL's version that is followed.", True, is_fixed=True),
    Variable("server_version_num", SERVER_VERSION_NUMBER, "The same as a number.", is_fixed=True),
    Variable("server_encoding", "UTF8", "How texts are kept.", True, is_fixed=True),
    Variable("client_encoding", "UTF8", "How texts are sent.", True, _utf8),
    Variable("DateStyle", "ISO, MDY", "How dates are written.", True, _iso),
    Variable("IntervalStyle", "postgres", "How intervals are written.", True, _postgres_intervals),
    Variable("TimeZone", "UTC", "Every time is UTC, whatever this says.", True),
    Variable("integer_datetimes", "on", "Times are counted in microseconds.", True, is_fixed=True),
    Variable("standard_conforming_strings", "on", "Backslashes in texts mean nothing.", True, _standard_strings),
    Variable("application_name", "", "What the client calls itself.", True),
    Variable("is_superuser", "off", "Nobody is.", True, is_fixed=True),
    Variable("session_authorization", "", "Who is logged in.", True, is_fixed=True),
    Variable("default_transaction_read_only", "on", "SQL reads.", True),
    Variable("in_hot_standby", "off", "There is no other server.", True, is_fixed=True),
    Variable("transaction_read_only", "on", "SQL reads."),
    Variable("transaction_isolation", "read committed", "Each statement sees one position of the log."),
    Variable("default_transaction_isolation", "read committed", "The same."),
    Variable("transaction_deferrable", "off", "Nothing waits."),
    Variable("search_path", '"$user", public', "Every view is in the schema public."),
    Variable(
        STATEMENT_TIMEOUT, "0", "Milliseconds a statement may take; 0 leaves it to the server.", False, _milliseconds
    ),
    Variable("lock_timeout", "0", "There are no locks."),
    Variable("idle_in_transaction_session_timeout", "0", "A transaction holds nothing."),
    Variable("extra_float_digits", "1", "Floats are written in full."),
    Variable("bytea_output", "hex", "How bytes are written."),
    Variable("client_min_messages", "notice", "Which notices are sent."),
    Variable("max_identifier_length", "63", "How long a name may be.", is_fixed=True),
    Variable("max_index_keys", "32", "There are no indexes.", is_fixed=True),
    Variable("lc_collate", "C.UTF-8", "Texts are ordered by their bytes.", is_fixed=True),
    Variable("lc_ctype", "C.UTF-8", "The same.", is_fixed=True),
    Variable("default_table_access_method", "heap", "There are no tables to create.", is_fixed=True),
    Variable("jit", "off", "There is no such compiler."),
    Variable("row_security", "on", "There is none."),
    Variable("enable_seqscan", "on", "The engine plans by itself."),
    Variable("synchronize_seqscans", "on", "The engine plans by itself."),
    Variable("quote_all_identifiers", "off", "Names are quoted where they must be."),
    Variable("xmloption", "content", "There is no XML."),
    Variable("check_function_bodies", "on", "There are no functions to check."),
    Variable("wal_level", "replica", "There is no such log.", is_fixed=True),
    Variable("ssl", "off", "Whether this connection is encrypted.", is_fixed=True),
    Variable(AS_OF, "", "A log position or a time: later statements answer as known then. Empty: now."),
    Variable(KNOWN_BY, "", "A time: what had been recorded first, here or elsewhere, by then."),
    Variable(HAPPENED_BY, "", "A time: what is believed to have happened by then."),
)
_BY_NAME = {variable.name.lower(): variable for variable in VARIABLES}


class State(msgspec.Struct, frozen=True):
    """What is set at one moment, by name in lower case."""

    now: Mapping[str, str]
    session: Mapping[str, str]
    """Without what is set for a transaction only."""


class Variables:
    """The settings of one session.

    Args:
        user: who is logged in.
        is_encrypted: whether the connection is.
    """

    def __init__(self, user: str, *, is_encrypted: bool) -> None:
        self._defaults = {name: variable.value for name, variable in _BY_NAME.items()}
        self._defaults |= {"session_authorization": user, "ssl": "on" if is_encrypted else "off"}
        self._session = dict(self._defaults)
        self._now = dict(self._defaults)

    @property
    def values(self) -> Mapping[str, str]:
        """Every setting by its name in lower case."""
        return self._now

    def begin_with(self, name: str, value: str) -> None:
        """Set what the client asked for as it connected: what a reset goes back to."""
        self.set(name, value)
        self._defaults[name.lower()] = self._now[name.lower()]

    def set(self, name: str, value: str | None, *, is_local: bool = False) -> str:
        """Set one, or reset it when the value is None; what it is now.

        Raises:
            Refused: there is none of that name, or it cannot have that value.
        """
        key, variable = name.lower(), self._known(name)
        if variable.is_fixed:
            raise Refused("55P02", f"{variable.name} cannot be set")
        wanted = self._defaults.get(key, "") if value is None else value
        try:
            self._now[key] = variable.check(wanted) if variable.check else wanted
        except ValueError as error:
            raise Refused("22023", f"{variable.name} cannot be {wanted!r}: {error}") from error
        if not is_local:
            self._session[key] = self._now[key]
        return self._now[key]

    def reset_all(self) -> None:
        """As it was when the client connected."""
        self._now, self._session = dict(self._defaults), dict(self._defaults)

    def show(self, name: str) -> tuple[str, str]:
        """The name as it is written, and the value.

        Raises:
            Refused: there is none of that name.
        """
        variable = self._known(name)
        return variable.name, self._now.get(name.lower(), "")

    def shown(self) -> Iterator[tuple[str, str, str]]:
        """Name, value and meaning of each."""
        for key, variable in sorted(_BY_NAME.items()):
            yield variable.name, self._now[key], variable.meaning

    def told(self) -> dict[str, str]:
        """Those that a client is told of."""
        return {variable.name: self._now[variable.name.lower()] for variable in VARIABLES if variable.is_told}

    def state(self) -> State:
        """What is set now."""
        return State(dict(self._now), dict(self._session))

    def restore(self, state: State) -> None:
        """As it was then."""
        self._now, self._session = dict(state.now), dict(state.session)

    def end_local(self) -> None:
        """What was set for a transaction ends with it."""
        self._now = dict(self._session)

    @staticmethod
    def _known(name: str) -> Variable:
        key = name.lower()
        if variable := _BY_NAME.get(key):
            return variable
        prefix, dot, _ = key.partition(".")
        if dot and prefix != "recount":
            return Variable(name, "", "Of the client's own.")
        raise Refused("42704", f"there is no setting {name}", hint="`show all` lists them.")
