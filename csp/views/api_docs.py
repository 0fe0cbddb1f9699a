"""What the API offers, for people: drawn here from its own schema, so that it needs no script and is never behind."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from csp.access import requires
from csp.api import document


@requires()
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """Every address of the API with what it takes and answers."""
    made = document()
    shapes = made.get("components", {}).get("schemas", {})
    operations = [
        _operation(path, method, what, shapes)
        for path, methods in made["paths"].items()
        for method, what in methods.items()
    ]
    example = f'curl -H "Authorization: Bearer csp_…" {settings.SITE_URL}/api/v1/me/'
    return render(request, "csp/api_docs.html", {"operations": operations, "example": example})


def _operation(path: str, method: str, what: dict[str, Any], shapes: dict[str, Any]) -> dict[str, Any]:
    sent = what.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    shape = shapes.get(sent.get("$ref", "").rpartition("/")[2], {})
    fields = [
        (name, _kind(field, shapes), name in shape.get("required", []))
        for name, field in shape.get("properties", {}).items()
    ]
    asked = [
        (each["name"], _kind(each.get("schema", {}), shapes), each.get("description", ""))
        for each in what.get("parameters", [])
        if each["in"] != "path"
    ]
    return {
        "id": what["operationId"], "path": path, "method": method.upper(), "words": what.get("description", ""),
        "fields": fields, "parameters": asked, "answers": ", ".join(what.get("responses", {})),
    }  # fmt: skip


def _kind(field: dict[str, Any], shapes: dict[str, Any]) -> str:
    """A field's kind in a word, or what it may be."""
    for name in ("allOf", "oneOf"):
        if name in field:
            return " | ".join(filter(None, (_kind(each, shapes) for each in field[name])))
    if "$ref" in field:
        return _kind(shapes.get(field["$ref"].rpartition("/")[2], {}), shapes)
    if "enum" in field:
        return " | ".join(str(each) for each in field["enum"] if each not in (None, ""))
    if field.get("type") == "array":
        return f"[{_kind(field.get('items', {}), shapes)}]"
    return str(field.get("format") or field.get("type") or "")
