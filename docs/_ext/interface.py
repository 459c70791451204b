"""The reference: every public name of ``evenkeel``, and the schemas of its JSON."""

import json
from pathlib import Path

from sphinx.application import Sphinx
from theory_pages import write

import evenkeel

PARTS = {
    "Systems and requests": (
        "System ServingSystem Requests InputError imbalance idle_share workload family "
        "workload_family Family Parameter read_trace Reading Trace lengths_of trace_lengths Lengths"
    ),
    "Policies and runs": (
        "simulate RunResult policy Policy StepView InFlight PolicyError BFIO LengthPredictor "
        "AgePredictor Survival"
    ),
    "One step": (
        "StepProblem StepSolution solve_step solve_exact AssignmentError WindowProblem solve_window"
    ),
    "Power and energy": "PowerModel PowerLaw hardware",
    "Laws and expectations": (
        "Law expected_imbalance Expectation over_steps spread geometric_slot joint_slot "
        "effective_constant largest_constant first_slots_of"
    ),
    "Claims": (
        "claim Claim Assumption evidence Trial Variant near Finding Verdict Budget headline claims "
        "claim_of claims_in check_of Numbers"
    ),
    "What a check compares": (
        "Cases Comparison Intervals Mean Ratio broken refuted stands weighed sampled_mean"
    ),
    "Steps of proofs": (
        "Setting Lemma Identity Inequality Computation Conclusion at_most at_least equal both"
    ),
    "Figures": "figure table PaperFigure column distinct where",
}

HEAD = """# Interface

All that is public is imported from `evenkeel`, and each module when one of its names is first used.

"""

PART = """## {title}

```{{eval-rst}}
.. currentmodule:: evenkeel

.. autosummary::
   :toctree: api
   :nosignatures:

   {names}
```

"""


def generate(app: Sphinx, config: object) -> None:
    """Write the page; every public name must be on it once."""
    listed = [name for names in PARTS.values() for name in names.split()]
    missing = set(evenkeel.__all__) ^ set(listed)
    if missing or len(listed) != len(set(listed)):
        raise ValueError(f"docs/_ext/interface.py: not listed once each: {sorted(missing)}")
    source = Path(app.srcdir)
    write(source / "schemas.md", schemas())
    parts = (
        PART.format(title=title, names="\n   ".join(names.split()))
        for title, names in PARTS.items()
    )
    write(source / "api.md", HEAD + "".join(parts))


def schemas() -> str:
    """The page of the schemas."""
    text = "---\norphan: true\n---\n\n# Schemas of `--json`\n"
    for entry in sorted((Path(evenkeel.__file__).parent / "schemas").glob("*.json")):
        schema = json.loads(entry.read_text("utf-8"))
        text += (
            f"\n## {schema['title']}\n\nVersion {schema['version']}. {schema['description']}\n\n"
        )
        text += f"```json\n{json.dumps(schema, indent=1)}\n```\n"
    return text


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("config-inited", generate, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
