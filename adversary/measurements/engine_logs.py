"""Lines that engines log for each step: vLLM, SGLang and TensorRT-LLM.

A line of another kind is passed over.  A line of the kind whose fields cannot be read is refused:
it was damaged, and so may others be.
"""

import re
from collections import Counter
from collections.abc import Sequence

from adversary.measurements.fields import LineError, Place, number, whole
from adversary.measurements.loads import LoadRecords, Meaning, of_shares

_NAN = float("nan")


class EngineLog:
    """Reads the lines of one engine, from one file or several."""

    # What a line of the kind has in it.
    markers: tuple[str, ...]
    format: str

    def __init__(self) -> None:
        # Lines that name no rank are those of the file's rank.
        self.file_number = 0

    def marks(self, line: str) -> bool:
        """Whether a line is of the kind."""
        return all(marker in line for marker in self.markers)

    def line(self, place: Place, line: str, into: LoadRecords) -> None:
        """Take the record of one line that :meth:`marks`.

        Raises
        ------
        LineError
            If a field is missing or no number.
        """
        raise NotImplementedError

    def other(self, line: str) -> None:
        """A line of another kind, which may say something of the engine."""

    def settled(self, ranks: Sequence[str], kv_tokens: float | None) -> Meaning:
        """What the loads are, as all lines have shown it; ``kv_tokens`` is what a cache holds."""
        return Meaning(self.format)

    def notes(self) -> list[str]:
        """What is to be known of the lines that were read."""
        return []

    def _rank(self, found: "re.Match[str] | None") -> str:
        """The rank that a line names; without one, a file is a rank."""
        return f"file {self.file_number}" if found is None else str(int(found[1]))


def _field(place: Place, name: str, line: str, pattern: "re.Pattern[str]") -> str:
    if (found := pattern.search(line)) is None:
        raise LineError(place, f"{name} is missing")
    return found[1]


def _in_some(name: str, *, missing: bool, place: Place) -> LineError:
    """The error of a field that is in some lines alone."""
    says = "is missing, and there in a line before" if missing else ""
    return LineError(place, f"{name} {says or 'is there, and missing in a line before'}")


_ANY = r"([^\s,}]+)"


class Vllm(EngineLog):
    """``--enable-logging-iteration-details``: shares of the KV cache, rounded."""

    markers = ("Iteration(", "generation")
    format = "vllm-iterations"
    _RANK = re.compile(r"(?:Engine |EngineCore_(?:DP)?|\bDP)(\d+)")
    _STEP = re.compile(r"Iteration\(([^)]*)\)")
    _CONTEXT = re.compile(r"Iteration\([^)]*\): .*?([^\s,]+) context tokens")
    _REQUESTS = re.compile(r"([^\s,]+) generation requests")
    _ELAPSED = re.compile(r"iteration elapsed time: ([^\s,]+) ms")
    _USAGE = re.compile(r"GPU KV cache usage: ([^\s,%]+)%")
    _SIZE = re.compile(r"GPU KV cache size: ([\d,]+) tokens")

    def __init__(self) -> None:
        super().__init__()
        self._sizes: dict[str, float] = {}
        self._digits: int | None = None
        self._by_requests = False

    def other(self, line: str) -> None:
        """How many tokens the cache holds is said once, when the engine starts."""
        if (found := self._SIZE.search(line)) is not None:
            self._sizes[self._rank(self._RANK.search(line))] = float(found[1].replace(",", ""))

    def line(self, place: Place, line: str, into: LoadRecords) -> None:
        """See :class:`EngineLog`."""
        rank = self._rank(self._RANK.search(line))
        step = whole(place, "Iteration", _field(place, "Iteration", line, self._STEP))
        requests = whole(
            place,
            "generation requests",
            _field(place, "generation requests", line, self._REQUESTS),
        )
        context = number(
            place, "context tokens", _field(place, "context tokens", line, self._CONTEXT)
        )
        name = "iteration elapsed time"
        elapsed = number(place, name, _field(place, name, line, self._ELAPSED))
        name = "GPU KV cache usage"
        if name not in line and self._digits is None:
            load, self._by_requests = float(requests), True
        elif self._by_requests:
            raise _in_some(name, missing=False, place=place)
        else:
            usage = _field(place, name, line, self._USAGE)
            load = number(place, name, usage) / 100
            if load > 1:
                raise LineError(place, f"{name} = {usage}% is more than 100 %")
            self._digits = max(self._digits or 0, len(usage.partition(".")[2]))
        into.add(
            place,
            rank,
            step,
            load,
            duration_s=elapsed / 1e3,
            requests=requests,
            prefill=context,
        )

    def settled(self, ranks: Sequence[str], kv_tokens: float | None) -> Meaning:
        """See :class:`EngineLog`."""
        if self._by_requests:
            return Meaning(self.format, "running requests")
        return of_shares(
            self.format, ranks, kv_tokens, self._sizes, 0.005 * 0.1 ** (self._digits or 0)
        )

    def notes(self) -> list[str]:
        """See :class:`EngineLog`."""
        if self._by_requests:
            return [
                "the lines have no KV cache usage, so that running requests stand for the load: "
                "the idle share is that of counts, not of tokens"
            ]
        return [
            "KV cache usage counts whole blocks, once where requests share a prefix, of prefill as "
            "well"
        ]


class Sglang(EngineLog):
    """``Decode batch`` lines: tokens in the KV cache that running requests hold."""

    markers = ("Decode batch",)
    format = "sglang-decode"
    _RANK = re.compile(r"\bDP(\d+)\b")
    _STEP = re.compile(r"Decode batch \[([^\]]*)\]")
    _REQUESTS = re.compile(r"#running-req: " + _ANY)
    _TOKENS = re.compile(r"#(?:full )?token: " + _ANY)
    _RATE = re.compile(r"gen throughput \(token/s\): " + _ANY)

    def __init__(self) -> None:
        super().__init__()
        self._seen: Counter[str] = Counter()
        self._last: dict[str, int] = {}
        self._unnumbered = self._speculative = 0
        self._gap = 1
        self._by_requests: bool | None = None

    def line(self, place: Place, line: str, into: LoadRecords) -> None:
        """See :class:`EngineLog`."""
        rank = self._rank(self._RANK.search(line))
        number_of = self._STEP.search(line)
        if number_of is not None and number_of[1] == "first graph replay":
            return  # it says so once, without loads
        if number_of is None:
            step = self._seen[rank]
            self._seen[rank] += 1
            self._unnumbered += 1
        else:
            step = whole(place, "Decode batch", number_of[1])
        requests = whole(place, "#running-req", _field(place, "#running-req", line, self._REQUESTS))
        found = self._TOKENS.search(line)
        if self._by_requests is None:
            self._by_requests = found is None
        if self._by_requests != (found is None):
            raise _in_some("#token", missing=found is None, place=place)
        load = float(requests) if found is None else number(place, "#token", found[1])
        duration = _NAN
        if "accept len" in line:
            self._speculative += 1
        elif (found := self._RATE.search(line)) is not None:
            rate = number(place, "gen throughput (token/s)", found[1])
            # One token a request and step: the mean over the steps since the line before.
            duration = requests / rate if rate > 0 and requests > 0 else _NAN
        self._gap = max(self._gap, step - self._last.get(rank, step - 1))
        self._last[rank] = step
        into.add(place, rank, step, load, duration_s=duration, requests=requests)

    def settled(self, ranks: Sequence[str], kv_tokens: float | None) -> Meaning:
        """See :class:`EngineLog`."""
        return Meaning(self.format, "running requests" if self._by_requests else "tokens")

    def notes(self) -> list[str]:
        """See :class:`EngineLog`."""
        told = [
            "the lines have no #token, so that running requests stand for the load: the idle share "
            "is that of counts, not of tokens"
            if self._by_requests
            else "SGLang's tokens are those that running requests hold, the query token included, "
            "once where they share a prefix"
        ]
        if self._unnumbered:
            told.append(
                "the lines are not numbered: the k-th line of each rank is taken for the same step"
            )
        if self._speculative:
            told.append("no step times: with speculative decoding throughput does not tell them")
        elif self._gap > 1 or self._unnumbered:
            told.append(
                "step times are means over the steps since the line before (--decode-log-interval "
                "1 logs each step)"
            )
        return told


class TensorRT(EngineLog):
    """``print_iter_log`` lines: cached tokens of the requests that are scheduled."""

    markers = ("iter = ", "num_scheduled_requests")
    format = "trtllm-iterations"
    _RANK = re.compile(r"\bglobal_rank = (\d+)|\[RANK (\d+)\]|\brank = (\d+)")
    _STEP = re.compile(r"\biter = " + _ANY)
    _REQUESTS = re.compile(r"num_scheduled_requests\s*[:=]\s*" + _ANY)
    _DEVICE = re.compile(r"prev_device_step_time\s*=\s*([^\s,]+)")
    _CACHED = re.compile(r"'cached_kv_tokens':\s*" + _ANY)
    _CONTEXT = re.compile(r"'num_ctx_tokens':\s*" + _ANY)
    _ELAPSED = re.compile(r"elapsed_time\s*=\s*([^\s,]+)")

    def __init__(self) -> None:
        super().__init__()
        self._by_requests: bool | None = None
        self._host = False

    def line(self, place: Place, line: str, into: LoadRecords) -> None:
        """See :class:`EngineLog`."""
        found = self._RANK.search(line)
        rank = (
            self._rank(None)
            if found is None
            else str(int(next(group for group in found.groups() if group is not None)))
        )
        step = whole(place, "iter", _field(place, "iter", line, self._STEP))
        requests = whole(
            place,
            "num_scheduled_requests",
            _field(place, "num_scheduled_requests", line, self._REQUESTS),
        )
        context = number(
            place, "num_ctx_tokens", _field(place, "num_ctx_tokens", line, self._CONTEXT)
        )
        duration = _NAN
        if (elapsed := self._ELAPSED.search(line)) is not None:  # until 2025, of the host
            self._host = True
            duration = number(place, "elapsed_time", elapsed[1], "s")
        else:
            device = _field(place, "prev_device_step_time", line, self._DEVICE)
            if not device.startswith("N/A"):
                duration = number(place, "prev_device_step_time", device, "ms") / 1e3
        cached = self._CACHED.search(line)
        if self._by_requests is None:
            self._by_requests = cached is None
        if self._by_requests != (cached is None):
            raise _in_some("cached_kv_tokens", missing=cached is None, place=place)
        load = float(requests) if cached is None else number(place, "cached_kv_tokens", cached[1])
        into.add(
            place,
            rank,
            step,
            load,
            duration_s=duration,
            requests=requests,
            prefill=context,
        )

    def settled(self, ranks: Sequence[str], kv_tokens: float | None) -> Meaning:
        """See :class:`EngineLog`."""
        unit = "running requests" if self._by_requests else "tokens"
        return Meaning(self.format, unit, lag=0 if self._host else 1)

    def notes(self) -> list[str]:
        """See :class:`EngineLog`."""
        told = [
            "the lines have no cached_kv_tokens, as versions before it, so that scheduled requests "
            "stand for the load: the idle share is that of counts, not of tokens"
            if self._by_requests
            else "cached_kv_tokens are the tokens in the KV cache before the step, without its "
            "query tokens",
            "elapsed_time is that of the host"
            if self._host
            else "prev_device_step_time is that of the step before, and was moved to it",
        ]
        return ["; ".join(told)]


ENGINES: tuple[type[EngineLog], ...] = (Vllm, Sglang, TensorRT)
