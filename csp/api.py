"""What every address of the API is made of: the token, the guard, exact input, one shape of refusal, doing things once.

A view of the API is the same verb with another face: guard, load through reach, serializer, one verb, answer.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django import forms
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from csp import access, clock, throttle, tokens, trail
from csp.access import Refused, open_to_all
from csp.contract import CLAUSES, Obligation, obligations_of
from csp.models import ApiAnswer, ApiToken, Team, User
from csp.outbox import BadHeader
from csp.roles import Permission, Role
from csp.working_state import API_ANSWERS_KEPT

MINUTE = dt.timedelta(minutes=1)
A_MINUTE = 300  # requests of one token
WRONG_A_MINUTE = 30  # from one address with a token that is none
LARGEST = 1024 * 1024  # bytes of a request; no verb takes more
LONGEST_KEY = 100


# ---------------------------------------------------------------- who asks


class BearerAuthentication(BaseAuthentication):
    """A token and nothing else: no session signs anybody in here, so there is nothing for another site to forge."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        at = clock.now()
        token = tokens.find(secret.strip(), at=at)
        if token is None:
            if throttle.is_over("api-wrong", _address(request), most=WRONG_A_MINUTE, within=MINUTE):
                raise exceptions.Throttled(MINUTE.total_seconds())
            raise exceptions.AuthenticationFailed(_("This token does not hold: it is wrong, revoked or has run out."))
        if throttle.is_over("api", str(token.pk), most=A_MINUTE, within=MINUTE):
            raise exceptions.Throttled(MINUTE.total_seconds())
        tokens.note_use(token, at=at)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class _Bearer(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself
    target_class = BearerAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A token from My account, API tokens."}


def _address(request: Request) -> str:
    return str(getattr(request, "address", ""))  # set by csp.middleware.SourceMiddleware


# ---------------------------------------------------------------- what is sent and answered


class Parser(JSONParser):
    """JSON of a sensible size and depth."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise exceptions.ParseError(_("This JSON is nested too deeply.")) from None


class Shape(serializers.Serializer):  # type: ignore[type-arg]  # generic for the checker only
    """What is answered."""


class Input(serializers.Serializer):  # type: ignore[type-arg]  # as above
    """What is asked: a field that does not exist is refused by name, so nothing is set that nobody offered."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = [name for name in data if name not in self.fields]
            if unknown:
                raise serializers.ValidationError({str(name)[:100]: [_("There is no such field.")] for name in unknown})
        return super().to_internal_value(data)


class Named(Shape):
    """Somebody or something by number and name."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class Refusal(Shape):
    """Why not: a sentence for a person, a code for a program, and for wrong input what is wrong with each field."""

    detail = serializers.CharField()
    code = serializers.CharField()
    fields = serializers.DictField(required=False)  # type: ignore[assignment]  # the name in the answer


class KeyReused(exceptions.APIException):
    status_code = 422
    default_code = "key_reused"

    def __init__(self) -> None:
        super().__init__(_("This Idempotency-Key was used for another request."))


class TooLarge(exceptions.APIException):
    status_code = 413
    default_code = "too_large"

    def __init__(self) -> None:
        super().__init__(_("A request has a megabyte at most."))


def refusal(error: Exception, context: Any) -> Response | None:
    """The answer to what was refused; None for what nobody expected, which is logged and answered by 500."""
    if isinstance(error, Refused):
        status = getattr(error, "status", 422)
        return Response({"detail": str(error), "code": getattr(error, "code", "refused")}, status)
    if isinstance(error, BadHeader):
        return Response({"detail": str(error), "code": "invalid"}, 400)
    if isinstance(error, Http404):
        error = exceptions.NotFound(_("There is no such thing, or you may not see it."))
    if not isinstance(error, exceptions.APIException):
        return None
    headers = {}
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, exceptions.Throttled):
        headers["Retry-After"] = str(int(MINUTE.total_seconds()))  # everything is counted by the minute
    if isinstance(error, exceptions.ValidationError):
        fields = error.detail if isinstance(error.detail, dict) else {"body": error.detail}
        said = _("Something in this request is not right: %(fields)s.") % {"fields": ", ".join(map(str, fields))}
        return Response({"detail": said, "code": "invalid", "fields": fields}, 400)
    code = error.get_codes()
    said = str(error.detail)
    return Response(
        {"detail": said, "code": code if isinstance(code, str) else "refused"}, error.status_code, headers=headers
    )


# ---------------------------------------------------------------- the views


class View(APIView):
    """One address. `guards` names for each method the permission it asks for; None for whoever has a token."""

    guards: ClassVar[Mapping[str, Permission | None]] = {}
    guard: ClassVar[tuple[Permission, ...]] = ()  # for csp.checks
    authentication_classes = (BearerAuthentication,)
    parser_classes = (Parser,)

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        cls.guard = tuple(one for one in cls.guards.values() if one is not None)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        address = str(getattr(request, "address", ""))
        with trail.source("api", address):
            answer = super().dispatch(request, *args, **kwargs)
        answer.headers.setdefault("Cache-Control", "no-store")
        return answer

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not isinstance(request.user, User):
            raise exceptions.NotAuthenticated(_("Ask with a token: Authorization: Bearer csp_…"))
        said = request.META.get("CONTENT_LENGTH") or "0"
        if said.isascii() and said.isdigit() and int(said) > LARGEST:
            raise TooLarge
        method = "GET" if request.method == "HEAD" else request.method or ""
        if method not in self.guards:
            return  # OPTIONS, and what the address does not know
        if method != "GET" and token_of(request).scope != ApiToken.Scope.WRITE:
            raise exceptions.PermissionDenied(_("This token may only read."), code="read_only_token")
        permission = self.guards[method]
        access.scope_of(request.user, clock.now())  # this is the door: what is asked later reads no clock
        if permission is not None and not access.may(request.user, permission):
            raise exceptions.PermissionDenied(_("Your role does not allow this."), code="not_allowed")

    def get_exception_handler(self) -> Callable[[Exception, Any], Response | None]:
        return refusal

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """JSON, whatever is asked for: a file is sent as it is, and an error has one shape."""
        return super().perform_content_negotiation(request, force=True)

    def options(self, request: HttpRequest | Request, *args: Any, **kwargs: Any) -> Response:
        """Which methods there are; the rest is in the schema."""
        return Response(status=204, headers={"Allow": ", ".join(self.allowed_methods)})

    def once(
        self, request: Request, do: Callable[[], tuple[int, int]], show: Callable[[int, int], Mapping[str, Any]]
    ) -> Response:
        """Do it, in one transaction; with an Idempotency-Key only the first time, and answer it the same for a day.

        `do` returns the status of the answer and the number of what was made or changed; `show` draws the answer from
        these. What was refused is not remembered.
        """
        key = request.headers.get("Idempotency-Key", "")
        if len(key) > LONGEST_KEY or not (key.isascii() and (key.isprintable() or not key)):
            words = _("An Idempotency-Key has a hundred printable ASCII characters at most.")
            raise serializers.ValidationError({"Idempotency-Key": [words]})
        if not key:
            with transaction.atomic():
                status, number = do()
            return Response(show(status, number), status)
        at = clock.now()
        asked = _digest(request)
        with transaction.atomic():
            mine = ApiAnswer.objects.filter(token=token_of(request), key=key)
            mine.filter(answered_at__lt=at - API_ANSWERS_KEPT).delete()
            # whoever sends the same key at the same time waits here until the first is done
            row, is_first = ApiAnswer.objects.get_or_create(
                token=token_of(request), key=key, defaults={"asked": asked, "answered_at": at}
            )
            if is_first:
                row.status, row.number = do()
                row.save(update_fields=["status", "number"])
        if bytes(row.asked) != asked:
            raise KeyReused
        headers = {} if is_first else {"Idempotent-Replayed": "true"}
        return Response(show(row.status, row.number), row.status, headers=headers)


def _digest(request: Request) -> bytes:
    """What tells one request from another: method, address and what was sent."""
    sent = trail.canonical({"body": request.data, "path": request.path, "method": request.method})
    return hashlib.sha256(sent.encode("utf-8", "surrogatepass")).digest()


def person(request: Request) -> User:
    """Whose token it is; `View` lets nobody else through."""
    if not isinstance(request.user, User):
        raise exceptions.NotAuthenticated
    return request.user


def token_of(request: Request) -> ApiToken:
    """The token that is shown."""
    if not isinstance(request.auth, ApiToken):
        raise exceptions.NotAuthenticated
    return request.auth


def wrong(form: forms.BaseForm) -> exceptions.ValidationError:
    """What a form of the desk says against its fields, as the API says it."""
    return serializers.ValidationError({name: [str(line) for line in lines] for name, lines in form.errors.items()})


def moment(value: dt.datetime | None) -> str | None:
    """An instant as it stands in every answer: ISO 8601 in UTC."""
    return value.astimezone(dt.UTC).isoformat() if value else None


def asked(request: Request, kind: type[Input]) -> dict[str, Any]:
    """What was sent, checked; instants without an offset are the person's own time. Raises ValidationError."""
    with timezone.override(person(request).zoneinfo):
        form = kind(data=request.data)
        form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def query(request: Request, *known: str) -> None:
    """Refuse parameters that do not exist: a filter that is misspelt must not show everything."""
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        raise serializers.ValidationError({name[:100]: [_("There is no such parameter.")] for name in unknown})


def number(request: Request, name: str, *, otherwise: int = 0, most: int = 2**62) -> int:
    """A number in the address. Raises ValidationError."""
    text = request.query_params.get(name, "")
    if not text:
        return otherwise
    if not (text.isascii() and text.isdigit() and len(text) < 19 and 1 <= int(text) <= most):
        raise serializers.ValidationError({name: [_("This is a number from 1 to %(most)d.") % {"most": most}]})
    return int(text)


# ---------------------------------------------------------------- what belongs to no app


class MeOut(Shape):
    """Whose token this is and what it may do."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    email = serializers.EmailField()
    roles = serializers.ListField(child=serializers.ChoiceField(choices=Role.choices))
    teams = Named(many=True)
    permissions = serializers.ListField(child=serializers.CharField())
    scope = serializers.ChoiceField(choices=ApiToken.Scope.choices)
    expires_at = serializers.CharField()


class Me(View):
    guards: ClassVar = {"GET": None}

    @extend_schema(operation_id="me", responses={200: MeOut, 401: Refusal, 429: Refusal}, tags=["me"])
    def get(self, request: Request) -> Response:
        """Whose token this is, what the person may do, and until when it holds."""
        user = person(request)
        scope = access.scope_of(user)
        own = scope.teams(Role.REPRESENTATIVE, Role.SUPERVISOR)
        return Response({
            "id": user.pk, "name": user.name, "email": user.email, "roles": sorted(scope.roles()),
            "teams": [{"id": row.pk, "name": row.name} for row in Team.objects.filter(pk__in=own).order_by("name")],
            "permissions": sorted(one.value for one in Permission if scope.may(one)),
            "scope": token_of(request).scope, "expires_at": moment(token_of(request).expires_at),
        })  # fmt: skip


class ClauseOut(Shape):
    """One clause of the contract, and the obligations with a clock under it."""

    title = serializers.CharField()
    summary = serializers.CharField()
    control = serializers.CharField()
    obligations = serializers.ListField(child=serializers.DictField())


class Clauses(View):
    guards: ClassVar = {"GET": Permission.SEE_CONTRACT}

    @extend_schema(
        operation_id="clauses", tags=["contract"],
        responses={200: serializers.DictField(child=ClauseOut()), 401: Refusal, 403: Refusal, 429: Refusal},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """The register of clauses and obligations, keyed by the number of the clause."""
        return Response(register())


def register() -> dict[str, dict[str, Any]]:
    """The register as plain data, keyed by clause; also what `./run manage contract --json` prints."""
    return {
        name: {
            "title": clause.title,
            "summary": clause.summary,
            "control": clause.control,
            "obligations": [_plain(rule) for rule in obligations_of(name)],
        }
        for name, clause in CLAUSES.items()
    }


def _plain(rule: Obligation) -> dict[str, Any]:
    term = rule.term
    return {
        "obligation": rule.code,
        "verb": rule.verb,
        "nature": rule.nature.value,
        "starts": rule.starts,
        "term": {"hours": term.hours, "days": term.days, "months": term.months, "mode": term.mode} if term else None,
        "met_when": rule.met_when,
        "policy": rule.policy,
        "reminders_percent": list(rule.reminders),
        "reminders_hours_before": [before.total_seconds() / 3600 for before in rule.reminders_before],
        "escalates": rule.escalates,
        "opens_noncompliance": rule.opens_noncompliance,
        "enforced": rule.enforced,
    }


# ---------------------------------------------------------------- the schema


@functools.cache
def document() -> dict[str, Any]:
    """The OpenAPI document of every address under /api/v1/."""
    with translation.override("en-gb"):
        made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return made


@open_to_all
@require_GET
def schema(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document. It says nothing of any installation, so nobody is asked for a token."""
    return JsonResponse(document(), json_dumps_params={"indent": 1})
