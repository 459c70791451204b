"""Figure: how far to look ahead, and what wrong predictions cost.

Throughput up to the last admission against FCFS, at G = 16 and B = 72 [experiment.lookahead].  With
near-optimal steps, looking further ahead does not pay even with perfect predictions: what is
admitted later is not in the window.  BR-H, whose steps are greedy, is best at a short horizon here,
as the paper says of its own greedy policy, if by less than the intervals.
"""

from pathlib import Path

from adversary.paired_runs import Setting, replay, throughput_gain
from paper_figures.files import Row, interval, read_csv, save, style, whiskers

WORKLOADS = {"burst-like": "BurstGPT-like lengths", "longbench-like": "LongBench-like lengths"}
HORIZONS = (0, 5, 10, 20, 60, 200)
ERRORS = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0)
AHEAD = 20  # horizon of the sweep over errors
NAMES = {"bfio": "BF-IO", "brh": "BR-H"}
# Whose claims the figure illustrates.
FAMILY = "experiments"

COLUMNS = (
    *("workload", "sweep", "policy", "x", "kind"),
    *("computed", "theory", "n", "lower", "upper"),
)


def data(
    workers: int = 16,
    slots: int = 72,
    rounds: int = 4,
    seeds: int = 6,
    horizons: tuple[int, ...] = HORIZONS,
    errors: tuple[float, ...] = ERRORS,
) -> list[Row]:
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

    Returns
    -------
    list of Row
        ``computed`` is the mean gain over FCFS with its 95 % interval; ``theory``, that of the
        same policy without look-ahead on the same requests.
    """
    rows: list[Row] = []
    for workload in WORKLOADS:
        setting = Setting(workload, workers, slots, rounds * workers * slots, 4 * workers)

        def gain(spec: str, setting: Setting = setting) -> tuple[float, float, float]:
            runs = [[replay(setting, name, seed).window for name in ("fcfs", spec)]
                    for seed in range(seeds)]  # fmt: skip
            return interval([throughput_gain(*pair) for pair in runs])

        cells: list[tuple[str, str, float | str, str]] = [
            ("horizon", policy, h, f"{policy}:horizon={h}" if h else myopic)
            for policy, myopic in (("bfio", "bfio"), ("brh", "br0"))
            for h in horizons
        ]
        ahead = f"bfio:horizon={AHEAD},predictor="
        cells += [("error", "bfio", x, f"{ahead}noisy:{x}") for x in errors]
        cells.append(("error", "bfio", "", f"{ahead}observed"))
        for sweep, policy, x, spec in cells:
            mean, lower, upper = gain(spec)
            rows.append(
                {
                    "workload": workload,
                    "sweep": sweep,
                    "policy": policy,
                    "x": x,
                    "kind": "measured",
                    "computed": mean,
                    "theory": gain("bfio" if policy == "bfio" else "br0")[0],
                    "n": seeds,
                    "lower": lower,
                    "upper": upper,
                }
            )
    return rows


def draw(csv_path: Path, out_dir: Path) -> list[Path]:
    """Draw from the CSV; returns the paths of PNG, SVG and PDF."""
    from matplotlib.figure import Figure

    rows = read_csv(csv_path, COLUMNS)
    with style():
        figure = Figure(figsize=(7.6, 5.6))
        axes = figure.subplots(2, len(WORKLOADS), sharey="col")
        for left, (workload, name) in zip(axes.T, WORKLOADS.items(), strict=True):
            for ax, sweep in zip(left, ("horizon", "error"), strict=True):
                for number, policy in enumerate(NAMES):
                    part = [
                        row
                        for row in rows
                        if (row["workload"], row["sweep"], row["policy"])
                        == (workload, sweep, policy)
                    ]
                    if not part:
                        continue
                    # Horizons and errors are evenly spread, as they span two orders.
                    places = range(len(part))
                    value, reach = whiskers(part, 100)
                    ax.errorbar(places, value, reach, fmt="o", color=f"C{number}",
                                markersize=4, capsize=3, label=NAMES[policy])  # fmt: skip
                    joined = [i for i, row in enumerate(part) if row["x"]]
                    ax.plot(joined, [value[i] for i in joined], color=f"C{number}", linewidth=1)
                    ax.axhline(100 * float(part[0]["theory"]), color=f"C{number}", linestyle=":",
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
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
        figure.suptitle(
            f"Against FCFS, G = 16, B = 72; {rows[0]['n']} seeds, 95 % intervals", fontsize=10.5
        )
        return save(figure, out_dir, "lookahead")
