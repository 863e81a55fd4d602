"""Small drawings in SVG, written by hand: a panel with two axes, a strip of spent values, a strip of orders,
residuals.

Colours are CSS variables of the page, so that one drawing serves light and dark. A precision has one colour
and one mark everywhere (marks.py). Numbers that an axis cannot show (zero or negative on a logarithm, not
finite) stand at its edge or are counted, never dropped silently.
"""

from noether.report.figures.panel import panel  # noqa: F401
from noether.report.figures.strip import strip  # noqa: F401
from noether.report.figures.svg import WIDTH  # noqa: F401
