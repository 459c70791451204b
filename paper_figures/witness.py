"""A picture of a witness: the load of each worker, step by step, below the load all wait for."""

from pathlib import Path
from typing import TYPE_CHECKING

from adversary.instances.space import Instance
from adversary.witnesses.counterexamples import Round
from adversary.witnesses.gallery import Witness, trajectory
from paper_figures.drawing import load_bars
from paper_figures.files import render
from solvers.step.exact.brute_force import exact_step
from solvers.step.problem import StepProblem
from theory.model import InputError, IntArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
    every = panels(witness)

    def paint(figure: "Figure") -> None:
        axes = figure.subplots(len(every), 1, squeeze=False)[:, 0]
        for ax, (title, steps) in zip(axes, every.items(), strict=True):
            tops = [max(loads) for loads in steps]
            load_bars(ax, list(zip(*steps, strict=True)), [tops] * len(steps[0]))
            ax.set_title(title)
            ax.set_ylabel("load")
            ax.set_xticks(range(len(steps)))
        axes[0].legend(ncols=4, fontsize="x-small")
        axes[-1].set_xlabel("step (light: idle until the barrier)")

    return render(paint, out_dir, witness.name, (6, 1 + 1.8 * len(every)))
