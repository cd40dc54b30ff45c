"""Jinja for all pages: how cells, labels, headings and rates look."""

import base64
import json
import shlex
from collections.abc import Iterable
from functools import cache
from itertools import groupby
from operator import attrgetter
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from bench.records.metric import headline, row_metrics, views
from bench.report.cards import card_facts
from bench.report.pages.charts import reliability_bars
from bench.report.tables.render import prose_html
from bench.report.tables.table import number
from bench.types import SPLITS

HOLE = "hole"


@cache
def page_environment() -> Environment:
    """Jinja with every value escaped, an undefined name an error, and what the templates share."""
    environment = Environment(
        loader=PackageLoader("bench.report.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters |= {
        "cell": lambda text: escape(text).replace(" [", Markup("<br>[")),
        "groups": groups,
        "level": level,
        "number": number,
        "prose": lambda text: Markup(prose_html(text)),  # noqa: S704  # escaped there
        "pretty": lambda value: json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False),
        "sh": lambda text: shlex.quote(str(text)),
        "short": lambda text: str(text)[:12],
    }
    environment.globals |= {
        "WHERE": SPLITS,
        "row_metrics": row_metrics,
        "card_facts": card_facts,
        "reliability_bars": reliability_bars,
    }
    return environment


def render_page(name: str, **values: Any) -> str:
    """A page from its template."""
    titles = {
        f"{metric.name}-{split}": f"{metric.title} {SPLITS[split]}" for split, metric in views()
    }
    found = page_environment().get_template(f"{name}.j2")
    return found.render(values, VIEW_TITLES=titles, headline=headline())


def data_uri(content: bytes, kind: str) -> str:
    """Inline bytes as a base64 data URI of the given media type."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def level(text: str) -> str:
    """The class of colour of a rate's text: `l0` to `l10`, `hole` or `undefined`."""
    if text == HOLE:
        return "hole"
    try:
        return f"l{min(10, max(0, int(float(text.rstrip('*')) / 10 + 0.5)))}"
    except ValueError:
        return "undefined"


def groups(things: Iterable[Any], by: str) -> tuple[tuple[str, int], ...]:
    """Of things in their order, each value of an attribute and how many have it in a row."""
    return tuple((name, len(list(same))) for name, same in groupby(things, attrgetter(by)))
