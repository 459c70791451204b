"""What logs of a fleet say, in words and tables: the answer in its first sentence."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from adversary.measurements.power import MeasuredPower
from evenkeel.output import table
from evenkeel.studies.balance_outlook import Outlook, Reach, Side
from evenkeel.studies.measured_balance import Balance, Stragglers
from evenkeel.studies.measurement import Measurement
from evenkeel.studies.power_fit import PowerFit
from evenkeel.studies.step_time import NoFit, StepTime
from evenkeel.studies.time_batches import Interval
from theory.content import printable

# Where there are too few steps.
NONE = "no interval"

# Ranks that are listed; JSON has all.
LISTED = 16

# A chance below which ranks are said to differ.
UNUSUAL = 0.001


def tell(files: Sequence[str], found: Measurement, reached: Reach | None) -> None:
    """Print what was found."""
    names = ", ".join(printable(Path(file).name) for file in files[:4])
    names += ", ..." if len(files) > 4 else ""
    if found.loads is None:
        assert found.power is not None
        _tell_power(names, found.power, found.notes)
        return
    assert found.balance is not None
    assert found.step_time is not None
    assert found.outlook is not None
    loads, said = found.loads, found.balance
    click.echo(answer(said))
    steps, ranks = loads.loads.shape
    click.echo(f"\n{names}: {loads.format}, {steps} steps x {ranks} ranks, loads in {loads.unit}")
    for note in found.notes:
        click.echo(f"note: {note}")
    _tell_balance(said, loads.unit)
    _tell_stragglers(said.stragglers, said)
    _tell_step_time(found.step_time, loads.unit)
    _tell_outlook(found.outlook)
    if reached is not None:
        _tell_reach(reached)
    if found.fit is not None:
        _tell_fit(found.fit)


def _percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f} %"


def _both(ends: tuple[float, float]) -> str:
    low, high = map(_percent, ends)
    return low if low == high else f"{low} to {high}"


def _span(interval: Interval, factor: float = 1.0, digits: str = ".1f") -> str:
    low, high = factor * interval.low, factor * interval.high
    if not low < high or high == float("inf"):
        return NONE
    return f"{low:{digits}} to {high:{digits}}"


def answer(said: Balance) -> str:
    """The answer in one sentence."""
    by = sorted(said.ranks, key=lambda rank: -rank.slowest)
    span = _span(said.idle_share, 100)
    text = (
        f"The ranks wait {_percent(said.idle_share.value)} of the time that grows with their load "
        f"({span if span == NONE else f'95 % interval {span} %'}), "
    )
    if by[0].slowest == 0 or said.imbalance == 0:
        return text + "and none is slower than the others."
    named = [f"most for rank {by[0].name}, the slowest in {_percent(by[0].slowest)} of the steps"]
    if len(by) > 2 and by[1].slowest > 0:
        named.append(f"then rank {by[1].name} ({_percent(by[1].slowest)})")
    never = [rank.name for rank in said.ranks if rank.slowest == 0]
    if 0 < len(never) <= 4:
        named.append(f"never for rank {' or '.join(never)}")
    return text + ", ".join(named) + "."


def _tell_balance(said: Balance, unit: str) -> None:
    click.echo()
    mean = said.mean_imbalance
    fine = mean.value < 100
    rows = [
        ("idle share (%)", f"{100 * said.idle_share.value:.3f}", _span(said.idle_share, 100)),
        (
            f"imbalance a step ({unit})",
            f"{mean.value:.4g}" if fine else f"{mean.value:.2f}",
            _span(mean, digits=".4g" if fine else ".0f"),
        ),
        (
            "balance ratio, average / largest load",
            f"{said.balance_ratio.value:.3f}",
            _span(said.balance_ratio, digits=".3f"),
        ),
    ]
    click.echo(table(("", "measured", "95 % interval"), rows))
    count = said.batches.count
    if count < 2:
        click.echo("too few steps for intervals")
    else:
        click.echo(
            f"intervals from {count} batches of consecutive steps"
            + (
                "; batches are still alike to their neighbours, and the intervals too narrow: "
                "log for longer"
                if said.batches.hang_together
                else ""
            )
        )
    memory = said.stragglers.memory
    if 20 * memory > said.steps:
        click.echo(
            f"a load hangs together over {memory} of {said.steps} steps: intervals of so short a "
            "recording may hold the truth in 80 to 90 % of cases only; log for longer"
        )
    if said.rounding:
        click.echo(
            f"loads were rounded when they were logged: the idle share may be off by "
            f"{100 * said.rounding:.2f} points at most"
        )
    click.echo("\nOver time")
    parts = [
        (
            f"{w.first}..{w.last}",
            _percent(w.idle_share),
            f"{w.imbalance:.6g}",
            f"rank {w.slowest} in {_percent(w.slowest_share, 0)}",
        )
        for w in said.windows
    ]
    click.echo(table(("steps", "idle share", "imbalance", "slowest most often"), parts))
    click.echo("\nBy rank")
    listed = sorted(said.ranks, key=lambda rank: -rank.slowest)[:LISTED]
    listed = [rank for rank in said.ranks if rank in listed]
    cells = [
        (
            rank.name,
            f"{rank.mean_load:.6g}",
            _percent(rank.waits),
            _percent(rank.slowest),
            f"{rank.longest}",
        )
        for rank in listed
    ]
    head = ("rank", "mean load", "waits", "slowest", "longest run of steps as the slowest")
    click.echo(table(head, cells))
    if len(said.ranks) > LISTED:
        click.echo(f"{len(said.ranks) - LISTED} ranks are slowest less often; --json has all")


def _tell_stragglers(found: Stragglers, said: Balance) -> None:
    persists = found.mean_run > 2 * found.drawn_anew
    click.echo(
        f"\nThe slowest rank changes {found.changes} times: it stays for {found.mean_run:.1f} "
        f"steps on average, {found.longest_run} at most; drawn anew in each step it would stay "
        f"{found.drawn_anew:.1f}: stragglers {'persist' if persists else 'change at once'}."
    )
    p, steps = found.exchangeable_p, said.steps
    keeps = f"a load hangs together over {found.memory} steps"
    if p is None:
        click.echo(f"Whether a rank is slow by its place cannot be told: {keeps} of {steps}.")
        return
    shown = "below 0.1 %" if p < UNUSUAL else _percent(p)
    verdict = (
        "some ranks are slow by their place, not by chance"
        if p < UNUSUAL
        else "no rank is shown to be slow by its place"
    )
    click.echo(
        f"The mean loads of ranks that are equal in law differ as much with a chance of {shown}: "
        f"{verdict}."
    )


def _tell_step_time(fit: StepTime | NoFit, unit: str) -> None:
    click.echo("\nTime of a step")
    if isinstance(fit, NoFit):
        click.echo(f"  no fit: {fit.why}")
        return
    click.echo(
        f"  C = {1e3 * fit.overhead_s.value:.3f} ms ({_span(fit.overhead_s, 1e3, '.3f')}), "
        f"t_l = {fit.per_load_s.value:.4g} s ({_span(fit.per_load_s, digits='.4g')}) for each of "
        f"the largest load ({unit})"
    )
    click.echo(
        f"  it explains {_percent(fit.explained, 2)} of the variance and leaves "
        f"{_percent(fit.residual_share, 2)} of a step's time; the mean load explains "
        f"{_percent(fit.explained_by_mean)}"
    )
    if not fit.grows:
        click.echo("  it does not grow with the largest load beyond chance: balance gains no time")
    elif fit.is_linear:
        click.echo(
            f"  linear: a parabola bends it by {_percent(abs(fit.bend), 2)} over the loads seen"
        )
    else:
        click.echo(
            f"  not linear: a parabola bends it by {_percent(abs(fit.bend))} over the loads seen; "
            "C and t_l are those of the line nearest"
        )
    if fit.per_request_s is not None:
        cost = fit.per_request_s
        click.echo(
            f"  beside its load, a running request costs {1e6 * cost.value:.3g} us "
            f"({_span(cost, 1e6, '.3g')})"
        )
    else:
        click.echo(f"  no cost of a running request beside its load: {fit.why_no_requests}")
    for count, why in (
        (fit.prefill, "ran prefill"),
        (fit.outliers, "took far longer or shorter than their loads tell"),
    ):
        if count:
            click.echo(
                f"  {count} of {fit.steps + fit.prefill + fit.outliers} steps {why}: left out"
            )


def _tell_outlook(found: Outlook) -> None:
    click.echo("\nWhat balance would give")
    share = _percent(found.worker_time.value)
    span = _span(found.worker_time, 100)
    if found.time_s is None:
        click.echo(f"  perfect balance, same steps: {share} less time ({span}) if C = 0")
    else:
        saved = found.worker_time.value * found.time_s
        click.echo(
            f"  perfect balance, same steps: {share} less time ({span}), {saved:.3g} of "
            f"{found.time_s:.3g} s, and at most as much less energy, whatever the power law"
        )
    click.echo(
        f"  any policy: at most {_percent(found.any_policy)} less energy in the time that grows "
        "with the load, whatever a waiting device draws"
    )
    if not found.energy:
        click.echo("  --hardware NAME: what it saves of the energy of that device")
        return
    click.echo(f"  perfect balance on {found.device}")
    for energy in found.energy:
        used = "" if energy.used_j is None else f" of {energy.used_j / 1e3:.4g} kJ"
        how = ""
        if len(found.energy) > 1:
            how = (
                ", if the fixed part of a step is work on every rank"
                if energy.fixed_busy
                else ", if a device draws P(L/M) through the fixed part too"
            )
        click.echo(
            f"    {_percent(energy.saving)} less energy{used}{how}; from work, imbalance and "
            f"steps alone {_percent(energy.floor)} to {_percent(energy.cap)}"
        )
        if found.uncertain:
            kilo = energy.possible_j and [f"{joules / 1e3:.4g}" for joules in energy.possible_j]
            of = f" of {kilo[0]} to {kilo[1]} kJ" if kilo else ""
            click.echo(f"      {_both(energy.possible)}{of} over what is uncertain of the device")
    if found.uncertain:
        click.echo(f"    {found.uncertain}")


def _tell_reach(found: Reach) -> None:
    click.echo(f"\nWhat the theorems say with B = {found.slots}, geometric lengths and full slots")
    for who, side, most in (
        ("every online policy leaves at least", found.unavoidable, "at most"),
        ("BF-IO from a rich pool leaves at most", found.guaranteed, "at least"),
    ):
        click.echo(
            f"  {who} {side.imbalance:.6g} tokens a step, {_percent(side.idle_share)} idle: "
            + _saved(side, most)
        )
    click.echo(
        f"  after a full refill, as with equal lengths, BF-IO leaves at most {found.refill} tokens"
    )


def _saved(side: Side, most: str) -> str:
    if side.time < 0:
        return "more than was measured" + (
            ", so that it guarantees nothing here" if most == "at least" else ""
        )
    energy = "" if side.energy is None else f" and {_both(side.energy)} of the energy"
    return f"{most} {_percent(side.time)} of the time{energy} saved"


def _tell_fit(fit: PowerFit) -> None:
    click.echo(f"\nPower of {len(fit.devices)} devices, {fit.samples} samples")
    rows = [
        ("P_idle (W), outside all steps", fit.idle_w),
        ("P_wait (W), at the barrier", fit.wait_w),
        ("P_max (W), working", fit.max_w),
    ]
    cells = [
        (name, "not seen" if w is None else f"{w.value:.1f}", "" if w is None else _span(w))
        for name, w in rows
    ]
    told = fit.law_gamma != 1 or fit.gamma.low <= 1 <= fit.gamma.high
    cells.append(
        ("gamma", f"{fit.gamma.value:.3f}", _span(fit.gamma, digits=".3f"))
        if told
        else ("gamma", "not told", "")
    )
    click.echo(table(("", "measured", "95 % interval"), cells))
    if fit.law_gamma == 1:
        click.echo("gamma is not told from 1, a device that works and then waits: powers are for 1")
    shares = {
        "fixed part busy": "(C + t_l L) / (C + t_l M): the fixed part is work on every rank",
        "as loaded": "L / M",
    }
    other = "" if fit.other_residual_w is None else f" ({fit.other_residual_w:.1f} W otherwise)"
    click.echo(
        f"busy share of a step: {shares[fit.busy_share]}; {fit.residual_w:.1f} W of a sample are "
        f"left{other}"
    )
    click.echo(
        f"a sample is the mean of the {1e3 * fit.window_s:.0f} ms before it; the first step begins "
        f"{_when(fit.first_step_s)} on the clock of the samples"
    )
    if not fit.idle_outside:
        click.echo(
            "outside the logged steps devices ran others: samples within the logged ones alone "
            "were taken, and P_idle was not measured"
        )
    elif fit.idle_w is None:
        click.echo("no sample lies outside the steps: P_idle was not measured")
    click.echo(
        f"the steps took {fit.measured_j / 1e3:.4g} kJ, as sampled; perfect balance saves "
        f"{_percent(fit.saving)} of it by these powers"
    )


def _when(time_s: float) -> str:
    """A time as people write it: a date if it counts from 1970."""
    if time_s < 1e8:
        return f"at {time_s:.3f} s"
    return f"on {datetime.fromtimestamp(time_s, UTC):%Y-%m-%d at %H:%M:%S.%f}"[:-3] + " UTC"


def _tell_power(names: str, power: MeasuredPower, notes: tuple[str, ...]) -> None:
    listed = power.devices[:LISTED]
    named = ", ".join(f"{d.power_w.mean():.1f} W on device {d.name}" for d in listed)
    more = ", ..." if len(power.devices) > LISTED else ""
    click.echo(f"{len(power.devices)} devices draw {named}{more}.")
    click.echo(f"\n{names}: {power.format}")
    for note in notes:
        click.echo(f"note: {note}")
    cells = [
        (
            d.name,
            f"{len(d.power_w)}",
            f"{d.power_w.mean():.1f}",
            f"{d.power_w.min():.1f} to {d.power_w.max():.1f}",
            "" if d.utilisation is None else _percent(d.utilisation, 0),
        )
        for d in listed
    ]
    click.echo(table(("device", "samples", "mean W", "range", "reported use"), cells))
    click.echo(
        "\nA reported use of 100 % may be work or waiting: loads and times of the steps tell them "
        "apart (evenkeel measure LOADS POWER)."
    )
