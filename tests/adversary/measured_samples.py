"""Small logs of one run, as each tool writes them: what they say is known without reading them.

Three steps, two ranks, loads 300 and 100, 310 and 160, 320 and 500 tokens, step times of 20, 21
and 30 ms, two running requests on each rank and three on rank 1 in the last step.
"""

import json
from collections.abc import Callable, Mapping

import msgpack

LOADS = ((300, 100), (310, 160), (320, 500))
SECONDS = (0.020, 0.021, 0.030)
REQUESTS = ((2, 2), (2, 2), (2, 3))

# Tokens of the KV cache of a rank: each load is a whole number of its thousandths.
CACHE = 10_000


def cells() -> list[tuple[int, int, int, float, int]]:
    """Step, rank, load, seconds, requests."""
    return [
        (step, rank, LOADS[step][rank], SECONDS[step], REQUESTS[step][rank])
        for step in range(3)
        for rank in range(2)
    ]


def matrix() -> str:
    return "rank0,rank1\n" + "".join(f"{a},{b}\n" for a, b in LOADS)


def timed_matrix() -> str:
    rows = zip(LOADS, SECONDS, strict=True)
    return "step;rank 0;rank 1;duration_ms\n" + "".join(
        f"{k};{a};{b};{1e3 * s:g}\n" for k, ((a, b), s) in enumerate(rows)
    )


def headless() -> str:
    return "".join(f"{a}\t{b}\n" for a, b in LOADS)


def long_csv() -> str:
    return "step,rank,load,duration_ms,requests\n" + "".join(
        f"{k},{g},{load},{1e3 * s:g},{n}\n" for k, g, load, s, n in cells()
    )


def long_json() -> str:
    return "".join(
        json.dumps({"iteration": k, "dp_rank": g, "kv_tokens": load, "wall_time": s, "running": n})
        + "\n"
        for k, g, load, s, n in cells()
    )


def fpm(step: int, rank: int, load: int, seconds: float, requests: int) -> dict[str, object]:
    return {
        "version": 1,
        "worker_id": "w0",
        "dp_rank": rank,
        "counter_id": step,
        "wall_time": seconds,
        "scheduled_requests": {
            "num_prefill_requests": 0,
            "sum_prefill_tokens": 0,
            "num_decode_requests": requests,
            "sum_decode_kv_tokens": load,
            "var_decode_kv_tokens": 0.0,
        },
        "queued_requests": {"num_prefill_requests": 1, "sum_decode_kv_tokens": 77},
    }


def fpm_lines() -> str:
    return "".join(json.dumps(fpm(*cell)) + "\n" for cell in cells())


def fpm_trace() -> str:
    return "".join(
        json.dumps({"schema": "dynamo.fpm.trace.v1", "capture_mode": "full", "fpm": fpm(*cell)})
        + "\n"
        for cell in cells()
    )


def fpm_msgpack() -> bytes:
    return b"".join(msgpack.packb(fpm(*cell)) for cell in cells())


def vllm(decimals: int = 2, old: bool = False) -> str:
    sizes = "".join(
        f"(EngineCore_DP{g} pid=7{g}) INFO 01-02 03:04:05 [kv_cache_utils.py:9] GPU KV cache size: "
        f"{CACHE:,} tokens\n"
        for g in range(2)
    )
    body = "".join(
        (f"(EngineCore_DP{g} pid=7{g})" if old else f"INFO Engine {g:03d}:")
        + f" Iteration({k}): 0 context requests, 0 context tokens, {n} generation requests, "
        f"{n} generation tokens, iteration elapsed time: {1e3 * s:.2f} ms, GPU KV cache usage: "
        f"{100 * load / CACHE:.{decimals}f}%\n"
        for k, g, load, s, n in cells()
    )
    return sizes + "INFO: Uvicorn running, [1, 2] and {3}\n" + body


def sglang(numbered: bool = True) -> str:
    # One of the throughputs that tells the step time: requests over seconds.
    return "INFO: Started server process\n" + "".join(
        f"[2026-01-02 03:04:05 DP{g} TP{g} EP{g}] Decode batch{f' [{k}]' if numbered else ''}, "
        f"#running-req: {n}, #{'full ' if numbered else ''}token: {load}, token usage: 0.03, "
        f"cuda graph: True, gen throughput (token/s): {n / s:.6f}, #queue-req: 0\n"
        for k, g, load, s, n in cells()
    )


def trtllm(new: bool = True) -> str:
    lines = []
    for k in range(4):
        for g in range(2):
            # The fourth line is of a step whose own time no line has.
            load, n = (LOADS[k][g], REQUESTS[k][g]) if k < 3 else (330 + 10 * g, 2)
            before = "N/A" if k == 0 else f"{1e3 * SECONDS[k - 1]:g}ms"
            scheduled = f"num_scheduled_requests{' =' if new else ':'} {n}, "
            lines.append(
                f"[01/02/2026-03:04:05] [TRT-LLM] [I] [_torch][RANK {g}] iter = {k}, "
                f"global_rank = {g}, rank = {g}, {scheduled if new else ''}"
                f"currank_total_requests = 0/9, host_step_time = 99.5ms, prev_device_step_time = "
                f"{before}, timestamp = 2026-01-02 03:04:05, {'' if new else scheduled}"
                f"states = {{'num_ctx_requests': 0, 'num_ctx_tokens': 0, "
                f"'num_generation_tokens': {n}, 'cached_kv_tokens': {load}}}\n"
            )
    return "".join(lines)


def scrapes() -> str:
    text = ""
    for step in range(3):
        text += "# HELP vllm:kv_cache_usage_perc KV-cache usage. 1 means 100 percent usage.\n"
        text += "# TYPE vllm:kv_cache_usage_perc gauge\n"
        for g in range(2):
            labels = f'{{engine="{g}",model_name="a {{b}}, c"}}'
            text += f"vllm:kv_cache_usage_perc{labels} {LOADS[step][g] / CACHE}\n"
            text += f"vllm:num_requests_running{labels} {REQUESTS[step][g]}.0\n"
            config = f'block_size="16",engine="{g}",num_gpu_blocks="{CACHE // 16}"'
            text += f"vllm:cache_config_info{{{config}}} 1.0\n"
    return text


def query() -> str:
    result = [
        {
            "metric": {"__name__": "vllm:kv_cache_usage_perc", "engine": str(g)},
            "values": [[1.7e9 + step, str(LOADS[step][g] / CACHE)] for step in range(3)],
        }
        for g in range(2)
    ]
    data = {"resultType": "matrix", "result": result}
    return json.dumps({"status": "success", "data": data})


def panel() -> str:
    head = ",".join(
        ['"Time"', *(f'"vllm:kv_cache_usage_perc{{engine=""{g}""}}"' for g in range(2))]
    )
    return f"{head}\n" + "".join(
        f"2026-01-02 03:04:0{k},{a / CACHE},{b / CACHE}\n" for k, (a, b) in enumerate(LOADS)
    )


def prometheus_csv() -> str:
    return "timestamp,engine,vllm:kv_cache_usage_perc,vllm:num_requests_running\n" + "".join(
        f"{1700000000 + k},{g},{load / CACHE},{n}\n" for k, g, load, _, n in cells()
    )


# What each is: its format, and its text.
SAMPLES: Mapping[str, tuple[str, Callable[[], str | bytes]]] = {
    "matrix": ("matrix", matrix),
    "matrix with times": ("matrix", timed_matrix),
    "matrix without a header": ("matrix", headless),
    "long CSV": ("long", long_csv),
    "long JSON Lines": ("long", long_json),
    "ForwardPassMetrics": ("forward-pass-metrics", fpm_lines),
    "ForwardPassMetrics in Dynamo's trace": ("forward-pass-metrics", fpm_trace),
    "ForwardPassMetrics in msgpack": ("forward-pass-metrics", fpm_msgpack),
    "vLLM": ("vllm-iterations", vllm),
    "vLLM, before the stat loggers had it": ("vllm-iterations", lambda: vllm(old=True)),
    "SGLang": ("sglang-decode", sglang),
    "SGLang without numbers": ("sglang-decode", lambda: sglang(numbered=False)),
    "TensorRT-LLM": ("trtllm-iterations", trtllm),
    "TensorRT-LLM, older": ("trtllm-iterations", lambda: trtllm(new=False)),
    "scrapes of vLLM": ("vllm-prometheus", scrapes),
    "range query of vLLM": ("vllm-prometheus", query),
    "panel of vLLM": ("vllm-prometheus", panel),
    "CSV of vLLM's gauges": ("long", prometheus_csv),
}
