"""Figure: how far to look ahead, and what wrong predictions cost.

Throughput up to the last admission against FCFS, at G = 16 and B = 72 [experiment.lookahead].  With
near-optimal steps, looking further ahead does not pay even with perfect predictions: what is
admitted later is not in the window.  BR-H, whose steps are greedy, is best at a short horizon here,
as the paper says of its own greedy policy, if by less than the intervals.
"""

from collections.abc import Iterator

from adversary.paired_runs import Setting, replay, throughput_gain
from paper_figures.drawing import BFIO, OTHER, drawn_for, points, titled
from paper_figures.figure import Picture, figure, table
from paper_figures.files import Cells, Row, column, sampled, where

WORKLOADS = {"burst-like": "BurstGPT-like lengths", "longbench-like": "LongBench-like lengths"}
HORIZONS = (0, 5, 10, 20, 60, 200)
ERRORS = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0)
AHEAD = 20  # horizon of the sweep over errors
NAMES = {"bfio": "BF-IO", "brh": "BR-H"}


@table("workload sweep policy x kind computed theory n lower upper")
def data(
    workers: int = 16,
    slots: int = 72,
    rounds: int = 4,
    seeds: int = 6,
    horizons: tuple[int, ...] = HORIZONS,
    errors: tuple[float, ...] = ERRORS,
) -> Iterator[Row]:
    """Throughput gains by horizon, and by error of the predicted lengths.

    Parameters
    ----------
    workers, slots : int
        ``G`` and ``B``; the pool shows ``4G`` requests.
    rounds : int
        The workload has ``rounds * G * B`` requests.
    seeds : int
        Independent runs, at least 2; the column ``n``.
    horizons : tuple of int
        For BF-IO and BR-H with perfect predictions; 0 is BF-IO's own step and BR-0.
    errors : tuple of float
        Standard deviations of the logarithm of the predicted length, for BF-IO looking
        :data:`AHEAD` steps ahead; a last row without a number is for predictions from the lengths
        and ages observed so far.

    Yields
    ------
    Row
        ``computed`` is the mean gain over FCFS with its 95 % interval; ``theory``, that of the
        same policy without look-ahead on the same requests.
    """
    for workload in WORKLOADS:
        setting = Setting(workload, workers, slots, rounds * workers * slots, 4 * workers)

        def gain(spec: str, setting: Setting = setting) -> dict[str, float]:
            runs = [[replay(setting, name, seed).window for name in ("fcfs", spec)]
                    for seed in range(seeds)]  # fmt: skip
            return sampled([throughput_gain(*pair) for pair in runs])

        cells: list[tuple[str, str, float | str, str]] = [
            ("horizon", policy, h, f"{policy}:horizon={h}" if h else myopic)
            for policy, myopic in (("bfio", "bfio"), ("brh", "br0"))
            for h in horizons
        ]
        ahead = f"bfio:horizon={AHEAD},predictor="
        cells += [("error", "bfio", x, f"{ahead}noisy:{x}") for x in errors]
        cells.append(("error", "bfio", "", f"{ahead}observed"))
        for sweep, policy, x, spec in cells:
            yield {
                "workload": workload,
                "sweep": sweep,
                "policy": policy,
                "x": x,
                "kind": "measured",
                "theory": gain("bfio" if policy == "bfio" else "br0")["computed"],
                **gain(spec),
            }


@figure("experiments", data, size=(7.4, 6.0))
def draw(picture: Picture, rows: list[Cells]) -> None:
    """Draw the table."""
    axes = picture.subplots(2, len(WORKLOADS), sharey="col")
    for left, (workload, name) in zip(axes.T, WORKLOADS.items(), strict=True):
        for ax, sweep in zip(left, ("horizon", "error"), strict=True):
            for policy, colour in (("bfio", BFIO), ("brh", OTHER)):
                part = where(rows, workload=workload, sweep=sweep, policy=policy)
                if not part:
                    continue
                # Horizons and errors are evenly spread, as they span two orders.
                places = range(len(part))
                value = column(part, "computed", 100)
                points(ax, places, part, 100, color=colour, label=NAMES[policy])
                joined = [i for i, row in enumerate(part) if row["x"]]
                ax.plot(joined, [value[i] for i in joined], color=colour, linewidth=1)
                ax.axhline(100 * float(part[0]["theory"]), color=colour, linestyle=":",
                           linewidth=1)  # fmt: skip
                ax.set_xticks(places, [row["x"].removesuffix(".0") or "observed"
                                       for row in part])  # fmt: skip
            ax.set_ylim(0, None)
        left[0].set_title(name)
        left[0].set_xlabel("horizon H, perfect predictions")
        left[1].set_xlabel(f"error σ of ln(length) predicted, H = {AHEAD}")
    for ax in axes[:, 0]:
        ax.set_ylabel("throughput gained (%)")
    axes[0, 0].plot([], [], ":", color="0.3", label="the same without look-ahead")
    picture.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    setting, gains = drawn_for(data), where(rows, sweep="horizon", policy="bfio")
    first, last = (
        [float(where(gains, workload=name)[at]["computed"]) for name in WORKLOADS] for at in (0, -1)
    )
    titled(
        picture,
        "Looking far ahead costs throughput: BF-IO gains "
        + " and ".join(f"{100 * x:.0f} %" for x in first)
        + "\nat H = 0 and "
        + " and ".join(f"{100 * x:.0f} %" for x in last)
        + f" at H = {HORIZONS[-1]}",
        f"Gain over FCFS up to the last admission, G = {setting['workers']}, B = "
        f"{setting['slots']}, "
        f"pool 4 G; {rows[0]['n']} seeds, 95 % intervals",
    )
