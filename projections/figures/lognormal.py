"""The geometric mean of durations: a log-normal distribution fitted to what is over and to what is not.

Durations of incidents are close to log-normal (Franke et al. 2014, 1,800 incidents of a bank), so the mean of their
logarithms says what is typical where an arithmetic mean says how long the longest was. The fit is the maximum of the
likelihood with right censoring, in Olsen's parameters ``theta = 1 / sigma`` and ``gamma = mu / sigma``, in which it has
one maximum and Newton's steps find it (Olsen, Econometrica 1978).
"""

import math
from collections.abc import Sequence

import msgspec

from projections.figures.survival import Z

SHORTEST_US = 1_000_000
"""There is no logarithm of 0: here, and only here, what took less than a second counts as one second."""

LONGEST_LOG = math.log(2**53)
"""285 years of microseconds: a fit to little that is over may reach for more than any number holds."""

STEPS_MAX = 100
SMALL_STEP = 1e-12
FAR_TAIL = 25.0
"""Beyond, the hazard of the normal distribution is taken from its expansion; its two parts are nearly 0."""


class LogNormal(msgspec.Struct, frozen=True):
    """A fitted distribution: ``ln(duration in microseconds)`` is normal with ``mu`` and ``sigma``."""

    mu: float
    sigma: float
    mu_error: float
    """The standard error of ``mu``, from the observed information."""

    @property
    def geometric_mean_us(self) -> int:
        """``exp(mu)``, also the fitted median; to the millisecond, so that the last digits of no processor show."""
        return _whole(self.mu)

    @property
    def interval_us(self) -> tuple[int, int]:
        """The 95 % interval of the geometric mean (Wald, on the logarithm)."""
        return _whole(self.mu - Z * self.mu_error), _whole(self.mu + Z * self.mu_error)


def fit(measured_us: Sequence[int], censored_us: Sequence[int]) -> LogNormal | None:
    """Fit a log-normal distribution.

    Args:
        measured_us: durations that are over, in microseconds.
        censored_us: durations that are not, so far.

    Returns:
        None when there is none: fewer than two different durations are over, or one is below zero.
    """
    if any(each < 0 for each in measured_us):
        return None
    logs = [math.log(max(each, SHORTEST_US)) for each in measured_us]
    if len(set(logs)) < 2:
        return None
    middle = math.fsum(logs) / len(logs)
    # Around their middle, so that sums of squares keep their digits.
    over = [log - middle for log in logs]
    until_now = [math.log(max(each, SHORTEST_US)) - middle for each in censored_us]
    likelihood = _Likelihood(over, until_now)
    gamma, theta = likelihood.maximum()
    # Variance of mu = gamma / theta by the delta method.
    (vgg, vgt, vtt) = likelihood.covariance(gamma, theta)
    by_gamma, by_theta = 1 / theta, -gamma / theta**2
    variance = by_gamma**2 * vgg + 2 * by_gamma * by_theta * vgt + by_theta**2 * vtt
    return LogNormal(middle + gamma / theta, 1 / theta, math.sqrt(max(variance, 0.0)))


class _Likelihood:
    """The logarithm of the likelihood of centred logarithms, with its derivatives."""

    def __init__(self, over: Sequence[float], until_now: Sequence[float]) -> None:
        self._count = len(over)
        self._sum = math.fsum(over)
        self._squares = math.fsum(log * log for log in over)
        self._until_now = until_now

    def maximum(self) -> tuple[float, float]:
        gamma, theta = 0.0, 1 / math.sqrt(self._squares / self._count)
        value = self._value(gamma, theta)
        for _ in range(STEPS_MAX):
            by_gamma, by_theta = self._gradient(gamma, theta)
            vgg, vgt, vtt = self.covariance(gamma, theta)
            step_gamma = vgg * by_gamma + vgt * by_theta
            step_theta = vgt * by_gamma + vtt * by_theta
            share = 1.0
            # The function is concave: a shorter step in this direction always climbs.
            while share > SMALL_STEP:
                tried = (gamma + share * step_gamma, theta + share * step_theta)
                if tried[1] > 0 and (higher := self._value(*tried)) >= value:
                    break
                share /= 2
            else:
                break
            gamma, theta, value = *tried, higher
            if abs(step_gamma) + abs(step_theta) < SMALL_STEP * (1 + abs(gamma) + theta):
                break
        return gamma, theta

    def covariance(self, gamma: float, theta: float) -> tuple[float, float, float]:
        """The inverse of the observed information: variance of gamma, covariance, variance of theta."""
        weights = [(log, _bend(theta * log - gamma)) for log in self._until_now]
        gg = self._count + math.fsum(weight for _, weight in weights)
        gt = -self._sum - math.fsum(log * weight for log, weight in weights)
        tt = self._count / theta**2 + self._squares + math.fsum(log * log * weight for log, weight in weights)
        determinant = gg * tt - gt * gt
        return tt / determinant, -gt / determinant, gg / determinant

    def _value(self, gamma: float, theta: float) -> float:
        squares = theta**2 * self._squares - 2 * theta * gamma * self._sum + gamma**2 * self._count
        tails = math.fsum(_log_tail(theta * log - gamma) for log in self._until_now)
        return self._count * math.log(theta) - squares / 2 + tails

    def _gradient(self, gamma: float, theta: float) -> tuple[float, float]:
        hazards = [(log, _hazard(theta * log - gamma)) for log in self._until_now]
        by_gamma = theta * self._sum - self._count * gamma + math.fsum(hazard for _, hazard in hazards)
        by_theta = self._count / theta - theta * self._squares + gamma * self._sum
        return by_gamma, by_theta - math.fsum(log * hazard for log, hazard in hazards)


def _log_tail(z: float) -> float:
    """The logarithm of the normal distribution's upper tail."""
    if z > FAR_TAIL:
        return -z * z / 2 - math.log(z * math.sqrt(2 * math.pi)) + math.log1p(-1 / z**2 + 3 / z**4)
    return math.log(math.erfc(z / math.sqrt(2)) / 2)


def _hazard(z: float) -> float:
    """Density over upper tail of the normal distribution."""
    if z > FAR_TAIL:
        return z + 1 / z - 2 / z**3
    return math.exp(-z * z / 2) / math.sqrt(2 * math.pi) / (math.erfc(z / math.sqrt(2)) / 2)


def _bend(z: float) -> float:
    """The derivative of `_hazard`; between 0 and 1."""
    if z > FAR_TAIL:
        return 1 - 1 / z**2
    hazard = _hazard(z)
    return hazard * (hazard - z)


def _whole(log_us: float) -> int:
    return round(math.exp(min(log_us, LONGEST_LOG)) / 1_000) * 1_000
