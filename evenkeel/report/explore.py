"""The page of ``evenkeel explore``: sliders over the formulas, and runs to watch, in one file.

The page computes in JavaScript what :mod:`theory.formulas` computes in Python; the runs and the
devices are data that are written into it.  It needs no network and loads nothing.
"""

import json
from base64 import b64encode
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from adversary.instances.space import Instance
from adversary.witnesses.gallery import GALLERY, read_witness, trajectory
from adversary.workloads.families import workload
from solvers.step.problem import WAITS
from theory.model import System
from theory.power import DEFAULT_DEVICE, hardware_catalogue

SCRIPTS = ("formulas.js", "page.js")
POLICIES = {"fcfs": "FCFS", "bfio": "BF-IO"}


def films() -> list[dict[str, Any]]:
    """The runs to watch: what each shows, and the requests on each worker in each step.

    Examples
    --------
    >>> [film["name"] for film in films()][0]
    'sizes from 1 to 12'
    """
    wide = workload("uniform", 40, seed=5, a=1, b=12, p=0.25)
    rare = workload("two-point", 40, seed=6, a=2, b=20, q=0.2, p=0.25)
    system = System.paper(4, 3)
    return [
        _film(
            "sizes from 1 to 12",
            "Four workers of three slots, 40 requests with sizes from 1 to 12 and a mean length "
            "of 4 steps, twelve of them visible at a time.",
            Instance(system, wide, 12),
        ),
        _film(
            "one request in five is large",
            "The same system; a request has the size 20 with probability 1/5 and 2 otherwise.",
            Instance(system, rare, 12),
        ),
        _stored("the worst order for FCFS", "fcfs-worst-10"),
        _stored("FCFS is perfect and BF-IO is not", "iir-zero"),
    ]


def _stored(name: str, witness: str) -> dict[str, Any]:
    """A run of the gallery."""
    found = read_witness(GALLERY / f"{witness}.json")
    assert isinstance(found.instance, Instance)
    return _film(name, found.text, found.instance)


def _film(name: str, about: str, run: Instance) -> dict[str, Any]:
    return {"name": name, "about": about, "runs": [_watched(run, policy) for policy in POLICIES]}


def _watched(run: Instance, policy: str) -> dict[str, Any]:
    """A run under a policy: the loads, and by step and worker the pairs (request, its load)."""
    _, place, loads = trajectory(run, policy)
    ages = (place != WAITS).cumsum(axis=0) - 1
    weights = run.requests.prefill + run.system.drift[0] * ages
    held = [
        [
            [[int(i), int(weights[k, i])] for i in (row == g).nonzero()[0]]
            for g in range(run.system.workers)
        ]
        for k, row in enumerate(place)
    ]
    return {"policy": policy, "name": POLICIES[policy], "loads": loads, "held": held}


def explore_page() -> str:
    """The page, complete in itself.

    Examples
    --------
    >>> page = explore_page()
    >>> page.startswith("<!doctype html>"), "https://" in page
    (True, False)
    """
    devices = [
        {
            "name": device.name,
            "idle": device.idle_w,
            "wait": device.barrier_w,
            "max": device.max_w,
            "gamma": device.gamma,
        }
        for device in hardware_catalogue().values()
    ]
    data = {"device": DEFAULT_DEVICE, "devices": devices, "films": films()}
    folder = files("evenkeel") / "templates" / "explore"
    scripts = [(folder / name).read_text("utf-8") for name in SCRIPTS]
    environment = Environment(
        loader=PackageLoader("evenkeel"), autoescape=True, undefined=StrictUndefined
    )
    formulas, page = scripts
    return environment.get_template("explore.html.j2").render(
        version=version("evenkeel"),
        hashes=Markup(" ".join(map(_source, scripts))),
        # "<" would end the element that the data are in.
        data=Markup(json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")),
        formulas=Markup(formulas),
        page=Markup(page),
    )


def _source(script: str) -> str:
    """A script as the page's Content Security Policy names it, by its digest."""
    return f"'sha256-{b64encode(sha256(script.encode()).digest()).decode('ascii')}'"
