"""People: those who work here, what they may do and since when, and the customers they serve."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib import auth
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Upper
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from csp.models.agreement import Side
from csp.records import Kept, Record
from csp.roles import Office, Role

if TYPE_CHECKING:
    from csp.access import Held


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """A person with an account, on the company's or the party's side. Nobody is deleted: work stays signed."""

    email = models.EmailField(_("e-mail address"), max_length=254, unique=True)
    name = models.CharField(_("name"), max_length=150)
    side = models.CharField(_("side"), max_length=10, choices=Side, default=Side.COMPANY)
    language = models.CharField(_("language"), max_length=10, default="en-gb")
    zone = models.CharField(_("time zone"), max_length=64, default="Europe/London")
    theme = models.CharField(
        _("appearance"),
        max_length=5,
        default="auto",
        choices=[("auto", _("As the system")), ("light", _("Light")), ("dark", _("Dark"))],
    )
    shortcuts = models.BooleanField(_("single-key shortcuts"), default=True)
    signature = models.TextField(_("signature under replies"), blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    joined_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)
    # Blanked after the term of what is kept of whoever has left (csp.staff); the number stays.
    erased_at = models.DateTimeField(null=True, blank=True)

    is_superuser = False  # no account overrides the table; development is no exception

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    objects: ClassVar[UserManager] = UserManager()
    history = HistoricalRecords(excluded_fields=["password", "last_login"])
    record = Record(Kept.PEOPLE, person="self", personal=("email", "name", "signature"))

    # The person's grants as csp.access read them for this request; not a column.
    held_cache: Held | None = None

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="one_account_per_address"),
            models.CheckConstraint(
                condition=Q(is_active=True, left_at__isnull=True) | Q(is_active=False, left_at__isnull=False),
                name="who_left_is_inactive",
            ),
        ]
        verbose_name = _("person")
        verbose_name_plural = _("people")

    def __str__(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split(" ", 1)[0]

    def get_full_name(self) -> str:
        return self.name

    @property
    def zoneinfo(self) -> ZoneInfo:
        """The zone this person reads in; UTC where this machine knows no such zone."""
        try:
            return ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo("UTC")

    @property
    def initials(self) -> str:
        words = self.name.split()
        return (words[0][:1] + (words[-1][:1] if len(words) > 1 else "")).upper() if words else "?"

    @property
    def is_staff(self) -> bool:
        """Whether Django's admin lets this person in."""
        return self.has_perm("admin.use")

    def has_perm(self, perm: str, obj: models.Model | None = None) -> bool:
        return self.is_active and any(
            backend.has_perm(self, perm, obj) for backend in auth.get_backends() if hasattr(backend, "has_perm")
        )

    def has_perms(self, perm_list: list[str], obj: models.Model | None = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and any(
            backend.has_module_perms(self, app_label)
            for backend in auth.get_backends()
            if hasattr(backend, "has_module_perms")
        )


class Team(models.Model):
    """People who share a queue under one contract."""

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="teams")
    name = models.CharField(_("name"), max_length=100)
    is_active = models.BooleanField(_("active"), default=True)
    # Above this sum in a message the product proposes that a case is complex; empty: the contract's own.
    complex_above = models.PositiveIntegerField(_("propose as complex above"), null=True, blank=True)
    created_at = models.DateTimeField()

    history = HistoricalRecords()
    record = Record(Kept.PEOPLE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["contract", "name"], name="one_team_per_name")]
        verbose_name = _("team")
        verbose_name_plural = _("teams")

    def __str__(self) -> str:
        return self.name


class DatedQuerySet(models.QuerySet[Any]):
    """Rows that hold from `starts_at` until, exclusively, `ends_at`."""

    def in_force(self, at: dt.datetime) -> Self:
        return self.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=at), starts_at__lte=at)


class RoleGrant(models.Model):
    """A role that a person has from one moment until another, in a team or over a contract."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="grants")
    role = models.CharField(_("role"), max_length=20, choices=Role)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="grants")
    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, null=True, blank=True, related_name="grants")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    granted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=200, blank=True)

    objects = DatedQuerySet.as_manager()
    record = Record(Kept.PEOPLE, person="user")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(role__in=["representative", "supervisor"], team__isnull=False)
                | Q(role__in=["analyst", "auditor"], contract__isnull=False, team__isnull=True)
                | Q(role="administrator", team__isnull=True),
                name="a_grant_names_what_it_reaches",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gte=models.F("starts_at")),
                name="a_grant_ends_after_it_began",
            ),
            models.UniqueConstraint(
                fields=["user", "role", "team", "contract"],
                condition=Q(ends_at__isnull=True),
                nulls_distinct=False,
                name="one_open_grant_of_a_kind",
            ),
        ]
        verbose_name = _("role")
        verbose_name_plural = _("roles")

    def __str__(self) -> str:
        return f"{self.get_role_display()} – {self.team or self.contract or _('everywhere')}"


class Appointment(models.Model):
    """An office under the contract that a person holds, with a deputy, from one moment until another."""

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="appointments")
    office = models.CharField(_("office"), max_length=30, choices=Office)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="appointments")
    deputy = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    appointed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    objects = DatedQuerySet.as_manager()
    record = Record(Kept.PEOPLE, person="user")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contract", "office"], condition=Q(ends_at__isnull=True), name="one_holder_per_office"
            ),
            models.CheckConstraint(
                condition=Q(deputy__isnull=True) | ~Q(deputy=models.F("user")), name="a_deputy_is_somebody_else"
            ),
        ]
        verbose_name = _("appointment")
        verbose_name_plural = _("appointments")

    def __str__(self) -> str:
        return f"{self.get_office_display()}: {self.user}"


class Customer(models.Model):
    """Somebody who turns to the company. Erased, never deleted: tickets keep pointing here."""

    name = models.CharField(_("name"), max_length=200, blank=True)
    organisation = models.CharField(_("organisation"), max_length=200, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    zone = models.CharField(_("time zone"), max_length=64, blank=True)
    note = models.TextField(_("note for everybody who serves this customer"), blank=True)
    created_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True, blank=True)
    # The same person, known twice: who has the addresses and tickets now. What was said then keeps its own number.
    joined_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="joined_from"
    )  # fmt: skip
    joined_at = models.DateTimeField(null=True, blank=True)

    history = HistoricalRecords()
    record = Record(Kept.TICKET, person="self", personal=("name", "organisation", "note"))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(joined_into__isnull=True, joined_at__isnull=True)
                | Q(joined_into__isnull=False, joined_at__isnull=False),
                name="joined_customers_say_when",
            ),
            models.CheckConstraint(
                condition=Q(joined_into__isnull=True) | ~Q(joined_into=models.F("id")),
                name="no_customer_is_joined_to_itself",
            ),
        ]
        indexes = [
            # those who look for a part of a name
            GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="customer_by_name"),
            GinIndex(OpClass(Upper("organisation"), name="gin_trgm_ops"), name="customer_by_organisation"),
        ]
        verbose_name = _("customer")
        verbose_name_plural = _("customers")

    def __str__(self) -> str:
        return self.name or str(_("Unnamed customer"))

    @property
    def initials(self) -> str:
        words = self.name.split()
        return (words[0][:1] + (words[-1][:1] if len(words) > 1 else "")).upper() if words else "?"

    @classmethod
    def known_as(cls, numbers: Iterable[int]) -> set[int]:
        """The numbers under which these are on record: their own, and those of whoever was joined into them."""
        found = set(numbers)
        fresh = found
        while fresh:
            fresh = set(cls.objects.filter(joined_into__in=fresh).values_list("pk", flat=True)) - found
            found = found | fresh
        return found


class Address(models.Model):
    """One mail address or telephone number of a customer, in the form it is compared by (lower case, digits)."""

    class Kind(models.TextChoices):
        MAIL = "mail", _("E-mail")
        PHONE = "phone", _("Telephone")

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="addresses")
    kind = models.CharField(max_length=5, choices=Kind, default=Kind.MAIL)
    value = models.CharField(_("address"), max_length=320)
    is_primary = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    bounced_at = models.DateTimeField(null=True, blank=True)

    history = HistoricalRecords()
    record = Record(Kept.TICKET, person="customer", personal=("value",))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "value"], name="one_customer_per_address"),
            models.UniqueConstraint(
                fields=["customer", "kind"], condition=Q(is_primary=True), name="one_primary_address_of_a_kind"
            ),
        ]
        verbose_name = _("address")
        verbose_name_plural = _("addresses")

    def __str__(self) -> str:
        return self.value
