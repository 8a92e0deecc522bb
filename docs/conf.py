"""Configures Sphinx: pages in Markdown, reference pages made from the code."""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent / "extensions"))

import ganlab

project = "ganlab"
author = "The ganlab founders"
copyright = "The ganlab founders. Apache-2.0"
release = version = ganlab.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "keras_docstrings",
    "reference_pages",
]
exclude_patterns = ["_build", "_generated", "course/pages"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # tests/test_documentation.py runs the code blocks

highlight_language = "none"
default_role = "py:obj"
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
napoleon_numpy_docstring = False
napoleon_custom_sections = ["Reference"]

html_theme = "furo"
html_title = "ganlab"
html_static_path = [
    "_static",
    "../ganlab/pages/theme.css",
    "../ganlab/pages/dom.js",
]
html_extra_path = ["course/pages"]
html_css_files = ["ganlab.css"]
html_theme_options = {
    "navigation_with_keys": True,
    "light_css_variables": {
        "color-brand-primary": "#5b2a6e",
        "color-brand-content": "#1b6b36",
    },
    "dark_css_variables": {
        "color-brand-primary": "#c79bd6",
        "color-brand-content": "#7fc796",
    },
}
