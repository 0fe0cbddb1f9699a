"""Data protection (clause 6.1): who is controller, what persons ask for their data, breaches, processing, notices."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from csp.records import Kept, Record


class PrivacyTerms(models.Model):
    """How data protection stands under one contract. Where there is no row the company is the controller."""

    class Part(models.TextChoices):
        CONTROLLER = "controller", _("Controller")
        PROCESSOR = "processor", _("Processor")
        JOINT = "joint", _("Joint controller")

    class AtEnd(models.TextChoices):
        """What becomes of the data when the contract ends: the controller chooses."""

        UNDECIDED = "", _("Not chosen yet")
        RETURNED = "returned", _("Returned to the controller")
        DELETED = "deleted", _("Deleted")

    contract = models.OneToOneField("csp.Contract", on_delete=models.PROTECT, related_name="privacy_terms")
    part = models.CharField(_("the company is"), max_length=10, choices=Part, default=Part.CONTROLLER)
    controller = models.CharField(_("controller"), max_length=200, blank=True)
    controller_mail = models.EmailField(_("controller's mail address"), max_length=254, blank=True)
    at_end = models.CharField(_("data at the contract's end"), max_length=10, choices=AtEnd, blank=True, default="")
    authority = models.CharField(_("supervisory authority"), max_length=200, blank=True)
    authority_url = models.URLField(_("where it takes complaints"), blank=True)
    # Whose public holidays put off the end of a month (csp.servicetime), and days off besides.
    country = models.CharField(_("public holidays of"), max_length=2, blank=True)
    subdivision = models.CharField(_("part of the country"), max_length=10, blank=True)
    days_off = ArrayField(models.DateField(), verbose_name=_("further holidays"), default=list, blank=True)
    # Masked in texts besides card numbers: "#" for a digit, "@" for a letter (csp.privacy.masking).
    mask_patterns = ArrayField(
        models.CharField(max_length=40), verbose_name=_("masked in texts"), default=list, blank=True
    )
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    history = HistoricalRecords()
    record = Record(Kept.SETTINGS)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(part="controller") | ~Q(controller_mail=""), name="a_controller_can_be_written_to"
            ),
        ]
        verbose_name = _("data protection terms")
        verbose_name_plural = _("data protection terms")

    def __str__(self) -> str:
        return f"{self.contract_id}: {self.part}"

    @property
    def forwards(self) -> bool:
        """Whether what comes in goes on to another controller."""
        return self.part != self.Part.CONTROLLER


class DataRequest(models.Model):
    """What a person asks for their data. Receipt by any channel starts its clock, before anybody is sure who it is."""

    class Kind(models.TextChoices):
        UNSORTED = "unsorted", _("Not sorted yet")
        ACCESS = "access", _("Access")
        RECTIFICATION = "rectification", _("Rectification")
        ERASURE = "erasure", _("Erasure")
        RESTRICTION = "restriction", _("Restriction")
        PORTABILITY = "portability", _("Portability")
        OBJECTION = "objection", _("Objection")

    class Channel(models.TextChoices):
        MAIL = "mail", _("E-mail")
        PAGE = "page", _("Request page")
        FORM = "form", _("Contact form")
        PHONE = "phone", _("Telephone")
        LETTER = "letter", _("Letter")
        VISIT = "visit", _("Visit")

    class Identity(models.TextChoices):
        UNCHECKED = "unchecked", _("Not checked")
        ASKED = "asked", _("Proof asked for")
        PROVEN = "proven", _("Proven")
        DOUBTED = "doubted", _("Could not be shown")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        ANSWERED = "answered", _("Answered")
        REFUSED = "refused", _("Refused")
        FORWARDED = "forwarded", _("With the controller")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="+")
    team = models.ForeignKey("csp.Team", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(_("asks for"), max_length=15, choices=Kind)
    about_surveys = models.BooleanField(_("against surveys"), default=False)
    channel = models.CharField(_("came by"), max_length=10, choices=Channel)
    customer = models.ForeignKey(
        "csp.Customer", on_delete=models.PROTECT, null=True, blank=True, related_name="data_requests"
    )
    name = models.CharField(_("name"), max_length=200, blank=True)
    address = models.CharField(_("mail address"), max_length=320, blank=True)
    words = models.TextField(_("what was asked"), blank=True)
    language = models.CharField(max_length=10, blank=True)
    # The ticket that it came in, as its own app names it.
    subject_ref = models.CharField(max_length=40, blank=True)
    path = models.CharField(max_length=120, blank=True)
    received_at = models.DateTimeField(_("received"))
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    once = models.CharField(max_length=60, null=True, blank=True, unique=True, editable=False)
    # The clock that runs, or ran last; the first one where the time was extended.
    answer = models.OneToOneField("csp.Deadline", on_delete=models.PROTECT, related_name="+")
    first_answer = models.OneToOneField(
        "csp.Deadline", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    identity = models.CharField(_("identity"), max_length=10, choices=Identity, default=Identity.UNCHECKED)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OPEN)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # That what was asked has been done, not only answered.
    done_at = models.DateTimeField(null=True, blank=True)
    kept_from = models.DateTimeField(null=True, blank=True, editable=False)
    keep_until = models.DateTimeField(null=True, blank=True, editable=False)

    record = Record(
        Kept.PRIVACY, person="customer", personal=("name", "address", "words"), address=("address",)
    )  # fmt: skip

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="open", ended_at__isnull=True) | (~Q(state="open") & Q(ended_at__isnull=False)),
                name="a_data_request_that_ended_says_when",
            ),
            models.CheckConstraint(
                condition=Q(about_surveys=False) | Q(kind="objection"), name="against_surveys_is_an_objection"
            ),
            models.CheckConstraint(
                condition=Q(recorded_at__gte=F("received_at")), name="a_data_request_is_recorded_after_receipt"
            ),
        ]
        indexes = [
            models.Index(fields=["contract", "state", "-id"], name="data_request_of_contract"),
            models.Index(fields=["path"], condition=~Q(path=""), name="data_request_of_ticket"),
            models.Index(fields=["customer"], condition=Q(customer__isnull=False), name="data_request_of_customer"),
            models.Index(fields=["keep_until"], condition=Q(keep_until__isnull=False), name="data_request_kept_until"),
        ]
        verbose_name = _("data-subject request")
        verbose_name_plural = _("data-subject requests")

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        return f"DR-{self.pk}"

    @property
    def own_path(self) -> str:
        return f"/data-request/{self.pk}/"

    @property
    def trail_subject(self) -> str:
        return f"data-request:{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN

    @property
    def is_unfinished(self) -> bool:
        """Whether an erasure has to wait: it is open, or a mail about it has not left the building yet."""
        return self.is_open or self.steps.filter(message__state="queued").exists()


class DataRequestStep(models.Model):
    """One thing done about a request, in the order of doing. Written once; what was said in it may be erased."""

    class Kind(models.TextChoices):
        RECEIVED = "received", _("Received")
        SORTED = "sorted", _("Sorted")
        FORWARDED = "forwarded", _("Forwarded to the controller")
        IDENTITY_ASKED = "identity_asked", _("Proof of identity asked for")
        IDENTITY_PROVEN = "identity_proven", _("Identity proven")
        IDENTITY_DOUBTED = "identity_doubted", _("Identity could not be shown")
        EXTENDED = "extended", _("Extended by two months")
        EXTENSION_FELL = "extension_fell", _("Extension fell: it was not told in time")
        PACKED = "packed", _("Package made")
        DELIVERED = "delivered", _("Package sent by link")
        FETCHED = "fetched", _("Package fetched")
        CORRECTED = "corrected", _("Data corrected")
        ERASED = "erased", _("Data erased")
        RESTRICTED = "restricted", _("Processing restricted")
        STOPPED = "stopped", _("Surveys stopped")
        PASSED_ON = "passed_on", _("Passed on to a recipient")
        ANSWERED = "answered", _("Answered")
        REFUSED = "refused", _("Refused")
        WITHDRAWN = "withdrawn", _("Withdrawn by the person")
        NOTED = "noted", _("Note")

    request = models.ForeignKey(DataRequest, on_delete=models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=20, choices=Kind)
    at = models.DateTimeField()
    by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    words = models.TextField(blank=True)
    message = models.ForeignKey(
        "csp.OutboundMessage", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    record = Record(Kept.PRIVACY, person="request__customer", personal=("words",))

    class Meta:
        indexes = [models.Index(fields=["request", "id"], name="steps_of_data_request")]
        verbose_name = _("step of a data-subject request")
        verbose_name_plural = _("steps of data-subject requests")

    def __str__(self) -> str:
        return f"DR-{self.request_id}: {self.kind}"


class DataPackage(models.Model):
    """All that is held on a person, as one file; its key is destroyed when the link to it is over."""

    request = models.ForeignKey(DataRequest, on_delete=models.PROTECT, related_name="packages")
    blob = models.OneToOneField("csp.Blob", on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    made_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    counts = models.JSONField(default=dict)  # part -> how many records
    digest = models.CharField(max_length=64)
    message = models.ForeignKey(
        "csp.OutboundMessage", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    sent_at = models.DateTimeField(null=True, blank=True)
    good_until = models.DateTimeField()
    fetched_at = models.DateTimeField(null=True, blank=True)
    destroyed_at = models.DateTimeField(null=True, blank=True)

    record = Record(Kept.PRIVACY, person="request__customer")

    class Meta:
        indexes = [
            models.Index(fields=["good_until"], condition=Q(destroyed_at__isnull=True), name="data_package_over"),
        ]
        verbose_name = _("access package")
        verbose_name_plural = _("access packages")

    def __str__(self) -> str:
        return f"DR-{self.request_id}"

    @property
    def records(self) -> int:
        return sum(self.counts.values())


class DataRecipient(models.Model):
    """That data of a person, or of every customer of a contract, was given to somebody outside."""

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="+")
    # empty: an export that was not about one person
    customer = models.ForeignKey(
        "csp.Customer", on_delete=models.PROTECT, null=True, blank=True, related_name="data_recipients"
    )
    name = models.CharField(_("recipient"), max_length=200)
    mail = models.EmailField(_("mail address"), max_length=254, blank=True)
    what = models.CharField(_("what was given"), max_length=300)
    given_at = models.DateTimeField(_("given"))
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    record = Record(Kept.PRIVACY, person="customer", personal=("mail",))

    class Meta:
        indexes = [models.Index(fields=["contract", "customer"], name="data_recipient_of")]
        verbose_name = _("recipient of data")
        verbose_name_plural = _("recipients of data")

    def __str__(self) -> str:
        return self.name


class Export(models.Model):
    """That somebody took records as a file: of whom, and to whom outside it was handed. How is in the trail."""

    # empty: whoever operates the server
    by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # empty: of several contracts, or of none
    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    what = models.CharField(_("records"), max_length=60)  # "tickets.ticket"
    format = models.CharField(_("format"), max_length=8)
    recipient = models.CharField(_("handed to"), max_length=200, blank=True)  # empty: stays with whoever took it
    mail = models.EmailField(_("mail address"), max_length=254, blank=True)
    begun_at = models.DateTimeField(_("begun"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    rows = models.PositiveBigIntegerField(_("rows"), null=True, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    is_whole = models.BooleanField(null=True, blank=True)  # not broken off
    # Whom or what the rows are about, as the trail names it: "customer:5", "remark:12".
    about = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    # Whether `about` names all of them. Until it does, and where there are too many, it may be about anybody.
    is_listed = models.BooleanField(default=False)

    record = Record(Kept.PRIVACY, person="by", personal=("recipient", "mail"))

    class Meta:
        indexes = [
            GinIndex(fields=["about"], name="exports_about"),
            models.Index(fields=["contract", "-id"], condition=~Q(recipient=""), name="exports_handed_on"),
            models.Index(fields=["id"], condition=Q(is_listed=False), name="exports_about_anybody"),
        ]
        verbose_name = _("export of records")
        verbose_name_plural = _("exports of records")

    def __str__(self) -> str:
        return f"{self.what} {self.pk}"


class ContractEnd(models.Model):
    """What a controller chose for its data when the contract had ended, and how its processor carried that out.

    What is returned is deleted afterwards; what is deleted is erased as on request (csp.privacy.erasing): skeleton,
    clocks and proof stay for their term.
    """

    class Choice(models.TextChoices):
        RETURNED = "returned", _("Returned to the controller, then deleted")
        DELETED = "deleted", _("Deleted")

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(_("the contract ended"))
    choice = models.CharField(_("the controller chose"), max_length=10, choices=Choice)
    said = models.TextField(_("how the controller said so"))
    recorded_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    # The file that was handed over, and how the controller said that it has it.
    export = models.ForeignKey(Export, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    received_at = models.DateTimeField(_("received"), null=True, blank=True)
    received_how = models.TextField(_("how the controller confirmed it"), blank=True)
    approved_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    certificate = models.TextField(blank=True)  # canonical JSON without personal data
    digest = models.CharField(max_length=64, blank=True)  # SHA-256 of the certificate, which the trail names too

    record = Record(Kept.DISPOSAL, personal=("said", "received_how"))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contract"], condition=Q(withdrawn_at__isnull=True), name="a_contract_ends_once"
            ),
            models.CheckConstraint(
                condition=Q(approved_at__isnull=True, approved_by__isnull=True)
                | Q(approved_at__isnull=False, approved_by__isnull=False, withdrawn_at__isnull=True),
                name="an_end_is_approved_by_somebody_or_withdrawn",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("recorded_by")),
                name="a_second_person_approves_the_end",
            ),
            models.CheckConstraint(
                condition=Q(approved_at__isnull=True) | ~Q(choice="returned") | Q(received_at__isnull=False),
                name="what_is_returned_is_received_before_it_is_deleted",
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True) | (Q(approved_at__isnull=False) & ~Q(certificate="")),
                name="an_end_that_is_carried_out_has_its_certificate",
            ),
        ]
        verbose_name = _("end of a contract's data")
        verbose_name_plural = _("ends of contracts' data")

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        return f"CE-{self.pk}"

    @property
    def trail_subject(self) -> str:
        return f"contract-end:{self.pk}"


class DataBreach(models.Model):
    """A breach of personal data: seventy-two hours from awareness to notify, or to say why nobody is at risk."""

    class Nature(models.TextChoices):
        CONFIDENTIALITY = "confidentiality", _("Somebody saw what they should not")
        INTEGRITY = "integrity", _("Data was altered")
        AVAILABILITY = "availability", _("Data was lost or out of reach")

    class Decision(models.TextChoices):
        NOTIFIED = "notified", _("Authority notified")
        NO_RISK = "no_risk", _("No risk to anybody, with reasons")
        FORWARDED = "forwarded", _("Controller told")

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="+")
    team = models.ForeignKey("csp.Team", on_delete=models.PROTECT, related_name="+")
    nature = models.CharField(_("nature"), max_length=16, choices=Nature)
    what = models.TextField(_("what happened"))
    data = models.CharField(_("which data"), max_length=500, blank=True)
    persons = models.PositiveIntegerField(_("how many persons, about"), null=True, blank=True)
    consequences = models.TextField(_("likely consequences"), blank=True)
    measures = models.TextField(_("what is done about it"), blank=True)
    aware_at = models.DateTimeField(_("aware since"))
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")
    notify = models.OneToOneField("csp.Deadline", on_delete=models.PROTECT, related_name="+")
    is_high_risk = models.BooleanField(_("high risk for the persons"), null=True, blank=True)
    decision = models.CharField(_("decision"), max_length=10, choices=Decision, blank=True)
    reason = models.TextField(blank=True)
    authority_ref = models.CharField(_("the authority's reference"), max_length=100, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)
    kept_from = models.DateTimeField(null=True, blank=True, editable=False)
    keep_until = models.DateTimeField(null=True, blank=True, editable=False)

    history = HistoricalRecords(excluded_fields=["kept_from", "keep_until"])
    record = Record(
        Kept.PRIVACY, person="recorded_by", personal=("what", "consequences", "measures", "reason")
    )  # fmt: skip

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(decision="", decided_at__isnull=True) | (~Q(decision="") & Q(decided_at__isnull=False)),
                name="a_decision_about_a_breach_says_when",
            ),
            models.CheckConstraint(
                condition=~Q(decision="no_risk") | ~Q(reason=""), name="no_risk_has_its_reasons"
            ),
            models.CheckConstraint(
                condition=Q(recorded_at__gte=F("aware_at")), name="a_breach_is_recorded_after_awareness"
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["contract", "-id"], name="data_breach_of_contract"),
            models.Index(fields=["keep_until"], condition=Q(keep_until__isnull=False), name="data_breach_kept_until"),
        ]
        verbose_name = _("personal-data breach")
        verbose_name_plural = _("personal-data breaches")

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        return f"PB-{self.pk}"

    @property
    def path(self) -> str:
        return f"/data-breach/{self.pk}/"

    @property
    def trail_subject(self) -> str:
        return f"data-breach:{self.pk}"


class DataBreachStep(models.Model):
    """One thing done about a breach of personal data. Written once."""

    class Kind(models.TextChoices):
        AWARE = "aware", _("Became aware")
        FORWARDED = "forwarded", _("Controller told by mail")
        WRITTEN_DOWN = "written_down", _("Written down")
        ASSESSED = "assessed", _("Risk assessed")
        NOTIFIED = "notified", _("Authority notified")
        NO_RISK = "no_risk", _("Decided: no risk")
        TOLD = "told", _("Person told")
        UNTOLD = "untold", _("Person has to be told by hand")
        CLOSED = "closed", _("Closed")

    breach = models.ForeignKey(DataBreach, on_delete=models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=15, choices=Kind)
    at = models.DateTimeField()
    by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    words = models.TextField(blank=True)
    customer = models.ForeignKey("csp.Customer", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    message = models.ForeignKey(
        "csp.OutboundMessage", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    record = Record(Kept.PRIVACY, person="customer", personal=("words",))

    class Meta:
        indexes = [models.Index(fields=["breach", "id"], name="steps_of_data_breach")]
        constraints = [
            models.UniqueConstraint(
                fields=["breach", "customer"], condition=Q(customer__isnull=False), name="a_person_is_told_once"
            ),
        ]
        verbose_name = _("step of a personal-data breach")
        verbose_name_plural = _("steps of personal-data breaches")

    def __str__(self) -> str:
        return f"PB-{self.breach_id}: {self.kind}"


class Processing(models.Model):
    """One entry of the register of processing (GDPR article 30)."""

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="processings")
    name = models.CharField(_("activity"), max_length=200)
    purpose = models.TextField(_("purpose"))
    basis = models.CharField(_("legal basis"), max_length=300)
    people = models.CharField(_("whose data"), max_length=300)
    data = models.TextField(_("which data"))
    recipients = models.TextField(_("who receives it"), blank=True)
    transfers = models.TextField(_("transfers to other countries"), blank=True)
    kept_for = models.CharField(_("erased after"), max_length=300)
    safeguards = models.TextField(_("technical and organisational measures"))
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)

    history = HistoricalRecords()
    record = Record(Kept.SETTINGS)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contract", "name"], condition=Q(ended_at__isnull=True), name="one_processing_per_name"
            ),
        ]
        verbose_name = _("processing activity")
        verbose_name_plural = _("register of processing")

    def __str__(self) -> str:
        return self.name


class PrivacyNotice(models.Model):
    """One published version of what customers are told about their data, in one language. Never changed."""

    contract = models.ForeignKey("csp.Contract", on_delete=models.PROTECT, related_name="privacy_notices")
    language = models.CharField(_("language"), max_length=10)
    number = models.PositiveIntegerField()
    text = models.TextField(_("text"))
    digest = models.CharField(max_length=64)
    published_at = models.DateTimeField()
    published_by = models.ForeignKey("csp.User", on_delete=models.PROTECT, related_name="+")

    record = Record(Kept.CONTRACT)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contract", "language", "number"], name="one_privacy_notice_per_number"),
        ]
        verbose_name = _("privacy notice")
        verbose_name_plural = _("privacy notices")

    def __str__(self) -> str:
        return f"{self.language} {self.number}"


class NoticeSeen(models.Model):
    """Which version stood before somebody when they sent something in. What they sent is named, they are not."""

    notice = models.ForeignKey(PrivacyNotice, on_delete=models.PROTECT, related_name="seen")
    ref = models.CharField(max_length=60)  # "mail:12", "data-request:3"
    at = models.DateTimeField()

    record = Record(Kept.PRIVACY)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notice", "ref"], name="a_notice_is_seen_once_with_a_thing")]
        indexes = [models.Index(fields=["ref"], name="notice_seen_with")]
        verbose_name = _("privacy notice seen")
        verbose_name_plural = _("privacy notices seen")

    def __str__(self) -> str:
        return self.ref
