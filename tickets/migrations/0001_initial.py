import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import simple_history.models
from django.conf import settings
from django.db import migrations, models

from csp.migrations._tables import CreateModels

MODELS = [
    migrations.CreateModel(
        name="LinkRequest",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("address", models.CharField(max_length=320)),
            ("language", models.CharField(blank=True, max_length=10)),
            ("asked_at", models.DateTimeField()),
        ],
        options={"verbose_name": "request for a link", "verbose_name_plural": "requests for links"},
    ),
    migrations.CreateModel(
        name="Category",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("name", models.CharField(max_length=100, verbose_name="name")),
            ("is_active", models.BooleanField(default=True, verbose_name="active")),
            (
                "contract",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="categories", to="csp.contract"
                ),
            ),
        ],
        options={
            "verbose_name": "category",
            "verbose_name_plural": "categories",
            "constraints": [models.UniqueConstraint(fields=("contract", "name"), name="one_category_per_name")],
        },
    ),
    migrations.CreateModel(
        name="AuthorityLimit",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "role",
                models.CharField(
                    choices=[("representative", "Representative"), ("supervisor", "Supervisor")],
                    max_length=20,
                    verbose_name="role",
                ),
            ),
            (
                "amount",
                models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True, verbose_name="amount"),
            ),
            ("set_at", models.DateTimeField()),
            ("ended_at", models.DateTimeField(blank=True, null=True)),
            (
                "contract",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="authority_limits", to="csp.contract"
                ),
            ),
            (
                "set_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "category",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="authority_limits",
                    to="tickets.category",
                ),
            ),
        ],
        options={
            "verbose_name": "authority limit",
            "verbose_name_plural": "authority limits",
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("ended_at__isnull", True)),
                    fields=("contract", "category", "role"),
                    name="one_authority_limit_in_force",
                    nulls_distinct=False,
                ),
                models.CheckConstraint(
                    condition=models.Q(("amount__isnull", True), ("amount__gte", 0), _connector="OR"),
                    name="an_authority_limit_is_not_negative",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("ended_at__isnull", True), ("ended_at__gte", models.F("set_at")), _connector="OR"
                    ),
                    name="an_authority_limit_ends_later",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Checklist",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("received_at", models.DateTimeField()),
            ("began_at", models.DateTimeField()),
            ("ended_at", models.DateTimeField(blank=True, null=True)),
            (
                "progress",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="csp.deadline",
                ),
            ),
            (
                "resolve",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="csp.deadline",
                ),
            ),
            (
                "version",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="checklists",
                    to="tickets.procedureversion",
                ),
            ),
            (
                "ticket",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="checklists", to="tickets.ticket"
                ),
            ),
        ],
        options={
            "verbose_name": "checklist of a complaint",
            "verbose_name_plural": "checklists of complaints",
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("ended_at__isnull", True)), fields=("ticket",), name="one_checklist_per_ticket"
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="ChecklistStep",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("position", models.PositiveSmallIntegerField()),
            ("title", models.CharField(max_length=200)),
            ("clause", models.CharField(blank=True, max_length=4)),
            ("asked", models.JSONField(blank=True, default=list)),
            ("values", models.JSONField(blank=True, default=dict)),
            ("done_at", models.DateTimeField(blank=True, null=True)),
            ("waive_reason", models.CharField(blank=True, max_length=500)),
            ("asked_at", models.DateTimeField(blank=True, null=True)),
            ("waived_at", models.DateTimeField(blank=True, null=True)),
            (
                "asked_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "checklist",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="steps", to="tickets.checklist"
                ),
            ),
            (
                "done_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "waived_by",
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
            "verbose_name": "step of a complaint",
            "verbose_name_plural": "steps of complaints",
            "indexes": [
                models.Index(
                    condition=models.Q(("asked_at__isnull", False), ("waived_at__isnull", True)),
                    fields=["asked_at"],
                    name="step_to_waive",
                ),
                models.Index(
                    condition=models.Q(("waived_at__isnull", False)), fields=["waived_at"], name="step_waived"
                ),
            ],
            "constraints": [
                models.UniqueConstraint(fields=("checklist", "position"), name="one_step_per_position"),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("done_at__isnull", True), ("done_by__isnull", True)),
                        models.Q(("done_at__isnull", False), ("done_by__isnull", False), ("waived_at__isnull", True)),
                        _connector="OR",
                    ),
                    name="a_step_is_done_by_somebody_or_waived",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("asked_at__isnull", True), ("asked_by__isnull", True), ("waived_at__isnull", True)),
                        models.Q(("asked_at__isnull", False), ("asked_by__isnull", False)),
                        _connector="OR",
                    ),
                    name="a_waiver_is_asked_for",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("waived_at__isnull", True), ("waived_by__isnull", True)),
                        models.Q(
                            ("waived_at__isnull", False),
                            ("waived_by__isnull", False),
                            models.Q(("waived_by", models.F("asked_by")), _negated=True),
                        ),
                        _connector="OR",
                    ),
                    name="nobody_approves_an_own_waiver",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="CoSignature",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("body", models.TextField()),
            (
                "cc",
                django.contrib.postgres.fields.ArrayField(
                    base_field=models.CharField(max_length=320), blank=True, default=list, size=None
                ),
            ),
            ("seen", models.JSONField(default=list)),
            ("then", models.CharField(max_length=10)),
            ("written_at", models.DateTimeField()),
            (
                "state",
                models.CharField(
                    choices=[
                        ("waiting", "Waiting"),
                        ("signed", "Signed and sent"),
                        ("returned", "Handed back"),
                        ("withdrawn", "Taken back by its author"),
                    ],
                    default="waiting",
                    max_length=10,
                    verbose_name="state",
                ),
            ),
            ("decided_at", models.DateTimeField(blank=True, null=True)),
            ("note", models.TextField(blank=True)),
            (
                "author",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
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
                "restriction",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.restriction"),
            ),
            (
                "interaction",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="cosignature",
                    to="tickets.interaction",
                ),
            ),
            (
                "ticket",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="cosignatures", to="tickets.ticket"
                ),
            ),
        ],
        options={
            "verbose_name": "answer waiting for a co-signature",
            "verbose_name_plural": "answers waiting for a co-signature",
            "indexes": [
                models.Index(condition=models.Q(("state", "waiting")), fields=["ticket"], name="cosignature_waiting")
            ],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("state", "waiting")),
                    fields=("ticket", "author"),
                    name="one_answer_waits_per_author",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("decided_at__isnull", True), ("decided_by__isnull", True), ("state", "waiting")),
                        models.Q(
                            models.Q(("state", "waiting"), _negated=True),
                            ("decided_at__isnull", False),
                            ("decided_by__isnull", False),
                        ),
                        _connector="OR",
                    ),
                    name="a_cosignature_is_decided_by_somebody",
                ),
                models.CheckConstraint(
                    condition=models.Q(("interaction__isnull", True), ("state", "signed"), _connector="XOR"),
                    name="what_is_signed_was_sent",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("state", "signed"), _negated=True),
                        models.Q(("decided_by", models.F("author")), _negated=True),
                        _connector="OR",
                    ),
                    name="nobody_signs_an_own_answer",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="CoSignatureFile",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("name", models.CharField(max_length=255)),
            ("content_type", models.CharField(max_length=120)),
            ("declared_type", models.CharField(blank=True, max_length=120)),
            ("blob", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.blob")),
            (
                "cosignature",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="files", to="tickets.cosignature"
                ),
            ),
        ],
        options={"verbose_name": "file of a waiting answer", "verbose_name_plural": "files of waiting answers"},
    ),
    migrations.CreateModel(
        name="Escalation",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "origin",
                models.CharField(
                    choices=[
                        ("person", "By a person"),
                        ("breach", "By the product, a promise was broken"),
                        ("precaution", "By the product, as a precaution"),
                    ],
                    max_length=10,
                ),
            ),
            ("reason", models.CharField(max_length=500, verbose_name="reason")),
            ("authority_needed", models.CharField(blank=True, max_length=200, verbose_name="authority needed")),
            ("raised_at", models.DateTimeField()),
            ("accepted_at", models.DateTimeField(blank=True, null=True)),
            ("next_rung_at", models.DateTimeField(blank=True, null=True)),
            ("closed_at", models.DateTimeField(blank=True, null=True)),
            (
                "outcome",
                models.CharField(
                    blank=True,
                    choices=[("decided", "Decided"), ("returned", "Handed back"), ("closed", "Ended with the ticket")],
                    max_length=10,
                ),
            ),
            (
                "decision",
                models.CharField(
                    blank=True,
                    choices=[
                        ("approve", "Approved"),
                        ("reject", "Rejected"),
                        ("instruct", "Instructed"),
                        ("take_over", "Taken over"),
                    ],
                    max_length=10,
                ),
            ),
            ("outcome_note", models.TextField(blank=True)),
            (
                "accepted_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "closed_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "from_user",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "raised_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "take_up",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="csp.deadline",
                ),
            ),
            (
                "team",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="escalations", to="csp.team"
                ),
            ),
            (
                "to_user",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "ticket",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="escalations", to="tickets.ticket"
                ),
            ),
        ],
        options={
            "verbose_name": "escalation",
            "verbose_name_plural": "escalations",
            "indexes": [
                models.Index(
                    condition=models.Q(("closed_at__isnull", True)),
                    fields=["team", "raised_at"],
                    name="escalation_open",
                ),
                models.Index(
                    condition=models.Q(("next_rung_at__isnull", False)),
                    fields=["next_rung_at"],
                    name="escalation_next_rung",
                ),
                models.Index(
                    condition=models.Q(("closed_at__isnull", False)),
                    fields=["team", "-closed_at"],
                    name="escalation_done",
                ),
            ],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("closed_at__isnull", True)),
                    fields=("ticket",),
                    name="one_open_escalation_per_ticket",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("closed_at__isnull", True), ("decision", ""), ("outcome", "")),
                        models.Q(("closed_at__isnull", False), models.Q(("outcome", ""), _negated=True)),
                        _connector="OR",
                    ),
                    name="a_closed_escalation_has_an_outcome",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("accepted_at__isnull", True), ("accepted_by__isnull", True)),
                        models.Q(("accepted_at__isnull", False), ("accepted_by__isnull", False)),
                        _connector="OR",
                    ),
                    name="accepted_says_by_whom",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="EscalationCause",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("added_at", models.DateTimeField()),
            (
                "breach",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="escalation_cause", to="csp.breach"
                ),
            ),
            (
                "escalation",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="causes", to="tickets.escalation"
                ),
            ),
        ],
        options={"verbose_name": "cause of an escalation", "verbose_name_plural": "causes of escalations"},
    ),
    migrations.CreateModel(
        name="EscalationRung",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("number", models.PositiveSmallIntegerField()),
            ("told_at", models.DateTimeField()),
            (
                "escalation",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="rungs", to="tickets.escalation"
                ),
            ),
            (
                "told",
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
            "verbose_name": "rung of an escalation",
            "verbose_name_plural": "rungs of escalations",
            "constraints": [models.UniqueConstraint(fields=("escalation", "number"), name="one_escalation_per_rung")],
        },
    ),
    migrations.CreateModel(
        name="HistoricalCannedReply",
        fields=[
            ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
            ("title", models.CharField(max_length=100, verbose_name="title")),
            ("language", models.CharField(default="en-gb", max_length=10, verbose_name="language")),
            ("body", models.TextField(verbose_name="text")),
            ("written_at", models.DateTimeField()),
            ("approved_at", models.DateTimeField(blank=True, null=True)),
            ("is_active", models.BooleanField(default=True, verbose_name="active")),
            ("history_id", models.AutoField(primary_key=True, serialize=False)),
            ("history_date", models.DateTimeField(db_index=True)),
            ("history_change_reason", models.CharField(max_length=100, null=True)),
            (
                "history_type",
                models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
            ),
            (
                "approved_by",
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
            (
                "written_by",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
        ],
        options={
            "verbose_name": "historical canned reply",
            "verbose_name_plural": "historical canned replies",
            "ordering": ("-history_date", "-history_id"),
            "get_latest_by": ("history_date", "history_id"),
        },
        bases=(simple_history.models.HistoricalChanges, models.Model),
    ),
    migrations.CreateModel(
        name="HistoricalCategory",
        fields=[
            ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
            ("name", models.CharField(max_length=100, verbose_name="name")),
            ("is_active", models.BooleanField(default=True, verbose_name="active")),
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
            "verbose_name": "historical category",
            "verbose_name_plural": "historical categories",
            "ordering": ("-history_date", "-history_id"),
            "get_latest_by": ("history_date", "history_id"),
        },
        bases=(simple_history.models.HistoricalChanges, models.Model),
    ),
    migrations.CreateModel(
        name="HistoricalMailText",
        fields=[
            ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
            (
                "kind",
                models.CharField(
                    choices=[
                        ("acknowledgement", "Acknowledgement"),
                        ("acknowledgement_late", "Acknowledgement after the promised time"),
                        ("acknowledgements", "Acknowledgement of several messages"),
                        ("survey", "Survey after a resolved matter"),
                    ],
                    max_length=20,
                ),
            ),
            ("language", models.CharField(max_length=10, verbose_name="language")),
            ("subject", models.CharField(max_length=200, verbose_name="subject")),
            ("body", models.TextField(verbose_name="text")),
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
            "verbose_name": "historical text",
            "verbose_name_plural": "historical texts",
            "ordering": ("-history_date", "-history_id"),
            "get_latest_by": ("history_date", "history_id"),
        },
        bases=(simple_history.models.HistoricalChanges, models.Model),
    ),
    migrations.CreateModel(
        name="HistoricalSenderRule",
        fields=[
            ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
            ("pattern", models.CharField(max_length=320, verbose_name="address or domain")),
            (
                "verdict",
                models.CharField(choices=[("allow", "Let in"), ("block", "Put among the unsorted")], max_length=5),
            ),
            ("reason", models.CharField(max_length=300, verbose_name="reason")),
            ("created_at", models.DateTimeField()),
            ("is_active", models.BooleanField(default=True)),
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
                "created_by",
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
        ],
        options={
            "verbose_name": "historical rule for a sender",
            "verbose_name_plural": "historical rules for senders",
            "ordering": ("-history_date", "-history_id"),
            "get_latest_by": ("history_date", "history_id"),
        },
        bases=(simple_history.models.HistoricalChanges, models.Model),
    ),
    migrations.CreateModel(
        name="InboundMessage",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "door",
                models.CharField(
                    choices=[
                        ("imap", "Fetched from a mailbox"),
                        ("smtp", "Delivered to the mail door"),
                        ("command", "Given on the command line"),
                        ("form", "Contact form"),
                    ],
                    max_length=10,
                ),
            ),
            ("uid_validity", models.BigIntegerField(blank=True, null=True)),
            ("uid", models.BigIntegerField(blank=True, null=True)),
            ("envelope_from", models.CharField(blank=True, max_length=320)),
            ("envelope_to", models.CharField(blank=True, max_length=320)),
            ("sha256", models.BinaryField(max_length=32, unique=True)),
            ("size", models.PositiveBigIntegerField()),
            ("landed_at", models.DateTimeField()),
            ("accepted_at", models.DateTimeField(blank=True, null=True)),
            ("internal_date", models.DateTimeField(blank=True, null=True)),
            ("hop_at", models.DateTimeField(blank=True, null=True)),
            ("received_at", models.DateTimeField()),
            ("gap", models.DurationField(blank=True, null=True)),
            (
                "state",
                models.CharField(
                    choices=[
                        ("landed", "Not yet read"),
                        ("opened", "Opened a ticket"),
                        ("threaded", "Joined a ticket"),
                        ("duplicate", "A copy of an earlier one"),
                        ("unsorted", "Waits for a ruling"),
                        ("spam", "Ruled spam"),
                        ("parked", "Could not be read; parked in a ticket"),
                        ("ignored", "Automatic; kept, nothing owed"),
                        ("imported", "From before the cut-over"),
                    ],
                    default="landed",
                    max_length=10,
                ),
            ),
            ("reason", models.CharField(blank=True, max_length=300)),
            ("attempts", models.PositiveSmallIntegerField(default=0)),
            ("next_attempt_at", models.DateTimeField()),
            ("read_at", models.DateTimeField(blank=True, null=True)),
            ("message_id", models.CharField(blank=True, max_length=998)),
            ("content_key", models.BinaryField(blank=True, max_length=32, null=True)),
            ("sender_address", models.CharField(blank=True, max_length=320)),
            ("sender_name", models.CharField(blank=True, max_length=300)),
            ("subject", models.CharField(blank=True, max_length=998)),
            ("excerpt", models.CharField(blank=True, max_length=300)),
            ("flags", models.JSONField(blank=True, default=list)),
            (
                "blob",
                models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.blob"),
            ),
            (
                "duplicate_of",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="copies",
                    to="tickets.inboundmessage",
                ),
            ),
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
            (
                "ticket",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="sources",
                    to="tickets.ticket",
                ),
            ),
        ],
        options={
            "verbose_name": "incoming message",
            "verbose_name_plural": "incoming messages",
            "indexes": [
                models.Index(
                    condition=models.Q(("state", "landed")), fields=["next_attempt_at"], name="inbound_to_read"
                ),
                models.Index(
                    condition=models.Q(("state", "unsorted")), fields=["received_at"], name="inbound_unsorted"
                ),
                models.Index(
                    condition=models.Q(("message_id", ""), _negated=True),
                    fields=["message_id"],
                    name="inbound_message_id",
                ),
                models.Index(fields=["sender_address", "received_at"], name="inbound_of_sender"),
            ],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("uid__isnull", False)),
                    fields=("mailbox", "uid_validity", "uid"),
                    name="fetched_once",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("state__in", ["opened", "threaded", "parked", "imported"]), _negated=True),
                        ("ticket__isnull", False),
                        _connector="OR",
                    ),
                    name="what_was_taken_in_stands_in_a_ticket",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Interaction",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "kind",
                models.CharField(
                    choices=[
                        ("mail", "E-mail"),
                        ("form", "Contact form"),
                        ("call", "Call"),
                        ("letter", "Letter"),
                        ("visit", "Visit"),
                        ("note", "Note"),
                    ],
                    max_length=10,
                ),
            ),
            (
                "direction",
                models.CharField(
                    choices=[("in", "From the customer"), ("out", "To the customer"), ("internal", "Internal")],
                    max_length=10,
                ),
            ),
            (
                "purpose",
                models.CharField(
                    blank=True,
                    choices=[
                        ("", "None"),
                        ("acknowledgement", "Automatic acknowledgement"),
                        ("answer", "Answers the customer"),
                        ("holding", "Holding message"),
                        ("automatic", "Automatic message"),
                    ],
                    default="",
                    max_length=20,
                ),
            ),
            ("sender_name", models.CharField(blank=True, max_length=300)),
            ("sender_address", models.CharField(blank=True, max_length=320)),
            (
                "to",
                django.contrib.postgres.fields.ArrayField(
                    base_field=models.CharField(max_length=320), blank=True, default=list, size=None
                ),
            ),
            (
                "cc",
                django.contrib.postgres.fields.ArrayField(
                    base_field=models.CharField(max_length=320), blank=True, default=list, size=None
                ),
            ),
            ("subject", models.CharField(blank=True, max_length=998)),
            ("body", models.TextField(blank=True)),
            ("html", models.TextField(blank=True)),
            ("message_id", models.CharField(blank=True, max_length=998)),
            ("occurred_at", models.DateTimeField()),
            ("recorded_at", models.DateTimeField()),
            ("duration", models.DurationField(blank=True, null=True)),
            (
                "search",
                models.GeneratedField(
                    db_persist=True,
                    expression=django.contrib.postgres.search.SearchVector(
                        django.db.models.functions.text.Left("body", 100000), config="simple"
                    ),
                    output_field=django.contrib.postgres.search.SearchVectorField(),
                ),
            ),
            ("seen_through", models.BigIntegerField(default=0)),
            (
                "author",
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
                "follow_up",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="csp.deadline",
                ),
            ),
            (
                "inbound",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="interaction",
                    to="tickets.inboundmessage",
                ),
            ),
            (
                "ticket",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="interactions", to="tickets.ticket"
                ),
            ),
        ],
        options={
            "verbose_name": "interaction",
            "verbose_name_plural": "interactions",
            "indexes": [
                models.Index(fields=["ticket", "id"], name="interaction_of_ticket"),
                models.Index(
                    condition=models.Q(("message_id", ""), _negated=True),
                    fields=["message_id"],
                    name="interaction_message_id",
                ),
                django.contrib.postgres.indexes.GinIndex(fields=["search"], name="interaction_search"),
            ],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("kind", "note"), _negated=True), ("direction", "internal"), _connector="OR"
                    ),
                    name="a_note_stays_inside",
                ),
                models.CheckConstraint(
                    condition=models.Q(("direction", "out"), ("purpose__in", ["", "automatic"]), _connector="OR"),
                    name="only_what_goes_out_has_a_purpose",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Delivery",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("settled_at", models.DateTimeField(blank=True, null=True)),
            ("bounced_at", models.DateTimeField(blank=True, null=True)),
            ("bounce_status", models.CharField(blank=True, max_length=100)),
            (
                "message",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.outboundmessage"
                ),
            ),
            (
                "interaction",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="delivery", to="tickets.interaction"
                ),
            ),
        ],
        options={
            "verbose_name": "delivery",
            "verbose_name_plural": "deliveries",
            "indexes": [
                models.Index(
                    condition=models.Q(("settled_at__isnull", True)), fields=["message"], name="delivery_unsettled"
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="ContactRecord",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "reason",
                models.CharField(
                    blank=True,
                    choices=[
                        ("nothing_said", "Nothing was said"),
                        ("not_wanted", "The customer did not want it on record"),
                        ("failed", "The recording failed"),
                        ("lost", "The paper is not there any more"),
                    ],
                    max_length=20,
                ),
            ),
            ("note", models.CharField(blank=True, max_length=300)),
            ("ended_at", models.DateTimeField(blank=True, null=True)),
            (
                "clock",
                models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.deadline"),
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
                "interaction",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="contact_record", to="tickets.interaction"
                ),
            ),
            (
                "kept_in",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="tickets.interaction",
                ),
            ),
        ],
        options={
            "verbose_name": "record of a contact",
            "verbose_name_plural": "records of contacts",
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("ended_at__isnull", True),
                            ("ended_by__isnull", True),
                            ("kept_in__isnull", True),
                            ("reason", ""),
                        ),
                        models.Q(
                            ("ended_at__isnull", False),
                            ("ended_by__isnull", False),
                            models.Q(
                                models.Q(("kept_in__isnull", False), ("reason", "")),
                                models.Q(("kept_in__isnull", True), models.Q(("reason", ""), _negated=True)),
                                _connector="OR",
                            ),
                        ),
                        _connector="OR",
                    ),
                    name="a_record_is_kept_or_says_why_not",
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="Call",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("number", models.CharField(blank=True, max_length=40, verbose_name="telephone number")),
            ("ended_at", models.DateTimeField()),
            ("is_answered", models.BooleanField(verbose_name="answered")),
            ("answers_customer", models.BooleanField(verbose_name="answers the customer")),
            ("is_typed_late", models.BooleanField(default=False)),
            (
                "recording_basis",
                models.CharField(
                    blank=True,
                    choices=[
                        ("", "Not recorded"),
                        ("consent", "Recorded: the customer agreed"),
                        ("contract", "Recorded: the contract needs it"),
                        ("law", "Recorded: the law asks for it"),
                    ],
                    max_length=10,
                    verbose_name="recording",
                ),
            ),
            ("is_announced", models.BooleanField(default=False, verbose_name="announced at the start")),
            ("recording_ref", models.CharField(blank=True, max_length=100, verbose_name="where the recording is")),
            ("ruled_at", models.DateTimeField(blank=True, null=True)),
            ("is_confirmed", models.BooleanField(blank=True, null=True)),
            ("ruling_reason", models.CharField(blank=True, max_length=300)),
            (
                "ruled_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "interaction",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="call", to="tickets.interaction"
                ),
            ),
        ],
        options={
            "verbose_name": "call",
            "verbose_name_plural": "calls",
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("is_confirmed__isnull", True), ("ruled_at__isnull", True), ("ruled_by__isnull", True)
                        ),
                        models.Q(
                            ("is_confirmed__isnull", False),
                            ("is_typed_late", True),
                            ("ruled_at__isnull", False),
                            ("ruled_by__isnull", False),
                        ),
                        _connector="OR",
                    ),
                    name="a_late_call_is_ruled_with_all_its_parts",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("recording_basis", ""), ("recording_ref", "")),
                        models.Q(models.Q(("recording_basis", ""), _negated=True), ("is_announced", True)),
                        _connector="OR",
                    ),
                    name="what_is_recorded_was_announced",
                ),
                models.CheckConstraint(
                    condition=models.Q(("is_answered", True), ("answers_customer", False), _connector="OR"),
                    name="only_an_answered_call_answers",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Attachment",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("name", models.CharField(max_length=255)),
            ("content_type", models.CharField(max_length=120)),
            ("declared_type", models.CharField(blank=True, max_length=120)),
            ("content_id", models.CharField(blank=True, max_length=255)),
            ("size", models.PositiveBigIntegerField()),
            ("blob", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.blob")),
            (
                "interaction",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="attachments", to="tickets.interaction"
                ),
            ),
        ],
        options={
            "verbose_name": "attachment",
            "verbose_name_plural": "attachments",
            "indexes": [models.Index(fields=["interaction"], name="attachment_of_interaction")],
        },
    ),
    migrations.CreateModel(
        name="MailText",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "kind",
                models.CharField(
                    choices=[
                        ("acknowledgement", "Acknowledgement"),
                        ("acknowledgement_late", "Acknowledgement after the promised time"),
                        ("acknowledgements", "Acknowledgement of several messages"),
                        ("survey", "Survey after a resolved matter"),
                    ],
                    max_length=20,
                ),
            ),
            ("language", models.CharField(max_length=10, verbose_name="language")),
            ("subject", models.CharField(max_length=200, verbose_name="subject")),
            ("body", models.TextField(verbose_name="text")),
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
        ],
        options={
            "verbose_name": "text",
            "verbose_name_plural": "texts",
            "constraints": [models.UniqueConstraint(fields=("kind", "language"), name="one_text_per_language")],
        },
    ),
    migrations.CreateModel(
        name="Procedure",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("created_at", models.DateTimeField()),
            (
                "category",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="procedures",
                    to="tickets.category",
                ),
            ),
            (
                "contract",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="procedures", to="csp.contract"
                ),
            ),
        ],
        options={
            "verbose_name": "procedure",
            "verbose_name_plural": "procedures",
            "constraints": [
                models.UniqueConstraint(
                    fields=("contract", "category"), name="one_procedure_per_category", nulls_distinct=False
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="ProcedureVersion",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("number", models.PositiveIntegerField()),
            ("title", models.CharField(max_length=200, verbose_name="title")),
            ("text", models.TextField(verbose_name="steps")),
            (
                "resolve_days",
                models.PositiveSmallIntegerField(
                    validators=[
                        django.core.validators.MinValueValidator(1),
                        django.core.validators.MaxValueValidator(90),
                    ],
                    verbose_name="days to resolve",
                ),
            ),
            (
                "progress_days",
                models.PositiveSmallIntegerField(
                    validators=[
                        django.core.validators.MinValueValidator(1),
                        django.core.validators.MaxValueValidator(30),
                    ],
                    verbose_name="days between progress notes",
                ),
            ),
            ("reason", models.CharField(blank=True, max_length=500, verbose_name="what changes, and why")),
            ("drafted_at", models.DateTimeField()),
            ("published_at", models.DateTimeField(blank=True, null=True)),
            (
                "drafted_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "procedure",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="versions", to="tickets.procedure"
                ),
            ),
            (
                "published_by",
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
            "verbose_name": "version of a procedure",
            "verbose_name_plural": "versions of procedures",
            "constraints": [
                models.UniqueConstraint(fields=("procedure", "number"), name="one_procedure_version_per_number"),
                models.UniqueConstraint(
                    condition=models.Q(("published_at__isnull", True)),
                    fields=("procedure",),
                    name="one_draft_per_procedure",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("published_at__isnull", True), ("published_by__isnull", True)),
                        models.Q(("published_at__isnull", False), ("published_by__isnull", False)),
                        models.Q(("number", 0), ("published_at__isnull", False)),
                        _connector="OR",
                    ),
                    name="a_procedure_is_published_by_somebody",
                ),
                models.CheckConstraint(
                    condition=models.Q(("progress_days__gte", 1), ("resolve_days__gte", 1)),
                    name="a_procedure_leaves_a_day_at_least",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Resolution",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "cause",
                models.CharField(
                    blank=True,
                    choices=[
                        ("product", "Product or part"),
                        ("delivery", "Delivery"),
                        ("work", "Installation or repair"),
                        ("invoice", "Invoice or payment"),
                        ("information", "Wrong or missing information"),
                        ("conduct", "Conduct of a person"),
                        ("process", "Our way of working"),
                        ("system", "Software or telephone"),
                        ("third_party", "Somebody else's failure"),
                        ("unfounded", "Nothing was wrong"),
                        ("unknown", "Could not be found out"),
                    ],
                    max_length=20,
                    verbose_name="root cause",
                ),
            ),
            ("cause_note", models.TextField(blank=True, verbose_name="what caused it")),
            (
                "kind",
                models.CharField(
                    blank=True,
                    choices=[
                        ("corrected", "Corrected"),
                        ("replaced", "Replaced"),
                        ("repaired", "Repaired"),
                        ("money_back", "Money back"),
                        ("goodwill", "Goodwill payment"),
                        ("explained", "Explained"),
                        ("apology", "Apology"),
                        ("refused", "Refused with reasons"),
                        ("withdrawn", "Withdrawn by the customer"),
                    ],
                    max_length=20,
                    verbose_name="kind of resolution",
                ),
            ),
            ("text", models.TextField(blank=True, verbose_name="resolution")),
            (
                "amount",
                models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True, verbose_name="amount"),
            ),
            ("above", models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True)),
            ("recorded_at", models.DateTimeField()),
            ("resolved_at", models.DateTimeField(blank=True, null=True)),
            (
                "acceptance",
                models.CharField(
                    blank=True,
                    choices=[("yes", "Accepted"), ("no", "Not accepted"), ("no_answer", "No answer")],
                    max_length=10,
                    verbose_name="customer's answer",
                ),
            ),
            ("answered_at", models.DateTimeField(blank=True, null=True)),
            ("undone_at", models.DateTimeField(blank=True, null=True)),
            (
                "amount_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "answer_by",
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
                "resolved_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "undone_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="tickets.interaction",
                ),
            ),
            (
                "ticket",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="resolutions", to="tickets.ticket"
                ),
            ),
        ],
        options={
            "verbose_name": "resolution",
            "verbose_name_plural": "resolutions",
            "indexes": [models.Index(fields=["ticket", "id"], name="resolution_of_ticket")],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("undone_at__isnull", True)),
                    fields=("ticket",),
                    name="one_resolution_in_force_per_ticket",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("acceptance", ""), ("answered_at__isnull", True)),
                        models.Q(models.Q(("acceptance", ""), _negated=True), ("answered_at__isnull", False)),
                        _connector="OR",
                    ),
                    name="an_answer_to_a_resolution_is_dated",
                ),
                models.CheckConstraint(
                    condition=models.Q(("undone_at__isnull", True), ("resolved_at__isnull", False), _connector="OR"),
                    name="only_what_resolved_is_undone",
                ),
                models.CheckConstraint(
                    condition=models.Q(("amount__isnull", True), ("amount__gte", 0), _connector="OR"),
                    name="an_amount_is_not_negative",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Approval",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("amount", models.DecimalField(decimal_places=2, max_digits=12, verbose_name="amount")),
            ("limit", models.DecimalField(decimal_places=2, max_digits=12, verbose_name="limit")),
            ("asked_at", models.DateTimeField()),
            (
                "decision",
                models.CharField(
                    blank=True,
                    choices=[("agreed", "Approved"), ("refused", "Not approved"), ("dropped", "No longer needed")],
                    max_length=10,
                    verbose_name="decision",
                ),
            ),
            ("decided_at", models.DateTimeField(blank=True, null=True)),
            ("reason", models.TextField(blank=True, verbose_name="reason")),
            (
                "asked_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
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
                "resolution",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="approvals", to="tickets.resolution"
                ),
            ),
        ],
        options={
            "verbose_name": "approval",
            "verbose_name_plural": "approvals",
            "indexes": [models.Index(fields=["resolution", "id"], name="approval_of_resolution")],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("decided_at__isnull", True)),
                    fields=("resolution",),
                    name="one_approval_waits_per_resolution",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("decided_at__isnull", True), ("decided_by__isnull", True), ("decision", "")),
                        models.Q(
                            models.Q(("decision", ""), _negated=True),
                            ("decided_at__isnull", False),
                            ("decided_by__isnull", False),
                        ),
                        _connector="OR",
                    ),
                    name="an_approval_is_decided_by_somebody",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("decision", "agreed"), _negated=True),
                        models.Q(("decided_by", models.F("asked_by")), _negated=True),
                        _connector="OR",
                    ),
                    name="nobody_approves_an_own_amount",
                ),
                models.CheckConstraint(
                    condition=models.Q(("amount__gt", models.F("limit"))), name="only_more_than_the_limit_is_approved"
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Ruling",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("verdict", models.CharField(choices=[("genuine", "Genuine"), ("spam", "Spam")], max_length=10)),
            ("reason", models.CharField(max_length=300)),
            ("ruled_at", models.DateTimeField()),
            ("undone_at", models.DateTimeField(blank=True, null=True)),
            ("is_sampled", models.BooleanField(default=False)),
            ("reviewed_at", models.DateTimeField(blank=True, null=True)),
            ("review_agrees", models.BooleanField(blank=True, null=True)),
            (
                "inbound",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="rulings", to="tickets.inboundmessage"
                ),
            ),
            (
                "reviewed_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "ruled_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "undone_by",
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
            "verbose_name": "ruling",
            "verbose_name_plural": "rulings",
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("undone_at__isnull", True)), fields=("inbound",), name="one_standing_ruling"
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("reviewed_by__isnull", True),
                        models.Q(("reviewed_by", models.F("ruled_by")), _negated=True),
                        _connector="OR",
                    ),
                    name="nobody_reviews_an_own_ruling",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="SenderRule",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("pattern", models.CharField(max_length=320, verbose_name="address or domain")),
            (
                "verdict",
                models.CharField(choices=[("allow", "Let in"), ("block", "Put among the unsorted")], max_length=5),
            ),
            ("reason", models.CharField(max_length=300, verbose_name="reason")),
            ("created_at", models.DateTimeField()),
            ("is_active", models.BooleanField(default=True)),
            (
                "contract",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.contract"),
            ),
            (
                "created_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
        ],
        options={
            "verbose_name": "rule for a sender",
            "verbose_name_plural": "rules for senders",
            "constraints": [
                models.UniqueConstraint(
                    models.F("contract"),
                    django.db.models.functions.text.Lower("pattern"),
                    condition=models.Q(("is_active", True)),
                    name="one_rule_per_sender",
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="Ticket",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("subject", models.CharField(max_length=300, verbose_name="subject")),
            (
                "kind",
                models.CharField(
                    choices=[
                        ("untyped", "Not yet typed"),
                        ("inquiry", "Inquiry"),
                        ("complaint", "Complaint"),
                        ("request", "Request"),
                        ("feedback", "Feedback"),
                    ],
                    default="untyped",
                    max_length=10,
                    verbose_name="kind",
                ),
            ),
            (
                "priority",
                models.PositiveSmallIntegerField(
                    choices=[(1, "Low"), (2, "Normal"), (3, "High"), (4, "Urgent")], default=2, verbose_name="priority"
                ),
            ),
            (
                "channel",
                models.CharField(
                    choices=[
                        ("mail", "E-mail"),
                        ("form", "Contact form"),
                        ("phone", "Telephone"),
                        ("letter", "Letter"),
                        ("visit", "Visit"),
                        ("staff", "Opened by staff"),
                    ],
                    max_length=10,
                    verbose_name="channel",
                ),
            ),
            (
                "origin",
                models.CharField(
                    choices=[
                        ("customer", "From the customer"),
                        ("staff", "Outbound first"),
                        ("imported", "Imported"),
                        ("practice", "Exercise"),
                    ],
                    default="customer",
                    max_length=10,
                ),
            ),
            ("language", models.CharField(blank=True, max_length=10)),
            ("parked_reason", models.CharField(blank=True, max_length=300)),
            ("received_at", models.DateTimeField(verbose_name="received")),
            ("opened_at", models.DateTimeField()),
            (
                "state",
                models.CharField(
                    choices=[
                        ("new", "New"),
                        ("open", "Open"),
                        ("waiting", "Waiting for the customer"),
                        ("resolved", "Resolved"),
                        ("closed", "Closed"),
                        ("merged", "Merged"),
                    ],
                    default="new",
                    max_length=10,
                    verbose_name="state",
                ),
            ),
            ("acknowledge_next_at", models.DateTimeField(blank=True, null=True)),
            ("acknowledge_by_hand", models.CharField(blank=True, max_length=200)),
            ("complex_reason", models.CharField(blank=True, max_length=500)),
            ("authority_reason", models.CharField(blank=True, max_length=500)),
            ("answered_through", models.BigIntegerField(default=0)),
            ("next_obligation", models.CharField(blank=True, max_length=30)),
            ("next_clause", models.CharField(blank=True, max_length=4)),
            ("next_starts_at", models.DateTimeField(blank=True, null=True)),
            ("next_due_at", models.DateTimeField(blank=True, null=True)),
            ("last_interaction_at", models.DateTimeField()),
            ("excerpt", models.CharField(blank=True, max_length=200)),
            ("pending_until", models.DateTimeField(blank=True, null=True)),
            ("resolved_at", models.DateTimeField(blank=True, null=True)),
            ("closed_at", models.DateTimeField(blank=True, null=True)),
            ("merged_at", models.DateTimeField(blank=True, null=True)),
            ("link_epoch", models.PositiveIntegerField(default=0)),
            ("kept_from", models.DateTimeField(blank=True, editable=False, null=True)),
            ("keep_until", models.DateTimeField(blank=True, editable=False, null=True)),
            ("changed_at", models.DateTimeField(editable=False)),
            (
                "search",
                models.GeneratedField(
                    db_persist=True,
                    expression=django.contrib.postgres.search.SearchVector("subject", config="simple"),
                    output_field=django.contrib.postgres.search.SearchVectorField(),
                ),
            ),
            (
                "about",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "acknowledge",
                models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.deadline"),
            ),
            (
                "assignee",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="assigned_tickets",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "category",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="tickets",
                    to="tickets.category",
                ),
            ),
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
                    related_name="tickets",
                    to="csp.customer",
                ),
            ),
            (
                "escalate",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="csp.deadline",
                ),
            ),
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
            (
                "merged_into",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="merged_from",
                    to="tickets.ticket",
                ),
            ),
            (
                "opened_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "pending_for",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "respond",
                models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.deadline"),
            ),
            (
                "team",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="tickets", to="csp.team"),
            ),
            (
                "triage",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="csp.deadline",
                ),
            ),
        ],
        options={
            "verbose_name": "ticket",
            "verbose_name_plural": "tickets",
            "indexes": [
                models.Index(
                    models.F("team"),
                    models.OrderBy(models.F("next_due_at"), nulls_last=True),
                    models.F("id"),
                    condition=models.Q(("state__in", ["new", "open", "waiting"])),
                    name="queue_of_team",
                ),
                models.Index(
                    models.F("assignee"),
                    models.OrderBy(models.F("next_due_at"), nulls_last=True),
                    models.F("id"),
                    condition=models.Q(("state__in", ["new", "open", "waiting"])),
                    name="queue_of_person",
                ),
                models.Index(
                    models.F("team"),
                    models.OrderBy(models.F("next_due_at"), nulls_last=True),
                    models.F("id"),
                    condition=models.Q(("assignee__isnull", True), ("state__in", ["new", "open", "waiting"])),
                    name="queue_of_nobody",
                ),
                models.Index(
                    models.F("team"),
                    models.F("kind"),
                    models.OrderBy(models.F("next_due_at"), nulls_last=True),
                    models.F("id"),
                    condition=models.Q(("state__in", ["new", "open", "waiting"])),
                    name="queue_by_kind",
                ),
                models.Index(
                    models.F("team"),
                    models.F("channel"),
                    models.OrderBy(models.F("next_due_at"), nulls_last=True),
                    models.F("id"),
                    condition=models.Q(("state__in", ["new", "open", "waiting"])),
                    name="queue_by_channel",
                ),
                models.Index(
                    models.F("team"),
                    models.F("priority"),
                    models.OrderBy(models.F("next_due_at"), nulls_last=True),
                    models.F("id"),
                    condition=models.Q(("state__in", ["new", "open", "waiting"])),
                    name="queue_by_priority",
                ),
                models.Index(
                    models.F("team"),
                    models.F("category"),
                    models.OrderBy(models.F("next_due_at"), nulls_last=True),
                    models.F("id"),
                    condition=models.Q(("state__in", ["new", "open", "waiting"])),
                    name="queue_by_category",
                ),
                models.Index(
                    models.F("team"),
                    models.OrderBy(models.F("next_due_at"), nulls_last=True),
                    models.F("id"),
                    condition=models.Q(("state", "waiting")),
                    name="queue_waiting",
                ),
                models.Index(
                    models.F("team"),
                    models.OrderBy(models.F("last_interaction_at"), descending=True),
                    models.F("id"),
                    condition=models.Q(("state__in", ["resolved", "closed"])),
                    name="queue_finished",
                ),
                models.Index(
                    condition=models.Q(("acknowledge_next_at__isnull", False)),
                    fields=["acknowledge_next_at"],
                    name="ticket_to_acknowledge",
                ),
                models.Index(fields=["team", "changed_at"], name="ticket_changed"),
                models.Index(fields=["assignee", "changed_at"], name="ticket_changed_of_person"),
                models.Index(
                    condition=models.Q(("pending_until__isnull", False)),
                    fields=["pending_until"],
                    name="ticket_pending",
                ),
                models.Index(fields=["customer", "-id"], name="ticket_of_customer"),
                models.Index(condition=models.Q(("state", "resolved")), fields=["resolved_at"], name="ticket_to_close"),
                django.contrib.postgres.indexes.GinIndex(fields=["search"], name="ticket_search"),
                models.Index(
                    condition=models.Q(("keep_until__isnull", False)), fields=["keep_until"], name="ticket_kept_until"
                ),
                models.Index(
                    condition=models.Q(
                        models.Q(
                            ("kept_from__isnull", True), ("kept_from__lt", models.F("closed_at")), _connector="OR"
                        ),
                        ("closed_at__isnull", False),
                        ("state", "closed"),
                    ),
                    fields=["closed_at"],
                    name="ticket_without_term",
                ),
            ],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("merged_at__isnull", False), ("merged_into__isnull", False), ("state", "merged")),
                        models.Q(
                            models.Q(("state", "merged"), _negated=True),
                            ("merged_at__isnull", True),
                            ("merged_into__isnull", True),
                        ),
                        _connector="OR",
                    ),
                    name="merged_says_into_what_and_when",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("merged_into__isnull", True),
                        models.Q(("merged_into", models.F("id")), _negated=True),
                        _connector="OR",
                    ),
                    name="not_merged_into_itself",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("state", "closed"), _negated=True), ("closed_at__isnull", False), _connector="OR"
                    ),
                    name="closed_says_when",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("next_due_at__isnull", True), ("next_obligation", "")),
                        models.Q(models.Q(("next_obligation", ""), _negated=True), ("next_due_at__isnull", False)),
                        _connector="OR",
                    ),
                    name="the_next_obligation_has_a_due_time",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="SpokenTo",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("through", models.BigIntegerField()),
            (
                "interaction",
                models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="speaks_to",
                    to="tickets.interaction",
                ),
            ),
            (
                "ticket",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="spoken_to", to="tickets.ticket"
                ),
            ),
        ],
        options={
            "verbose_name": "ticket spoken to",
            "verbose_name_plural": "tickets spoken to",
            "constraints": [
                models.UniqueConstraint(fields=("interaction", "ticket"), name="an_interaction_speaks_to_a_ticket_once")
            ],
        },
    ),
    migrations.CreateModel(
        name="Presence",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("is_writing", models.BooleanField(default=False)),
            ("seen_at", models.DateTimeField()),
            (
                "user",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "ticket",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.CASCADE, related_name="presences", to="tickets.ticket"
                ),
            ),
        ],
        options={
            "verbose_name": "presence",
            "verbose_name_plural": "presences",
            "constraints": [models.UniqueConstraint(fields=("ticket", "user"), name="one_presence_per_person")],
        },
    ),
    migrations.CreateModel(
        name="HistoricalTicket",
        fields=[
            ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
            ("subject", models.CharField(max_length=300, verbose_name="subject")),
            (
                "kind",
                models.CharField(
                    choices=[
                        ("untyped", "Not yet typed"),
                        ("inquiry", "Inquiry"),
                        ("complaint", "Complaint"),
                        ("request", "Request"),
                        ("feedback", "Feedback"),
                    ],
                    default="untyped",
                    max_length=10,
                    verbose_name="kind",
                ),
            ),
            (
                "priority",
                models.PositiveSmallIntegerField(
                    choices=[(1, "Low"), (2, "Normal"), (3, "High"), (4, "Urgent")], default=2, verbose_name="priority"
                ),
            ),
            (
                "channel",
                models.CharField(
                    choices=[
                        ("mail", "E-mail"),
                        ("form", "Contact form"),
                        ("phone", "Telephone"),
                        ("letter", "Letter"),
                        ("visit", "Visit"),
                        ("staff", "Opened by staff"),
                    ],
                    max_length=10,
                    verbose_name="channel",
                ),
            ),
            (
                "origin",
                models.CharField(
                    choices=[
                        ("customer", "From the customer"),
                        ("staff", "Outbound first"),
                        ("imported", "Imported"),
                        ("practice", "Exercise"),
                    ],
                    default="customer",
                    max_length=10,
                ),
            ),
            ("language", models.CharField(blank=True, max_length=10)),
            ("parked_reason", models.CharField(blank=True, max_length=300)),
            ("received_at", models.DateTimeField(verbose_name="received")),
            ("opened_at", models.DateTimeField()),
            (
                "state",
                models.CharField(
                    choices=[
                        ("new", "New"),
                        ("open", "Open"),
                        ("waiting", "Waiting for the customer"),
                        ("resolved", "Resolved"),
                        ("closed", "Closed"),
                        ("merged", "Merged"),
                    ],
                    default="new",
                    max_length=10,
                    verbose_name="state",
                ),
            ),
            ("acknowledge_by_hand", models.CharField(blank=True, max_length=200)),
            ("complex_reason", models.CharField(blank=True, max_length=500)),
            ("authority_reason", models.CharField(blank=True, max_length=500)),
            ("pending_until", models.DateTimeField(blank=True, null=True)),
            ("resolved_at", models.DateTimeField(blank=True, null=True)),
            ("closed_at", models.DateTimeField(blank=True, null=True)),
            ("merged_at", models.DateTimeField(blank=True, null=True)),
            ("link_epoch", models.PositiveIntegerField(default=0)),
            ("history_id", models.AutoField(primary_key=True, serialize=False)),
            ("history_date", models.DateTimeField(db_index=True)),
            ("history_change_reason", models.CharField(max_length=100, null=True)),
            (
                "history_type",
                models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
            ),
            (
                "about",
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
                "acknowledge",
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
                "assignee",
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
                "category",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="tickets.category",
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
                "escalate",
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
                "history_user",
                models.ForeignKey(
                    null=True,
                    on_delete=django.db.models.deletion.SET_NULL,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "mailbox",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="csp.mailbox",
                ),
            ),
            (
                "opened_by",
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
                "pending_for",
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
                "respond",
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
            (
                "triage",
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
                "merged_into",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="tickets.ticket",
                ),
            ),
        ],
        options={
            "verbose_name": "historical ticket",
            "verbose_name_plural": "historical tickets",
            "ordering": ("-history_date", "-history_id"),
            "get_latest_by": ("history_date", "history_id"),
        },
        bases=(simple_history.models.HistoricalChanges, models.Model),
    ),
    migrations.CreateModel(
        name="Finish",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("at", models.DateTimeField()),
            ("undone_at", models.DateTimeField(blank=True, null=True)),
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
                "ticket",
                models.ForeignKey(
                    db_index=False,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="finishes",
                    to="tickets.ticket",
                ),
            ),
        ],
        options={
            "verbose_name": "time finished",
            "verbose_name_plural": "times finished",
            "indexes": [
                models.Index(fields=["ticket", "at"], name="finish_of_ticket"),
                models.Index(fields=["at"], name="finish_period"),
            ],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("undone_at__isnull", True)),
                    fields=("ticket",),
                    name="a_ticket_is_finished_once_at_a_time",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("undone_at__isnull", True), ("undone_at__gte", models.F("at")), _connector="OR"
                    ),
                    name="finished_before_undone",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Draft",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "mode",
                models.CharField(
                    choices=[("reply", "Reply"), ("holding", "Holding message"), ("note", "Note"), ("call", "Call")],
                    max_length=10,
                ),
            ),
            ("body", models.TextField(blank=True)),
            ("cc", models.CharField(blank=True, max_length=2000)),
            ("saved_at", models.DateTimeField()),
            (
                "user",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "ticket",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="drafts", to="tickets.ticket"
                ),
            ),
        ],
        options={
            "verbose_name": "draft",
            "verbose_name_plural": "drafts",
            "constraints": [models.UniqueConstraint(fields=("ticket", "user", "mode"), name="one_draft_per_mode")],
        },
    ),
    migrations.CreateModel(
        name="ComplexityProposal",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "rule",
                models.CharField(
                    choices=[
                        ("amount", "Amount above the limit"),
                        ("legal", "Words of law"),
                        ("safety", "Words of danger"),
                        ("contacts", "Third contact on the matter"),
                    ],
                    max_length=10,
                ),
            ),
            ("found", models.CharField(max_length=100)),
            ("proposed_at", models.DateTimeField()),
            ("decided_at", models.DateTimeField(blank=True, null=True)),
            ("accepted", models.BooleanField(blank=True, null=True)),
            ("reason", models.CharField(blank=True, max_length=500)),
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
                "interaction",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tickets.interaction"
                ),
            ),
            (
                "ticket",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="proposals", to="tickets.ticket"
                ),
            ),
        ],
        options={
            "verbose_name": "proposal that a case is complex",
            "verbose_name_plural": "proposals that cases are complex",
            "indexes": [
                models.Index(
                    condition=models.Q(("decided_at__isnull", True)), fields=["ticket"], name="complexity_proposed"
                )
            ],
            "constraints": [
                models.UniqueConstraint(fields=("interaction", "rule"), name="one_proposal_of_a_rule_per_message"),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("accepted__isnull", True), ("decided_at__isnull", True), ("decided_by__isnull", True)
                        ),
                        models.Q(
                            ("accepted__isnull", False), ("decided_at__isnull", False), ("decided_by__isnull", False)
                        ),
                        _connector="OR",
                    ),
                    name="a_proposal_is_decided_by_somebody",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="CallBack",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("due_at", models.DateTimeField()),
            ("note", models.CharField(blank=True, max_length=300)),
            ("promised_at", models.DateTimeField()),
            ("reminded_at", models.DateTimeField(blank=True, null=True)),
            ("missed_at", models.DateTimeField(blank=True, null=True)),
            ("ended_at", models.DateTimeField(blank=True, null=True)),
            (
                "outcome",
                models.CharField(
                    blank=True, choices=[("done", "Called"), ("withdrawn", "Not needed any more")], max_length=10
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
                "promised_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "responsible",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "call",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="tickets.interaction",
                ),
            ),
            (
                "ticket",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="call_backs", to="tickets.ticket"
                ),
            ),
        ],
        options={
            "verbose_name": "call-back",
            "verbose_name_plural": "call-backs",
            "indexes": [
                models.Index(condition=models.Q(("ended_at__isnull", True)), fields=["due_at"], name="call_back_open"),
                models.Index(
                    condition=models.Q(("ended_at__isnull", True)), fields=["ticket"], name="call_back_of_ticket"
                ),
            ],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("ended_at__isnull", True), ("ended_by__isnull", True), ("outcome", "")),
                        models.Q(
                            ("ended_at__isnull", False),
                            ("ended_by__isnull", False),
                            models.Q(("outcome", ""), _negated=True),
                        ),
                        _connector="OR",
                    ),
                    name="a_call_back_ends_with_what_became_of_it",
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="TicketLink",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "kind",
                models.CharField(
                    choices=[
                        ("continues", "Continues a closed ticket"),
                        ("stranger", "Somebody else quoted this ticket's reference"),
                        ("related", "Related"),
                    ],
                    max_length=10,
                ),
            ),
            ("linked_at", models.DateTimeField()),
            (
                "linked_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "other",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="linked_from", to="tickets.ticket"
                ),
            ),
            (
                "ticket",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="links", to="tickets.ticket"
                ),
            ),
        ],
        options={
            "verbose_name": "link between tickets",
            "verbose_name_plural": "links between tickets",
            "constraints": [
                models.UniqueConstraint(fields=("ticket", "other", "kind"), name="one_link_of_a_kind"),
                models.CheckConstraint(
                    condition=models.Q(("ticket", models.F("other")), _negated=True), name="not_linked_to_itself"
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="CallReview",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("asked_at", models.DateTimeField()),
            ("decided_at", models.DateTimeField(blank=True, null=True)),
            ("agrees", models.BooleanField(blank=True, null=True)),
            ("note", models.TextField(blank=True)),
            (
                "call",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="review", to="tickets.call"
                ),
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
                "restriction",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.restriction"),
            ),
        ],
        options={
            "verbose_name": "review of a call",
            "verbose_name_plural": "reviews of calls",
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("agrees__isnull", True), ("decided_at__isnull", True), ("decided_by__isnull", True)),
                        models.Q(
                            ("agrees__isnull", False), ("decided_at__isnull", False), ("decided_by__isnull", False)
                        ),
                        _connector="OR",
                    ),
                    name="a_call_is_reviewed_with_all_its_parts",
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="CannedReply",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("title", models.CharField(max_length=100, verbose_name="title")),
            ("language", models.CharField(default="en-gb", max_length=10, verbose_name="language")),
            ("body", models.TextField(verbose_name="text")),
            ("written_at", models.DateTimeField()),
            ("approved_at", models.DateTimeField(blank=True, null=True)),
            ("is_active", models.BooleanField(default=True, verbose_name="active")),
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
                    on_delete=django.db.models.deletion.PROTECT, related_name="canned_replies", to="csp.contract"
                ),
            ),
            (
                "written_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
        ],
        options={
            "verbose_name": "canned reply",
            "verbose_name_plural": "canned replies",
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("approved_at__isnull", True), ("approved_by__isnull", True)),
                        models.Q(("approved_at__isnull", False), ("approved_by__isnull", False)),
                        _connector="OR",
                    ),
                    name="approved_says_by_whom_and_when",
                )
            ],
        },
    ),
]


class Migration(migrations.Migration):
    replaces = [
        ("tickets", "0001_first"),
        ("tickets", "0004_taking_in"),
        ("tickets", "0005_merged_at"),
        ("tickets", "0006_cosignatures"),
        ("tickets", "0012_queue_filters"),
        ("tickets", "0018_kept_from"),
        ("tickets", "0022_exercises"),
    ]

    initial = True

    dependencies = [("csp", "0001_initial")]

    operations = [CreateModels(MODELS)]
