"""What counts of independent runs say of the chance behind them."""


def clopper_pearson(hits: int, runs: int, miss: float) -> tuple[float, float]:
    """Clopper and Pearson's interval of a chance; each end misses it with at most ``miss / 2``.

    Examples
    --------
    With no hit in ten runs the upper end is ``1 - 0.05^(1/10)``:

    >>> low, high = clopper_pearson(0, 10, 0.1)
    >>> low, round(high, 6), round(1 - 0.05 ** (1 / 10), 6)
    (0.0, 0.258866, 0.258866)
    """
    from scipy.special import betaincinv  # scipy.stats has it too, and takes a second to load

    low = float(betaincinv(hits, runs - hits + 1, miss / 2)) if hits else 0.0
    high = float(betaincinv(hits + 1, runs - hits, 1 - miss / 2)) if hits < runs else 1.0
    return low, high
