"""Sphinx: plain pages that need no network, with every warning an error (``make docs``)."""

import sys
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]

import evenkeel  # noqa: E402

project = "evenkeel"
author = "the evenkeel maintainers"
release = version = evenkeel.__version__
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinx_gallery.gen_gallery",
    "interface",
    "theory_pages",
    "offline",
]
exclude_patterns = ["_build", "_ext", "_templates", "gallery/*.ipynb", "gallery/*.py"]
exclude_patterns += ["gallery/*.zip", "gallery/*.json", "gallery/*.md5"]
suppress_warnings = ["config.cache"]

# Look
html_theme = "furo"
html_title = f"evenkeel {release}"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_show_sourcelink = False
html_show_search_summary = False  # they would be fetched, which a browser refuses for files
templates_path = ["_templates"]

# Markdown and notebooks, which run when the pages are built
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_ipywidgets_js = {}
nb_merge_streams = True

# The interface, from its docstrings
autosummary_generate = True
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_param = False
napoleon_use_ivar = True

sphinx_gallery_conf = {
    "examples_dirs": "../examples/gallery",
    "gallery_dirs": "gallery",
    "filename_pattern": r"plot_\w+\.py$",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "capture_repr": ("_repr_html_",),
    "download_all_examples": False,
    "show_memory": False,
    "remove_config_comments": True,
    "min_reported_time": 5,
    "write_computation_times": False,
    "matplotlib_animations": False,
    "reset_modules": ("matplotlib",),
}
warnings.filterwarnings("ignore", message=".*non-interactive.*")
