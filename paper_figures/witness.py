"""A picture of a witness: the load of each worker, step by step, below the load all wait for."""

from pathlib import Path

from adversary.instances.space import Instance
from adversary.witnesses.counterexamples import Round
from adversary.witnesses.gallery import Witness, trajectory
from paper_figures.files import save, style
from solvers.step.exact.brute_force import exact_step
from solvers.step.problem import StepProblem
from theory.model import InputError, IntArray


def panels(witness: Witness) -> dict[str, list[list[int]]]:
    """Title of each panel and the loads of its steps.

    Raises
    ------
    InputError
        If the witness is neither a run, nor a step, nor a round.
    """
    instance = witness.instance
    if isinstance(instance, Instance):
        return {policy: trajectory(instance, policy)[2] for policy in witness.expected}
    if isinstance(instance, Round):
        return {"a round": instance.replay()["loads"]}
    if not isinstance(instance, StepProblem):
        raise InputError(f"there is no picture of {witness.name}, a {instance.kind}")
    chosen: IntArray = exact_step(instance)
    if witness.assignment is not None:
        chosen[:] = witness.assignment
    return {"before and after": [instance.loads.tolist(), instance.loads_after(chosen).tolist()]}


def draw(witness: Witness, out_dir: Path) -> list[Path]:
    """Draw a witness; returns the paths of PNG, SVG and PDF.

    Raises
    ------
    InputError
        As :func:`panels`, or if the folder cannot be written.
    """
    from matplotlib.figure import Figure

    every = panels(witness)
    with style():
        figure = Figure(figsize=(6, 1 + 1.8 * len(every)))
        axes = figure.subplots(len(every), 1, squeeze=False)[:, 0]
        for ax, (title, steps) in zip(axes, every.items(), strict=True):
            width = 0.8 / len(steps[0])
            for g in range(len(steps[0])):
                left = [step - 0.4 + width * g for step in range(len(steps))]
                ax.bar(left, [max(loads) for loads in steps], width, align="edge", color="0.88")
                ax.bar(left, [loads[g] for loads in steps], width, align="edge", color=f"C{g % 10}",
                       label=f"worker {g}")  # fmt: skip
            ax.set_title(title)
            ax.set_ylabel("load")
            ax.set_xticks(range(len(steps)))
        axes[0].legend(ncols=4, fontsize="x-small")
        axes[-1].set_xlabel("step (light: idle until the barrier)")
        return save(figure, out_dir, witness.name)
