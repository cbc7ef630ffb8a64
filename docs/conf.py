"""How Sphinx builds the documentation: ``make docs``."""

from importlib.metadata import version as version_of


project = "niteoweb.click2sell"
author = "NiteoWeb Ltd."
project_copyright = "2012-2026, NiteoWeb Ltd."
release = version_of(project)
version = release

language = "en"
nitpicky = True
highlight_language = "text"
exclude_patterns = ["_build"]

html_theme = "furo"
html_show_sourcelink = False
html_title = f"{project} {release}"
