"""How the time of a step follows from loads: ``C + t_l M``, and whether it does at all."""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from adversary.measurements.loads import BoolArray, MeasuredLoads
from evenkeel.studies.time_batches import LEVEL, Interval
from theory.model import FloatArray

# Steps that a fit needs.
LEAST = 8

# Times farther from the line than so many robust standard deviations are outliers, such as a first
# step that compiles; so are none that are within this share of the step's time.
_FAR, _NEAR = 10.0, 0.05

# A bend is one if chance gives one as clear once in so many straight fits, and it matters if it
# moves step times by more than this share.
_RARE, _MATTERS = 0.001, 0.02


@dataclass(frozen=True, slots=True)
class StepTime:
    """The fit.

    Parameters
    ----------
    overhead_s, per_load_s : Interval
        ``C`` and ``t_l``, per unit of load.
    per_request_s : Interval or None
        Seconds for each request of the rank that runs most, beside its load, where the numbers of
        requests vary.
    why_no_requests : str
        Why there is no such number.
    residual_share : float
        Standard deviation of what the fit leaves, a share of the mean step time.
    explained : float
        Share of the variance of step times that the largest load explains (R^2).
    explained_by_mean : float
        The same of the mean load: as much or more, and the largest load does not set the pace.
    bend : float
        How far a parabola leaves the line within the loads seen, a share of the mean step time.
    bend_p : float
        Chance of a bend as clear, were the time linear.
    steps, prefill, outliers : int
        Steps in the fit, and those with a time that were left out: as they ran prefill, and as
        they took far longer or shorter than the others.
    """

    overhead_s: Interval
    per_load_s: Interval
    per_request_s: Interval | None
    why_no_requests: str
    residual_share: float
    explained: float
    explained_by_mean: float
    bend: float
    bend_p: float
    steps: int
    prefill: int
    outliers: int

    @property
    def grows(self) -> bool:
        """Whether the time grows with the largest load, beyond chance."""
        return self.per_load_s.low > 0

    @property
    def is_linear(self) -> bool:
        """Whether no bend is seen that is clear and matters."""
        return self.bend_p > _RARE or abs(self.bend) < _MATTERS


@dataclass(frozen=True, slots=True)
class NoFit:
    """That there is no fit, and why."""

    why: str


def step_time(measured: MeasuredLoads) -> StepTime | NoFit:
    """The fit of step times by least squares; intervals allow for residuals that correlate.

    Notes
    -----
    In 300 simulated recordings of serving, of 600 steps, whose residuals correlate as ``rho^lag``,
    the intervals held ``C`` and ``t_l`` in 94 % with ``rho = 0``, in 91 to 92 % with 0.5 and in 89
    to 90 % with 0.8; of 120 steps with 0.5, in 86 to 87 %.
    """
    if measured.duration_s is None:
        return NoFit("the log has no step times")
    timed = np.isfinite(measured.duration_s) & (measured.duration_s > 0)
    plain = timed if measured.prefill is None else timed & ~measured.prefill
    prefill = int((timed & ~plain).sum())
    if plain.sum() < LEAST:
        return NoFit(
            f"{int(plain.sum())} steps have a time and no prefill, and a fit needs {LEAST}"
        )
    near = _near_the_line(measured.loads[plain].max(axis=1), measured.duration_s[plain])
    outliers = int((~near).sum())
    plain[np.flatnonzero(plain)[~near]] = False
    loads, duration = measured.loads[plain], measured.duration_s[plain]
    largest = loads.max(axis=1)
    if largest.max() - largest.min() <= 1e-6 * largest.max():
        return NoFit("the largest load is the same in all steps")
    one = np.ones_like(duration)
    line = _least_squares(np.column_stack([one, largest]), duration)
    centre, reach = (largest.max() + largest.min()) / 2, (largest.max() - largest.min()) / 2
    parabola = _least_squares(
        np.column_stack([one, largest, ((largest - centre) / reach) ** 2]), duration
    )
    bent, error = parabola.values[2], parabola.errors[2]
    p = 2 * float(stdtr(len(one) - 3, -abs(bent) / error)) if error > 0 else float(bent == 0)
    requests, why = _requests(measured, plain, largest, duration)
    mean = float(duration.mean())
    return StepTime(
        line.interval(0),
        line.interval(1),
        requests,
        why,
        float(line.residuals.std(ddof=2)) / mean,
        _explained(duration, line.residuals),
        _explained(
            duration, _least_squares(np.column_stack([one, loads.mean(axis=1)]), duration).residuals
        ),
        float(bent) / mean,
        p,
        len(one),
        prefill,
        outliers,
    )


def _near_the_line(largest: FloatArray, duration: FloatArray) -> BoolArray:
    """Which times are not far from a line through the medians of slopes and of what is left."""
    order = np.argsort(largest, kind="stable")
    half = len(order) // 2
    low, high = order[:half], order[len(order) - half :]
    apart = largest[high] - largest[low]
    wide = apart > 0
    slope = np.median((duration[high] - duration[low])[wide] / apart[wide]) if wide.any() else 0.0
    left = duration - slope * largest
    left -= np.median(left)
    scale = 1.4826 * np.median(np.abs(left))
    found: BoolArray = np.abs(left) <= np.maximum(_FAR * scale, _NEAR * np.median(duration))
    return found


def _requests(
    measured: MeasuredLoads, plain: BoolArray, largest: FloatArray, duration: FloatArray
) -> tuple[Interval | None, str]:
    """What a running request costs beside its load, or why it cannot be told."""
    if measured.requests is None or np.isnan(measured.requests[plain]).any():
        return None, "the log has no numbers of requests"
    if measured.unit == "running requests":
        return None, "requests are the load"
    most = measured.requests[plain].max(axis=1)
    if most.max() == most.min():
        return None, f"every step has a rank with {most[0]:.0f} requests, and none has more"
    scaled = np.column_stack([np.ones_like(most), largest / largest.max(), most / most.max()])
    if np.linalg.cond(scaled) > 1e6:
        return None, "requests and largest load rise and fall together"
    return _least_squares(scaled, duration).interval(2, 1 / float(most.max())), ""


def _explained(duration: FloatArray, residuals: FloatArray) -> float:
    spread = float(((duration - duration.mean()) ** 2).sum())
    return 1 - float((residuals**2).sum()) / spread if spread > 0 else 0.0


@dataclass(frozen=True, slots=True)
class _Fit:
    """Coefficients, their standard errors, residuals, and the quantile of a 95 % interval."""

    values: FloatArray
    errors: FloatArray
    residuals: FloatArray
    quantile: float

    def interval(self, k: int, factor: float = 1.0) -> Interval:
        half = self.quantile * self.errors[k]
        value = float(self.values[k])
        return Interval(factor * value, factor * float(value - half), factor * float(value + half))


def _least_squares(columns: FloatArray, target: FloatArray) -> _Fit:
    """Least squares, with standard errors for residuals that correlate (Newey and West 1987).

    Residuals are those that a step would have if it were left out, and the quantile allows for the
    share of lags that are summed (Kiefer and Vogelsang 2005).
    """
    size = np.abs(columns).max(axis=0)
    x = columns / size
    values, *_ = np.linalg.lstsq(x, target, rcond=None)
    residuals = target - x @ values
    n, count = x.shape
    inverse = np.linalg.pinv(x.T @ x)
    leverage = np.minimum(np.einsum("ij,jk,ik->i", x, inverse, x), 0.9)
    scores = x * (residuals / (1 - leverage))[:, None]
    inner = scores.T @ scores
    lags = int(n**0.5)
    for lag in range(1, lags + 1):
        cross = scores[lag:].T @ scores[:-lag]
        inner += (1 - lag / (lags + 1)) * (cross + cross.T)
    variance = inverse @ inner @ inverse
    # Of a few steps the allowance for correlation may come out negative: no less than without it.
    plain = np.diag(inverse) * (residuals @ residuals) / (n - count)
    errors = np.sqrt(np.maximum(np.diag(variance), plain))
    share = (lags + 1) / n
    quantile = 2.9694 * share + 0.416 * share**2 - 0.5324 * share**3
    quantile += float(stdtrit(max(1, n - count), (1 + LEVEL) / 2))
    return _Fit(values / size, errors / size, residuals, quantile)
