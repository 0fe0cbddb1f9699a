import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import simple_history.models
from django.conf import settings
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models

import csp.events
from csp.migrations._tables import CreateModels

MODELS = [
    migrations.CreateModel(
        name="Blob",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("sha256", models.BinaryField(max_length=32)),
            ("size", models.PositiveBigIntegerField()),
            ("sealed", models.BinaryField()),
            ("created_at", models.DateTimeField()),
        ],
        options={"verbose_name": "stored bytes", "verbose_name_plural": "stored bytes"},
    ),
    migrations.CreateModel(
        name="Contract",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("company", models.CharField(blank=True, max_length=200, verbose_name="company")),
            ("party", models.CharField(blank=True, max_length=200, verbose_name="party")),
            ("zone", models.CharField(default="Europe/London", max_length=64, verbose_name="time zone")),
            ("privacy_url", models.URLField(blank=True, verbose_name="privacy notice")),
            (
                "complex_above",
                models.PositiveIntegerField(
                    blank=True, default=500, null=True, verbose_name="propose as complex above"
                ),
            ),
            ("created_at", models.DateTimeField()),
        ],
        options={"verbose_name": "contract", "verbose_name_plural": "contracts"},
    ),
    migrations.CreateModel(
        name="ErasureLine",
        fields=[
            ("number", models.BigIntegerField(primary_key=True, serialize=False)),
            ("line", models.TextField()),
            ("hash", models.CharField(max_length=64)),
        ],
        options={
            "verbose_name": "line in the ledger of erasures",
            "verbose_name_plural": "lines in the ledger of erasures",
        },
    ),
    migrations.CreateModel(
        name="EvidenceShape",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("relation", models.CharField(max_length=63)),
            ("plain", django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=63), size=None)),
            (
                "personal",
                django.contrib.postgres.fields.ArrayField(
                    base_field=models.CharField(max_length=63), default=list, size=None
                ),
            ),
            (
                "digested",
                django.contrib.postgres.fields.ArrayField(
                    base_field=models.CharField(max_length=63), default=list, size=None
                ),
            ),
        ],
        options={"verbose_name": "columns that are marked", "verbose_name_plural": "columns that are marked"},
    ),
    migrations.CreateModel(
        name="Heartbeat",
        fields=[
            ("name", models.CharField(max_length=60, primary_key=True, serialize=False)),
            ("beat_at", models.DateTimeField()),
            ("detail", models.JSONField(blank=True, default=dict)),
        ],
        options={"verbose_name": "heartbeat", "verbose_name_plural": "heartbeats"},
    ),
    migrations.CreateModel(
        name="Mailbox",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("address", models.EmailField(max_length=254, verbose_name="address")),
            ("name", models.CharField(max_length=100, verbose_name="name that customers see")),
            ("is_active", models.BooleanField(default=True, verbose_name="active")),
            ("is_default", models.BooleanField(default=False, verbose_name="sends what no other mailbox sends")),
            ("takes_tags", models.BooleanField(default=False, verbose_name="mail to name+tag@ arrives here, too")),
            (
                "fetch",
                models.CharField(
                    choices=[
                        ("none", "Delivered to our own mail door"),
                        ("password", "IMAP with a password"),
                        ("xoauth2", "IMAP with an access token"),
                        ("renewed", "IMAP with a token that is renewed (OAuth)"),
                    ],
                    default="none",
                    max_length=10,
                    verbose_name="how mail arrives",
                ),
            ),
            ("host", models.CharField(blank=True, max_length=200, verbose_name="IMAP server")),
            ("port", models.PositiveIntegerField(blank=True, null=True, verbose_name="port")),
            (
                "security",
                models.CharField(
                    choices=[
                        ("tls", "TLS from the start (port 993)"),
                        ("starttls", "STARTTLS (port 143)"),
                        ("none", "Not encrypted (only on this machine)"),
                    ],
                    default="tls",
                    max_length=10,
                    verbose_name="encryption",
                ),
            ),
            ("username", models.CharField(blank=True, max_length=200, verbose_name="user name")),
            ("sealed_secret", models.BinaryField(blank=True, null=True)),
            ("token_url", models.URLField(blank=True, max_length=500, verbose_name="address of the token server")),
            ("client_id", models.CharField(blank=True, max_length=200, verbose_name="client ID")),
            ("sealed_client_secret", models.BinaryField(blank=True, null=True)),
            ("sealed_access", models.BinaryField(blank=True, null=True)),
            ("access_until", models.DateTimeField(blank=True, null=True)),
            ("folder", models.CharField(default="INBOX", max_length=200, verbose_name="folder")),
            ("cut_over_at", models.DateTimeField(verbose_name="cut-over")),
            ("created_at", models.DateTimeField()),
            ("first_mail_at", models.DateTimeField(blank=True, null=True)),
            ("uid_validity", models.BigIntegerField(blank=True, null=True)),
            ("last_uid", models.BigIntegerField(default=0)),
            ("fetched_at", models.DateTimeField(blank=True, null=True)),
            ("fetch_error", models.CharField(blank=True, max_length=500)),
            (
                "team",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="mailboxes",
                    to="csp.team",
                    verbose_name="team",
                ),
            ),
        ],
        options={
            "verbose_name": "mailbox",
            "verbose_name_plural": "mailboxes",
            "constraints": [
                models.UniqueConstraint(
                    django.db.models.functions.text.Lower("address"), name="one_mailbox_per_address"
                ),
                models.UniqueConstraint(
                    condition=models.Q(("is_default", True)), fields=("is_default",), name="one_default_mailbox"
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("fetch", "none"),
                        models.Q(models.Q(("host", ""), _negated=True), models.Q(("username", ""), _negated=True)),
                        _connector="OR",
                    ),
                    name="fetching_needs_a_server_and_a_name",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("fetch", "renewed"), _negated=True),
                        models.Q(
                            models.Q(("token_url", ""), _negated=True), models.Q(("client_id", ""), _negated=True)
                        ),
                        _connector="OR",
                    ),
                    name="renewing_needs_a_token_server_and_a_client",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Reading",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("key", models.CharField(max_length=60)),
            ("value", models.CharField(max_length=200)),
            (
                "version",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="readings", to="csp.version"
                ),
            ),
        ],
        options={
            "verbose_name": "reading",
            "verbose_name_plural": "readings",
            "constraints": [models.UniqueConstraint(fields=("version", "key"), name="one_reading_per_point")],
        },
    ),
    migrations.CreateModel(
        name="TrailCheckpoint",
        fields=[
            ("size", models.BigIntegerField(primary_key=True, serialize=False)),
            ("made_at", models.DateTimeField()),
            ("head", models.BinaryField(max_length=32)),
            ("note", models.TextField()),
        ],
        options={"verbose_name": "checkpoint", "verbose_name_plural": "checkpoints"},
    ),
    migrations.CreateModel(
        name="TrailEntry",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("recorded_at", models.DateTimeField(editable=False)),
            ("at", models.DateTimeField()),
            ("actor", models.CharField(max_length=40)),
            ("act", models.CharField(choices=csp.events.acts, max_length=40)),
            ("subject", models.CharField(max_length=60)),
            ("version", models.PositiveIntegerField(editable=False)),
            ("context", models.CharField(max_length=60)),
            ("source", models.CharField(blank=True, max_length=40)),
            ("facts", models.TextField(default="{}")),
            ("personal", models.TextField(blank=True)),
            ("salt", models.BinaryField(max_length=32)),
            ("address", models.CharField(blank=True, max_length=45)),
            ("address_salt", models.BinaryField(blank=True, default=b"", max_length=32)),
            ("commitment", models.BinaryField(max_length=32)),
            ("leaf", models.BinaryField(max_length=32)),
        ],
        options={
            "verbose_name": "trail entry",
            "verbose_name_plural": "trail",
            "indexes": [
                models.Index(fields=["context", "id"], name="trail_context"),
                models.Index(fields=["actor", "id"], name="trail_actor"),
                models.Index(condition=models.Q(("address", ""), _negated=True), fields=["at"], name="trail_addressed"),
            ],
            "constraints": [models.UniqueConstraint(fields=("subject", "version"), name="no_gap_and_no_double")],
        },
    ),
    migrations.CreateModel(
        name="TrailSeal",
        fields=[
            ("number", models.BigIntegerField(primary_key=True, serialize=False)),
            ("leaf", models.BinaryField(max_length=32)),
            ("hash", models.BinaryField(max_length=32)),
            ("sealed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            (
                "entry",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="seal", to="csp.trailentry"
                ),
            ),
        ],
        options={"verbose_name": "seal", "verbose_name_plural": "seals"},
    ),
    migrations.CreateModel(
        name="Version",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("number", models.PositiveIntegerField()),
            ("title", models.CharField(max_length=200)),
            ("text", models.TextField(blank=True)),
            ("terms", models.JSONField(blank=True, default=dict)),
            ("in_force_from", models.DateTimeField(blank=True, null=True)),
            ("in_force_until", models.DateTimeField(blank=True, null=True)),
            ("created_at", models.DateTimeField()),
            (
                "contract",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="versions", to="csp.contract"
                ),
            ),
        ],
        options={
            "verbose_name": "contract version",
            "verbose_name_plural": "contract versions",
            "constraints": [
                models.UniqueConstraint(fields=("contract", "number"), name="one_version_per_number"),
                models.UniqueConstraint(
                    condition=models.Q(("in_force_from__isnull", False), ("in_force_until__isnull", True)),
                    fields=("contract",),
                    name="one_version_in_force",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("in_force_until__isnull", True),
                        models.Q(("in_force_from__isnull", False), ("in_force_until__gte", models.F("in_force_from"))),
                        _connector="OR",
                    ),
                    name="a_version_ends_after_it_began",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="User",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("password", models.CharField(max_length=128, verbose_name="password")),
            ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
            ("email", models.EmailField(max_length=254, unique=True, verbose_name="e-mail address")),
            ("name", models.CharField(max_length=150, verbose_name="name")),
            (
                "side",
                models.CharField(
                    choices=[("company", "Company"), ("party", "Party")],
                    default="company",
                    max_length=10,
                    verbose_name="side",
                ),
            ),
            ("language", models.CharField(default="en-gb", max_length=10, verbose_name="language")),
            ("zone", models.CharField(default="Europe/London", max_length=64, verbose_name="time zone")),
            (
                "theme",
                models.CharField(
                    choices=[("auto", "As the system"), ("light", "Light"), ("dark", "Dark")],
                    default="auto",
                    max_length=5,
                    verbose_name="appearance",
                ),
            ),
            ("shortcuts", models.BooleanField(default=True, verbose_name="single-key shortcuts")),
            ("signature", models.TextField(blank=True, verbose_name="signature under replies")),
            ("is_active", models.BooleanField(default=True, verbose_name="active")),
            ("joined_at", models.DateTimeField()),
            ("left_at", models.DateTimeField(blank=True, null=True)),
        ],
        options={
            "verbose_name": "person",
            "verbose_name_plural": "people",
            "constraints": [
                models.UniqueConstraint(django.db.models.functions.text.Lower("email"), name="one_account_per_address"),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("is_active", True), ("left_at__isnull", True)),
                        models.Q(("is_active", False), ("left_at__isnull", False)),
                        _connector="OR",
                    ),
                    name="who_left_is_inactive",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Absence",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("starts_at", models.DateTimeField(verbose_name="from")),
            ("ends_at", models.DateTimeField(verbose_name="until")),
            ("entered_at", models.DateTimeField()),
            (
                "deputy",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "entered_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "user",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="absences", to=settings.AUTH_USER_MODEL
                ),
            ),
        ],
        options={
            "verbose_name": "absence",
            "verbose_name_plural": "absences",
            "indexes": [models.Index(fields=["user", "ends_at"], name="absence_of_user")],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(("ends_at__gte", models.F("starts_at"))), name="an_absence_ends_after_it_began"
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("deputy__isnull", True), models.Q(("deputy", models.F("user")), _negated=True), _connector="OR"
                    ),
                    name="who_stands_in_is_somebody_else",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="ApiToken",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("name", models.CharField(max_length=80, verbose_name="name")),
            ("digest", models.BinaryField(max_length=32, unique=True)),
            (
                "scope",
                models.CharField(
                    choices=[("read", "Read"), ("write", "Read and write")],
                    default="read",
                    max_length=5,
                    verbose_name="may",
                ),
            ),
            ("created_at", models.DateTimeField()),
            ("expires_at", models.DateTimeField()),
            ("used_at", models.DateTimeField(blank=True, null=True)),
            ("revoked_at", models.DateTimeField(blank=True, null=True)),
            (
                "revoked_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "user",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.CASCADE, related_name="api_tokens", to=settings.AUTH_USER_MODEL
                ),
            ),
        ],
        options={
            "verbose_name": "API token",
            "verbose_name_plural": "API tokens",
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(("expires_at__gt", models.F("created_at"))),
                    name="a_token_expires_after_it_is_made",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("revoked_at__isnull", True), ("revoked_by__isnull", True)),
                        models.Q(("revoked_at__isnull", False), ("revoked_by__isnull", False)),
                        _connector="OR",
                    ),
                    name="a_revoked_token_says_by_whom",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="ApiAnswer",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("key", models.CharField(max_length=100)),
            ("asked", models.BinaryField(max_length=32)),
            ("status", models.PositiveSmallIntegerField(default=0)),
            ("number", models.BigIntegerField(default=0)),
            ("answered_at", models.DateTimeField()),
            (
                "token",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.CASCADE, related_name="answers", to="csp.apitoken"
                ),
            ),
        ],
        options={
            "verbose_name": "API answer",
            "verbose_name_plural": "API answers",
            "indexes": [models.Index(fields=["answered_at"], name="api_answer_by_age")],
            "constraints": [models.UniqueConstraint(fields=("token", "key"), name="one_answer_per_key")],
        },
    ),
    migrations.CreateModel(
        name="Assessment",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "verdict",
                models.CharField(
                    choices=[
                        ("stands", "Stands"),
                        ("not_owed", "Not owed: spam, a test, or not ours"),
                        ("recorded_late", "Met in time, recorded late"),
                        ("unreachable", "Customer could not be reached"),
                    ],
                    max_length=20,
                ),
            ),
            ("reason", models.TextField()),
            ("proposed_at", models.DateTimeField()),
            ("decided_at", models.DateTimeField(blank=True, null=True)),
            ("agreed", models.BooleanField(blank=True, null=True)),
            ("decision_reason", models.TextField(blank=True)),
            (
                "decided_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "proposed_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "breach",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="assessment", to="csp.breach"
                ),
            ),
        ],
        options={
            "verbose_name": "assessment",
            "verbose_name_plural": "assessments",
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("agreed__isnull", True), ("decided_at__isnull", True), ("decided_by__isnull", True)),
                        models.Q(
                            ("agreed__isnull", False), ("decided_at__isnull", False), ("decided_by__isnull", False)
                        ),
                        _connector="OR",
                    ),
                    name="a_decision_has_all_its_parts",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("decided_by__isnull", True),
                        models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                        _connector="OR",
                    ),
                    name="nobody_decides_an_own_proposal",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Attempt",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "channel",
                models.CharField(
                    choices=[("phone", "Telephone"), ("mail", "E-mail"), ("letter", "Letter"), ("visit", "Visit")],
                    max_length=10,
                ),
            ),
            ("at", models.DateTimeField()),
            ("is_only_way", models.BooleanField(default=False)),
            (
                "assessment",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="attempts", to="csp.assessment"
                ),
            ),
        ],
        options={
            "verbose_name": "attempt to reach a customer",
            "verbose_name_plural": "attempts to reach customers",
            "constraints": [
                models.UniqueConstraint(fields=("assessment", "channel", "at"), name="one_attempt_at_a_moment")
            ],
        },
    ),
    migrations.CreateModel(
        name="BlobKey",
        fields=[
            (
                "blob",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT,
                    primary_key=True,
                    related_name="key",
                    serialize=False,
                    to="csp.blob",
                ),
            ),
            ("wrapped", models.BinaryField(max_length=100)),
            ("destroyed_at", models.DateTimeField(blank=True, null=True)),
        ],
        options={"verbose_name": "key of stored bytes", "verbose_name_plural": "keys of stored bytes"},
    ),
    migrations.CreateModel(
        name="MaskedSource",
        fields=[
            (
                "blob",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT,
                    primary_key=True,
                    related_name="masked",
                    serialize=False,
                    to="csp.blob",
                ),
            ),
            ("found_at", models.DateTimeField()),
            ("destroy_at", models.DateTimeField()),
            (
                "copy",
                models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.blob"),
            ),
        ],
        options={
            "verbose_name": "masked source",
            "verbose_name_plural": "masked sources",
            "indexes": [models.Index(fields=["destroy_at"], name="masked_source_due")],
        },
    ),
    migrations.CreateModel(
        name="AssessmentFile",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("name", models.CharField(max_length=255)),
            ("content_type", models.CharField(max_length=120)),
            ("size", models.PositiveBigIntegerField()),
            (
                "assessment",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="files", to="csp.assessment"
                ),
            ),
            ("blob", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.blob")),
        ],
        options={"verbose_name": "file of an assessment", "verbose_name_plural": "files of assessments"},
    ),
    migrations.CreateModel(
        name="Breach",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("obligation", models.CharField(max_length=30)),
            ("due_at", models.DateTimeField()),
            ("breached_at", models.DateTimeField()),
            ("detected_at", models.DateTimeField()),
            (
                "responsible",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "contract",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.contract"),
            ),
            (
                "deadline",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="breach", to="csp.deadline"
                ),
            ),
            ("team", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.team")),
        ],
        options={
            "verbose_name": "breach",
            "verbose_name_plural": "breaches",
            "indexes": [
                models.Index(fields=["contract", "breached_at"], name="breach_period"),
                models.Index(fields=["detected_at"], name="breach_detected"),
            ],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(("breached_at", models.F("due_at"))), name="breached_when_it_was_due"
                ),
                models.CheckConstraint(
                    condition=models.Q(("detected_at__gt", models.F("breached_at"))), name="detected_after_it_was_due"
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Appointment",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "office",
                models.CharField(
                    choices=[
                        ("company_representative", "Company's representative"),
                        ("party_representative", "Party's representative"),
                        ("compliance_owner", "Compliance owner"),
                        ("privacy_owner", "Privacy owner"),
                        ("feedback_lead", "Feedback lead"),
                    ],
                    max_length=30,
                    verbose_name="office",
                ),
            ),
            ("starts_at", models.DateTimeField()),
            ("ends_at", models.DateTimeField(blank=True, null=True)),
            (
                "appointed_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "deputy",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "user",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="appointments",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "contract",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="appointments", to="csp.contract"
                ),
            ),
        ],
        options={
            "verbose_name": "appointment",
            "verbose_name_plural": "appointments",
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("ends_at__isnull", True)),
                    fields=("contract", "office"),
                    name="one_holder_per_office",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("deputy__isnull", True), models.Q(("deputy", models.F("user")), _negated=True), _connector="OR"
                    ),
                    name="a_deputy_is_somebody_else",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Customer",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("name", models.CharField(blank=True, max_length=200, verbose_name="name")),
            ("organisation", models.CharField(blank=True, max_length=200, verbose_name="organisation")),
            ("language", models.CharField(blank=True, max_length=10, verbose_name="language")),
            ("zone", models.CharField(blank=True, max_length=64, verbose_name="time zone")),
            ("note", models.TextField(blank=True, verbose_name="note for everybody who serves this customer")),
            ("created_at", models.DateTimeField()),
            ("erased_at", models.DateTimeField(blank=True, null=True)),
            ("joined_at", models.DateTimeField(blank=True, null=True)),
            (
                "joined_into",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="joined_from",
                    to="csp.customer",
                ),
            ),
        ],
        options={
            "verbose_name": "customer",
            "verbose_name_plural": "customers",
            "indexes": [
                django.contrib.postgres.indexes.GinIndex(
                    django.contrib.postgres.indexes.OpClass(
                        django.db.models.functions.text.Upper("name"), name="gin_trgm_ops"
                    ),
                    name="customer_by_name",
                ),
                django.contrib.postgres.indexes.GinIndex(
                    django.contrib.postgres.indexes.OpClass(
                        django.db.models.functions.text.Upper("organisation"), name="gin_trgm_ops"
                    ),
                    name="customer_by_organisation",
                ),
            ],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("joined_at__isnull", True), ("joined_into__isnull", True)),
                        models.Q(("joined_at__isnull", False), ("joined_into__isnull", False)),
                        _connector="OR",
                    ),
                    name="joined_customers_say_when",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("joined_into__isnull", True),
                        models.Q(("joined_into", models.F("id")), _negated=True),
                        _connector="OR",
                    ),
                    name="no_customer_is_joined_to_itself",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Address",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "kind",
                models.CharField(choices=[("mail", "E-mail"), ("phone", "Telephone")], default="mail", max_length=5),
            ),
            ("value", models.CharField(max_length=320, verbose_name="address")),
            ("is_primary", models.BooleanField(default=False)),
            ("created_at", models.DateTimeField()),
            ("bounced_at", models.DateTimeField(blank=True, null=True)),
            (
                "customer",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="addresses", to="csp.customer"
                ),
            ),
        ],
        options={
            "verbose_name": "address",
            "verbose_name_plural": "addresses",
            "constraints": [
                models.UniqueConstraint(fields=("kind", "value"), name="one_customer_per_address"),
                models.UniqueConstraint(
                    condition=models.Q(("is_primary", True)),
                    fields=("customer", "kind"),
                    name="one_primary_address_of_a_kind",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="DataRecipient",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("name", models.CharField(max_length=200, verbose_name="recipient")),
            ("mail", models.EmailField(blank=True, max_length=254, verbose_name="mail address")),
            ("what", models.CharField(max_length=300, verbose_name="what was given")),
            ("given_at", models.DateTimeField(verbose_name="given")),
            ("recorded_at", models.DateTimeField()),
            (
                "contract",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.contract"),
            ),
            (
                "customer",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="data_recipients",
                    to="csp.customer",
                ),
            ),
            (
                "recorded_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
        ],
        options={
            "verbose_name": "recipient of data",
            "verbose_name_plural": "recipients of data",
            "indexes": [models.Index(fields=["contract", "customer"], name="data_recipient_of")],
        },
    ),
    migrations.CreateModel(
        name="Deadline",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("clause", models.CharField(max_length=4, verbose_name="clause")),
            ("obligation", models.CharField(max_length=30, verbose_name="obligation")),
            ("is_policy", models.BooleanField(default=False, verbose_name="policy")),
            ("subject_ref", models.CharField(max_length=40, verbose_name="subject")),
            ("path", models.CharField(max_length=120)),
            ("in_confidence", models.BooleanField(default=False)),
            ("starts_at", models.DateTimeField()),
            ("due_at", models.DateTimeField()),
            (
                "state",
                models.CharField(
                    choices=[
                        ("open", "Open"),
                        ("met", "Met"),
                        ("breached", "Breached"),
                        ("met_late", "Breached, met late"),
                        ("void", "Void"),
                    ],
                    default="open",
                    max_length=10,
                    verbose_name="state",
                ),
            ),
            ("next_reminder_at", models.DateTimeField(blank=True, null=True)),
            ("met_at", models.DateTimeField(blank=True, null=True)),
            ("met_how", models.CharField(blank=True, max_length=40)),
            ("voided_at", models.DateTimeField(blank=True, null=True)),
            ("void_reason", models.CharField(blank=True, max_length=500)),
            (
                "contract",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="deadlines", to="csp.contract"
                ),
            ),
            (
                "met_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "reopens",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="reopened_as",
                    to="csp.deadline",
                ),
            ),
            (
                "responsible",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "voided_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "team",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="deadlines", to="csp.team"),
            ),
            (
                "version",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="deadlines", to="csp.version"
                ),
            ),
        ],
        options={
            "verbose_name": "deadline",
            "verbose_name_plural": "deadlines",
            "indexes": [
                models.Index(condition=models.Q(("state", "open")), fields=["due_at"], name="deadline_open_due"),
                models.Index(
                    condition=models.Q(("next_reminder_at__isnull", False)),
                    fields=["next_reminder_at"],
                    name="deadline_reminder",
                ),
                models.Index(
                    condition=models.Q(("obligation", "acknowledge"), ("state", "open")),
                    fields=["starts_at"],
                    name="deadline_unacknowledged",
                ),
                models.Index(
                    condition=models.Q(
                        ("met_at__isnull", True), ("obligation", "escalate"), ("voided_at__isnull", True)
                    ),
                    fields=["team", "due_at"],
                    name="deadline_to_escalate",
                ),
                models.Index(fields=["subject_ref"], name="deadline_subject"),
                models.Index(fields=["contract", "obligation", "due_at"], name="deadline_period"),
                models.Index(
                    condition=models.Q(("met_at__isnull", True), ("voided_at__isnull", True)),
                    fields=["contract", "obligation", "due_at"],
                    name="deadline_running",
                ),
                models.Index(
                    condition=models.Q(("voided_at__isnull", False)),
                    fields=["contract", "voided_at"],
                    name="deadline_void",
                ),
                models.Index(
                    condition=models.Q(("met_how", "no reply needed")),
                    fields=["contract", "met_at"],
                    name="deadline_no_reply",
                ),
            ],
            "constraints": [
                models.UniqueConstraint(fields=("id", "due_at"), name="a_deadline_has_one_due_time"),
                models.CheckConstraint(
                    condition=models.Q(("due_at__gte", models.F("starts_at"))), name="due_after_it_started"
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("met_at__isnull", True), ("state", "open"), ("voided_at__isnull", True)),
                        models.Q(
                            ("met_at__isnull", False),
                            ("met_at__lte", models.F("due_at")),
                            ("state", "met"),
                            ("voided_at__isnull", True),
                        ),
                        models.Q(
                            ("met_at__isnull", True),
                            ("next_reminder_at__isnull", True),
                            ("state", "breached"),
                            ("voided_at__isnull", True),
                        ),
                        models.Q(("met_at__isnull", False), ("state", "met_late"), ("voided_at__isnull", True)),
                        models.Q(("met_at__isnull", True), ("state", "void"), ("voided_at__isnull", False)),
                        _connector="OR",
                    ),
                    name="a_deadline_ends_in_one_way",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("voided_at__isnull", True), models.Q(("void_reason", ""), _negated=True), _connector="OR"
                    ),
                    name="void_needs_a_reason",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="DataRequest",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "kind",
                models.CharField(
                    choices=[
                        ("unsorted", "Not sorted yet"),
                        ("access", "Access"),
                        ("rectification", "Rectification"),
                        ("erasure", "Erasure"),
                        ("restriction", "Restriction"),
                        ("portability", "Portability"),
                        ("objection", "Objection"),
                    ],
                    max_length=15,
                    verbose_name="asks for",
                ),
            ),
            ("about_surveys", models.BooleanField(default=False, verbose_name="against surveys")),
            (
                "channel",
                models.CharField(
                    choices=[
                        ("mail", "E-mail"),
                        ("page", "Request page"),
                        ("form", "Contact form"),
                        ("phone", "Telephone"),
                        ("letter", "Letter"),
                        ("visit", "Visit"),
                    ],
                    max_length=10,
                    verbose_name="came by",
                ),
            ),
            ("name", models.CharField(blank=True, max_length=200, verbose_name="name")),
            ("address", models.CharField(blank=True, max_length=320, verbose_name="mail address")),
            ("words", models.TextField(blank=True, verbose_name="what was asked")),
            ("language", models.CharField(blank=True, max_length=10)),
            ("subject_ref", models.CharField(blank=True, max_length=40)),
            ("path", models.CharField(blank=True, max_length=120)),
            ("received_at", models.DateTimeField(verbose_name="received")),
            ("recorded_at", models.DateTimeField()),
            ("once", models.CharField(blank=True, editable=False, max_length=60, null=True, unique=True)),
            (
                "identity",
                models.CharField(
                    choices=[
                        ("unchecked", "Not checked"),
                        ("asked", "Proof asked for"),
                        ("proven", "Proven"),
                        ("doubted", "Could not be shown"),
                    ],
                    default="unchecked",
                    max_length=10,
                    verbose_name="identity",
                ),
            ),
            (
                "state",
                models.CharField(
                    choices=[
                        ("open", "Open"),
                        ("answered", "Answered"),
                        ("refused", "Refused"),
                        ("forwarded", "With the controller"),
                        ("withdrawn", "Withdrawn"),
                    ],
                    default="open",
                    max_length=10,
                    verbose_name="state",
                ),
            ),
            ("ended_at", models.DateTimeField(blank=True, null=True)),
            ("done_at", models.DateTimeField(blank=True, null=True)),
            (
                "contract",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.contract"),
            ),
            (
                "customer",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="data_requests",
                    to="csp.customer",
                ),
            ),
            (
                "ended_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "recorded_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "answer",
                models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.deadline"),
            ),
            (
                "first_answer",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="csp.deadline",
                ),
            ),
            ("team", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.team")),
        ],
        options={
            "verbose_name": "data-subject request",
            "verbose_name_plural": "data-subject requests",
            "indexes": [
                models.Index(fields=["contract", "state", "-id"], name="data_request_of_contract"),
                models.Index(
                    condition=models.Q(("path", ""), _negated=True), fields=["path"], name="data_request_of_ticket"
                ),
                models.Index(
                    condition=models.Q(("customer__isnull", False)),
                    fields=["customer"],
                    name="data_request_of_customer",
                ),
            ],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("ended_at__isnull", True), ("state", "open")),
                        models.Q(models.Q(("state", "open"), _negated=True), ("ended_at__isnull", False)),
                        _connector="OR",
                    ),
                    name="a_data_request_that_ended_says_when",
                ),
                models.CheckConstraint(
                    condition=models.Q(("about_surveys", False), ("kind", "objection"), _connector="OR"),
                    name="against_surveys_is_an_objection",
                ),
                models.CheckConstraint(
                    condition=models.Q(("recorded_at__gte", models.F("received_at"))),
                    name="a_data_request_is_recorded_after_receipt",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="DataBreach",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "nature",
                models.CharField(
                    choices=[
                        ("confidentiality", "Somebody saw what they should not"),
                        ("integrity", "Data was altered"),
                        ("availability", "Data was lost or out of reach"),
                    ],
                    max_length=16,
                    verbose_name="nature",
                ),
            ),
            ("what", models.TextField(verbose_name="what happened")),
            ("data", models.CharField(blank=True, max_length=500, verbose_name="which data")),
            ("persons", models.PositiveIntegerField(blank=True, null=True, verbose_name="how many persons, about")),
            ("consequences", models.TextField(blank=True, verbose_name="likely consequences")),
            ("measures", models.TextField(blank=True, verbose_name="what is done about it")),
            ("aware_at", models.DateTimeField(verbose_name="aware since")),
            ("recorded_at", models.DateTimeField()),
            ("is_high_risk", models.BooleanField(blank=True, null=True, verbose_name="high risk for the persons")),
            (
                "decision",
                models.CharField(
                    blank=True,
                    choices=[
                        ("notified", "Authority notified"),
                        ("no_risk", "No risk to anybody, with reasons"),
                        ("forwarded", "Controller told"),
                    ],
                    max_length=10,
                    verbose_name="decision",
                ),
            ),
            ("reason", models.TextField(blank=True)),
            ("authority_ref", models.CharField(blank=True, max_length=100, verbose_name="the authority's reference")),
            ("decided_at", models.DateTimeField(blank=True, null=True)),
            ("closed_at", models.DateTimeField(blank=True, null=True)),
            (
                "contract",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.contract"),
            ),
            (
                "decided_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "recorded_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "notify",
                models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.deadline"),
            ),
            ("team", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.team")),
        ],
        options={
            "verbose_name": "personal-data breach",
            "verbose_name_plural": "personal-data breaches",
            "indexes": [models.Index(fields=["contract", "-id"], name="data_breach_of_contract")],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("decided_at__isnull", True), ("decision", "")),
                        models.Q(models.Q(("decision", ""), _negated=True), ("decided_at__isnull", False)),
                        _connector="OR",
                    ),
                    name="a_decision_about_a_breach_says_when",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("decision", "no_risk"), _negated=True),
                        models.Q(("reason", ""), _negated=True),
                        _connector="OR",
                    ),
                    name="no_risk_has_its_reasons",
                ),
                models.CheckConstraint(
                    condition=models.Q(("recorded_at__gte", models.F("aware_at"))),
                    name="a_breach_is_recorded_after_awareness",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Disposal",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("is_routine", models.BooleanField(default=False)),
            ("judged_at", models.DateTimeField()),
            ("listed", models.CharField(blank=True, max_length=64)),
            ("proposed_at", models.DateTimeField()),
            ("approved_at", models.DateTimeField(blank=True, null=True)),
            ("finished_at", models.DateTimeField(blank=True, null=True)),
            ("removed", models.JSONField(blank=True, default=dict)),
            ("certificate", models.TextField(blank=True)),
            ("digest", models.CharField(blank=True, max_length=64)),
            (
                "approved_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "contract",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="csp.contract",
                ),
            ),
            (
                "declined_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "proposed_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
        ],
        options={
            "verbose_name": "disposal",
            "verbose_name_plural": "disposals",
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("approved_by__isnull", True),
                            ("contract__isnull", True),
                            ("is_routine", True),
                            ("proposed_by__isnull", True),
                        ),
                        models.Q(("contract__isnull", False), ("is_routine", False), ("proposed_by__isnull", False)),
                        _connector="OR",
                    ),
                    name="only_routine_needs_nobody",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("approved_at__isnull", True), ("approved_by__isnull", True)),
                        models.Q(
                            ("approved_at__isnull", False),
                            ("approved_by__isnull", False),
                            ("declined_by__isnull", True),
                        ),
                        _connector="OR",
                    ),
                    name="approved_says_by_whom",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("approved_by__isnull", True),
                        models.Q(("approved_by", models.F("proposed_by")), _negated=True),
                        _connector="OR",
                    ),
                    name="a_second_person_approves_a_disposal",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("finished_at__isnull", True),
                        models.Q(("certificate", ""), _negated=True),
                        ("declined_by__isnull", False),
                        _connector="OR",
                    ),
                    name="what_is_carried_out_has_its_certificate",
                ),
                models.UniqueConstraint(
                    condition=models.Q(("finished_at__isnull", True), ("is_routine", False)),
                    fields=("contract",),
                    name="one_disposal_under_way_per_contract",
                ),
                models.UniqueConstraint(
                    condition=models.Q(("finished_at__isnull", True), ("is_routine", True)),
                    fields=("is_routine",),
                    name="one_routine_under_way",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="DisposalItem",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("kind", models.CharField(max_length=20)),
            ("number", models.BigIntegerField()),
            ("kept_from", models.DateTimeField()),
            ("keep_until", models.DateTimeField()),
            (
                "outcome",
                models.CharField(
                    blank=True, choices=[("disposed", "Disposed of"), ("spared", "Spared")], max_length=10
                ),
            ),
            ("why", models.CharField(blank=True, max_length=200)),
            ("ended_at", models.DateTimeField(blank=True, null=True)),
            ("rows", models.JSONField(blank=True, default=dict)),
            (
                "disposal",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="items", to="csp.disposal"),
            ),
        ],
        options={
            "verbose_name": "record on the list of a disposal",
            "verbose_name_plural": "records on the lists of disposals",
            "indexes": [
                models.Index(
                    condition=models.Q(("outcome", "")), fields=["disposal", "kind", "number"], name="item_to_do"
                )
            ],
            "constraints": [
                models.UniqueConstraint(fields=("disposal", "kind", "number"), name="listed_once"),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("ended_at__isnull", True), ("outcome", "")),
                        models.Q(models.Q(("outcome", ""), _negated=True), ("ended_at__isnull", False)),
                        _connector="OR",
                    ),
                    name="an_outcome_says_when",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Erasure",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "basis",
                models.CharField(
                    choices=[
                        ("no_longer_needed", "No longer needed for its purpose"),
                        ("consent_withdrawn", "Consent withdrawn"),
                        ("objection", "Objection, and nothing that overrides it"),
                        ("unlawful", "Processed without a legal basis"),
                        ("legal_duty", "The law demands the erasure"),
                        ("child", "Collected from a child for an online service"),
                        ("controller", "On the controller's instruction"),
                        ("expiry", "The reason to keep it locked has ended"),
                    ],
                    max_length=20,
                    verbose_name="basis",
                ),
            ),
            ("request_ref", models.CharField(blank=True, max_length=40, verbose_name="request")),
            ("approved_at", models.DateTimeField()),
            ("replays", models.BigIntegerField(blank=True, null=True)),
            ("finished_at", models.DateTimeField(blank=True, null=True)),
            ("removed", models.JSONField(blank=True, default=dict)),
            ("certificate", models.TextField(blank=True)),
            ("digest", models.CharField(blank=True, max_length=64)),
            (
                "approved_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "continues",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="continued_by",
                    to="csp.erasure",
                ),
            ),
            (
                "contract",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.contract"),
            ),
            (
                "customer",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="erasures", to="csp.customer"
                ),
            ),
            (
                "farewell",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="csp.outboundmessage",
                ),
            ),
        ],
        options={
            "verbose_name": "erasure",
            "verbose_name_plural": "erasures",
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("finished_at__isnull", True)),
                    fields=("customer",),
                    name="one_erasure_under_way_per_customer",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("certificate", ""), ("digest", ""), ("finished_at__isnull", True)),
                        models.Q(
                            ("finished_at__isnull", False),
                            models.Q(("certificate", ""), _negated=True),
                            models.Q(("digest", ""), _negated=True),
                        ),
                        _connector="OR",
                    ),
                    name="what_is_erased_has_its_certificate",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("approved_by__isnull", False),
                        ("continues__isnull", False),
                        ("basis", "expiry"),
                        ("replays__isnull", False),
                        _connector="OR",
                    ),
                    name="an_erasure_is_ordered_or_follows_one",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="ErasureItem",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("kind", models.CharField(max_length=20)),
            ("number", models.BigIntegerField()),
            (
                "outcome",
                models.CharField(
                    blank=True,
                    choices=[("erased", "Erased"), ("held", "Held"), ("locked", "Locked and kept")],
                    max_length=10,
                ),
            ),
            ("why", models.CharField(blank=True, max_length=200)),
            ("ended_at", models.DateTimeField(blank=True, null=True)),
            ("rows", models.JSONField(blank=True, default=dict)),
            (
                "erasure",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="items", to="csp.erasure"),
            ),
        ],
        options={
            "verbose_name": "record in an erasure",
            "verbose_name_plural": "records in erasures",
            "indexes": [
                models.Index(condition=models.Q(("outcome", "")), fields=["erasure", "id"], name="erasure_to_do")
            ],
            "constraints": [
                models.UniqueConstraint(fields=("erasure", "kind", "number"), name="erased_once"),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("ended_at__isnull", True), ("outcome", "")),
                        models.Q(models.Q(("outcome", ""), _negated=True), ("ended_at__isnull", False)),
                        _connector="OR",
                    ),
                    name="what_became_of_it_says_when",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("outcome__in", ["held", "locked"]), _negated=True),
                        models.Q(("why", ""), _negated=True),
                        _connector="OR",
                    ),
                    name="what_stays_says_why",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="EvidenceMark",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("row", models.BigIntegerField()),
            ("plain", models.BinaryField(max_length=32)),
            ("personal", models.BinaryField(max_length=32)),
            ("salt", models.BinaryField(max_length=16)),
            ("recorded_at", models.DateTimeField()),
            (
                "shape",
                models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="marks",
                    to="csp.evidenceshape",
                ),
            ),
            (
                "entry",
                models.ForeignKey(
                    blank=True,
                    db_index=False,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="marks",
                    to="csp.trailentry",
                ),
            ),
        ],
        options={
            "verbose_name": "mark of evidence",
            "verbose_name_plural": "marks of evidence",
            "indexes": [
                models.Index(fields=["shape", "row", "-id"], name="mark_of_row"),
                models.Index(condition=models.Q(("entry__isnull", True)), fields=["id"], name="mark_unsealed"),
                models.Index(fields=["entry", "id"], name="mark_of_entry"),
            ],
        },
    ),
    migrations.CreateModel(
        name="Exercise",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("subject_ref", models.CharField(max_length=40, unique=True)),
            (
                "user",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
        ],
        options={"verbose_name": "exercise", "verbose_name_plural": "exercises"},
    ),
    migrations.CreateModel(
        name="HistoricalAddress",
        fields=[
            ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
            (
                "kind",
                models.CharField(choices=[("mail", "E-mail"), ("phone", "Telephone")], default="mail", max_length=5),
            ),
            ("value", models.CharField(max_length=320, verbose_name="address")),
            ("is_primary", models.BooleanField(default=False)),
            ("created_at", models.DateTimeField()),
            ("bounced_at", models.DateTimeField(blank=True, null=True)),
            ("history_id", models.AutoField(primary_key=True, serialize=False)),
            ("history_date", models.DateTimeField(db_index=True)),
            ("history_change_reason", models.CharField(max_length=100, null=True)),
            (
                "history_type",
                models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
            ),
            (
                "customer",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="csp.customer",
                ),
            ),
            (
                "history_user",
                models.ForeignKey(
                    null=True,
                    on_delete=django.db.models.deletion.SET_NULL,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
        ],
        options={
            "verbose_name": "historical address",
            "verbose_name_plural": "historical addresses",
            "ordering": ("-history_date", "-history_id"),
            "get_latest_by": ("history_date", "history_id"),
        },
        bases=(simple_history.models.HistoricalChanges, models.Model),
    ),
    migrations.CreateModel(
        name="HistoricalContract",
        fields=[
            ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
            ("company", models.CharField(blank=True, max_length=200, verbose_name="company")),
            ("party", models.CharField(blank=True, max_length=200, verbose_name="party")),
            ("zone", models.CharField(default="Europe/London", max_length=64, verbose_name="time zone")),
            ("privacy_url", models.URLField(blank=True, verbose_name="privacy notice")),
            (
                "complex_above",
                models.PositiveIntegerField(
                    blank=True, default=500, null=True, verbose_name="propose as complex above"
                ),
            ),
            ("created_at", models.DateTimeField()),
            ("history_id", models.AutoField(primary_key=True, serialize=False)),
            ("history_date", models.DateTimeField(db_index=True)),
            ("history_change_reason", models.CharField(max_length=100, null=True)),
            (
                "history_type",
                models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
            ),
            (
                "history_user",
                models.ForeignKey(
                    null=True,
                    on_delete=django.db.models.deletion.SET_NULL,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
        ],
        options={
            "verbose_name": "historical contract",
            "verbose_name_plural": "historical contracts",
            "ordering": ("-history_date", "-history_id"),
            "get_latest_by": ("history_date", "history_id"),
        },
        bases=(simple_history.models.HistoricalChanges, models.Model),
    ),
    migrations.CreateModel(
        name="HistoricalCustomer",
        fields=[
            ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
            ("name", models.CharField(blank=True, max_length=200, verbose_name="name")),
            ("organisation", models.CharField(blank=True, max_length=200, verbose_name="organisation")),
            ("language", models.CharField(blank=True, max_length=10, verbose_name="language")),
            ("zone", models.CharField(blank=True, max_length=64, verbose_name="time zone")),
            ("note", models.TextField(blank=True, verbose_name="note for everybody who serves this customer")),
            ("created_at", models.DateTimeField()),
            ("erased_at", models.DateTimeField(blank=True, null=True)),
            ("joined_at", models.DateTimeField(blank=True, null=True)),
            ("history_id", models.AutoField(primary_key=True, serialize=False)),
            ("history_date", models.DateTimeField(db_index=True)),
            ("history_change_reason", models.CharField(max_length=100, null=True)),
            (
                "history_type",
                models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
            ),
            (
                "history_user",
                models.ForeignKey(
                    null=True,
                    on_delete=django.db.models.deletion.SET_NULL,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "joined_into",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="csp.customer",
                ),
            ),
        ],
        options={
            "verbose_name": "historical customer",
            "verbose_name_plural": "historical customers",
            "ordering": ("-history_date", "-history_id"),
            "get_latest_by": ("history_date", "history_id"),
        },
        bases=(simple_history.models.HistoricalChanges, models.Model),
    ),
    migrations.CreateModel(
        name="HistoricalPrivacyTerms",
        fields=[
            ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
            (
                "part",
                models.CharField(
                    choices=[("controller", "Controller"), ("processor", "Processor"), ("joint", "Joint controller")],
                    default="controller",
                    max_length=10,
                    verbose_name="the company is",
                ),
            ),
            ("controller", models.CharField(blank=True, max_length=200, verbose_name="controller")),
            (
                "controller_mail",
                models.EmailField(blank=True, max_length=254, verbose_name="controller's mail address"),
            ),
            (
                "at_end",
                models.CharField(
                    blank=True,
                    choices=[
                        ("", "Not chosen yet"),
                        ("returned", "Returned to the controller"),
                        ("deleted", "Deleted"),
                    ],
                    default="",
                    max_length=10,
                    verbose_name="data at the contract's end",
                ),
            ),
            ("authority", models.CharField(blank=True, max_length=200, verbose_name="supervisory authority")),
            ("authority_url", models.URLField(blank=True, verbose_name="where it takes complaints")),
            ("country", models.CharField(blank=True, max_length=2, verbose_name="public holidays of")),
            ("subdivision", models.CharField(blank=True, max_length=10, verbose_name="part of the country")),
            (
                "days_off",
                django.contrib.postgres.fields.ArrayField(
                    base_field=models.DateField(), blank=True, default=list, size=None, verbose_name="further holidays"
                ),
            ),
            (
                "mask_patterns",
                django.contrib.postgres.fields.ArrayField(
                    base_field=models.CharField(max_length=40),
                    blank=True,
                    default=list,
                    size=None,
                    verbose_name="masked in texts",
                ),
            ),
            ("changed_at", models.DateTimeField()),
            ("history_id", models.AutoField(primary_key=True, serialize=False)),
            ("history_date", models.DateTimeField(db_index=True)),
            ("history_change_reason", models.CharField(max_length=100, null=True)),
            (
                "history_type",
                models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
            ),
            (
                "changed_by",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "contract",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="csp.contract",
                ),
            ),
            (
                "history_user",
                models.ForeignKey(
                    null=True,
                    on_delete=django.db.models.deletion.SET_NULL,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
        ],
        options={
            "verbose_name": "historical data protection terms",
            "verbose_name_plural": "historical data protection terms",
            "ordering": ("-history_date", "-history_id"),
            "get_latest_by": ("history_date", "history_id"),
        },
        bases=(simple_history.models.HistoricalChanges, models.Model),
    ),
    migrations.CreateModel(
        name="HistoricalProcessing",
        fields=[
            ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
            ("name", models.CharField(max_length=200, verbose_name="activity")),
            ("purpose", models.TextField(verbose_name="purpose")),
            ("basis", models.CharField(max_length=300, verbose_name="legal basis")),
            ("people", models.CharField(max_length=300, verbose_name="whose data")),
            ("data", models.TextField(verbose_name="which data")),
            ("recipients", models.TextField(blank=True, verbose_name="who receives it")),
            ("transfers", models.TextField(blank=True, verbose_name="transfers to other countries")),
            ("kept_for", models.CharField(max_length=300, verbose_name="erased after")),
            ("safeguards", models.TextField(verbose_name="technical and organisational measures")),
            ("changed_at", models.DateTimeField()),
            ("ended_at", models.DateTimeField(blank=True, null=True)),
            ("history_id", models.AutoField(primary_key=True, serialize=False)),
            ("history_date", models.DateTimeField(db_index=True)),
            ("history_change_reason", models.CharField(max_length=100, null=True)),
            (
                "history_type",
                models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
            ),
            (
                "changed_by",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "contract",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="csp.contract",
                ),
            ),
            (
                "history_user",
                models.ForeignKey(
                    null=True,
                    on_delete=django.db.models.deletion.SET_NULL,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
        ],
        options={
            "verbose_name": "historical processing activity",
            "verbose_name_plural": "historical register of processing",
            "ordering": ("-history_date", "-history_id"),
            "get_latest_by": ("history_date", "history_id"),
        },
        bases=(simple_history.models.HistoricalChanges, models.Model),
    ),
    migrations.CreateModel(
        name="HistoricalTeam",
        fields=[
            ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
            ("name", models.CharField(max_length=100, verbose_name="name")),
            ("is_active", models.BooleanField(default=True, verbose_name="active")),
            (
                "complex_above",
                models.PositiveIntegerField(blank=True, null=True, verbose_name="propose as complex above"),
            ),
            ("created_at", models.DateTimeField()),
            ("history_id", models.AutoField(primary_key=True, serialize=False)),
            ("history_date", models.DateTimeField(db_index=True)),
            ("history_change_reason", models.CharField(max_length=100, null=True)),
            (
                "history_type",
                models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
            ),
            (
                "contract",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="csp.contract",
                ),
            ),
            (
                "history_user",
                models.ForeignKey(
                    null=True,
                    on_delete=django.db.models.deletion.SET_NULL,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
        ],
        options={
            "verbose_name": "historical team",
            "verbose_name_plural": "historical teams",
            "ordering": ("-history_date", "-history_id"),
            "get_latest_by": ("history_date", "history_id"),
        },
        bases=(simple_history.models.HistoricalChanges, models.Model),
    ),
    migrations.CreateModel(
        name="HistoricalUser",
        fields=[
            ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
            ("email", models.EmailField(db_index=True, max_length=254, verbose_name="e-mail address")),
            ("name", models.CharField(max_length=150, verbose_name="name")),
            (
                "side",
                models.CharField(
                    choices=[("company", "Company"), ("party", "Party")],
                    default="company",
                    max_length=10,
                    verbose_name="side",
                ),
            ),
            ("language", models.CharField(default="en-gb", max_length=10, verbose_name="language")),
            ("zone", models.CharField(default="Europe/London", max_length=64, verbose_name="time zone")),
            (
                "theme",
                models.CharField(
                    choices=[("auto", "As the system"), ("light", "Light"), ("dark", "Dark")],
                    default="auto",
                    max_length=5,
                    verbose_name="appearance",
                ),
            ),
            ("shortcuts", models.BooleanField(default=True, verbose_name="single-key shortcuts")),
            ("signature", models.TextField(blank=True, verbose_name="signature under replies")),
            ("is_active", models.BooleanField(default=True, verbose_name="active")),
            ("joined_at", models.DateTimeField()),
            ("left_at", models.DateTimeField(blank=True, null=True)),
            ("history_id", models.AutoField(primary_key=True, serialize=False)),
            ("history_date", models.DateTimeField(db_index=True)),
            ("history_change_reason", models.CharField(max_length=100, null=True)),
            (
                "history_type",
                models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
            ),
            (
                "history_user",
                models.ForeignKey(
                    null=True,
                    on_delete=django.db.models.deletion.SET_NULL,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
        ],
        options={
            "verbose_name": "historical person",
            "verbose_name_plural": "historical people",
            "ordering": ("-history_date", "-history_id"),
            "get_latest_by": ("history_date", "history_id"),
        },
        bases=(simple_history.models.HistoricalChanges, models.Model),
    ),
    migrations.CreateModel(
        name="Keeping",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "what",
                models.CharField(
                    choices=[("ticket", "Tickets and everything said in them"), ("remark", "Feedback and who gave it")],
                    max_length=20,
                    verbose_name="records",
                ),
            ),
            (
                "basis",
                models.CharField(
                    choices=[
                        ("legal_duty", "A legal duty to keep it"),
                        ("claims", "Legal claims"),
                        ("public_interest", "A task in the public interest"),
                    ],
                    max_length=20,
                    verbose_name="basis",
                ),
            ),
            ("reason", models.TextField(verbose_name="which duty or claim, in words that the customer is told")),
            ("months", models.PositiveSmallIntegerField(verbose_name="months that a record stays locked")),
            ("decided_at", models.DateTimeField()),
            ("expires_at", models.DateTimeField(verbose_name="to be decided anew by")),
            ("ended_at", models.DateTimeField(blank=True, null=True)),
            (
                "contract",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="keepings", to="csp.contract"
                ),
            ),
            (
                "decided_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "ended_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
        ],
        options={
            "verbose_name": "class of records that is locked and kept",
            "verbose_name_plural": "classes of records that are locked and kept",
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("ended_at__isnull", True)),
                    fields=("contract", "what"),
                    name="one_keeping_of_a_class",
                ),
                models.CheckConstraint(
                    condition=models.Q(("reason", ""), _negated=True), name="a_keeping_has_a_reason"
                ),
                models.CheckConstraint(
                    condition=models.Q(("months__gte", 1), ("months__lte", 120)), name="a_keeping_has_an_end"
                ),
                models.CheckConstraint(
                    condition=models.Q(("expires_at__gt", models.F("decided_at"))), name="a_keeping_is_decided_anew"
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="KeptFrom",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("subject_ref", models.CharField(max_length=40)),
            ("context", models.CharField(max_length=60)),
            ("since", models.DateTimeField()),
            ("until", models.DateTimeField(blank=True, null=True)),
            (
                "user",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
        ],
        options={
            "verbose_name": "matter kept from a person",
            "verbose_name_plural": "matters kept from people",
            "indexes": [
                models.Index(
                    condition=models.Q(("until__isnull", True)), fields=["subject_ref"], name="kept_from_by_subject"
                )
            ],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("until__isnull", True)),
                    fields=("user", "subject_ref"),
                    name="kept_once_from_one_person",
                ),
                models.CheckConstraint(
                    condition=models.Q(("until__isnull", True), ("until__gte", models.F("since")), _connector="OR"),
                    name="kept_from_then_until_later",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Lock",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "what",
                models.CharField(
                    choices=[("ticket", "Tickets and everything said in them"), ("remark", "Feedback and who gave it")],
                    max_length=20,
                    verbose_name="records",
                ),
            ),
            ("request_ref", models.CharField(blank=True, max_length=40, verbose_name="request")),
            ("reason", models.TextField(verbose_name="reason")),
            ("starts_at", models.DateTimeField()),
            ("expires_at", models.DateTimeField()),
            ("then", models.CharField(choices=[("unlock", "open again"), ("erase", "erased")], max_length=6)),
            ("ended_at", models.DateTimeField(blank=True, null=True)),
            (
                "contract",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.contract"),
            ),
            (
                "customer",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="locks", to="csp.customer"),
            ),
            (
                "decided_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "ended_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "erasure",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="locks",
                    to="csp.erasure",
                ),
            ),
            (
                "keeping",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="locks",
                    to="csp.keeping",
                ),
            ),
            (
                "told",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="csp.outboundmessage",
                ),
            ),
        ],
        options={
            "verbose_name": "lock on a customer's data",
            "verbose_name_plural": "locks on customers' data",
            "indexes": [
                models.Index(
                    condition=models.Q(("ended_at__isnull", True)), fields=["customer", "what"], name="lock_standing"
                )
            ],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("ended_at__isnull", True)), fields=("customer", "what"), name="locked_once"
                ),
                models.CheckConstraint(
                    condition=models.Q(("expires_at__gt", models.F("starts_at"))), name="a_lock_has_an_end"
                ),
                models.CheckConstraint(condition=models.Q(("reason", ""), _negated=True), name="a_lock_has_a_reason"),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("keeping__isnull", True), ("then", "unlock")),
                        models.Q(("keeping__isnull", False), ("then", "erase")),
                        _connector="OR",
                    ),
                    name="what_is_kept_instead_is_erased_later",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="LockItem",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("kind", models.CharField(max_length=20)),
            ("number", models.BigIntegerField()),
            (
                "lock",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="items", to="csp.lock"),
            ),
        ],
        options={
            "verbose_name": "record under a lock",
            "verbose_name_plural": "records under locks",
            "indexes": [models.Index(fields=["kind", "number"], name="lock_item")],
            "constraints": [models.UniqueConstraint(fields=("lock", "kind", "number"), name="a_lock_is_on_it_once")],
        },
    ),
    migrations.CreateModel(
        name="OutboundMessage",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("dedupe_key", models.CharField(max_length=120, unique=True)),
            (
                "kind",
                models.CharField(
                    choices=[
                        ("acknowledgement", "Acknowledgement"),
                        ("answer", "Answer"),
                        ("holding", "Holding message"),
                        ("survey", "Survey"),
                        ("notice", "Notice to staff"),
                        ("account", "Account mail"),
                        ("link", "Links to a customer's requests"),
                        ("privacy", "About personal data"),
                    ],
                    max_length=20,
                ),
            ),
            ("sender", models.CharField(max_length=420)),
            ("envelope_from", models.CharField(blank=True, max_length=320)),
            ("to", django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=320), size=None)),
            (
                "cc",
                django.contrib.postgres.fields.ArrayField(
                    base_field=models.CharField(max_length=320), blank=True, default=list, size=None
                ),
            ),
            ("subject", models.CharField(max_length=998)),
            ("body", models.TextField()),
            ("html", models.TextField(blank=True)),
            ("headers", models.JSONField(blank=True, default=dict)),
            ("message_id", models.CharField(max_length=255, unique=True)),
            ("created_at", models.DateTimeField()),
            ("not_before", models.DateTimeField(blank=True, null=True)),
            ("attempts", models.PositiveIntegerField(default=0)),
            (
                "state",
                models.CharField(
                    choices=[
                        ("queued", "Waiting to be sent"),
                        ("accepted", "Accepted by the mail server"),
                        ("failed", "Refused for good"),
                        ("bounced", "Returned"),
                        ("cancelled", "Taken back"),
                    ],
                    default="queued",
                    max_length=10,
                ),
            ),
            ("accepted_at", models.DateTimeField(blank=True, null=True)),
            ("ended_at", models.DateTimeField(blank=True, null=True)),
            ("answer", models.CharField(blank=True, max_length=500)),
            ("lost", models.JSONField(blank=True, default=dict)),
            (
                "mailbox",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="csp.mailbox",
                ),
            ),
        ],
        options={
            "verbose_name": "outgoing message",
            "verbose_name_plural": "outgoing messages",
            "indexes": [
                models.Index(
                    models.OrderBy(models.F("not_before"), nulls_first=True),
                    models.F("id"),
                    condition=models.Q(("state", "queued")),
                    name="outbox_queued",
                ),
                django.contrib.postgres.indexes.GinIndex(
                    condition=models.Q(("kind", "acknowledgement")), fields=["to"], name="outbox_acknowledged"
                ),
            ],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("accepted_at__isnull", True), ("state__in", ["queued", "cancelled", "failed"])),
                        models.Q(("accepted_at__isnull", False), ("state__in", ["accepted", "bounced"])),
                        _connector="OR",
                    ),
                    name="accepted_says_when",
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="OutboundAttachment",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("name", models.CharField(max_length=255)),
            ("content_type", models.CharField(max_length=120)),
            ("blob", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.blob")),
            (
                "message",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="attachments", to="csp.outboundmessage"
                ),
            ),
        ],
        options={
            "verbose_name": "attachment of an outgoing message",
            "verbose_name_plural": "attachments of outgoing messages",
        },
    ),
    migrations.CreateModel(
        name="Notice",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "kind",
                models.CharField(
                    choices=[
                        ("breach", "Promise broken"),
                        ("reminder", "Running out"),
                        ("escalation", "Escalated"),
                        ("assigned", "Assigned"),
                        ("returned", "Handed back"),
                        ("reply", "Customer wrote"),
                        ("delivery", "Not delivered"),
                        ("pending", "Reminder"),
                        ("case", "Non-compliance"),
                        ("measure", "Measure"),
                        ("cosign", "Waits for a co-signature"),
                        ("feedback", "Feedback"),
                        ("training", "Training"),
                        ("approval", "Approvals"),
                        ("review", "Review"),
                        ("privacy", "Data protection"),
                        ("audit", "Quality audits"),
                        ("system", "Needs an administrator"),
                    ],
                    max_length=12,
                ),
            ),
            ("key", models.CharField(max_length=80)),
            ("subject_ref", models.CharField(blank=True, max_length=40)),
            ("path", models.CharField(blank=True, max_length=120)),
            ("facts", models.JSONField(blank=True, default=dict)),
            ("words", models.CharField(blank=True, max_length=500)),
            ("created_at", models.DateTimeField()),
            ("read_at", models.DateTimeField(blank=True, null=True)),
            ("by_mail", models.BooleanField(default=True)),
            ("mailed_at", models.DateTimeField(blank=True, null=True)),
            (
                "deadline",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="csp.deadline",
                ),
            ),
            (
                "user",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="notices", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "mail",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="notices",
                    to="csp.outboundmessage",
                ),
            ),
        ],
        options={
            "verbose_name": "notice",
            "verbose_name_plural": "notices",
            "indexes": [
                models.Index(
                    condition=models.Q(("by_mail", True), ("mail__isnull", True)),
                    fields=["created_at"],
                    name="notice_to_be_mailed",
                ),
                models.Index(
                    condition=models.Q(("mailed_at__isnull", False)), fields=["user", "mailed_at"], name="notice_mailed"
                ),
                models.Index(fields=["user", "-created_at", "-id"], name="notice_of_user"),
                models.Index(condition=models.Q(("read_at__isnull", True)), fields=["user"], name="notice_unread"),
            ],
            "constraints": [models.UniqueConstraint(fields=("user", "key"), name="one_notice_per_person_and_thing")],
        },
    ),
    migrations.CreateModel(
        name="DataRequestStep",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "kind",
                models.CharField(
                    choices=[
                        ("received", "Received"),
                        ("sorted", "Sorted"),
                        ("forwarded", "Forwarded to the controller"),
                        ("identity_asked", "Proof of identity asked for"),
                        ("identity_proven", "Identity proven"),
                        ("identity_doubted", "Identity could not be shown"),
                        ("extended", "Extended by two months"),
                        ("extension_fell", "Extension fell: it was not told in time"),
                        ("packed", "Package made"),
                        ("delivered", "Package sent by link"),
                        ("fetched", "Package fetched"),
                        ("corrected", "Data corrected"),
                        ("erased", "Data erased"),
                        ("restricted", "Processing restricted"),
                        ("stopped", "Surveys stopped"),
                        ("passed_on", "Passed on to a recipient"),
                        ("answered", "Answered"),
                        ("refused", "Refused"),
                        ("withdrawn", "Withdrawn by the person"),
                        ("noted", "Note"),
                    ],
                    max_length=20,
                ),
            ),
            ("at", models.DateTimeField()),
            ("words", models.TextField(blank=True)),
            (
                "by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "request",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="steps", to="csp.datarequest"
                ),
            ),
            (
                "message",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="csp.outboundmessage",
                ),
            ),
        ],
        options={
            "verbose_name": "step of a data-subject request",
            "verbose_name_plural": "steps of data-subject requests",
            "indexes": [models.Index(fields=["request", "id"], name="steps_of_data_request")],
        },
    ),
    migrations.CreateModel(
        name="DataPackage",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("made_at", models.DateTimeField()),
            ("counts", models.JSONField(default=dict)),
            ("digest", models.CharField(max_length=64)),
            ("sent_at", models.DateTimeField(blank=True, null=True)),
            ("good_until", models.DateTimeField()),
            ("fetched_at", models.DateTimeField(blank=True, null=True)),
            ("destroyed_at", models.DateTimeField(blank=True, null=True)),
            (
                "blob",
                models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.blob"),
            ),
            (
                "made_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "request",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="packages", to="csp.datarequest"
                ),
            ),
            (
                "message",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="csp.outboundmessage",
                ),
            ),
        ],
        options={
            "verbose_name": "access package",
            "verbose_name_plural": "access packages",
            "indexes": [
                models.Index(
                    condition=models.Q(("destroyed_at__isnull", True)), fields=["good_until"], name="data_package_over"
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="DataBreachStep",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "kind",
                models.CharField(
                    choices=[
                        ("aware", "Became aware"),
                        ("forwarded", "Controller told by mail"),
                        ("written_down", "Written down"),
                        ("assessed", "Risk assessed"),
                        ("notified", "Authority notified"),
                        ("no_risk", "Decided: no risk"),
                        ("told", "Person told"),
                        ("untold", "Person has to be told by hand"),
                        ("closed", "Closed"),
                    ],
                    max_length=15,
                ),
            ),
            ("at", models.DateTimeField()),
            ("words", models.TextField(blank=True)),
            (
                "breach",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="steps", to="csp.databreach"
                ),
            ),
            (
                "by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "customer",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="csp.customer",
                ),
            ),
            (
                "message",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="csp.outboundmessage",
                ),
            ),
        ],
        options={
            "verbose_name": "step of a personal-data breach",
            "verbose_name_plural": "steps of personal-data breaches",
            "indexes": [models.Index(fields=["breach", "id"], name="steps_of_data_breach")],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("customer__isnull", False)),
                    fields=("breach", "customer"),
                    name="a_person_is_told_once",
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="PrivacyNotice",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("language", models.CharField(max_length=10, verbose_name="language")),
            ("number", models.PositiveIntegerField()),
            ("text", models.TextField(verbose_name="text")),
            ("digest", models.CharField(max_length=64)),
            ("published_at", models.DateTimeField()),
            (
                "contract",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="privacy_notices", to="csp.contract"
                ),
            ),
            (
                "published_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
        ],
        options={
            "verbose_name": "privacy notice",
            "verbose_name_plural": "privacy notices",
            "constraints": [
                models.UniqueConstraint(fields=("contract", "language", "number"), name="one_privacy_notice_per_number")
            ],
        },
    ),
    migrations.CreateModel(
        name="NoticeSeen",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("ref", models.CharField(max_length=60)),
            ("at", models.DateTimeField()),
            (
                "notice",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="seen", to="csp.privacynotice"
                ),
            ),
        ],
        options={
            "verbose_name": "privacy notice seen",
            "verbose_name_plural": "privacy notices seen",
            "indexes": [models.Index(fields=["ref"], name="notice_seen_with")],
            "constraints": [
                models.UniqueConstraint(fields=("notice", "ref"), name="a_notice_is_seen_once_with_a_thing")
            ],
        },
    ),
    migrations.CreateModel(
        name="PrivacyTerms",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "part",
                models.CharField(
                    choices=[("controller", "Controller"), ("processor", "Processor"), ("joint", "Joint controller")],
                    default="controller",
                    max_length=10,
                    verbose_name="the company is",
                ),
            ),
            ("controller", models.CharField(blank=True, max_length=200, verbose_name="controller")),
            (
                "controller_mail",
                models.EmailField(blank=True, max_length=254, verbose_name="controller's mail address"),
            ),
            (
                "at_end",
                models.CharField(
                    blank=True,
                    choices=[
                        ("", "Not chosen yet"),
                        ("returned", "Returned to the controller"),
                        ("deleted", "Deleted"),
                    ],
                    default="",
                    max_length=10,
                    verbose_name="data at the contract's end",
                ),
            ),
            ("authority", models.CharField(blank=True, max_length=200, verbose_name="supervisory authority")),
            ("authority_url", models.URLField(blank=True, verbose_name="where it takes complaints")),
            ("country", models.CharField(blank=True, max_length=2, verbose_name="public holidays of")),
            ("subdivision", models.CharField(blank=True, max_length=10, verbose_name="part of the country")),
            (
                "days_off",
                django.contrib.postgres.fields.ArrayField(
                    base_field=models.DateField(), blank=True, default=list, size=None, verbose_name="further holidays"
                ),
            ),
            (
                "mask_patterns",
                django.contrib.postgres.fields.ArrayField(
                    base_field=models.CharField(max_length=40),
                    blank=True,
                    default=list,
                    size=None,
                    verbose_name="masked in texts",
                ),
            ),
            ("changed_at", models.DateTimeField()),
            (
                "changed_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "contract",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="privacy_terms", to="csp.contract"
                ),
            ),
        ],
        options={
            "verbose_name": "data protection terms",
            "verbose_name_plural": "data protection terms",
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        ("part", "controller"), models.Q(("controller_mail", ""), _negated=True), _connector="OR"
                    ),
                    name="a_controller_can_be_written_to",
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="Processing",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("name", models.CharField(max_length=200, verbose_name="activity")),
            ("purpose", models.TextField(verbose_name="purpose")),
            ("basis", models.CharField(max_length=300, verbose_name="legal basis")),
            ("people", models.CharField(max_length=300, verbose_name="whose data")),
            ("data", models.TextField(verbose_name="which data")),
            ("recipients", models.TextField(blank=True, verbose_name="who receives it")),
            ("transfers", models.TextField(blank=True, verbose_name="transfers to other countries")),
            ("kept_for", models.CharField(max_length=300, verbose_name="erased after")),
            ("safeguards", models.TextField(verbose_name="technical and organisational measures")),
            ("changed_at", models.DateTimeField()),
            ("ended_at", models.DateTimeField(blank=True, null=True)),
            (
                "changed_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "contract",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="processings", to="csp.contract"
                ),
            ),
        ],
        options={
            "verbose_name": "processing activity",
            "verbose_name_plural": "register of processing",
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("ended_at__isnull", True)),
                    fields=("contract", "name"),
                    name="one_processing_per_name",
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="Restriction",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "kind",
                models.CharField(
                    choices=[
                        ("cosign", "Answers wait for a co-signature"),
                        ("no_complaints", "No complaints"),
                        ("no_new_tickets", "No new tickets"),
                    ],
                    max_length=20,
                    verbose_name="restriction",
                ),
            ),
            ("clause", models.CharField(max_length=4, verbose_name="clause")),
            ("cause", models.CharField(max_length=40)),
            ("path", models.CharField(max_length=120)),
            ("starts_at", models.DateTimeField()),
            ("ends_at", models.DateTimeField(blank=True, null=True)),
            (
                "cosigner",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "imposed_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "user",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="restrictions",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
        ],
        options={
            "verbose_name": "restriction of a person's work",
            "verbose_name_plural": "restrictions of people's work",
            "indexes": [models.Index(fields=["user", "kind"], name="restriction_of_user")],
            "constraints": [
                models.UniqueConstraint(fields=("user", "kind", "cause"), name="one_restriction_of_a_kind_per_cause"),
                models.CheckConstraint(
                    condition=models.Q(
                        ("ends_at__isnull", True), ("ends_at__gte", models.F("starts_at")), _connector="OR"
                    ),
                    name="a_restriction_ends_after_it_began",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("cosigner__isnull", True),
                        models.Q(("kind", "cosign"), models.Q(("cosigner", models.F("user")), _negated=True)),
                        _connector="OR",
                    ),
                    name="a_cosigner_is_somebody_else",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Session",
        fields=[
            (
                "session_key",
                models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name="session key"),
            ),
            ("session_data", models.TextField(verbose_name="session data")),
            ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
            ("address", models.CharField(blank=True, max_length=45)),
            ("browser", models.CharField(blank=True, max_length=200)),
            ("started_at", models.DateTimeField(null=True)),
            ("seen_at", models.DateTimeField(null=True)),
            (
                "user",
                models.ForeignKey(
                    null=True,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="sessions",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
        ],
        options={"verbose_name": "session", "verbose_name_plural": "sessions"},
    ),
    migrations.CreateModel(
        name="Signature",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("side", models.CharField(choices=[("company", "Company"), ("party", "Party")], max_length=10)),
            ("signed_at", models.DateTimeField()),
            ("name", models.CharField(max_length=200)),
            ("digest", models.CharField(max_length=64)),
            (
                "signed_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "version",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="signatures", to="csp.version"
                ),
            ),
        ],
        options={
            "verbose_name": "signature",
            "verbose_name_plural": "signatures",
            "constraints": [models.UniqueConstraint(fields=("version", "side"), name="one_signature_per_side")],
        },
    ),
    migrations.CreateModel(
        name="Team",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("name", models.CharField(max_length=100, verbose_name="name")),
            ("is_active", models.BooleanField(default=True, verbose_name="active")),
            (
                "complex_above",
                models.PositiveIntegerField(blank=True, null=True, verbose_name="propose as complex above"),
            ),
            ("created_at", models.DateTimeField()),
            (
                "contract",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="teams", to="csp.contract"),
            ),
        ],
        options={
            "verbose_name": "team",
            "verbose_name_plural": "teams",
            "constraints": [models.UniqueConstraint(fields=("contract", "name"), name="one_team_per_name")],
        },
    ),
    migrations.CreateModel(
        name="ShiftPlan",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("week", models.JSONField(default=dict)),
            ("exceptions", models.JSONField(blank=True, default=dict)),
            ("country", models.CharField(blank=True, max_length=2)),
            ("subdivision", models.CharField(blank=True, max_length=10)),
            (
                "team",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="shift_plan", to="csp.team"
                ),
            ),
        ],
        options={"verbose_name": "shift plan", "verbose_name_plural": "shift plans"},
    ),
    migrations.CreateModel(
        name="RoleGrant",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "role",
                models.CharField(
                    choices=[
                        ("representative", "Representative"),
                        ("supervisor", "Supervisor"),
                        ("analyst", "Feedback analyst"),
                        ("auditor", "Auditor"),
                        ("administrator", "Administrator"),
                    ],
                    max_length=20,
                    verbose_name="role",
                ),
            ),
            ("starts_at", models.DateTimeField()),
            ("ends_at", models.DateTimeField(blank=True, null=True)),
            ("reason", models.CharField(blank=True, max_length=200)),
            (
                "contract",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="grants",
                    to="csp.contract",
                ),
            ),
            (
                "granted_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "user",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="grants", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "team",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="grants",
                    to="csp.team",
                ),
            ),
        ],
        options={
            "verbose_name": "role",
            "verbose_name_plural": "roles",
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("role__in", ["representative", "supervisor"]), ("team__isnull", False)),
                        models.Q(
                            ("contract__isnull", False), ("role__in", ["analyst", "auditor"]), ("team__isnull", True)
                        ),
                        models.Q(("role", "administrator"), ("team__isnull", True)),
                        _connector="OR",
                    ),
                    name="a_grant_names_what_it_reaches",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("ends_at__isnull", True), ("ends_at__gte", models.F("starts_at")), _connector="OR"
                    ),
                    name="a_grant_ends_after_it_began",
                ),
                models.UniqueConstraint(
                    condition=models.Q(("ends_at__isnull", True)),
                    fields=("user", "role", "team", "contract"),
                    name="one_open_grant_of_a_kind",
                    nulls_distinct=False,
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Hold",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "kind",
                models.CharField(
                    choices=[
                        ("ticket", "One ticket"),
                        ("customer", "All tickets of one customer"),
                        ("noncompliance", "One case of non-compliance, with the tickets in it"),
                    ],
                    max_length=20,
                    verbose_name="what is held",
                ),
            ),
            ("number", models.BigIntegerField()),
            ("reason", models.TextField(verbose_name="reason")),
            ("placed_at", models.DateTimeField()),
            ("lifted_at", models.DateTimeField(blank=True, null=True)),
            ("lifted_because", models.TextField(blank=True)),
            (
                "contract",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.contract"),
            ),
            (
                "lifted_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "placed_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "review",
                models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.deadline"),
            ),
            ("team", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.team")),
        ],
        options={
            "verbose_name": "hold",
            "verbose_name_plural": "holds",
            "indexes": [
                models.Index(
                    condition=models.Q(("lifted_at__isnull", True)), fields=["kind", "number"], name="hold_standing"
                )
            ],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("lifted_at__isnull", True), ("lifted_because", ""), ("lifted_by__isnull", True)),
                        models.Q(
                            ("lifted_at__isnull", False),
                            ("lifted_by__isnull", False),
                            models.Q(("lifted_because", ""), _negated=True),
                        ),
                        _connector="OR",
                    ),
                    name="a_hold_is_lifted_by_somebody_with_a_reason",
                ),
                models.CheckConstraint(condition=models.Q(("reason", ""), _negated=True), name="a_hold_has_a_reason"),
            ],
        },
    ),
    migrations.CreateModel(
        name="HistoricalShiftPlan",
        fields=[
            ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
            ("week", models.JSONField(default=dict)),
            ("exceptions", models.JSONField(blank=True, default=dict)),
            ("country", models.CharField(blank=True, max_length=2)),
            ("subdivision", models.CharField(blank=True, max_length=10)),
            ("history_id", models.AutoField(primary_key=True, serialize=False)),
            ("history_date", models.DateTimeField(db_index=True)),
            ("history_change_reason", models.CharField(max_length=100, null=True)),
            (
                "history_type",
                models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
            ),
            (
                "history_user",
                models.ForeignKey(
                    null=True,
                    on_delete=django.db.models.deletion.SET_NULL,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "team",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="csp.team",
                ),
            ),
        ],
        options={
            "verbose_name": "historical shift plan",
            "verbose_name_plural": "historical shift plans",
            "ordering": ("-history_date", "-history_id"),
            "get_latest_by": ("history_date", "history_id"),
        },
        bases=(simple_history.models.HistoricalChanges, models.Model),
    ),
    migrations.CreateModel(
        name="HistoricalMailbox",
        fields=[
            ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
            ("address", models.EmailField(max_length=254, verbose_name="address")),
            ("name", models.CharField(max_length=100, verbose_name="name that customers see")),
            ("is_active", models.BooleanField(default=True, verbose_name="active")),
            ("is_default", models.BooleanField(default=False, verbose_name="sends what no other mailbox sends")),
            ("takes_tags", models.BooleanField(default=False, verbose_name="mail to name+tag@ arrives here, too")),
            (
                "fetch",
                models.CharField(
                    choices=[
                        ("none", "Delivered to our own mail door"),
                        ("password", "IMAP with a password"),
                        ("xoauth2", "IMAP with an access token"),
                        ("renewed", "IMAP with a token that is renewed (OAuth)"),
                    ],
                    default="none",
                    max_length=10,
                    verbose_name="how mail arrives",
                ),
            ),
            ("host", models.CharField(blank=True, max_length=200, verbose_name="IMAP server")),
            ("port", models.PositiveIntegerField(blank=True, null=True, verbose_name="port")),
            (
                "security",
                models.CharField(
                    choices=[
                        ("tls", "TLS from the start (port 993)"),
                        ("starttls", "STARTTLS (port 143)"),
                        ("none", "Not encrypted (only on this machine)"),
                    ],
                    default="tls",
                    max_length=10,
                    verbose_name="encryption",
                ),
            ),
            ("username", models.CharField(blank=True, max_length=200, verbose_name="user name")),
            ("token_url", models.URLField(blank=True, max_length=500, verbose_name="address of the token server")),
            ("client_id", models.CharField(blank=True, max_length=200, verbose_name="client ID")),
            ("folder", models.CharField(default="INBOX", max_length=200, verbose_name="folder")),
            ("cut_over_at", models.DateTimeField(verbose_name="cut-over")),
            ("created_at", models.DateTimeField()),
            ("history_id", models.AutoField(primary_key=True, serialize=False)),
            ("history_date", models.DateTimeField(db_index=True)),
            ("history_change_reason", models.CharField(max_length=100, null=True)),
            (
                "history_type",
                models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
            ),
            (
                "history_user",
                models.ForeignKey(
                    null=True,
                    on_delete=django.db.models.deletion.SET_NULL,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "team",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="csp.team",
                    verbose_name="team",
                ),
            ),
        ],
        options={
            "verbose_name": "historical mailbox",
            "verbose_name_plural": "historical mailboxes",
            "ordering": ("-history_date", "-history_id"),
            "get_latest_by": ("history_date", "history_id"),
        },
        bases=(simple_history.models.HistoricalChanges, models.Model),
    ),
    migrations.CreateModel(
        name="HistoricalDataBreach",
        fields=[
            ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
            (
                "nature",
                models.CharField(
                    choices=[
                        ("confidentiality", "Somebody saw what they should not"),
                        ("integrity", "Data was altered"),
                        ("availability", "Data was lost or out of reach"),
                    ],
                    max_length=16,
                    verbose_name="nature",
                ),
            ),
            ("what", models.TextField(verbose_name="what happened")),
            ("data", models.CharField(blank=True, max_length=500, verbose_name="which data")),
            ("persons", models.PositiveIntegerField(blank=True, null=True, verbose_name="how many persons, about")),
            ("consequences", models.TextField(blank=True, verbose_name="likely consequences")),
            ("measures", models.TextField(blank=True, verbose_name="what is done about it")),
            ("aware_at", models.DateTimeField(verbose_name="aware since")),
            ("recorded_at", models.DateTimeField()),
            ("is_high_risk", models.BooleanField(blank=True, null=True, verbose_name="high risk for the persons")),
            (
                "decision",
                models.CharField(
                    blank=True,
                    choices=[
                        ("notified", "Authority notified"),
                        ("no_risk", "No risk to anybody, with reasons"),
                        ("forwarded", "Controller told"),
                    ],
                    max_length=10,
                    verbose_name="decision",
                ),
            ),
            ("reason", models.TextField(blank=True)),
            ("authority_ref", models.CharField(blank=True, max_length=100, verbose_name="the authority's reference")),
            ("decided_at", models.DateTimeField(blank=True, null=True)),
            ("closed_at", models.DateTimeField(blank=True, null=True)),
            ("history_id", models.AutoField(primary_key=True, serialize=False)),
            ("history_date", models.DateTimeField(db_index=True)),
            ("history_change_reason", models.CharField(max_length=100, null=True)),
            (
                "history_type",
                models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
            ),
            (
                "contract",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="csp.contract",
                ),
            ),
            (
                "decided_by",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "history_user",
                models.ForeignKey(
                    null=True,
                    on_delete=django.db.models.deletion.SET_NULL,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "notify",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="csp.deadline",
                ),
            ),
            (
                "recorded_by",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "team",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="csp.team",
                ),
            ),
        ],
        options={
            "verbose_name": "historical personal-data breach",
            "verbose_name_plural": "historical personal-data breaches",
            "ordering": ("-history_date", "-history_id"),
            "get_latest_by": ("history_date", "history_id"),
        },
        bases=(simple_history.models.HistoricalChanges, models.Model),
    ),
    migrations.CreateModel(
        name="Held",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("since", models.DateTimeField()),
            ("until", models.DateTimeField()),
            (
                "deadline",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="held", to="csp.deadline"),
            ),
            (
                "user",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            ("team", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.team")),
        ],
        options={
            "verbose_name": "time held",
            "verbose_name_plural": "times held",
            "indexes": [models.Index(fields=["deadline", "until"], name="held_of_deadline")],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(("until__gte", models.F("since"))), name="held_from_then_until_later"
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="TrailPending",
        fields=[
            (
                "entry",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT,
                    primary_key=True,
                    related_name="pending",
                    serialize=False,
                    to="csp.trailentry",
                ),
            )
        ],
        options={"verbose_name": "entry to be sealed", "verbose_name_plural": "entries to be sealed"},
    ),
]


class Migration(migrations.Migration):
    replaces = [
        ("csp", "0001_first"),
        ("csp", "0004_outbox_at_once"),
        ("csp", "0005_sessions"),
        ("csp", "0008_mailbox_tags"),
        ("csp", "0009_acts"),
        ("csp", "0010_restrictions"),
        ("csp", "0013_lost"),
        ("csp", "0014_found_at_once"),
        ("csp", "0015_notices_newest_first"),
        ("csp", "0017_board_indexes"),
        ("csp", "0018_feedback"),
        ("csp", "0019_found_by_index"),
        ("csp", "0020_links"),
        ("csp", "0021_training_notices"),
        ("csp", "0022_approvals"),
        ("csp", "0024_complexity"),
        ("csp", "0027_retention"),
        ("csp", "0029_review_notices"),
        ("csp", "0032_audit_notices"),
        ("csp", "0033_exercises"),
        ("csp", "0034_joined_customers"),
        ("csp", "0036_masking"),
        ("csp", "0037_api_tokens"),
        ("csp", "0038_renewed_tokens"),
    ]

    initial = True

    dependencies = []

    operations = [
        TrigramExtension(),  # comes with PostgreSQL; whoever owns the database may switch it on
        CreateModels(MODELS),
    ]
