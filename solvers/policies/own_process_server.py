"""The process of a user's policy: makes it, asks it, and sends back what it says as bytes.

The other end is :mod:`solvers.policies.own_process`.
"""

import inspect
import os
import signal
import threading
import time
from typing import Any, NoReturn

import msgspec
import numpy as np

from solvers.policies.making import made
from solvers.policies.own_process import (
    ARRAYS,
    IN_FLIGHT,
    MORE_ARRAYS,
    Answer,
    Fault,
    Made,
    Odd,
    _encode,
)
from solvers.policies.predictors import AgePredictor, LengthPredictor
from solvers.policies.protocol import MASKED, InFlight, StepView, masked
from theory.model import InputError, Requests
from theory.own import one_line, own, told

# As it is before the policy's module is imported, which has another (theory.own).
_EXIT = os._exit


def serve() -> None:
    """Answer questions until the other end is gone."""
    questions, answers = os.dup(0), os.dup(1)
    with open(os.devnull, "r+b") as nothing:
        os.dup2(nothing.fileno(), 0)
        try:
            os.dup2(2, 1)  # what the policy prints is no result
        except OSError:  # there is no stderr
            os.dup2(nothing.fileno(), 1)
    here = os.getpid()
    forked: list[int] = []
    value, parent = _receive(questions)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_parent=lambda: forked.append(1))
    policies: dict[int, Any] = {}
    while True:
        question = _receive(questions)
        try:
            reply = _reply(policies, value, *question)
        except BaseException as error:  # whatever is raised, sys.exit too, is the policy's doing
            reply = Fault(f"raised {told(error)}")
        if os.getpid() != here:
            _EXIT(0)  # a copy that the policy forked
        if forked:
            forked.clear()
            reply = Fault("forked its process")
        frame = _encode(reply)
        _send(answers, len(frame).to_bytes(8, "little") + frame)


def _end_with(parent: int) -> None:
    """End this process when the one that asks is gone, even in the middle of a decision."""
    while os.getppid() == parent:
        time.sleep(0.5)
    _end(1)


def _end(code: int) -> NoReturn:
    """End this process with whatever it started, copies of itself too."""
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    _EXIT(code)


def _receive(questions: int) -> Any:
    def read(size: int) -> bytes:
        parts = []
        while size:
            part = os.read(questions, min(size, 1 << 20))
            if not part:
                _end(0)  # a command ends without a word to this process
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    return msgspec.msgpack.decode(read(int.from_bytes(read(8), "little")))


def _send(answers: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(answers, view) :]


def _reply(
    policies: dict[int, Any], value: str, kind: str, number: int, *rest: Any
) -> Made | Answer | Odd | Fault:
    if kind == "make":
        try:
            policies[number] = made(own(value), *rest)
            return _described(policies[number])
        except InputError as error:
            return Fault(str(error))
    *given, forgotten = rest
    for old in forgotten:
        policies.pop(old, None)
    policy = policies[number]
    if kind == "admit":
        answer = policy.admit(_view(*given))
        wanted = "an assignment needs one integer worker for each of the waiting requests"
    elif kind == "lengths":
        prefill, decode, arrival = given
        times = None if arrival is None else np.frombuffer(arrival, np.float64)
        answer = policy.predictor.lengths(Requests(_array(prefill), _array(decode), times))
        wanted = "a predictor must return a list of integers >= 1"
    else:
        answer = policy.predictor.remaining(*map(_array, given))
        wanted = "a predictor must return a list of integers >= 1"
    if kind == "admit" and masked(answer):
        return Odd(MASKED)
    try:
        found = np.asarray(answer)
    except Exception as error:
        return Odd(f"{wanted}, got {type(answer).__name__}: {one_line(error)}")
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iu"):
        return Odd(f"{wanted}, got {str(found.dtype)[:40]}{list(found.shape)}")
    unsigned = found.dtype.kind == "u"
    values = found.astype(np.uint64 if unsigned else np.int64).tobytes()
    return Answer(unsigned, values, _gap(policy))


def _described(policy: Any) -> Made:
    """What a policy says of itself."""
    horizon = getattr(policy, "horizon", 0)
    if isinstance(horizon, bool) or not isinstance(horizon, int | np.integer) or horizon < 0:
        raise InputError(f"its horizon must be an integer >= 0, got {horizon!r}")
    limit = getattr(policy, "decision_limit_s", None)
    if limit is not None and not (isinstance(limit, int | float) and 0 < limit < 1e7):
        raise InputError(f"its decision_limit_s must be a number of seconds, got {limit!r}")
    predictor, described = getattr(policy, "predictor", None), None
    if isinstance(predictor, LengthPredictor | AgePredictor):
        described = [str(predictor.name), isinstance(predictor, AgePredictor)]
    seed = getattr(policy, "seed", None)
    return Made(
        name=policy.name,
        module=type(policy).__module__,
        doc=inspect.getdoc(type(policy)) or "",
        work_conserving=bool(getattr(policy, "work_conserving", True)),
        sees_in_flight=bool(getattr(policy, "sees_in_flight", False)),
        horizon=int(horizon),
        predictor=described,
        bound_gap=_gap(policy),
        decision_limit_s=limit,
        seed=seed if isinstance(seed, int) else None,
    )


def _gap(policy: Any) -> int | None:
    gap = getattr(policy, "bound_gap", None)
    return None if gap is None else int(gap)


def _array(data: bytes | None) -> Any:
    return None if data is None else np.frombuffer(data, np.int64).copy()


def _view(step: int, slots: int, now_s: float, arrays: list[bytes | None]) -> StepView:
    names = (*ARRAYS, *MORE_ARRAYS)
    found: dict[str, Any] = {name: _array(data) for name, data in zip(names, arrays, strict=False)}
    if found["ahead"] is not None:
        found["ahead"] = found["ahead"].reshape(-1, found["loads"].size)
    if len(arrays) > len(names):
        *columns, queued = arrays[len(names) :]
        assert queued is not None
        flying = dict(zip(IN_FLIGHT, map(_array, columns), strict=True))
        found["in_flight"] = InFlight(**flying, queued=np.frombuffer(queued, np.bool_).copy())
    return StepView(step=step, slots=slots, now_s=now_s, **found)
