"""Prometheus: the text of scrapes, one after the other, and the answer of a range query."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from adversary.measurements.fields import LineError, Place, number, seconds, share
from adversary.measurements.loads import LoadRecords, Meaning, of_shares
from adversary.workloads.layouts.nested import decoded, find, opened, text
from adversary.workloads.layouts.rows import one_line
from theory.content import Content
from theory.model import InputError

_NAN = float("nan")
_SERIES = re.compile(r"([a-zA-Z_:][\w:]*)?(?:\{(.*)\})?", re.ASCII)
_LABEL = re.compile(r'\s*([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"\s*(?:,|$)', re.ASCII)

FORMAT = "vllm-prometheus"
USAGE = ("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc")
RUNNING = "vllm:num_requests_running"
_CACHE = "vllm:cache_config_info"


class Sample(NamedTuple):
    """The value of a series.

    ``scrape`` counts the scrapes before; in a query, milliseconds.
    """

    place: Place
    name: str
    labels: dict[str, str]
    value: str
    time_s: float
    scrape: int


def series(place: Place, written: str) -> tuple[str, dict[str, str]]:
    """The name and the labels of a series; the name may be the label ``__name__``, as in Grafana.

    >>> series(Place("a", 1), 'vllm:num_requests_running{engine="0"}')
    ('vllm:num_requests_running', {'engine': '0'})
    """
    found = _SERIES.fullmatch(written.strip())
    if found is None:
        raise LineError(place, f"{one_line(written, 40)!r} is no series")
    labels, at, inside = {}, 0, found[2] or ""
    while at < len(inside):
        label = _LABEL.match(inside, at)
        if label is None:
            raise LineError(place, f"labels = {one_line(inside[at:], 40)} are damaged")
        labels[label[1]] = label[2]
        at = label.end()
    name = found[1] or labels.pop("__name__", "")
    if not name:
        raise LineError(place, f"{one_line(written, 40)!r} is no series")
    return name, labels


def of_text(content: Content, prefixes: tuple[str, ...]) -> Iterator[Sample | LineError]:
    """The samples of the series whose names begin so, in the text of scrapes.

    A scrape ends where what it had already comes again: the heading of a name, or a series.  A line
    that cannot be read is given as the error that says why.
    """
    seen: set[str] = set()
    scrape = 0

    def counted(what: str) -> int:
        nonlocal scrape
        if what in seen:
            seen.clear()
            scrape += 1
        seen.add(what)
        return scrape

    lines = content.lines()
    for line in lines:
        if line.startswith(("# HELP ", "# TYPE ")):
            counted(" ".join(line.split()[:3]))
        if not line.startswith(prefixes):
            continue
        place = Place(lines.name, lines.number)
        # Labels may have spaces; what follows the last brace has none inside.
        head, brace, tail = line.rpartition("}")
        if not brace:
            head, _, tail = line.partition(" ")
        words = tail.split()
        try:
            if not 1 <= len(words) <= 2:
                raise LineError(place, f"value = {one_line(tail, 40)} is no number")
            name, labels = series(place, head + brace)
            time = _NAN
            if len(words) == 2:
                time = seconds(place, "timestamp", words[1])
        except LineError as error:
            yield error
            continue
        yield Sample(place, name, labels, words[0], time, counted(f"{head}{brace}"))


def of_query(content: Content) -> Iterator[Sample | LineError]:
    """The samples in the JSON answer of a range query, series by series."""
    whole = content.whole()
    try:
        value = decoded(whole.decode("utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{content.name}: is not JSON: {one_line(error)}") from None
    entries = opened(find(value, "data.result"))
    if not isinstance(entries, list):
        raise InputError(
            f"{content.name}: data.result is missing; give the answer of /api/v1/query_range"
        )
    count = 0
    for entry in map(opened, entries):
        metric = opened(entry.get("metric")) if isinstance(entry, dict) else None
        points = opened(entry.get("values")) if isinstance(entry, dict) else None
        if not isinstance(metric, dict) or not isinstance(points, list):
            raise InputError(
                f"{content.name}: data.result: an entry lacks metric or values; give the answer "
                "of /api/v1/query_range"
            )
        labels = {key: text(label) or "" for key, label in metric.items()}
        name = labels.pop("__name__", "")
        for point in map(opened, points):
            count += 1
            place = Place(content.name, count, "value")
            try:
                if not isinstance(point, list) or len(point) != 2:
                    raise LineError(place, "is no pair of a time and a value")
                when, found = map(text, point)
                time = seconds(place, "time", when)
                yield Sample(place, name, labels, found or "", time, round(1000 * time))
            except LineError as error:
                yield error


class VllmGauges:
    """Loads from vLLM's gauges of one engine each: KV cache usage, or running requests."""

    def __init__(self) -> None:
        self._usage: dict[tuple[str, int], tuple[Place, float, float]] = {}
        self._running: dict[tuple[str, int], tuple[Place, float, float]] = {}
        self._sizes: dict[str, float] = {}
        self._step_of: dict[float, int] = {}

    def sample(self, sample: Sample) -> None:
        """Take one sample.

        Raises
        ------
        LineError
            If its value is no number, or a usage above 1.
        """
        labels = sample.labels
        instance = labels.get("instance") or labels.get("pod") or ""
        rank = " ".join(filter(None, (instance, labels.get("engine", labels.get("dp_rank", "0")))))
        if sample.name == _CACHE:
            size = [labels.get(key) for key in ("block_size", "num_gpu_blocks")]
            if all(part and part.isdecimal() for part in size):
                self._sizes[rank] = float(size[0] or 0) * float(size[1] or 0)
            return
        if sample.name not in (*USAGE, RUNNING):
            return
        running = sample.name == RUNNING
        kept = self._running if running else self._usage
        value = (number if running else share)(sample.place, sample.name, sample.value)
        kept[rank, sample.scrape] = (sample.place, value, sample.time_s)

    def settled(self, into: LoadRecords, kv_tokens: float | None) -> Meaning:
        """Hand over all records, and what they mean."""
        main = self._usage or self._running
        for (rank, step), (place, value, time) in main.items():
            running = self._running.get((rank, step), (place, _NAN, _NAN))[1]
            into.add(place, rank, step, value, start_s=time, requests=running)
        if not self._usage:
            return Meaning(FORMAT, "running requests")
        return of_shares(FORMAT, into.ranks, kv_tokens, self._sizes)

    def notes(self) -> list[str]:
        """What is to be known of the samples."""
        told = [
            "scrapes see few of the steps and time none of them: the idle share is that of the "
            "moments scraped, each weighed by its largest load"
        ]
        if not self._usage:
            told.append(
                "there is no vllm:kv_cache_usage_perc, so that running requests stand for the "
                "load: the idle share is that of counts, not of tokens"
            )
        return told
