"""Policies side by side: the regret encloses what enumeration says."""

import json
from fractions import Fraction

import pytest

from adversary.workloads.families import workload
from evenkeel.cli.main import cli
from evenkeel.studies.policy_comparison import SYSTEM_RULES, Regretful, rosetta, what, worst
from solvers.policies.registry import POLICIES, policy
from solvers.simulation.engine import simulate
from solvers.step.exact.brute_force import enumerate_step
from theory.model import InputError, Requests, System
from theory.power import hardware

TINY = System.paper(2, 2)


class Exact:
    """Adds up the true regret of a policy, by enumeration."""

    def __init__(self, inner):
        self.inner, self.name = inner, inner.name
        self.sees_in_flight = getattr(inner, "sees_in_flight", False)
        self.regret = self.steps = self.optimal = 0

    def admit(self, view):
        assignment, problem = self.inner.admit(view), view.problem
        lost = problem.objective(assignment) - enumerate_step(problem).imbalance
        self.regret += lost
        self.steps += 1
        self.optimal += lost == 0
        return assignment


@pytest.mark.parametrize("name", ["fcfs", "bfio", "trtllm_adp", "vllm_dp_rotating"])
def test_the_regret_encloses_the_true_one(name):
    requests = workload("uniform", 40, 7, b=12, p=0.4)
    loose, exact = Regretful(policy(name)), Exact(policy(name))
    for recorder in (loose, exact):
        simulate(TINY, requests, recorder, pool=4)
    assert loose.steps == exact.steps > 10
    assert loose.least <= exact.regret <= loose.most
    assert loose.surely <= exact.optimal <= loose.perhaps


def test_asking_does_not_change_the_run():
    requests = workload("uniform", 60, 1, p=0.3)
    for name in ("jsq", "bfio:horizon=3"):
        asked = simulate(TINY, requests, Regretful(policy(name)), seed=4)
        plain = simulate(TINY, requests, policy(name), seed=4)
        assert asked.total == plain.total


def test_entries_are_means_over_the_same_requests():
    entries = {
        entry.policy: entry
        for entry in rosetta(
            ["fcfs", "jsq", "bfio", "always_busiest"],
            "uniform",
            System.paper(3, 3),
            hardware("a100-paper"),
            rounds=6,
            seeds=(0, 1),
        )
    }
    for entry in entries.values():
        assert 0 <= entry.regret[0] <= entry.regret[1] <= entry.imbalance
        assert 0 <= entry.optimal[0] <= entry.optimal[1] <= 1
    assert entries["bfio"].regret[0] == 0
    assert entries["bfio"].optimal[1] == 1
    assert entries["fcfs"].regret[0] > entries["bfio"].regret[1]
    assert isinstance(entries["fcfs"].imbalance, Fraction)
    assert entries["bfio"].idle_share < entries["fcfs"].idle_share


def test_the_worst_backlog_is_found_and_is_that_bad():
    values = {}
    for name in ("fcfs", "bfio"):
        value, (sizes, lengths) = worst(name)
        run = simulate(System(2, 2), Requests(sizes, lengths), name, pool=5)
        assert run.total.avg_imbalance == value
        values[name] = value
    # FCFS: 4 and 4 beside 1 and 1, then 4 alone: (6 + 4)/2.
    assert values["fcfs"] == 5
    assert values["bfio"] < values["fcfs"]


def test_every_built_in_policy_says_what_it_does():
    texts = [what(name) for name in POLICIES]
    assert all(text.endswith(".") and "\n" not in text for text in texts)
    assert len(set(texts)) == len(texts)


OWN = """
from tests.oracles.policies import FCFS
class Own(FCFS):
    '''Admits in order of arrival.

    It is one of our own.
    '''
"""


def test_a_policy_of_ones_own_is_compared(tmp_path):
    (tmp_path / "own.py").write_text(OWN, "utf-8")
    power = hardware("a100-paper")
    names = (f"{tmp_path / 'own.py'}:Own", "fcfs")
    own, fcfs = rosetta(names, "uniform", TINY, power, rounds=3, seeds=(0,))
    assert own.text == "Admits in order of arrival."
    assert (own.regret, own.worst, own.energy_j) == (fcfs.regret, fcfs.worst, fcfs.energy_j)


def test_the_command_lists_and_compares(capsys):
    cli.main(["policies", "--list"], standalone_mode=False)
    listed = capsys.readouterr().out.splitlines()
    assert len(listed) == 2 + len(POLICIES) + len(SYSTEM_RULES)
    in_flight = next(line for line in listed if line.startswith("vllm_in_flight"))
    for word in ("July 2026", "core_client.py", "max(clients * own in flight, waiting + running)"):
        assert word in in_flight
    chosen = ["--policy", "fcfs", "--policy", "bfio", "-G", "2", "-B", "2", "--seeds", "1"]
    cli.main(["policies", *chosen, "--json"], standalone_mode=False)
    assert [row["policy"] for row in json.loads(capsys.readouterr().out)] == ["fcfs", "bfio"]
    cli.main(["policies", *chosen], standalone_mode=False)
    assert "saved over fcfs" in capsys.readouterr().out
    with pytest.raises(InputError, match="unknown policy"):
        cli.main(["policies", "--policy", "nonsense"], standalone_mode=False)
