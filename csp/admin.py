"""Django's admin as a reading room for auditors and administrators: every record, nothing to change, identities masked.

What changes, changes by the product's verbs. Each model says who may read it, and how it belongs to a contract, so that
an auditor sees the audit's contracts only, and what belongs to no contract not at all (csp.belonging). Whoever is not
open to a model's personal columns sees them masked; opening a record or a list is recorded.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import models, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import path as address
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from csp import access, belonging, clock, exporting, signin, trail
from csp import models as csp
from csp.events import Act
from csp.models import User
from csp.privacy import held
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


# Columns that say when a row came to be, whose act it was, by their names, the first that a model has.
WHEN = (
    "recorded_at", "history_date", "occurred_at", "received_at", "detected_at", "at", "decided_at", "judged_at",
    "set_at", "placed_at", "published_at", "reported_at", "starts_at", "opened_at", "created_at", "proposed_at",
    "found_at", "drawn_at", "scored_at", "planned_at", "filed_at", "raised_at", "asked_at", "landed_at", "signed_at",
    "started_at", "passed_at", "written_at",
)  # fmt: skip
WHO = (
    "actor", "history_user", "by", "author", "responsible", "recorded_by", "opened_by", "placed_by", "user", "owner",
    "raised_by", "resolved_by", "proposed_by", "ruled_by", "drawn_by", "scorer", "found_by", "published_by", "set_by",
    "reported_by", "planned_by", "granted_by", "assignee", "auditor",
)  # fmt: skip


class Narrowed(admin.ListFilter):
    """From, until, by whom, about what: one form beside the list, and the same narrowing for its export."""

    title = _("Narrow down")
    template = "admin/narrowed.html"
    NAMES = ("day_from", "day_until", "by_whom", "about_what")  # no model has such columns

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        self.reading: Reading = model_admin
        self.others = {name: values for name, values in params.items() if name not in self.NAMES}
        for name in self.NAMES:
            given = params.pop(name, None)
            if given:
                self.used_parameters[name] = given[-1] if isinstance(given, list) else given

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return list(self.NAMES)

    def choices(self, changelist: Any) -> Iterator[Any]:
        """What the form shows: its fields with what stands in them, and what else the address says."""
        when, who = self.reading.when, self.reading.who
        fields = zip(
            self.NAMES, (_("From"), _("Until"), _("By whom"), _("About")), ("date", "date", "text", "text"),
            (when, when, who, True), strict=True,
        )  # fmt: skip
        for name, label, kind, can in fields:
            if can:
                yield {"name": name, "label": label, "value": self.used_parameters.get(name, ""), "kind": kind}
        for name, values in self.others.items():
            if name != "p":
                yield {"name": name, "value": values[-1] if isinstance(values, list) else values, "kind": "hidden"}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        given = {name: str(value) for name, value in self.used_parameters.items()}
        for name, lookup, extra in (("day_from", "gte", 0), ("day_until", "lt", 1)):
            if name in given and self.reading.when:
                try:
                    day = dt.date.fromisoformat(given[name]) + dt.timedelta(days=extra)
                except (ValueError, OverflowError):
                    return queryset.none()
                moment = dt.datetime.combine(day, dt.time(), dt.UTC)
                queryset = queryset.filter(**{f"{self.reading.when}__{lookup}": moment})
        if "by_whom" in given and self.reading.who:
            queryset = queryset.filter(self.reading.by_whom(given["by_whom"].strip()))
        if "about_what" in given:
            queryset = queryset.filter(self.reading.about_what(given["about_what"].strip()))
        return queryset


# Who reads the name of a person where a record points at one; everybody else reads the number.
NAMED_TO = {User: P.MANAGE_PEOPLE, csp.Customer: P.SEE_CUSTOMER_NAMES}


class ExportForm(forms.Form):
    """How the rows are taken. Only who audits may open what is masked, and only with a reason."""

    format = forms.ChoiceField(
        label=_("Format"),
        choices=[("csv", "CSV"), ("jsonl", _("JSON lines")), ("xlsx", _("XLSX workbook"))],
    )
    recipient = forms.CharField(
        label=_("Handed on to, if somebody outside gets it"), required=False, max_length=300,
        help_text=_("A name, or Name <address>. Whoever the records are about is told, and so is the recipient when "
                    "something is corrected or erased."),
    )  # fmt: skip
    reason = forms.CharField(
        label=_("Open masked columns, because"), required=False, max_length=500,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
        help_text=_("Leave it empty and names stay masked. The reason is recorded, and the privacy owner is told."),
    )  # fmt: skip

    def __init__(self, *args: Any, may_open: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_open:
            del self.fields["reason"]

    def clean_recipient(self) -> exporting.Recipient:
        try:
            return exporting.Recipient.read(self.cleaned_data["recipient"])
        except access.Refused as refusal:
            raise forms.ValidationError(str(refusal)) from None

    def clean_reason(self) -> str:
        reason = str(self.cleaned_data["reason"]).strip()
        if reason and len(reason) < 5:
            raise forms.ValidationError(_("Say in a few words why you have to know; the privacy owner reads it."))
        return reason


class Reading(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for type checkers only
    """One model to be read. `readers` may see it, `open_to` its personal columns too.

    `contract` says how a row belongs to a contract; what says nothing is for those alone who see all contracts. Who may
    not see personal columns sees people and customers by their numbers.
    """

    readers: tuple[P, ...] = (P.SEE_TRAIL,)
    open_to: P | None = None
    contract: belonging.Way = ()
    # How the trail calls a row of this model, where the model itself does not say so (trail_subject).
    called: tuple[str, ...] = ()
    # Where the number of the ticket stands, the reference of a matter, or its name in the trail: what is kept from the
    # reader (KeptFrom) is left out by it.
    number, ref, context = "", "", ""
    only = Q()  # rows that are in the reading room at all; what was said in confidence is not
    hidden: tuple[str, ...] = ()
    # Whether an auditor may open its personal columns in an export, with a reason: who customers are, what was said.
    opens = False
    # The columns by which Narrowed narrows; found by name where a reading says nothing (WHEN, WHO).
    when, who = "", ""

    actions = None
    change_list_template = "admin/records.html"
    paginator = ShortCount
    show_full_result_count = False
    list_per_page = 50
    ordering = ("-pk",)

    def __init__(self, model: Any, admin_site: Any) -> None:
        super().__init__(model, admin_site)
        names = {field.name for field in model._meta.concrete_fields}
        self.when = self.when or next((name for name in WHEN if name in names), "")
        self.who = self.who or next((name for name in WHO if name in names), "")

    def get_list_filter(self, request: HttpRequest) -> Any:
        return [Narrowed, *super().get_list_filter(request)]

    def by_whom(self, asked: str) -> Q:
        """Rows of one person, by number: 5, or as the trail says it, user:5 or system:sweep."""
        if self.who == "actor":
            return Q(actor=asked if ":" in asked else f"user:{asked}")
        number = asked.removeprefix("user:")
        if not (number.isascii() and number.isdecimal() and len(number) < 19):
            return Q(pk__in=[])
        return Q(**{f"{self.who}_id" if self.who == "history_user" else self.who: int(number)})

    def about_what(self, asked: str) -> Q:
        """Rows about one matter: #4790, NC-7, ticket:4790, or the number of the record itself."""
        number = asked.lstrip("#").rpartition(":")[2].rpartition("-")[2]
        digits = int(number) if number.isascii() and number.isdecimal() and len(number) < 19 else None
        if self.context:
            context = f"ticket:{digits}" if asked.startswith("#") else asked
            return Q(**{self.context: context}) | Q(subject=context)
        if self.ref and not asked.isdecimal():
            return Q(**{self.ref: asked})
        if digits is None:
            return Q(pk__in=[])
        if self.number and not asked.startswith("="):
            return Q(**{self.number: digits})
        own = self.model.instance_type._meta.pk.attname if hasattr(self.model, "instance_type") else "pk"
        return Q(**{own: digits})

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
        within = belonging.contracts_read_by(access.person(request))
        return rows if within is None else belonging.narrowed(rows, self.contract, within)

    def _without_own(self, rows: QuerySet[Any], reader: User) -> QuerySet[Any]:
        """Nobody reads here what is about themselves."""
        if not (self.number or self.ref or self.context):
            return rows
        kept = list(csp.KeptFrom.objects.filter(user=reader, until__isnull=True).values_list("subject_ref", "context"))
        locked = csp.LockItem.objects.filter(lock__ended_at__isnull=True)
        kept += [
            (f"#{number}" if kind == "ticket" else f"F-{number}" if kind == "remark" else "", f"{kind}:{number}")
            for kind, number in locked.values_list("kind", "number")
        ]
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
        if lookup in Narrowed.NAMES:
            return True
        shown = set(self._shown(request))
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

    def _shown(self, request: HttpRequest) -> list[str]:
        """Every column but bytes and secrets; masked ones as `masked_...`."""
        names: list[str] = []
        for field in self.model._meta.concrete_fields:
            if field.name in self.hidden or isinstance(field, models.BinaryField) or getattr(field, "generated", False):
                continue
            if self._masks(request, field.name):
                names.append(f"masked_{field.name}")
            elif (opened_by := NAMED_TO.get(field.related_model)) and not access.may(request.user, opened_by):
                names.append(field.attname)
            else:
                names.append(field.name)
        return names

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [self._in_words(name) for name in self._shown(request)]

    def _in_words(self, name: str) -> str:
        """The column that says in words what another one holds as a bare number: `user_id` as "person 7"."""
        field = next((one for one in self.opts.concrete_fields if one.is_relation and one.attname == name), None)
        return name if field is None or field.name == name else f"worded_{field.name}"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.get_fields(request, obj)

    def get_list_display(self, request: HttpRequest) -> Any:
        names = [self._in_words(str(name)) for name in self.list_display]
        return [f"masked_{name}" if self._masks(request, name) else name for name in names]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("worded_"):
            return _worded(self.opts.get_field(name.removeprefix("worded_")))
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

    # ------------------------------------------------------------ taking records away

    def get_urls(self) -> Any:
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        return [address("export/", self.admin_site.admin_view(self.export_view), name=name), *super().get_urls()]

    def may_open(self, request: HttpRequest) -> bool:
        """Whether this person may have masked columns opened, with a reason."""
        return self.opens and bool(self._personal()) and access.may(request.user, P.OPEN_MASKED)

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """The rows of the list as its address narrows it, as a file; recorded with filter, count and digest."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        changelist = self.get_changelist_instance(request)
        rows = changelist.get_queryset(request).order_by("pk")
        form = ExportForm(request.POST or None, may_open=self.may_open(request))
        if request.method == "POST" and form.is_valid():
            kind = exporting.Format(form.cleaned_data["format"])
            if kind is exporting.Format.SHEET and rows[exporting.SHEET_ROWS :].exists():
                form.add_error("format", _("A worksheet does not hold so many rows. Narrow the list, or take CSV."))
            else:
                return self._export(request, rows, kind, form.cleaned_data)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "form": form, "cl": changelist,
            "title": _("Export %(name)s") % {"name": self.opts.verbose_name_plural},
            "count": rows[: COUNTED + 1].count(), "counted": COUNTED, "query": request.GET.urlencode(),
            "narrowed": self._narrowed(request),
        }  # fmt: skip
        return render(request, "admin/export.html", context, status=422 if form.errors else 200)

    def _narrowed(self, request: HttpRequest) -> dict[str, str]:
        return {name: str(value) for name, value in sorted(request.GET.items()) if value and name not in ("p", "o")}

    def _export(
        self, request: HttpRequest, rows: QuerySet[Any], kind: exporting.Format, good: dict[str, Any]
    ) -> HttpResponseBase:
        person, at, reason = access.person(request), clock.now(), str(good.get("reason", ""))
        columns = list(self._columns(request, opened=bool(reason)))
        audited = access.scope_of(person, at).contracts(Role.AUDITOR)
        taking = exporting.Taking(
            person, str(self.opts.label_lower), kind, self._narrowed(request),
            exporting.only(audited), good["recipient"], reason,
        )  # fmt: skip

        def cells() -> exporting.Rows:
            found, whom = self._about(rows.select_related(None))
            for row in found.iterator(chunk_size=exporting.AT_ONCE):
                yield whom(row), [value(row) for _head, value in columns]

        heads = [head for head, _value in columns]
        name = f"{self.opts.model_name}-{at:%Y%m%dT%H%M%SZ}"
        return exporting.as_file(taking, heads, cells, name=name, at=at, contracts=audited)

    def _about(self, rows: QuerySet[Any]) -> tuple[QuerySet[Any], Callable[[Any], str]]:
        """The rows, and how one says whom or what it is about, as the trail names it: the person where it knows one."""
        owner = getattr(self.model, "instance_type", self.model)
        names = {field.name for field in self.model._meta.concrete_fields}
        if path := owner.record.person:
            kind = "user" if held.leads_to(owner, path) is User else "customer"
            column = "id" if path == "self" else path  # "pk" is the version's own among earlier versions
            return rows.annotate(is_about=F(column)), lambda row: f"{kind}:{row.is_about}" if row.is_about else ""
        if self.context:
            return rows, lambda row: row.context or row.subject
        if "remark" in names:
            return rows, lambda row: f"remark:{row.remark_id}"
        if {"kind", "number"} <= names:  # a hold, a record on the list of a disposal
            return rows, lambda row: f"{row.kind}:{row.number}"
        if path := self.number or self.ref:
            return rows.annotate(is_about=F(path)), lambda row: _ticket(str(row.is_about or ""))
        return rows, lambda row: getattr(row, "trail_subject", "")

    def _columns(self, request: HttpRequest, *, opened: bool) -> Iterator[tuple[str, Callable[[Any], Any]]]:
        """Every column that the reader is shown, as (heading, how it is read); people by their numbers."""
        for name in self._shown(request):
            if name.startswith("masked_"):
                attribute = str(getattr(self.opts.get_field(name.removeprefix("masked_")), "attname", ""))
                yield attribute, _read(attribute) if opened else _masked(attribute)
            else:
                attribute = next(
                    field.attname for field in self.opts.concrete_fields if name in (field.name, field.attname)
                )
                yield attribute, _read(attribute)

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


def _ticket(number: str) -> str:
    """A ticket by its number or reference, as the trail names it; empty for another matter."""
    number = number.removeprefix("#")
    return f"ticket:{number}" if number.isdecimal() else ""


def _worded(field: Any) -> Callable[[Any], str]:
    """A column that names the record which another one points at by what it is and its number; no row is fetched."""
    kind = field.related_model

    def worded(obj: Any) -> str:
        number = getattr(obj, field.attname)
        if number is None:
            return ""
        return f"#{number}" if kind._meta.label_lower == "tickets.ticket" else f"{kind._meta.verbose_name} {number}"

    worded.short_description = field.verbose_name  # type: ignore[attr-defined]  # read by Django's admin
    worded.admin_order_field = field.attname  # type: ignore[attr-defined]  # as above
    return worded


def _read(attribute: str) -> Callable[[Any], Any]:
    return lambda row: getattr(row, attribute)


def _masked(attribute: str) -> Callable[[Any], Any]:
    return lambda row: MASK if getattr(row, attribute) else ""


def reading(model: type[models.Model], **more: Any) -> None:
    """Put a model, and its former states where they are kept, into the reading room."""
    columns = more.pop("list_display", None) or ("__str__",)
    belonging.declare(model, more.get("contract", ()), called=more.get("called", ()))
    site.register(model, type(f"{model.__name__}Reading", (Reading,), {"list_display": columns, **more}))
    history = getattr(model, "history", None)
    if history is not None:
        columns = ("history_id", "history_date", "history_type", "history_user_id")
        past: dict[str, Any] = {
            "list_display": columns, "ordering": ("-history_id",), "list_filter": ("history_type",),
            "when": "history_date", "who": "history_user",
        }  # fmt: skip
        inherited = ("readers", "open_to", "contract", "only", "hidden", "number", "opens")
        past |= {name: more[name] for name in inherited if name in more}
        site.register(history.model, type(f"Past{model.__name__}Reading", (Reading,), past))


PEOPLE, SETTINGS, MAIL = (P.MANAGE_PEOPLE,), (P.MANAGE_TEAMS, P.SEE_TRAIL), (P.MANAGE_MAILBOXES, P.SEE_TRAIL)

reading(User, readers=PEOPLE, open_to=P.MANAGE_PEOPLE, hidden=("password",), search_fields=("email",),
        list_display=("pk", "name", "email", "side", "is_active"), list_filter=("is_active", "side"))  # fmt: skip
reading(csp.RoleGrant, readers=(P.MANAGE_PEOPLE, P.SEE_TRAIL), list_filter=("role",),
        contract=("contract", "team__contract"),
        list_display=("pk", "user_id", "role", "team", "starts_at", "ends_at"))  # fmt: skip
reading(csp.Appointment, readers=(P.MANAGE_PEOPLE, P.SEE_TRAIL), contract="contract", list_filter=("office",),
        list_display=("pk", "office", "user_id", "starts_at", "ends_at"))  # fmt: skip
reading(csp.Restriction, readers=(P.MANAGE_PEOPLE, P.SEE_TRAIL), list_filter=("kind",),
        contract=belonging.Named("cause"),
        list_display=("pk", "kind", "user_id", "cause", "starts_at", "ends_at"))  # fmt: skip
reading(
    csp.Team, readers=SETTINGS, contract="contract", called=("team",), list_display=("name", "contract", "is_active")
)
reading(csp.ShiftPlan, readers=SETTINGS, contract="team__contract", list_display=("pk", "team", "country"))
reading(
    csp.Contract,
    readers=SETTINGS,
    contract="id",
    called=("contract", "privacy-terms", "surveys", "themes", "feedback-import"),
    list_display=("pk", "company", "party", "zone"),
)
reading(csp.Version, readers=SETTINGS, contract="contract", list_display=("title", "number", "in_force_from"))
reading(csp.Reading, readers=SETTINGS, contract="version__contract", list_display=("key", "value", "version"))
reading(csp.Signature, readers=SETTINGS, contract="version__contract", list_display=("pk", "side", "signed_at"))
reading(csp.Mailbox, readers=MAIL, contract="team__contract", called=("mailbox",), list_filter=("fetch", "is_active"),
        list_display=("address", "team", "fetch", "is_active", "fetched_at"))  # fmt: skip
reading(csp.OutboundMessage, readers=MAIL, contract="mailbox__team__contract",
        list_filter=("state", "kind"), search_fields=("message_id",),
        list_display=("pk", "kind", "state", "created_at", "accepted_at", "attempts"))  # fmt: skip
reading(csp.Heartbeat, readers=MAIL, list_display=("name", "beat_at"), ordering=("name",))
reading(csp.Parked, readers=MAIL, list_display=("loop", "item", "error", "since", "last_at"), ordering=("-last_at",))
reading(
    csp.Customer,
    opens=True,
    contract=belonging.Served("id"),
    called=("customer",),
    list_display=("pk", "language", "created_at", "erased_at"),
)
reading(
    csp.Address,
    opens=True,
    contract=belonging.Served("customer"),
    list_display=("pk", "kind", "customer_id", "bounced_at"),
)
reading(csp.Deadline, contract="contract", called=("deadline",), ref="subject_ref", list_filter=("state", "obligation"),
        search_fields=("=subject_ref",),
        list_display=("subject_ref", "clause", "obligation", "state", "starts_at", "due_at", "met_at"))  # fmt: skip
reading(csp.Breach, contract="contract", ref="deadline__subject_ref", list_filter=("obligation",),
        list_display=("pk", "obligation", "deadline_id", "breached_at", "detected_at"))  # fmt: skip
reading(csp.Assessment, contract="breach__contract", called=("assessment",), ref="breach__deadline__subject_ref",
        list_display=("pk", "breach_id", "verdict", "agreed"))  # fmt: skip
reading(csp.AssessmentFile, contract="assessment__breach__contract", ref="assessment__breach__deadline__subject_ref",
        called=("assessment-file",), list_display=("pk", "assessment_id", "size"))  # fmt: skip
reading(csp.Attempt, contract="assessment__breach__contract", ref="assessment__breach__deadline__subject_ref",
        list_display=("pk", "assessment_id", "channel", "at"))  # fmt: skip
reading(csp.TrailEntry, contract=belonging.Named("context", "subject"), context="context",
        list_filter=("act",), search_fields=("=context", "=actor"),
        list_display=("pk", "recorded_at", "actor", "act", "subject", "version", "source"))  # fmt: skip
reading(
    csp.TrailSeal,
    contract=belonging.Named("entry__context", "entry__subject"),
    list_display=("number", "entry_id"),
    ordering=("-number",),
)
KEEPING = (P.SEE_RETENTION,)
reading(csp.Hold, number="number", readers=KEEPING, contract="contract", list_filter=("kind",),
        list_display=("pk", "kind", "number", "placed_at", "lifted_at"))  # fmt: skip
reading(csp.StaffFile, readers=KEEPING, contract="contract", list_filter=("state",),
        list_display=("pk", "user_id", "state", "closed_at", "keep_until"))  # fmt: skip
reading(csp.Disposal, readers=KEEPING, contract="contract", list_filter=("is_routine",),
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
reading(csp.DataPackage, readers=PRIVACY, contract="request__contract", called=("data-package",),
        list_display=("pk", "request_id", "made_at", "sent_at", "fetched_at", "destroyed_at", "digest"))  # fmt: skip
reading(csp.DataRecipient, readers=PRIVACY, contract="contract", called=("data-recipient",),
        list_display=("pk", "name", "what", "given_at"))  # fmt: skip
reading(csp.Export, readers=PRIVACY, contract="contract",
        list_display=("pk", "what", "format", "by_id", "begun_at", "rows", "is_listed", "digest"))  # fmt: skip
reading(csp.ContractEnd, readers=PRIVACY, contract="contract",
        list_display=("pk", "choice", "ended_at", "received_at", "approved_at", "finished_at", "digest"))  # fmt: skip
reading(csp.DataBreach, readers=PRIVACY, contract="contract", list_filter=("nature", "decision"),
        list_display=("pk", "nature", "decision", "aware_at", "decided_at", "closed_at"))  # fmt: skip
reading(csp.DataBreachStep, readers=PRIVACY, contract="breach__contract", list_filter=("kind",),
        list_display=("pk", "breach_id", "kind", "at", "by_id"))  # fmt: skip
reading(
    csp.Processing,
    readers=PRIVACY,
    contract="contract",
    called=("processing",),
    list_display=("name", "basis", "changed_at", "ended_at"),
)
reading(csp.PrivacyNotice, readers=PRIVACY, contract="contract", called=("privacy-notice",), list_filter=("language",),
        list_display=("pk", "language", "number", "published_at", "digest"))  # fmt: skip
reading(csp.NoticeSeen, readers=PRIVACY, contract="notice__contract", list_display=("pk", "notice_id", "ref", "at"))
reading(
    csp.EvidenceMark,
    contract=belonging.Row("shape__relation", "row"),
    list_display=("pk", "shape", "row", "recorded_at", "entry_id"),
)
