"""Tags that draw figures: hist and stacked. Built into every template; each has its numbers as a table, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import template

from csp.charts import Columns, Histogram

register = template.Library()


@register.inclusion_tag("components/hist.html")
def hist(chart: Histogram, sentence: str, headings: Sequence[str], rows: Sequence[Sequence[object]]) -> dict[str, Any]:
    """`chart` from csp.charts.histogram; `sentence` says what it shows; `headings` and `rows` are its table."""
    return {"chart": chart, "sentence": sentence, "headings": headings, "rows": rows}


@register.inclusion_tag("components/stacked.html")
def stacked(chart: Columns, sentence: str, headings: Sequence[str], rows: Sequence[Sequence[object]]) -> dict[str, Any]:
    """`chart` from csp.charts.columns; the rest as for hist."""
    return {"chart": chart, "sentence": sentence, "headings": headings, "rows": rows}
