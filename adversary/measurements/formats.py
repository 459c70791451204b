"""The formats that are read, and how one is recognised by its content."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Format:
    """What a format is.

    Parameters
    ----------
    kind : str
        What it has.
    writer : str
        What writes it.
    source : str
        Public repository or document that describes it.
    reads : str
        The fields that are read, and their units.
    time : str
        What is taken for the time of a step or of a sample; empty without one.
    """

    kind: Literal["loads", "times", "power"]
    writer: str
    source: str
    reads: str
    time: str


_VLLM = "github.com/vllm-project/vllm"
_SGLANG = "github.com/sgl-project/sglang"
_DYNAMO = "github.com/ai-dynamo/dynamo"
_TRTLLM = "github.com/NVIDIA/TensorRT-LLM"
_OWN = "your own"

FORMATS: Mapping[str, Format] = {
    "matrix": Format(
        "loads",
        "CSV, Parquet or numpy.savetxt: one row a step, one column a rank (rank0, rank1, ... or 0, "
        "1, ...; text also without a header), and step, duration_s and start_s if you have them",
        _OWN,
        "loads in any unit of work, mostly tokens in the KV cache",
        "duration_s, duration_ms, step_time_ms, ...",
    ),
    "npy": Format(
        "loads",
        "numpy.save of a matrix, steps x ranks",
        "numpy.org",
        "loads in any unit of work",
        "",
    ),
    "long": Format(
        "loads",
        "CSV, JSON or Parquet: one row a rank and step",
        _OWN,
        "step, rank, load (tokens), and host (or node), requests, duration_ms, start_s if you have "
        "them; --column names others",
        "duration_s, duration (ms), wall_time, latency_us, ...: the longest of any rank",
    ),
    "forward-pass-metrics": Format(
        "loads",
        "ForwardPassMetrics of Dynamo on vLLM, and of SGLang: JSON Lines, msgpack, Dynamo's trace",
        f"{_DYNAMO}, {_SGLANG}",
        "dp_rank, counter_id, scheduled_requests.sum_decode_kv_tokens (tokens; vLLM counts those "
        "before the step, SGLang the query token as well), num_decode_requests",
        "wall_time (s)",
    ),
    "vllm-iterations": Format(
        "loads",
        "vLLM with --enable-logging-iteration-details",
        _VLLM,
        "GPU KV cache usage (% of the cache, rounded; tokens where the log says the cache's size, "
        "or with --kv-tokens), generation requests; rank from EngineCore_DPn or Engine n",
        "iteration elapsed time (ms)",
    ),
    "sglang-decode": Format(
        "loads",
        "SGLang's Decode batch lines (--decode-log-interval 1 for every step)",
        _SGLANG,
        "#full token or #token (tokens that running requests hold), #running-req; rank from DPn",
        "#running-req / gen throughput: one token a request and step",
    ),
    "trtllm-iterations": Format(
        "loads",
        "TensorRT-LLM with print_iter_log, all ranks (TLLM_PROFILE_LOG_RANKS=all)",
        _TRTLLM,
        "states.cached_kv_tokens (tokens before the step), num_scheduled_requests; global_rank",
        "prev_device_step_time (ms), which is that of the step before",
    ),
    "vllm-prometheus": Format(
        "loads",
        "vLLM's /metrics: scrapes one after the other, the answer of a range query, or a CSV with "
        "the series as columns",
        _VLLM,
        "vllm:kv_cache_usage_perc (share of the cache), vllm:num_requests_running, by engine; "
        "tokens where vllm:cache_config_info says the cache's size, or with --kv-tokens",
        "",
    ),
    "steps": Format(
        "times",
        "CSV, JSON or Parquet: one row a step, for loads without times and for power samples",
        _OWN,
        "step, start_s, duration_s",
        "",
    ),
    "nvidia-smi": Format(
        "power",
        "nvidia-smi --query-gpu=timestamp,index,power.draw --format=csv -lms 50",
        "docs.nvidia.com/deploy/nvidia-smi",
        "power.draw (in the unit that it or a number names, or W), index, utilization.gpu",
        "timestamp, which has no zone and is taken for UTC; without index or uuid, of one device",
    ),
    "dcgm-power": Format(
        "power",
        "samples.csv of srt-slurm's dcgm-power",
        "github.com/NVIDIA/srt-slurm",
        "power_w (W), hostname, gpu_index",
        "timestamp_unix (s)",
    ),
    "dcgm-exporter": Format(
        "power",
        "DCGM's exporter: scrapes with timestamps, or the answer of a range query",
        "github.com/NVIDIA/dcgm-exporter",
        "DCGM_FI_DEV_POWER_USAGE (W), Hostname, gpu",
        "timestamp of the sample",
    ),
    "monitor": Format(
        "power",
        "nvidia-smi dmon -o DT, dcgmi dmon -e 155 (with times put before its lines)",
        "docs.nvidia.com/datacenter/dcgm",
        "pwr or POWER (W), gpu or Entity",
        "Date and Time, or the words before the line",
    ),
    "zeus": Format(
        "power",
        "Zeus: power_csv_path of its PowerMonitor, a time and a column for each GPU, no header",
        "github.com/ml-energy/zeus",
        "watts of each GPU (with a header: time, power0, power1, ...)",
        "the first column (s since 1970)",
    ),
    "ml-energy": Format(
        "power",
        "ML.ENERGY benchmark: results.json with Zeus' timelines",
        "github.com/ml-energy/benchmark",
        "timeline.power.device_instant, or else device_average (W), by GPU",
        "time of the sample (s)",
    ),
    "rocm-smi": Format(
        "power",
        "rocm-smi --showpower --csv or --json, amd-smi metric --power --csv, with a timestamp if "
        "you add one",
        "github.com/ROCm/rocm_smi_lib",
        "Current Socket or Average Graphics Package Power (W), socket_power; card, gpu",
        "timestamp",
    ),
}
