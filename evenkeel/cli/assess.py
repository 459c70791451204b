"""``evenkeel assess``: whether balancing would help a trace on given hardware."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from evenkeel.cli.device import device_options
from evenkeel.cli.system_option import system_of, system_option
from evenkeel.cli.trace_options import served, trace_options, without_trace
from evenkeel.output import (
    json_option,
    progress,
    seed_option,
    slots_option,
    table,
    time_limit_option,
    to_json,
    workers_option,
)
from theory.model import InputError
from theory.serving import departures_of

if TYPE_CHECKING:
    from adversary.workloads.reading import Reading
    from evenkeel.studies.answer import Saving
    from solvers.simulation.result import RunResult
    from theory.power import PowerModel

# Of the JSON: a change of what a field means, or a field less, raises it.
SCHEMA = 2

# First come, first served, spread over the workers; SGLang's shortest queue is the same rule.
BASELINE = "jsq"
JUDGED = "bfio"
ENGINE_RULES = ("vllm_in_flight", "sglang_total_requests", "sglang_total_tokens", "trtllm_adp")

CAVEATS = (
    "The runs are simulated: a step takes C + t_l * (largest load), with the constants of the "
    "paper's simulator, not of your engine.",
    "{bounds}  {kv:.0f} tokens are on the fullest worker in the average step of {baseline}.",
    "Prefill is not timed, and power counts the accelerators alone, not hosts, network or cooling.",
    "{mode}",
    "BF-IO lets large requests wait for room: compare the longest waiting times.",
)
AS_MODEL = (
    "All workers are equally fast, and nothing but the B slots bounds them: KV memory is without "
    "limit."
)
AS_SYSTEM = (
    "The system departs from the model ({departures}): no theorem bounds what is saved, and loads "
    "are what the steps cost."
)
AS_BACKLOG = (
    "A backlog has no idle gaps and keeps the slots full, which your own arrival rate may not do "
    "(--timed replays it)."
)
AT_ARRIVALS = (
    "Between the steps, until the slowest policy has finished, all workers are taken to be on and "
    "to draw the idle power."
)


@click.command()
@click.argument("trace", type=click.Path(), required=False)
@workers_option
@slots_option
@system_option
@click.option(
    "--policy",
    "policies",
    multiple=True,
    help="Beside the baseline, repeatable; the last is judged.  "
    f"[default: {', '.join((*ENGINE_RULES, JUDGED))}]",
)
@click.option(
    "--baseline", default=BASELINE, show_default=True, help="Policy that the last is held against."
)
@click.option("--pool", type=int, help="Waiting requests a policy sees.  [default: G*B]")
@device_options()
@click.option("--timed", is_flag=True, help="Replay the trace's arrival times.")
@trace_options
@seed_option
@time_limit_option
@json_option
def assess(
    trace: str | None,
    workers: int,
    slots: int,
    departures: tuple[str, ...],
    policies: tuple[str, ...],
    baseline: str,
    pool: int | None,
    device: "PowerModel",
    timed: bool,
    reading: "Reading",
    seed: int,
    as_json: bool,
) -> None:
    """Say whether balancing would help this trace on this hardware: yes, no or cannot tell.

    Serves TRACE (CSV, JSON or Parquet, plain or gzip, or - for standard input; without one, the
    sample trace that ships with evenkeel) under a first-come first-served rule that spreads, the
    rules of deployed engines and BF-IO, and says over which power laws and step times the answer
    holds and what the theorems guarantee.  Intervals are of 95 %, from traces drawn from this one
    in blocks of consecutive requests.
    """
    from adversary.workloads.blocks import block_length
    from adversary.workloads.sample_trace import SAMPLE_TRACE
    from evenkeel.studies.answer import (
        DRAWS,
        HALF_FULL,
        OVERHEADS,
        Answer,
        Trial,
        exponents,
        occupancy,
        too_short,
    )
    from evenkeel.studies.answer_words import (
        beside,
        not_by_balance,
        opening,
        over_device,
        waits,
        where,
    )
    from evenkeel.studies.assessment import assumptions, guarantees, saving
    from evenkeel.studies.policy_comparison import what
    from evenkeel.studies.run_summary import percent, summary
    from solvers.policies.registry import policy
    from solvers.simulation.engine import simulate

    chosen = tuple(dict.fromkeys((baseline, *(policies or (*ENGINE_RULES, JUDGED)))))
    judged = (policies or (JUDGED,))[-1]
    if judged == baseline:
        raise InputError(f"{judged} is the baseline: the last --policy is held against another")
    for name in chosen:
        policy(name)
    system = system_of(workers, slots, departures)
    departs = departures_of(system)
    if trace is None:
        without_trace(reading, "a TRACE")
    found, requests = served(
        SAMPLE_TRACE if trace is None else trace, reading, timed=timed, pool=pool
    )
    trial = Trial(system, requests, baseline, judged, pool, seed)
    runs: list[dict[str, Any]] = []
    first: dict[str, RunResult] = {}

    def kept(name: str, run: "RunResult") -> None:
        served = run.requests_by_worker
        ends = {"requests_of_workers": (int(served.min()), int(served.max()))}
        runs.append(summary(run, device) | ends)
        if name == baseline:
            first[name] = run

    with progress("runs", len(chosen) * (len(requests) + DRAWS * trial.drawn)) as tick:
        costs = trial.costs(chosen, exponents(device), kept=kept, progress=tick)
    with progress("step times", len(OVERHEADS)) as tick:
        points = trial.points(costs, device, tick)
    paced = None
    if found.has_arrivals:
        paced = first[baseline] if timed else simulate(system, found.requests, baseline, seed=seed)

    def savings(base: str) -> "tuple[Saving, Saving]":
        return (
            trial.energy_saving(costs, device, base, judged),
            trial.saving(costs, lambda cost: cost.time_per_token_s, base, judged),
        )

    for run, name in zip(runs, chosen, strict=True):
        run["energy_with_gaps_j"] = costs[0][name].energy_j(device)
        if name != judged:
            against = dict(zip(("energy", "time_per_token"), savings(name), strict=True))
            run["saved_by_judged"] = {key: asdict(value) for key, value in against.items()}
    energy, time = savings(baseline)
    short = too_short(trial, first[baseline])
    answer = Answer.UNCLEAR if short else energy.answer
    sentence = opening(answer, short, energy, time, judged, baseline)
    pair = (baseline, judged)
    both = [costs[0][name].run for name in pair]
    others = [name for name in chosen if name not in (baseline, judged)]
    best = min(others, key=lambda name: costs[0][name].energy_j(device), default=None)
    told_too = (
        None if best is None or answer is not Answer.YES else beside(best, *savings(best), judged),
        over_device(device, trial.saving(costs, lambda cost: cost.energy_j(device), *pair)),
        not_by_balance(answer, *both),
        waits(runs[0], next(run for run, name in zip(runs, chosen, strict=True) if name == judged)),
    )
    remarks = [remark for remark in told_too if remark is not None]
    holds = None if short else where(answer, points, device, system.step_overhead_s)
    saved = saving(device, costs[0][baseline], costs[0][judged])
    promised = None if departs else guarantees(requests, workers, slots, device, pool)
    failed = assumptions(requests, system, pool, first[baseline], paced)
    notes = [*found.notes]
    if trace is None:
        notes.append("no TRACE given: this is the synthetic sample trace that ships with evenkeel")
    prompt, output = int(requests.prefill.sum()), int(requests.decode.sum())
    caveats = [
        text.format(
            bounds=AS_SYSTEM.format(departures=", ".join(departs)) if departs else AS_MODEL,
            kv=first[baseline].total.sum_max / first[baseline].total.steps,
            baseline=baseline,
            mode=AT_ARRIVALS if timed else AS_BACKLOG,
        )
        for text in CAVEATS
    ]
    told = {
        "schema_version": SCHEMA,
        "answer": {
            "verdict": answer,
            "sentence": sentence,
            "remarks": remarks,
            "holds_for": holds,
            "too_short": short,
            "energy": asdict(energy),
            "time_per_token": asdict(time),
            "draws": DRAWS,
            "requests_of_a_draw": trial.drawn,
            "requests_of_a_block": block_length(requests),
            "points": [asdict(point) | {"verdict": point.saving.answer} for point in points],
        },
        "trace": found.name,
        "format": found.format,
        "rows": found.rows,
        "bad_rows": found.bad_rows,
        "duration_s": found.duration_s,
        "prompt_tokens": prompt,
        "output_tokens": output,
        "notes": notes,
        "workers": workers,
        "slots": slots,
        "system": list(departures),
        "pool": pool,
        "timed": timed,
        "seed": seed,
        "hardware": device.name,
        "idle_w": device.idle_w,
        "wait_w": device.barrier_w,
        "max_w": device.max_w,
        "gamma": device.gamma,
        "unknown": [asdict(number) for number in device.unknown],
        "baseline": baseline,
        "judged": judged,
        "runs": runs,
        "saving": saved,
        "guarantees": promised,
        "assumptions_that_fail": failed,
        "caveats": caveats,
    }
    if as_json:
        click.echo(to_json(told))
        return
    click.echo("\n".join([sentence, *remarks, *([] if holds is None else [holds])]))
    if not timed and paced is not None and (busy := occupancy(paced)) < HALF_FULL:
        click.echo(
            f"This is for a backlog: at the trace's own arrival times {percent(busy)} of the slots "
            "are busy, and --timed answers for those."
        )
    span = "no arrival times" if found.duration_s is None else f"{found.duration_s:.6g} s"
    click.echo(
        f"\n{found.name}: {found.rows} rows, {found.bad_rows} bad, {found.format} layout, {span}, "
        f"{prompt} prompt and {output} output tokens"
    )
    for note in notes:
        click.echo(f"note: {note}")
    mode = "at its arrival times" if timed else "as a backlog"
    click.echo(
        f"served {mode} on G = {workers}, B = {slots}, {device.name}: {device.idle_w:g} W idle, "
        f"{device.max_w:g} W at most, gamma {device.gamma:g}, {device.waiting}"
    )
    click.echo(f"the baseline, {baseline}: {what(baseline)}\n")
    click.echo(table(*_savings_table(runs, judged, timed=timed)))
    click.echo(
        f"\nless with {judged}: with 95 % intervals, from {DRAWS} traces of {trial.drawn} requests "
        f"drawn in blocks of {block_length(requests)} consecutive ones"
    )
    if not departs:
        click.echo(
            f"the bounds allow {percent(saved['floor'])} to {percent(saved['cap'])} less energy "
            f"than {baseline} for this work, idle time and steps"
        )
    click.echo()
    click.echo(table(*_runs_table(runs)))
    click.echo("\n* before the first step that left a slot empty")
    if promised is not None:
        _tell_guarantees(promised, workers, slots)
    click.echo("\nAssumptions that do not hold here:")
    for assumption, why in failed.items():
        click.echo(f"  {assumption}: {why}")
    if not failed:
        click.echo("  none was found to fail")
    click.echo("\nCaveats:")
    for caveat in caveats:
        click.echo(f"  {caveat}")


Table = tuple[tuple[str, ...], list[tuple[str, ...]]]


def _savings_table(runs: list[dict[str, Any]], judged: str, *, timed: bool) -> Table:
    """What each policy costs, and how much less the judged one does."""

    def less(run: Mapping[str, Any], key: str) -> str:
        if "saved_by_judged" not in run:
            return ""
        # Zero is added for -0.0, which would show its sign.
        value, low, high = (round(100 * x, 1) + 0 for x in run["saved_by_judged"][key].values())
        return f"{value:+.1f} % ({low:+.1f} to {high:+.1f})"

    energy = "energy, gaps included (kJ)" if timed else "energy (kJ)"
    head = ("policy", energy, f"less with {judged}", "time per token (ms)", f"less with {judged}")
    return head, [
        (
            run["policy"],
            f"{run['energy_with_gaps_j'] * 1e-3:.1f}",
            less(run, "energy"),
            f"{run['tpot_mean_s'] * 1e3:.2f}",
            less(run, "time_per_token"),
        )
        for run in runs
    ]


def _runs_table(runs: list[dict[str, Any]]) -> Table:
    """How each policy runs."""
    from evenkeel.studies.run_summary import percent

    head = (
        *("policy", "steps", "idle share", "idle*", "imbalance (tokens)", "imbalance*"),
        *("tokens/s", "p99 (ms)", "mean wait (steps)", "longest", "requests of a worker"),
    )
    return head, [
        (
            run["policy"],
            f"{run['whole']['steps']}",
            percent(run["whole"]["idle_share"]),
            percent(run["overloaded"]["idle_share"]),
            f"{run['whole']['avg_imbalance']:.0f}",
            f"{run['overloaded']['avg_imbalance']:.0f}" if run["overloaded"]["steps"] else "n/a",
            f"{run['throughput_tokens_per_s']:.0f}",
            f"{run['tpot_p99_s'] * 1e3:.2f}",
            f"{run['waiting_mean_steps']:.1f}",
            f"{run['waiting_max_steps']}",
            "{} to {}".format(*run["requests_of_workers"]),
        )
        for run in runs
    ]


def _tell_guarantees(promised: Mapping[str, Any], workers: int, slots: int) -> None:
    """What the theorems say."""
    from evenkeel.studies.run_summary import percent

    click.echo("\nWhat the theorems say if requests were independent draws from this trace:")
    if (exact := promised["fcfs"]) is not None:
        click.echo(
            f"  FCFS in the long run: imbalance {exact['imbalance']:.0f} tokens, idle share "
            f"{percent(exact['idle_share'])} ({exact['method']})"
        )
    told = [("Theorem 1 (equal lengths)", "theorem_1_ratio", "theorem_1_bfio_bound")]
    if (offer := promised["theorem_2_sizes"]) is not None:
        title = (
            f"Theorem 2 (geometric lengths, {workers * slots} copies of the sizes {offer[0]} and "
            f"{offer[1]} always in the pool)"
        )
        told.append((title, "theorem_2_ratio", "theorem_2_bfio"))
    for title, key, bound in told:
        if promised[key] is not None:
            empty = "" if promised[key] > 1 else ": it guarantees nothing here"
            click.echo(
                f"  {title}: BF-IO at most {promised[bound]:.0f} tokens, "
                f"FCFS at least {promised[key]:.2f} times that{empty}"
            )
    if (least := promised["unavoidable"]) is not None:
        known = "nothing is known to be unavoidable"
        if least > 0:
            ratio = f"FCFS at most {promised['largest_ratio']:.2f} times that"
            known = f"at least {least:.0f} tokens, {ratio}"
        click.echo(f"  Any online policy (geometric lengths): {known}")
    if (edges := promised["first_slots"]) is not None:
        click.echo(
            f"  With G = {workers} Theorem 1 says more than nothing from about B = {edges['T1']}, "
            f"Theorem 4 on top of Theorem 1 from B = {edges['T4 by T1']}"
        )
    for reason in promised["reasons"]:
        click.echo(f"  not available: {reason}")
