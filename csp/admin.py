"""Django's admin as a reading room for auditors and administrators: every record, nothing to change, identities masked.

What changes, changes by the product's verbs. Each model says who may read it, and how it belongs to a contract, so that
an auditor sees the audit's contracts only. Whoever is not open to a model's personal columns sees them masked; opening
a record or a list is recorded.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from csp import access, clock, signin, trail
from csp import models as csp
from csp.events import Act
from csp.models import User
from csp.roles import Permission as P
from csp.roles import Role

MASK = "•••••"
COUNTED = 1000  # a list says no more than "a thousand"; counting millions would hold the database up


class Site(admin.AdminSite):
    """Signs in by our own door, and nowhere else."""

    site_header = site_title = _("Records")
    index_title = _("Everything on record")
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        return access.may(request.user, P.USE_ADMIN)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.user.is_authenticated:
            return redirect("home")
        return HttpResponseRedirect(f"{reverse('account_login')}?{urlencode({'next': request.get_full_path()})}")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("account_logout")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("account_change_password")


site = Site(name="admin")


class Numbered(str):
    """What stands for a record in titles, where its own words are masked."""

    pk: Any


class ShortCount(Paginator):  # type: ignore[type-arg]  # generic for type checkers only
    @cached_property
    def count(self) -> int:
        return int(self.object_list[:COUNTED].count())  # type: ignore[attr-defined]  # a queryset


class Reading(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for type checkers only
    """One model to be read. `readers` may see it, `open_to` its personal columns too; `contract` leads to the contract.

    Who may not see personal columns sees people and customers by their numbers.
    """

    readers: tuple[P, ...] = (P.SEE_TRAIL,)
    open_to: P | None = None
    contract = ""
    # Where the number of the ticket stands, the reference of a matter, or its name in the trail: what is kept from the
    # reader (KeptFrom) is left out by it.
    number, ref, context = "", "", ""
    only = Q()  # rows that are in the reading room at all; what was said in confidence is not
    hidden: tuple[str, ...] = ()

    actions = None
    paginator = ShortCount
    show_full_result_count = False
    list_per_page = 50
    ordering = ("-pk",)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access.may(request.user, P.USE_ADMIN) and any(access.may(request.user, one) for one in self.readers)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = self._without_own(super().get_queryset(request).filter(self.only), access.person(request))
        scope = access.scope_of(access.person(request))
        if self.contract and Role.ADMINISTRATOR not in scope.roles():
            rows = rows.filter(Q(**{f"{self.contract}__in": scope.contracts(Role.AUDITOR)}))
        return rows

    def _without_own(self, rows: QuerySet[Any], reader: User) -> QuerySet[Any]:
        """Nobody reads here what is about themselves."""
        if not (self.number or self.ref or self.context):
            return rows
        kept = list(csp.KeptFrom.objects.filter(user=reader, until__isnull=True).values_list("subject_ref", "context"))
        values: dict[str, list[Any]] = {}
        if self.number:
            values[self.number] = [int(ref[1:]) for ref, _context in kept if ref[1:].isdecimal()]
        if self.ref:
            values[self.ref] = [ref for ref, _context in kept]
        if self.context:
            values[self.context] = [context for _ref, context in kept]
        for path, found in values.items():
            if found:  # what names no matter at all stays
                rows = rows.filter(Q(**{f"{path}__isnull": True}) | ~Q(**{f"{path}__in": found}))
        return rows

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Whether an address may narrow the list by this: only by columns that the reader is shown.

        Else whoever sees a name masked could ask for the rows whose name begins with A, and read it letter by letter.
        """
        shown = set(self.get_fields(request))
        names = {"pk"}
        for field in self.model._meta.concrete_fields:
            if shown & {field.name, field.attname}:
                names |= {field.name, field.attname}
        return lookup.partition(LOOKUP_SEP)[0] in names and super().lookup_allowed(lookup, value, request)

    # ------------------------------------------------------------ what is shown

    def _personal(self) -> tuple[str, ...]:
        owner = getattr(self.model, "instance_type", self.model)
        record = getattr(owner, "record", None)
        return tuple(record.personal) if record else ()

    def _masks(self, request: HttpRequest, name: str) -> bool:
        return name in self._personal() and not (self.open_to and access.may(request.user, self.open_to))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Every column but bytes and secrets; masked ones as `masked_...`."""
        names = []
        for field in self.model._meta.concrete_fields:
            if field.name in self.hidden or isinstance(field, models.BinaryField) or getattr(field, "generated", False):
                continue
            if self._masks(request, field.name):
                names.append(f"masked_{field.name}")
            elif field.related_model in (User, csp.Customer) and not access.may(request.user, P.MANAGE_PEOPLE):
                names.append(field.attname)
            else:
                names.append(field.name)
        return names

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.get_fields(request, obj)

    def get_list_display(self, request: HttpRequest) -> Any:
        names = [str(name) for name in self.list_display]
        return [f"masked_{name}" if self._masks(request, name) else name for name in names]

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("masked_"):
            raise AttributeError(name)

        def masked(obj: Any) -> str:
            return MASK if getattr(obj, name.removeprefix("masked_")) else ""

        masked.short_description = name.removeprefix("masked_").replace("_", " ")  # type: ignore[attr-defined]
        return masked

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        if obj is not None and not (self.open_to and access.may(request.user, self.open_to)):
            name = Numbered(f"{self.opts.verbose_name} {obj.pk}")
            name.pk = obj.pk
            context.update(original=name, subtitle=name)
        return super().render_change_form(request, context, add, change, form_url, obj)

    # ------------------------------------------------------------ reading is recorded

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if self.has_view_permission(request):
            self._record(request, "list")
        return super().changelist_view(request, extra_context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if self.has_view_permission(request):
            self._record(request, object_id)
        return super().change_view(request, object_id, form_url, extra_context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What the row was before, where that is kept: the list of its former states."""
        past = getattr(self.model, "history", None)
        if past is None or past.model not in self.admin_site._registry:
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", object_id)
        where = reverse(f"admin:{past.model._meta.app_label}_{past.model._meta.model_name}_changelist")
        return HttpResponseRedirect(f"{where}?{urlencode({f'{self.opts.pk.name}__exact': object_id})}")

    def _record(self, request: HttpRequest, what: str) -> None:
        person = access.person(request)
        with transaction.atomic():
            signin.lock(person)
            trail.record(
                Act.RECORD_READ, f"reader:{person.pk}", by=person, at=clock.now(),
                context=f"{self.opts.model_name}:{what}"[:60],
            )  # fmt: skip


def reading(model: type[models.Model], **more: Any) -> None:
    """Put a model, and its former states where they are kept, into the reading room."""
    columns = more.pop("list_display", None) or ("__str__",)
    site.register(model, type(f"{model.__name__}Reading", (Reading,), {"list_display": columns, **more}))
    history = getattr(model, "history", None)
    if history is not None:
        columns = ("history_id", "history_date", "history_type", "history_user_id")
        past: dict[str, Any] = {"list_display": columns, "ordering": ("-history_id",)}
        past |= {
            name: more[name] for name in ("readers", "open_to", "contract", "only", "hidden", "number") if name in more
        }
        site.register(history.model, type(f"Past{model.__name__}Reading", (Reading,), past))


PEOPLE, SETTINGS, MAIL = (P.MANAGE_PEOPLE,), (P.MANAGE_TEAMS, P.SEE_TRAIL), (P.MANAGE_MAILBOXES, P.SEE_TRAIL)

reading(User, readers=PEOPLE, open_to=P.MANAGE_PEOPLE, hidden=("password",), search_fields=("email",),
        list_display=("pk", "name", "email", "side", "is_active"), list_filter=("is_active", "side"))  # fmt: skip
reading(csp.RoleGrant, readers=(P.MANAGE_PEOPLE, P.SEE_TRAIL), list_filter=("role",), contract="",
        list_display=("pk", "user_id", "role", "team", "starts_at", "ends_at"))  # fmt: skip
reading(csp.Appointment, readers=(P.MANAGE_PEOPLE, P.SEE_TRAIL), contract="contract", list_filter=("office",),
        list_display=("pk", "office", "user_id", "starts_at", "ends_at"))  # fmt: skip
reading(csp.Restriction, readers=(P.MANAGE_PEOPLE, P.SEE_TRAIL), list_filter=("kind",),
        list_display=("pk", "kind", "user_id", "cause", "starts_at", "ends_at"))  # fmt: skip
reading(csp.Team, readers=SETTINGS, contract="contract", list_display=("name", "contract", "is_active"))
reading(csp.Contract, readers=SETTINGS, contract="id", list_display=("pk", "company", "party", "zone"))
reading(csp.Version, readers=SETTINGS, contract="contract", list_display=("title", "number", "in_force_from"))
reading(csp.Reading, readers=SETTINGS, contract="version__contract", list_display=("key", "value", "version"))
reading(csp.Signature, readers=SETTINGS, contract="version__contract", list_display=("pk", "side", "signed_at"))
reading(csp.Mailbox, readers=MAIL, contract="team__contract", list_filter=("fetch", "is_active"),
        list_display=("address", "team", "fetch", "is_active", "fetched_at"))  # fmt: skip
reading(csp.OutboundMessage, readers=MAIL, list_filter=("state", "kind"), search_fields=("message_id",),
        list_display=("pk", "kind", "state", "created_at", "accepted_at", "attempts"))  # fmt: skip
reading(csp.Heartbeat, readers=MAIL, list_display=("name", "beat_at"), ordering=("name",))
reading(csp.Customer, list_display=("pk", "language", "created_at", "erased_at"))
reading(csp.Address, list_display=("pk", "kind", "customer_id", "bounced_at"))
reading(csp.Deadline, contract="contract", ref="subject_ref", list_filter=("state", "obligation"),
        search_fields=("=subject_ref",),
        list_display=("subject_ref", "clause", "obligation", "state", "starts_at", "due_at", "met_at"))  # fmt: skip
reading(csp.Breach, contract="contract", ref="deadline__subject_ref", list_filter=("obligation",),
        list_display=("pk", "obligation", "deadline_id", "breached_at", "detected_at"))  # fmt: skip
reading(csp.Assessment, contract="breach__contract", ref="breach__deadline__subject_ref",
        list_display=("pk", "breach_id", "verdict", "agreed"))  # fmt: skip
reading(csp.AssessmentFile, contract="assessment__breach__contract", ref="assessment__breach__deadline__subject_ref",
        list_display=("pk", "assessment_id", "size"))  # fmt: skip
reading(csp.Attempt, contract="assessment__breach__contract", ref="assessment__breach__deadline__subject_ref",
        list_display=("pk", "assessment_id", "channel", "at"))  # fmt: skip
reading(csp.TrailEntry, context="context", list_filter=("act",), search_fields=("=context", "=actor"),
        list_display=("pk", "recorded_at", "actor", "act", "subject", "version", "source"))  # fmt: skip
reading(csp.TrailSeal, list_display=("number", "entry_id"), ordering=("-number",))
KEEPING = (P.SEE_RETENTION,)
reading(csp.Hold, number="number", readers=KEEPING, contract="contract", list_filter=("kind",),
        list_display=("pk", "kind", "number", "placed_at", "lifted_at"))  # fmt: skip
reading(csp.Disposal, readers=KEEPING, list_filter=("is_routine",),
        list_display=("pk", "is_routine", "judged_at", "approved_at", "finished_at", "digest"))  # fmt: skip
reading(csp.DisposalItem, number="number", readers=KEEPING, contract="disposal__contract",
        list_filter=("kind", "outcome"),
        list_display=("pk", "disposal_id", "kind", "number", "keep_until", "outcome"))  # fmt: skip
PRIVACY = (P.MANAGE_PEOPLE, P.SEE_TRAIL)
reading(csp.PrivacyTerms, readers=PRIVACY, contract="contract", list_display=("pk", "contract", "part", "country"))
reading(csp.DataRequest, readers=PRIVACY, contract="contract", list_filter=("kind", "state", "channel"),
        list_display=("pk", "kind", "channel", "state", "identity", "received_at", "ended_at"))  # fmt: skip
reading(csp.DataRequestStep, readers=PRIVACY, contract="request__contract", list_filter=("kind",),
        list_display=("pk", "request_id", "kind", "at", "by_id"))  # fmt: skip
reading(csp.DataPackage, readers=PRIVACY, contract="request__contract",
        list_display=("pk", "request_id", "made_at", "sent_at", "fetched_at", "destroyed_at", "digest"))  # fmt: skip
reading(csp.DataRecipient, readers=PRIVACY, contract="contract",
        list_display=("pk", "name", "what", "given_at"))  # fmt: skip
reading(csp.DataBreach, readers=PRIVACY, contract="contract", list_filter=("nature", "decision"),
        list_display=("pk", "nature", "decision", "aware_at", "decided_at", "closed_at"))  # fmt: skip
reading(csp.DataBreachStep, readers=PRIVACY, contract="breach__contract", list_filter=("kind",),
        list_display=("pk", "breach_id", "kind", "at", "by_id"))  # fmt: skip
reading(csp.Processing, readers=PRIVACY, contract="contract", list_display=("name", "basis", "changed_at", "ended_at"))
reading(csp.PrivacyNotice, readers=PRIVACY, contract="contract", list_filter=("language",),
        list_display=("pk", "language", "number", "published_at", "digest"))  # fmt: skip
reading(csp.NoticeSeen, readers=PRIVACY, contract="notice__contract", list_display=("pk", "notice_id", "ref", "at"))
reading(csp.EvidenceMark, list_display=("pk", "shape", "row", "recorded_at", "entry_id"))
