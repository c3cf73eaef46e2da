"""How often logins failed, so that a guessing machine is told to wait."""

from collections import OrderedDict, deque
from time import monotonic

from services.web.problems import Problem

# Tokens have 190 random bits, so this only keeps a guessing machine from costing anything. Logins that succeed do not
# count: a whole team may sit behind one address.
FAILURES_MAX = 10
FAILURES_FORGOTTEN_AFTER_S = 60.0
# Addresses that are remembered; with more the oldest is forgotten early.
ADDRESSES_MAX = 10_000


class LoginFailures:
    """Logins that failed, by the address that they came from."""

    def __init__(self) -> None:
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def refuse_guessing(self, address: str) -> None:
        """Refuse an address with too many failures.

        Raises:
            Problem: 429.
        """
        times = self._times.get(address, deque())
        while times and monotonic() - times[0] > FAILURES_FORGOTTEN_AFTER_S:
            times.popleft()
        if len(times) >= FAILURES_MAX:
            raise Problem(
                429,
                "Too many logins failed",
                because=f"{FAILURES_MAX} came from {address} within a minute",
                instead="Wait a minute, then paste the token that `recount up` prints.",
            )

    def add(self, address: str) -> None:
        """Remember one."""
        self._times.setdefault(address, deque(maxlen=FAILURES_MAX)).append(monotonic())
        self._times.move_to_end(address)
        if len(self._times) > ADDRESSES_MAX:
            self._times.popitem(last=False)
