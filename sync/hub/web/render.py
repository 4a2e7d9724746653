"""Values into pages: the only import of the template library. Every value is escaped."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sync.hub.web.words import moment, yuan

TEMPLATES = Path(__file__).parent / "templates"


def page(template: str, **values: Any) -> str:
    """Fill a template. `t` are the words of the language."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,  # a value that was forgotten is a bug, not an empty place
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(yuan=yuan, moment=moment)
    return made
