"""What a user named, made into a policy if it is one."""

import inspect
from functools import cache
from typing import Any

from theory.model import InputError
from theory.own import running, told


@cache  # thousands of small runs make their policy afresh
def takes_seed(kind: Any) -> bool:
    """Whether a class is made with a seed."""
    return "seed" in inspect.signature(kind).parameters


def made(found: Any, seed: int, **parameters: Any) -> Any:
    """The policy that was found, made if it is a class.

    Parameters
    ----------
    found : class or object
        What was named.
    seed : int
        Given to a class whose constructor has a parameter ``seed``.
    **parameters
        Given to its constructor.

    Raises
    ------
    InputError
        If it cannot be made, or is no policy.
    """
    if inspect.isclass(found):
        with running("cannot create it"):
            if takes_seed(found):  # type: ignore[arg-type]  # classes are hashable
                parameters["seed"] = seed
            found = found(**parameters)
    try:
        name, admit = found.name, found.admit
    except AttributeError:
        name, admit = None, None
    except BaseException as error:
        raise InputError(f"its name or its admit raised {told(error)}") from error
    if not (isinstance(name, str) and callable(admit)):
        raise InputError(
            "expected a class or an instance with a text `name` and a method admit(view), found "
            f"{type(found).__name__}"
        )
    if not name.isprintable() or len(name) > 200:
        raise InputError("its name must be one line of at most 200 printable characters")
    return found
