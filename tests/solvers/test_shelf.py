"""Every solver on every hand-solved micro-instance."""

from solvers.step.exact.brute_force import enumerate_step
from solvers.step.shelf import SHELF, run_shelf


def test_shelf_values_are_right_by_exhaustive_search() -> None:
    assert len({micro.name for micro in SHELF}) == len(SHELF) >= 12
    for micro in SHELF:
        assert enumerate_step(micro.problem).imbalance == micro.optimum, micro.name


def test_every_solver_passes_the_shelf() -> None:
    results = run_shelf()
    solvers = {r.solver for r in results}
    assert solvers >= {"highs", "cbc", "cvxpy", "scan", "enumeration", "fast"}
    assert len(results) == len(solvers) * len(SHELF)
    assert [r for r in results if not r.ok] == []
    for r in results:
        if r.solver != "fast":
            assert r.value == r.optimum
        if r.solver in ("scan", "enumeration"):
            assert r.lower_bound == r.optimum
