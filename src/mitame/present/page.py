"""A page of one HTML file, which needs no other file and no network."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from mitame.present.words import Words

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def rendered(template: str, words: Words, **values: object) -> str:
    """Return a page as text.

    Parameters
    ----------
    template : str
        Its file in ``templates``.
    words : Words
        The texts of one language.
    **values
        What the template names; all of it must be given.
    """
    environment = Environment(
        loader=PackageLoader("mitame.present"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(words=words, **values)


def figure_uri(figure: Figure) -> str:
    """Return a figure as a ``data:`` address."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    text = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f"data:image/png;base64,{text}"
