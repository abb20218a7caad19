"""How Sphinx builds the documentation: `make docs`."""

from importlib import metadata

project = "Testamur"
author = "The Testamur authors"
copyright = author
release = metadata.version("testamur")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "description"

html_theme = "furo"
html_title = f"{project} {release}"
