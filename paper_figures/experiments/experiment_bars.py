"""Figure: the paper's experiments E2 and E3 run again, beside the numbers that it reports.

Each policy against FCFS on the same requests [experiment.energy3] [experiment.energy28], measured
up to the last admission, where the paper's metrics stop, and with all requests completed, where
equal work is compared.  The paper's policy is a greedy one; the steps of BF-IO here are near
optimal.
"""

from collections.abc import Iterator
from dataclasses import replace

from adversary.paired_runs import (
    E2,
    E3,
    HORIZONS,
    log10_imbalance_ratio,
    replay,
    saving,
    throughput_gain,
    time_per_token_drop,
)
from paper_figures.drawing import PAPER, titled, whiskers
from paper_figures.figure import Picture, figure, table
from paper_figures.files import Cells, Row, sampled, where
from theory.reported import REPORTED

# Each experiment's setting and how far the paper's policy looks ahead in it.
EXPERIMENTS = {"E2": (E2, HORIZONS["E2"]), "E3": (E3, HORIZONS["E3"])}
NAMES = {"E2": "BurstGPT-like", "E3": "LongBench-like"}
POLICIES = {"br0": "BR-0", "brh": "BR-H", "bfio": "BF-IO\nH = 0", "bfio ahead": "BF-IO\nH = "}
ENDS = {"window": "up to the last admission", "completed": "all requests completed"}
# By the keys of what the paper reports; the ratio of imbalances is in logarithms.
MEASURES = {
    "imbalance": log10_imbalance_ratio,
    "throughput": throughput_gain,
    "time per token": time_per_token_drop,
    "energy": saving,
}
TITLES = {
    "imbalance": "imbalance divided by",
    "throughput": "throughput gained (%)",
    "time per token": "time per token saved (%)",
    "energy": "energy saved (%)",
}


@table("experiment horizon measure policy end kind computed theory n lower upper")
def data(seeds: int = 4, requests: int | None = None) -> Iterator[Row]:
    """What the policies change against FCFS.

    Parameters
    ----------
    seeds : int
        Independent runs of each policy, at least 2; the column ``n``.
    requests : int, optional
        Fewer requests than the paper's.

    Yields
    ------
    Row
        ``computed`` is the mean over seeds with its 95 % interval, geometric for the imbalance;
        ``theory`` is what the paper reports, empty where it reports nothing.
    """
    for name, (paper, horizon) in EXPERIMENTS.items():
        setting = paper if requests is None else replace(paper, requests=requests)
        told = REPORTED[name]
        for policy in POLICIES:
            looks = policy in ("brh", "bfio ahead")
            spec = policy.partition(" ")[0] + (f":horizon={horizon}" if looks else "")
            runs = [
                (replay(setting, "fcfs", seed), replay(setting, spec, seed))
                for seed in range(seeds)
            ]
            for measure, of in MEASURES.items():
                for end in ENDS:
                    values = [of(getattr(a, end), getattr(b, end)) for a, b in runs]
                    yield {
                        "experiment": name,
                        "horizon": horizon,
                        "measure": measure,
                        "policy": policy,
                        "end": end,
                        "kind": "measured",
                        "theory": float(told[measure]) if measure in told else "",
                        **sampled(values, (lambda x: 10**x) if measure == "imbalance" else float),
                    }


@figure("experiments", data, size=(9.0, 5.6))
def draw(picture: Picture, rows: list[Cells]) -> None:
    """Draw the table."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    axes = picture.subplots(len(EXPERIMENTS), len(MEASURES))
    for line, (name, (setting, horizon)) in zip(axes, EXPERIMENTS.items(), strict=True):
        for ax, measure in zip(line, MEASURES, strict=True):
            part = where(rows, experiment=name, measure=measure)
            scale = 1 if measure == "imbalance" else 100
            for number, end in enumerate(ENDS):
                bars = where(part, end=end)
                value, reach = whiskers(bars, scale)
                places = [place + 0.4 * number - 0.2 for place in range(len(bars))]
                ax.bar(places, value, 0.38, yerr=reach, color=("0.35", "0.7")[number],
                       error_kw={"elinewidth": 1, "capsize": 2})  # fmt: skip
            if part[0]["theory"]:
                ax.axhline(scale * float(part[0]["theory"]), color=PAPER, linestyle="--")
            labels = [f"{text}{horizon}" if text.endswith("= ") else text
                      for text in POLICIES.values()]  # fmt: skip
            ax.set_xticks(range(len(labels)), labels, fontsize=7)
            ax.grid(visible=False, axis="x")
            if measure == "imbalance":
                ax.set_yscale("log")
                ax.set_ylim(1, None)
                ax.yaxis.set_major_formatter("{x:g}")
            if name == "E2":
                ax.set_title(TITLES[measure])
        line[0].set_ylabel(f"{name}: {NAMES[name]}, G = {setting.workers}")
    shown = [
        *(Patch(color=("0.35", "0.7")[number], label=text)
          for number, text in enumerate(ENDS.values())),
        Line2D([], [], color=PAPER, linestyle="--", label="the paper reports"),
    ]  # fmt: skip
    picture.legend(handles=shown, loc="outside lower center", ncols=3)
    (energy,) = where(rows, experiment="E3", measure="energy", policy="bfio", end="window")
    titled(
        picture,
        f"In E3 BF-IO saves {100 * float(energy['computed']):.0f} % of the energy; "
        f"the paper reports {100 * float(energy['theory']):.0f} %",
        f"Against FCFS on the same requests; B = {E2.slots}, device and step time of the paper; "
        f"{rows[0]['n']} seeds, 95 % intervals",
    )
