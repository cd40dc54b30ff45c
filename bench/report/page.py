"""What the HTML pages share: where templates come from, and how cells, labels and headings look."""

import re
from importlib import resources
from itertools import groupby

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from bench.report.table import Column, Row


def page_environment() -> Environment:
    """Jinja with every value escaped, an undefined name an error, and the filters of tables."""
    environment = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["label"] = _label
    environment.filters["heading"] = _heading
    environment.filters["groups"] = _groups
    environment.filters["cell"] = lambda text: escape(text).replace(" [", Markup("<br>["))
    return environment


def _template(name: str) -> str:
    return (resources.files("bench") / "report" / name).read_text("utf-8")


def _label(row: Row) -> Markup:
    if not row.laac:
        return escape(row.name)
    joined = Markup(", ").join(Markup("<i>f</i><sub>{}</sub>").format(n) for n in row.laac)
    joined += Markup("<sup>†</sup>") if row.scfa else Markup("")
    return joined + (Markup(" <small>{}</small>").format(row.name) if row.name else Markup(""))


def _heading(label: str) -> Markup:
    family = re.fullmatch(r"f\*_(\w+)", label)
    if family is None:
        return escape(label)
    return Markup("<i>f</i><sup>*</sup><sub>{}</sub>").format(family[1])


def _groups(columns: tuple[Column, ...]) -> list[tuple[str, int]]:
    return [(name, len(list(members))) for name, members in groupby(columns, lambda c: c.group)]
