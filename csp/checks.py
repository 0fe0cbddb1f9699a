"""What must be true at the start, or the product does not start: a guard on every page, records, the register, UTC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.urls import URLPattern, URLResolver, get_resolver

from csp.contract import CLAUSES, OBLIGATIONS
from csp.records import Record

OURS = ("csp", "tickets", "feedback", "training", "audits")
CLAUSES_OF_THE_CONTRACT = 26

Apps = Sequence[AppConfig] | None


def patterns(resolver: URLResolver, route: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address with its pattern. Django's admin guards itself (csp.admin) and is left out."""
    for entry in resolver.url_patterns:
        here = route + str(entry.pattern)
        if isinstance(entry, URLResolver):
            if entry.namespace != "admin":
                yield from patterns(entry, here)
        else:
            yield here, entry


def guard_of(view: Any) -> Any:
    """What stands guard before a view: through decorators, and on the class of a class-based view."""
    while view is not None:
        if hasattr(view, "guard"):
            return view.guard
        owner = getattr(view, "view_class", None) or getattr(view, "cls", None)
        if owner is not None and hasattr(owner, "guard"):
            return owner.guard
        view = getattr(view, "__wrapped__", None)
    return None


@register(Tags.security)
def every_page_is_guarded(app_configs: Apps, **_kwargs: Any) -> list[CheckMessage]:
    return [
        Error(
            f"/{route} has no guard.",
            hint="Put csp.access.requires(...) or open_to_all on the outside of the view.",
            id="csp.E001",
        )
        for route, pattern in patterns(get_resolver())
        if guard_of(pattern.callback) is None
    ]


@register(Tags.models)
def every_model_says_what_it_keeps(app_configs: Apps, **_kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for app in OURS:
        for model in apps.get_app_config(app).get_models():
            record = getattr(model, "record", None)
            if getattr(model, "instance_type", None) is not None:
                continue  # a history table keeps what its model keeps
            if not isinstance(record, Record):
                found.append(
                    Error(
                        f"{model.__name__} declares no record.",
                        hint="Say what it holds of a person and how long it is kept: record = Record(Kept...).",
                        obj=model,
                        id="csp.E002",
                    )
                )
                continue
            names = {field.name for field in model._meta.get_fields()}
            missing = [name for name in record.personal if name not in names]
            if missing:
                found.append(Error(f"{model.__name__} has no fields {missing}.", obj=model, id="csp.E003"))
    return found


@register()
def the_register_is_whole(app_configs: Apps, **_kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if len(CLAUSES) != CLAUSES_OF_THE_CONTRACT:
        found.append(Error(f"The register has {len(CLAUSES)} clauses, the contract 26.", id="csp.E004"))
    found += [
        Error(f"The obligation {rule.code} is under clause {rule.clause}, which does not exist.", id="csp.E005")
        for rule in OBLIGATIONS.values()
        if rule.clause not in CLAUSES
    ]
    return found


@register()
def time_is_utc(app_configs: Apps, **_kwargs: Any) -> list[CheckMessage]:
    if settings.TIME_ZONE == "UTC" and settings.USE_TZ:
        return []
    return [Error("TIME_ZONE must be UTC, with USE_TZ.", hint="People have zones; rows do not.", id="csp.E006")]


@register(Tags.security)
def secrets_are_long(app_configs: Apps, **_kwargs: Any) -> list[CheckMessage]:
    """In production; in development they are made by csp.settings. Missing ones stop the settings themselves."""
    if settings.DEVELOPMENT or len(settings.SECRET_KEY) >= 32:
        return []
    return [Error("SECRET_KEY is shorter than 32 characters.", hint="Use 64 random ones.", id="csp.E007")]
