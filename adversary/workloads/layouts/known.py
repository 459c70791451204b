"""The layouts that are recognised, by the names of their fields; the first that fits is taken.

A new one is an entry here and a sample in ``tests/adversary/trace_samples.py``.
"""

from collections.abc import Mapping
from dataclasses import replace

from adversary.workloads.layouts.genai_perf import with_usage
from adversary.workloads.layouts.layout import Layout, Summary

_AZURE = "github.com/Azure/AzurePublicDataset"
_HASHES = ("input_length", "output_length")

# Spans that are no request to a model carry the same attributes: runs of tools and of agents, the
# latter with the sum over the requests within.
_OPERATIONS = ("chat", "text_completion", "generate_content", "completion")
_PROMPT = (
    "attributes.gen_ai.usage.input_tokens",
    "attributes.gen_ai.usage.prompt_tokens",
    "attributes.llm.usage.prompt_tokens",
    "attributes.llm.token_count.prompt",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
)
_OUTPUT = (
    "attributes.gen_ai.usage.output_tokens",
    "attributes.gen_ai.usage.completion_tokens",
    "attributes.llm.usage.completion_tokens",
    "attributes.llm.token_count.completion",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
)
_NO_ERROR = ("", "0", "1", "STATUS_CODE_UNSET", "STATUS_CODE_OK", "UNSET", "OK")
_SPANS = Layout(
    writer="OpenTelemetry gen_ai spans, one object each",
    source="github.com/open-telemetry/semantic-conventions",
    known_by=(_PROMPT, _OUTPUT),
    prefill=_PROMPT,
    decode=_OUTPUT,
    arrival=("startTimeUnixNano", "start_time_unix_nano", "start_time", "startTime"),
    unit="ns",
    inside="attributes",
    failed={
        "attributes.error.type": ("",),
        "status.code": _NO_ERROR,
        "status.status_code": _NO_ERROR,
    },
    among={
        "attributes.gen_ai.operation.name": _OPERATIONS,
        "gen_ai.operation.name": _OPERATIONS,
    },
    any_of=("attributes.gen_ai.", "attributes.llm.", "gen_ai."),
)

LAYOUTS: Mapping[str, Layout] = {
    "azure-2025": Layout(
        writer="Azure LMM inference trace 2025",
        source=_AZURE,
        known_by=(("ContextTokens",), ("GeneratedTokens",), ("NumImages",)),
        prefill=("ContextTokens",),
        decode=("GeneratedTokens",),
        arrival=("TIMESTAMP",),
    ),
    "azure": Layout(
        writer="Azure LLM inference traces 2023 and 2024",
        source=_AZURE,
        known_by=(("ContextTokens",), ("GeneratedTokens",)),
        prefill=("ContextTokens",),
        decode=("GeneratedTokens",),
        arrival=("TIMESTAMP",),
    ),
    "qwen-bailian": Layout(
        writer="Qwen-Bailian usage traces",
        source="github.com/alibaba-edu/qwen-bailian-usagetraces-anon",
        known_by=(("chat_id",), ("timestamp",), *((name,) for name in _HASHES)),
        prefill=("input_length",),
        decode=("output_length",),
        arrival=("timestamp",),
        busiest=300,
        remark="Qwen-Bailian counts seconds; chat_id tells it from Mooncake, whose fields have the "
        "same names and count milliseconds",
    ),
    "mooncake": Layout(
        writer="Mooncake traces, and tools that replay them",
        source="github.com/kvcache-ai/Mooncake",
        known_by=(("timestamp",), *((name,) for name in _HASHES)),
        prefill=("input_length",),
        decode=("output_length",),
        arrival=("timestamp",),
        unit="ms",
        if_fractional="s",
        busiest=30,
    ),
    "burstgpt": Layout(
        writer="BurstGPT, with and without failures",
        source="github.com/HPMLL/BurstGPT",
        known_by=(("Request tokens",), ("Response tokens",)),
        prefill=("Request tokens",),
        decode=("Response tokens",),
        arrival=("Timestamp",),
        zero_fails=True,
    ),
    "vidur": Layout(
        writer="vidur: traces to replay",
        source="github.com/microsoft/vidur",
        known_by=(("num_prefill_tokens",), ("num_decode_tokens",)),
        prefill=("num_prefill_tokens",),
        decode=("num_decode_tokens",),
        arrival=("arrived_at",),
    ),
    "vidur-metrics": Layout(
        writer="vidur: request_metrics.csv of a run (no arrival times)",
        source="github.com/microsoft/vidur",
        known_by=(("request_num_prefill_tokens",), ("request_num_decode_tokens",)),
        prefill=("request_num_prefill_tokens",),
        decode=("request_num_decode_tokens",),
    ),
    "splitwise-sim": Layout(
        writer="splitwise-sim: traces to replay",
        source="github.com/Mutinifni/splitwise-sim",
        known_by=(("prompt_size",), ("token_size",)),
        prefill=("prompt_size",),
        decode=("token_size",),
        arrival=("arrival_timestamp",),
    ),
    "servegen-offline": Layout(
        writer="ServeGen offline batch traces d to f (no arrival times)",
        source="github.com/alibaba/ServeGen",
        known_by=(("request_id",), ("duration",), *((name,) for name in _HASHES)),
        prefill=("input_length",),
        decode=("output_length",),
    ),
    "servegen": Layout(
        writer="ServeGen: generated requests, written out as objects or flat",
        source="github.com/alibaba/ServeGen",
        known_by=(
            ("data.input_tokens", "input_tokens"),
            ("data.output_tokens", "output_tokens"),
            ("timestamp",),
        ),
        prefill=("data.input_tokens", "input_tokens"),
        decode=("data.output_tokens", "output_tokens"),
        arrival=("timestamp",),
    ),
    "sglang-bench": Layout(
        writer="SGLang bench_serving --output-details (no arrival times)",
        source="github.com/sgl-project/sglang",
        known_by=(("input_lens",), ("output_lens",), ("total_output_tokens_retokenized",)),
        prefill=("input_lens",),
        decode=("output_lens",),
        arrival=("start_times",),
        failed={"errors": ("",)},
        zero_fails=True,
    ),
    "vllm-bench": Layout(
        writer="vllm bench serve --save-detailed",
        source="github.com/vllm-project/vllm",
        known_by=(("input_lens",), ("output_lens",)),
        prefill=("input_lens",),
        decode=("output_lens",),
        arrival=("start_times",),
        failed={"errors": ("",)},
        zero_fails=True,
    ),
    "aiperf": Layout(
        writer="aiperf: profile_export.jsonl",
        source="github.com/ai-dynamo/aiperf",
        known_by=(("metadata.request_start_ns", "metadata.timestamp_ns"),),
        prefill=("metrics.input_sequence_length.value",),
        decode=("metrics.output_sequence_length.value",),
        arrival=("metadata.request_start_ns", "metadata.timestamp_ns"),
        unit="ns",
        failed={"error": ("",), "metadata.was_cancelled": ("", "false")},
        zero_fails=True,
        among={
            "metadata.benchmark_phase": ("profiling",),
            "metadata.credit_phase": ("profiling",),
        },
    ),
    "genai-perf": Layout(
        writer="genai-perf, perf_analyzer: profile_export.json with the usage in its responses",
        source="github.com/triton-inference-server/perf_analyzer",
        known_by=(("response_timestamps",), ("timestamp",)),
        prefill=("usage.prompt_tokens",),
        decode=("usage.completion_tokens",),
        arrival=("timestamp",),
        unit="ns",
        within={"experiments[].requests[]": ""},
        prepared=with_usage,
        if_missing="genai-perf keeps the texts of the responses; the lengths are among them where "
        "the server was asked for the usage (stream_options.include_usage)",
    ),
    "guidellm": Layout(
        writer="GuideLLM: benchmarks.json",
        source="github.com/vllm-project/guidellm",
        known_by=(("prompt_tokens",), ("output_tokens",), ("request_start_time", "start_time")),
        prefill=("prompt_tokens",),
        decode=("output_tokens",),
        arrival=("request_start_time", "start_time"),
        within={
            "benchmarks[].requests.successful[]": "",
            "benchmarks[].requests.completed[]": "",
            "benchmarks[].requests.errored[]": "errored",
            "benchmarks[].requests.incomplete[]": "incomplete",
        },
        zero_fails=True,
    ),
    "otlp": replace(
        _SPANS,
        writer="OpenTelemetry gen_ai spans as OTLP JSON: the collector's file exporter, Tempo",
        within={
            "resourceSpans[].scopeSpans[].spans[]": "",
            "resource_spans[].scope_spans[].spans[]": "",
            "resourceSpans[].instrumentationLibrarySpans[].spans[]": "",
            "batches[].scopeSpans[].spans[]": "",
            "batches[].instrumentationLibrarySpans[].spans[]": "",
        },
    ),
    "otel-spans": _SPANS,
    "columns": Layout(
        writer="evenkeel, and any table with these columns",
        source="this project",
        known_by=(("prefill",), ("decode",)),
        prefill=("prefill",),
        decode=("decode",),
        arrival=("arrival",),
    ),
}

SUMMARIES: tuple[Summary, ...] = (
    Summary(
        "the totals of a benchmark, without its requests",
        (("total_input_tokens",), ("total_output_tokens",)),
        "run it again with --save-detailed (vllm bench serve) or --output-details (SGLang)",
    ),
    Summary(
        "the statistics of a benchmark, without its requests",
        (("input_sequence_length.avg", "records.input_sequence_length.avg"),),
        "read profile_export.jsonl (aiperf) or profile_export.json (genai-perf) beside it",
    ),
)
