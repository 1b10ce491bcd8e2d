"""The documentation site: sphinx-build -W --keep-going -n docs docs/_build/html."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "Segue"
author = "The Segue developers"
copyright = author
version = release = version_of("segue")

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "generated"]
exclude_patterns = ["_build", "_ext"]

myst_heading_anchors = 4
myst_enable_extensions = ["fieldlist"]

# The notebook runs whenever the site is built, in a folder of its own, and may not fail.
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_timeout = 300  # seconds a cell; it takes a few
nb_execution_raise_on_error = True

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
python_use_unqualified_type_names = True
napoleon_numpy_docstring = False
# Names of other packages, whose documentation is elsewhere.
nitpick_ignore_regex = [
    (
        r"py:.*",
        r"(collections|contextlib|np|npt|numpy|pathlib|pd|pandas|torch|typing|xr|xarray)\b.*",
    ),
    (r"py:.*", r"(ArrayLike|Callable|Iterator|Mapping|Path|Sequence|Tensor|nn\.Module|optional)"),
]

html_theme = "furo"
html_title = f"Segue {version}"
html_copy_source = False
html_show_sphinx = False
