"""genai-perf keeps responses as text; the lengths are in the usage at their end."""

from typing import Any

from adversary.workloads.layouts.nested import decoded, find, opened, text


def with_usage(request: dict[str, Any]) -> dict[str, Any]:
    r"""The request with the last ``usage`` of its responses, if one has any.

    >>> end = 'data: {"usage": {"prompt_tokens": 5}}\n\ndata: [DONE]'
    >>> text(with_usage({"response_outputs": [{"response": end}]})["usage"]["prompt_tokens"])
    '5'
    """
    outputs = opened(find(request, "response_outputs"))
    for output in reversed(outputs if isinstance(outputs, list) else []):
        for event in reversed((text(find(output, "response")) or "").splitlines()):
            try:
                usage = opened(find(decoded(event.removeprefix("data:")), "usage"))
            except ValueError:  # it says that it is done, or is blank
                continue
            if isinstance(usage, dict):
                return request | {"usage": usage}
    return request
