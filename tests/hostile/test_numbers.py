"""Numbers that no machine can pay are refused before work begins, by name."""

import json
from pathlib import Path

import pytest

from tests.hostile.conftest import Call

HUGE, WIDE = str(10**9), str(2**63)
SMALL = ("simulate", "--family", "uniform", "-G", "2", "-B", "2")
CLAIM = ("check", "step.full-refill-gap")

REFUSED = {
    ("attack", "-G", str(2**31)): "2,147,483,648 workers: takes about 274,877,906,944 bytes of mem",
    ("attack", "-n", "100000"): "100,000 requests on 2 workers: takes about 250,015,000,200 steps",
    ("attack", "--pool", WIDE): "pool must be an integer below 2^62",
    ("attack", "-B", WIDE): "capacity must be an integer below 2^62",
    ("attack", "--size-max", WIDE): "size_max must be an integer below 2^62",
    ("attack", "--method", "climb", "--budget", WIDE): "a search of 9.2 x 10^18 evaluations: takes",
    ("attack", "--length-max", HUGE): "steps with 4 requests on 2 workers: takes about",
    ("attack", "--growth", str(2**31)): "drift must be",
    ("experiment", "E2", "--seeds", HUGE): "1,000,000,000 seeds of 7 policies: takes about",
    ("experiment", "E3", "--requests", HUGE): "1,000,000,000 requests: takes about 96,000,000,000",
    (*SMALL, "-n", HUGE): "requests: takes about",
    (*SMALL, "--pool", WIDE): "pool must be an integer >= 1 and below 2^62",
    (*SMALL, "--max-w", "1e308"): "max_w must be at most 1e+12 W, got 1e+308",
    ("energy", "--max-w", "1e13"): "max_w must be at most 1e+12 W",
    (*SMALL, "--policy", "bfio:horizon=1000000"): "horizon must be at most 10,000, got 1,000,000",
    (*SMALL, "--policy", "brh:horizon=100000000"): "horizon must be at most 10,000",
    (*SMALL, "--system", f"kv_budget={WIDE}"): "kv_budget must hold an integer >= 1 for each of 2",
    (*SMALL, "--system", f"hold={WIDE}"): "hold must be an integer >= 0 and below 2^62",
    (*SMALL, "--system", f"admit_every={HUGE}"): "8,999,999,991 steps without an admission: takes",
    (*SMALL, "--system", f"hold={HUGE}"): "1,000,000,000 steps without an admission: takes",
    (*SMALL, "-G", HUGE, "--system", "kv_budget=5"): "workers of a budget each: takes about",
    (*SMALL, "--policy", "bfio:horizon=-1"): "horizon must be an integer >= 0",
    (*CLAIM, "--scale", "1e999999999"): "--scale takes a number",
    (*CLAIM, "--scale", "1e-999999999"): "--scale takes a number",
    (*CLAIM, "-G", WIDE): "takes G up to",
    (*CLAIM, "-G", "9" * 5000): "the parameter G must be a whole number",
    (*CLAIM, "-B", HUGE): "takes B up to",
    ("policies", "--rounds", HUGE, "--policy", "fcfs"): "requests: takes about",
    ("policies", "--seeds", HUGE, "--policy", "fcfs"): "1,000,000,000 backlogs for 1 policies",
    ("policies", "-G", HUGE, "--policy", "fcfs"): "requests: takes about",
    ("assess", "-G", HUGE): "workers: takes about",
}


@pytest.mark.parametrize("words", REFUSED, ids=lambda words: " ".join(words)[:60])
def test_a_number_beyond_the_budget(call: Call, words: tuple[str, ...]) -> None:
    code, out, err = call(*words)
    assert (code, out) == (2, "")
    assert REFUSED[words] in err
    assert err.count("\n") == 1
    assert len(err) < 600


def test_slots_that_no_request_needs_cost_nothing(call: Call) -> None:
    words = ("attack", "--policy", "fcfs", "-B", str(2**31), "-n", "2", "--size-max", "2", "--json")
    code, out, _ = call(*words)
    # Both requests of size 2 go to the first worker.
    assert (code, json.loads(out)["value"]) == (0, "4")
    assert (
        json.loads(Path("out/gallery/fcfs-2x2147483648-2-2-1.json").read_text())["run"]["slots"]
        == 2
    )
