import django.contrib.postgres.fields
import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

from csp.migrations._tables import CreateModels

MODELS = [
    migrations.CreateModel(
        name="Audit",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("title", models.CharField(max_length=120, verbose_name="title")),
            (
                "clauses",
                django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=4), size=None),
            ),
            ("teams", django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
            (
                "channels",
                django.contrib.postgres.fields.ArrayField(
                    base_field=models.CharField(max_length=10), blank=True, default=list, size=None
                ),
            ),
            ("since", models.DateTimeField(verbose_name="closed from")),
            ("until", models.DateTimeField(verbose_name="closed before")),
            ("sample_size", models.PositiveSmallIntegerField(verbose_name="sample size")),
            (
                "strata",
                models.CharField(
                    choices=[
                        ("none", "From all together"),
                        ("team", "By team"),
                        ("channel", "By channel"),
                        ("both", "By team and channel"),
                    ],
                    default="none",
                    max_length=7,
                    verbose_name="sample drawn",
                ),
            ),
            ("twice_percent", models.PositiveSmallIntegerField(default=0, verbose_name="share scored twice")),
            ("begins_at", models.DateTimeField(verbose_name="begins")),
            ("ends_at", models.DateTimeField(verbose_name="to be finished by")),
            ("planned_at", models.DateTimeField()),
            ("requested_at", models.DateTimeField(blank=True, null=True)),
            (
                "state",
                models.CharField(
                    choices=[
                        ("planned", "Planned"),
                        ("running", "Being scored"),
                        ("closed", "Closed"),
                        ("withdrawn", "Withdrawn"),
                    ],
                    default="planned",
                    max_length=9,
                    verbose_name="state",
                ),
            ),
            ("ended_at", models.DateTimeField(blank=True, null=True)),
            ("conclusion", models.TextField(blank=True, verbose_name="conclusion")),
            (
                "access",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="csp.deadline",
                ),
            ),
            (
                "auditor",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "contract",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="audits", to="csp.contract"
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
                "planned_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "requested_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "second",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "scorecard",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="audits", to="audits.scorecard"
                ),
            ),
        ],
        options={
            "verbose_name": "quality audit",
            "verbose_name_plural": "quality audits",
            "indexes": [models.Index(fields=["contract", "-id"], name="audit_of_contract")],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(("since__lt", models.F("until"))), name="an_audits_period_has_a_length"
                ),
                models.CheckConstraint(
                    condition=models.Q(("begins_at__lt", models.F("ends_at"))), name="an_audit_ends_after_it_began"
                ),
                models.CheckConstraint(condition=models.Q(("sample_size__gte", 1)), name="a_sample_has_somebody_in_it"),
                models.CheckConstraint(
                    condition=models.Q(("twice_percent", 0), ("second__isnull", False), _connector="OR"),
                    name="what_is_scored_twice_has_two_scorers",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("second__isnull", True),
                        models.Q(("second", models.F("auditor")), _negated=True),
                        _connector="OR",
                    ),
                    name="nobody_is_their_own_second",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("ended_at__isnull", True), ("state__in", ["closed", "withdrawn"]), _connector="XOR"
                    ),
                    name="an_ended_audit_says_when",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("access__isnull", True), ("requested_at__isnull", True)),
                        models.Q(("access__isnull", False), ("requested_at__isnull", False)),
                        _connector="OR",
                    ),
                    name="a_request_for_access_has_its_clock",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="AuditAccess",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("given_at", models.DateTimeField()),
            (
                "audit",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="accesses", to="audits.audit"
                ),
            ),
            (
                "given_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "grant",
                models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.rolegrant"),
            ),
        ],
        options={"verbose_name": "access for an audit", "verbose_name_plural": "access for audits"},
    ),
    migrations.CreateModel(
        name="CorrectiveAction",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "kind",
                models.CharField(
                    choices=[
                        ("corrective", "Corrective: puts right what happened"),
                        ("preventive", "Preventive: keeps it from happening again"),
                    ],
                    max_length=10,
                    verbose_name="kind",
                ),
            ),
            ("what", models.CharField(max_length=500, verbose_name="what is done")),
            ("set_at", models.DateTimeField()),
            (
                "state",
                models.CharField(
                    choices=[
                        ("planned", "To be done"),
                        ("implemented", "To be verified"),
                        ("verified", "Verified"),
                        ("withdrawn", "Withdrawn"),
                    ],
                    default="planned",
                    max_length=12,
                    verbose_name="state",
                ),
            ),
            ("withdrawn_because", models.CharField(blank=True, max_length=500)),
            (
                "owner",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "set_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "case",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="actions", to="audits.noncompliance"
                ),
            ),
        ],
        options={
            "verbose_name": "corrective action",
            "verbose_name_plural": "corrective actions",
            "indexes": [
                models.Index(condition=models.Q(("state", "planned")), fields=["owner"], name="action_to_do"),
                models.Index(fields=["case", "id"], name="action_of_case"),
            ],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("state", "withdrawn"), _negated=True),
                        models.Q(("withdrawn_because", ""), _negated=True),
                        _connector="OR",
                    ),
                    name="withdrawing_needs_a_reason",
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="Draw",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("rank", models.PositiveIntegerField()),
            ("group", models.CharField(blank=True, max_length=60)),
            ("group_rank", models.PositiveIntegerField()),
            ("number", models.BigIntegerField(verbose_name="ticket")),
            ("is_twice", models.BooleanField(default=False, verbose_name="scored twice")),
            ("drawn_at", models.DateTimeField()),
            ("excused_at", models.DateTimeField(blank=True, null=True)),
            ("excused_because", models.CharField(blank=True, max_length=300, verbose_name="why it is not scored")),
            (
                "audit",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="draws", to="audits.audit"),
            ),
            (
                "drawn_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "excused_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "replaces",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="replaced_by",
                    to="audits.draw",
                ),
            ),
        ],
        options={
            "verbose_name": "draw",
            "verbose_name_plural": "draws",
            "constraints": [
                models.UniqueConstraint(fields=("audit", "rank"), name="one_draw_of_a_rank"),
                models.UniqueConstraint(fields=("audit", "number"), name="a_ticket_is_drawn_once"),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("excused_at__isnull", True), ("excused_by__isnull", True)),
                        models.Q(("excused_at__isnull", False), ("excused_by__isnull", False)),
                        _connector="OR",
                    ),
                    name="an_excuse_says_who_and_when",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="AuditFinding",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("number", models.PositiveSmallIntegerField()),
            ("clause", models.CharField(max_length=4, verbose_name="clause")),
            (
                "severity",
                models.CharField(
                    choices=[("note", "Observation"), ("minor", "Minor"), ("major", "Major")],
                    max_length=5,
                    verbose_name="severity",
                ),
            ),
            ("text", models.TextField(verbose_name="what was found")),
            ("found_at", models.DateTimeField()),
            ("accepted", models.BooleanField(blank=True, null=True, verbose_name="accepted")),
            ("answer", models.TextField(blank=True, verbose_name="answer")),
            ("answered_at", models.DateTimeField(blank=True, null=True)),
            ("case_number", models.BigIntegerField(blank=True, null=True)),
            (
                "state",
                models.CharField(
                    choices=[("open", "Waits for an answer"), ("answered", "Answered"), ("closed", "Closed")],
                    default="open",
                    max_length=8,
                    verbose_name="state",
                ),
            ),
            ("closed_at", models.DateTimeField(blank=True, null=True)),
            ("closing_note", models.TextField(blank=True, verbose_name="why it is closed")),
            (
                "answer_by",
                models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.deadline"),
            ),
            (
                "answered_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "audit",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="findings", to="audits.audit"
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
                "found_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            ("team", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.team")),
            (
                "draw",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="findings",
                    to="audits.draw",
                ),
            ),
        ],
        options={
            "verbose_name": "finding of an audit",
            "verbose_name_plural": "findings of audits",
            "constraints": [
                models.UniqueConstraint(fields=("audit", "number"), name="one_finding_of_a_number"),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("answered_at__isnull", True), ("state", "open")),
                        models.Q(models.Q(("state", "open"), _negated=True), ("answered_at__isnull", False)),
                        _connector="OR",
                    ),
                    name="an_answered_finding_says_when",
                ),
                models.CheckConstraint(
                    condition=models.Q(("closed_at__isnull", True), ("state", "closed"), _connector="XOR"),
                    name="a_closed_finding_says_when",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="EffectCheck",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("criterion", models.TextField()),
            ("effective", models.BooleanField(verbose_name="effective")),
            ("note", models.TextField(verbose_name="what was found")),
            ("at", models.DateTimeField()),
            (
                "by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "deadline",
                models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.deadline"),
            ),
            (
                "case",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="effect_checks", to="audits.noncompliance"
                ),
            ),
        ],
        options={"verbose_name": "effectiveness check", "verbose_name_plural": "effectiveness checks"},
    ),
    migrations.CreateModel(
        name="HistoricalAuditFinding",
        fields=[
            ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
            ("number", models.PositiveSmallIntegerField()),
            ("clause", models.CharField(max_length=4, verbose_name="clause")),
            (
                "severity",
                models.CharField(
                    choices=[("note", "Observation"), ("minor", "Minor"), ("major", "Major")],
                    max_length=5,
                    verbose_name="severity",
                ),
            ),
            ("text", models.TextField(verbose_name="what was found")),
            ("found_at", models.DateTimeField()),
            ("accepted", models.BooleanField(blank=True, null=True, verbose_name="accepted")),
            ("answer", models.TextField(blank=True, verbose_name="answer")),
            ("answered_at", models.DateTimeField(blank=True, null=True)),
            ("case_number", models.BigIntegerField(blank=True, null=True)),
            (
                "state",
                models.CharField(
                    choices=[("open", "Waits for an answer"), ("answered", "Answered"), ("closed", "Closed")],
                    default="open",
                    max_length=8,
                    verbose_name="state",
                ),
            ),
            ("closed_at", models.DateTimeField(blank=True, null=True)),
            ("closing_note", models.TextField(blank=True, verbose_name="why it is closed")),
            ("history_id", models.AutoField(primary_key=True, serialize=False)),
            ("history_date", models.DateTimeField(db_index=True)),
            ("history_change_reason", models.CharField(max_length=100, null=True)),
            (
                "history_type",
                models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
            ),
            (
                "answer_by",
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
                "answered_by",
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
                "audit",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="audits.audit",
                ),
            ),
            (
                "closed_by",
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
                "draw",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="audits.draw",
                ),
            ),
            (
                "found_by",
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
            "verbose_name": "historical finding of an audit",
            "verbose_name_plural": "historical findings of audits",
            "ordering": ("-history_date", "-history_id"),
            "get_latest_by": ("history_date", "history_id"),
        },
        bases=(simple_history.models.HistoricalChanges, models.Model),
    ),
    migrations.CreateModel(
        name="HistoricalDraw",
        fields=[
            ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
            ("rank", models.PositiveIntegerField()),
            ("group", models.CharField(blank=True, max_length=60)),
            ("group_rank", models.PositiveIntegerField()),
            ("number", models.BigIntegerField(verbose_name="ticket")),
            ("is_twice", models.BooleanField(default=False, verbose_name="scored twice")),
            ("drawn_at", models.DateTimeField()),
            ("excused_at", models.DateTimeField(blank=True, null=True)),
            ("excused_because", models.CharField(blank=True, max_length=300, verbose_name="why it is not scored")),
            ("history_id", models.AutoField(primary_key=True, serialize=False)),
            ("history_date", models.DateTimeField(db_index=True)),
            ("history_change_reason", models.CharField(max_length=100, null=True)),
            (
                "history_type",
                models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
            ),
            (
                "audit",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="audits.audit",
                ),
            ),
            (
                "drawn_by",
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
                "excused_by",
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
                "replaces",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="audits.draw",
                ),
            ),
        ],
        options={
            "verbose_name": "historical draw",
            "verbose_name_plural": "historical draws",
            "ordering": ("-history_date", "-history_id"),
            "get_latest_by": ("history_date", "history_id"),
        },
        bases=(simple_history.models.HistoricalChanges, models.Model),
    ),
    migrations.CreateModel(
        name="Implementation",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("text", models.TextField(verbose_name="what was done, and how that shows")),
            ("at", models.DateTimeField()),
            (
                "action",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="implementations",
                    to="audits.correctiveaction",
                ),
            ),
            (
                "by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "verify",
                models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.deadline"),
            ),
        ],
        options={
            "verbose_name": "implementation",
            "verbose_name_plural": "implementations",
            "indexes": [models.Index(fields=["action", "id"], name="implementation_of_action")],
        },
    ),
    migrations.CreateModel(
        name="EvidenceFile",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("name", models.CharField(max_length=255)),
            ("content_type", models.CharField(max_length=120)),
            ("size", models.PositiveBigIntegerField()),
            ("blob", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.blob")),
            (
                "implementation",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="files", to="audits.implementation"
                ),
            ),
        ],
        options={"verbose_name": "file of evidence", "verbose_name_plural": "files of evidence"},
    ),
    migrations.CreateModel(
        name="Measure",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "kind",
                models.CharField(
                    choices=[
                        ("retraining", "Retraining"),
                        ("oversight", "Additional oversight"),
                        ("responsibilities", "Revision of responsibilities"),
                    ],
                    max_length=20,
                    verbose_name="measure",
                ),
            ),
            (
                "aim",
                models.CharField(
                    choices=[
                        ("person", "A person"),
                        ("team", "The team"),
                        ("process", "A way of working"),
                        ("party", "A party to the contract"),
                    ],
                    max_length=10,
                    verbose_name="aimed at",
                ),
            ),
            ("reason", models.TextField(blank=True, verbose_name="reason")),
            ("rule", models.CharField(blank=True, max_length=20)),
            ("proposed_at", models.DateTimeField()),
            ("answer_by", models.DateTimeField(blank=True, null=True)),
            ("heard_at", models.DateTimeField(blank=True, null=True)),
            (
                "heard_how",
                models.CharField(
                    blank=True,
                    choices=[
                        ("statement", "Made a statement"),
                        ("refused", "Chose to say nothing"),
                        ("no_answer", "Did not answer in time"),
                    ],
                    max_length=10,
                ),
            ),
            ("statement", models.TextField(blank=True, verbose_name="statement")),
            (
                "state",
                models.CharField(
                    choices=[
                        ("proposed", "Proposed"),
                        ("in_force", "In force"),
                        ("declined", "Not taken"),
                        ("ended", "Ended"),
                    ],
                    default="proposed",
                    max_length=10,
                    verbose_name="state",
                ),
            ),
            ("decided_at", models.DateTimeField(blank=True, null=True)),
            ("decision", models.TextField(blank=True, verbose_name="why")),
            ("course", models.CharField(blank=True, max_length=200, verbose_name="what to be trained in")),
            (
                "restricts",
                django.contrib.postgres.fields.ArrayField(
                    base_field=models.CharField(
                        choices=[
                            ("cosign", "Answers wait for a co-signature"),
                            ("no_complaints", "No complaints"),
                            ("no_new_tickets", "No new tickets"),
                        ],
                        max_length=20,
                    ),
                    blank=True,
                    default=list,
                    size=None,
                    verbose_name="meanwhile",
                ),
            ),
            ("starts_at", models.DateTimeField(blank=True, null=True)),
            ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="ends")),
            ("ended_at", models.DateTimeField(blank=True, null=True)),
            (
                "ended_how",
                models.CharField(
                    blank=True,
                    choices=[
                        ("time", "Its time was over"),
                        ("lifted", "Lifted early"),
                        ("done", "Retrained"),
                        ("appeal", "Ended on appeal"),
                    ],
                    max_length=10,
                ),
            ),
            ("ending_note", models.TextField(blank=True)),
            (
                "because_breach",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="measure",
                    to="csp.breach",
                ),
            ),
            (
                "because_deadline",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="measure",
                    to="csp.deadline",
                ),
            ),
            (
                "because_effect",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="measure",
                    to="audits.effectcheck",
                ),
            ),
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
                "person",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="measures",
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
            (
                "case",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="measures", to="audits.noncompliance"
                ),
            ),
            (
                "because_verification",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="measure",
                    to="audits.verification",
                ),
            ),
        ],
        options={
            "verbose_name": "measure",
            "verbose_name_plural": "measures",
            "indexes": [
                models.Index(condition=models.Q(("state", "in_force")), fields=["ends_at"], name="measure_in_force"),
                models.Index(fields=["case", "id"], name="measure_of_case"),
                models.Index(fields=["person", "-id"], name="measure_of_person"),
            ],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("aim", "person"), ("answer_by__isnull", False), ("person__isnull", False)),
                        models.Q(
                            models.Q(("aim", "person"), _negated=True),
                            ("answer_by__isnull", True),
                            ("person__isnull", True),
                        ),
                        _connector="OR",
                    ),
                    name="a_measure_on_a_person_names_and_hears_them",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("heard_at__isnull", True), ("heard_how", "")),
                        models.Q(("heard_at__isnull", False), models.Q(("heard_how", ""), _negated=True)),
                        _connector="OR",
                    ),
                    name="heard_says_how",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("decided_at__isnull", True), ("decided_by__isnull", True), ("state", "proposed")),
                        models.Q(
                            models.Q(("state", "proposed"), _negated=True),
                            ("decided_at__isnull", False),
                            ("decided_by__isnull", False),
                        ),
                        _connector="OR",
                    ),
                    name="a_person_decides_a_measure",
                ),
                models.CheckConstraint(
                    condition=models.Q(("decided_at__isnull", True), ("heard_at__isnull", False), _connector="OR"),
                    name="heard_before_it_is_decided",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("ends_at__isnull", True), ("state__in", ["proposed", "declined"])),
                        models.Q(
                            ("ends_at__gt", models.F("starts_at")),
                            ("starts_at__isnull", False),
                            ("state__in", ["in_force", "ended"]),
                        ),
                        _connector="OR",
                    ),
                    name="a_measure_in_force_has_an_end",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("ended_at__isnull", True), ("ended_how", "")),
                        models.Q(
                            ("ended_at__isnull", False), ("state", "ended"), models.Q(("ended_how", ""), _negated=True)
                        ),
                        _connector="OR",
                    ),
                    name="an_ended_measure_says_how",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Appeal",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("text", models.TextField(verbose_name="why it is wrong")),
            ("filed_at", models.DateTimeField()),
            ("decided_at", models.DateTimeField(blank=True, null=True)),
            ("upheld", models.BooleanField(blank=True, null=True, verbose_name="the appeal is right")),
            ("answer", models.TextField(blank=True, verbose_name="answer")),
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
                "measure",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="appeal", to="audits.measure"
                ),
            ),
        ],
        options={
            "verbose_name": "appeal",
            "verbose_name_plural": "appeals",
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("decided_at__isnull", True), ("decided_by__isnull", True), ("upheld__isnull", True)),
                        models.Q(
                            ("decided_at__isnull", False), ("decided_by__isnull", False), ("upheld__isnull", False)
                        ),
                        _connector="OR",
                    ),
                    name="an_appeal_is_decided_by_somebody",
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="NonCompliance",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("clause", models.CharField(max_length=4, verbose_name="clause")),
            ("day", models.DateField()),
            ("what", models.TextField(blank=True, verbose_name="what happened")),
            ("about", models.CharField(blank=True, max_length=40)),
            ("noticed_at", models.DateTimeField(verbose_name="noticed")),
            ("reported_at", models.DateTimeField(verbose_name="reported")),
            ("in_confidence", models.BooleanField(default=False, verbose_name="in confidence")),
            (
                "kept_by",
                models.CharField(
                    blank=True,
                    choices=[
                        ("company_representative", "Company's representative"),
                        ("party_representative", "Party's representative"),
                        ("compliance_owner", "Compliance owner"),
                        ("privacy_owner", "Privacy owner"),
                        ("feedback_lead", "Feedback lead"),
                    ],
                    max_length=30,
                ),
            ),
            ("collects", models.BooleanField(default=False)),
            ("cause", models.TextField(blank=True, verbose_name="root cause")),
            ("cause_at", models.DateTimeField(blank=True, null=True)),
            ("criterion", models.TextField(blank=True, verbose_name="the correction works if")),
            ("check_at", models.DateTimeField(verbose_name="checked on")),
            (
                "state",
                models.CharField(
                    choices=[
                        ("open", "Being corrected"),
                        ("implemented", "To be verified"),
                        ("verified", "Effect to be checked"),
                        ("closed", "Closed, corrected"),
                        ("dismissed", "Closed, nothing owed"),
                    ],
                    default="open",
                    max_length=12,
                    verbose_name="state",
                ),
            ),
            ("closed_at", models.DateTimeField(blank=True, null=True)),
            ("closing_note", models.TextField(blank=True)),
            ("kept_from", models.DateTimeField(blank=True, editable=False, null=True)),
            ("keep_until", models.DateTimeField(blank=True, editable=False, null=True)),
            (
                "cause_by",
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
                "contract",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.contract"),
            ),
            (
                "correct",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="noncompliance", to="csp.deadline"
                ),
            ),
            (
                "effect",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="csp.deadline",
                ),
            ),
            (
                "lead",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "report",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="csp.deadline",
                ),
            ),
            (
                "reported_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "split_from",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="splits",
                    to="audits.noncompliance",
                ),
            ),
            (
                "team",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="noncompliances", to="csp.team"
                ),
            ),
        ],
        options={
            "verbose_name": "non-compliance",
            "verbose_name_plural": "non-compliances",
            "indexes": [
                models.Index(fields=["contract", "state", "-id"], name="case_of_contract"),
                models.Index(fields=["team", "state", "-id"], name="case_of_team"),
                models.Index(
                    condition=models.Q(("keep_until__isnull", False)), fields=["keep_until"], name="case_kept_until"
                ),
            ],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("collects", True)),
                    fields=("team", "clause", "day"),
                    name="one_open_case_per_clause_team_and_day",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("in_confidence", False), ("kept_by", "")),
                        models.Q(("in_confidence", True), models.Q(("kept_by", ""), _negated=True)),
                        _connector="OR",
                    ),
                    name="what_is_confidential_is_kept_by_an_office",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("collects", False), models.Q(("in_confidence", False), ("state", "open")), _connector="OR"
                    ),
                    name="only_an_open_case_collects",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("closed_at__isnull", True), ("state__in", ["closed", "dismissed"]), _connector="XOR"
                    ),
                    name="a_closed_case_says_when",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("report__isnull", True), ("reported_by__isnull", True)),
                        models.Q(("report__isnull", False), ("reported_by__isnull", False)),
                        _connector="OR",
                    ),
                    name="a_persons_report_has_its_hour",
                ),
                models.CheckConstraint(
                    condition=models.Q(("reported_at__gte", models.F("noticed_at"))),
                    name="reported_after_it_was_noticed",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Membership",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("reported_at", models.DateTimeField()),
            (
                "breach",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="membership", to="csp.breach"
                ),
            ),
            (
                "case",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="memberships", to="audits.noncompliance"
                ),
            ),
        ],
        options={
            "verbose_name": "breach in a case",
            "verbose_name_plural": "breaches in cases",
            "indexes": [models.Index(fields=["case", "reported_at"], name="membership_of_case")],
        },
    ),
    migrations.CreateModel(
        name="HistoricalNonCompliance",
        fields=[
            ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
            ("clause", models.CharField(max_length=4, verbose_name="clause")),
            ("day", models.DateField()),
            ("what", models.TextField(blank=True, verbose_name="what happened")),
            ("about", models.CharField(blank=True, max_length=40)),
            ("noticed_at", models.DateTimeField(verbose_name="noticed")),
            ("reported_at", models.DateTimeField(verbose_name="reported")),
            ("in_confidence", models.BooleanField(default=False, verbose_name="in confidence")),
            (
                "kept_by",
                models.CharField(
                    blank=True,
                    choices=[
                        ("company_representative", "Company's representative"),
                        ("party_representative", "Party's representative"),
                        ("compliance_owner", "Compliance owner"),
                        ("privacy_owner", "Privacy owner"),
                        ("feedback_lead", "Feedback lead"),
                    ],
                    max_length=30,
                ),
            ),
            ("collects", models.BooleanField(default=False)),
            ("cause", models.TextField(blank=True, verbose_name="root cause")),
            ("cause_at", models.DateTimeField(blank=True, null=True)),
            ("criterion", models.TextField(blank=True, verbose_name="the correction works if")),
            ("check_at", models.DateTimeField(verbose_name="checked on")),
            (
                "state",
                models.CharField(
                    choices=[
                        ("open", "Being corrected"),
                        ("implemented", "To be verified"),
                        ("verified", "Effect to be checked"),
                        ("closed", "Closed, corrected"),
                        ("dismissed", "Closed, nothing owed"),
                    ],
                    default="open",
                    max_length=12,
                    verbose_name="state",
                ),
            ),
            ("closed_at", models.DateTimeField(blank=True, null=True)),
            ("closing_note", models.TextField(blank=True)),
            ("history_id", models.AutoField(primary_key=True, serialize=False)),
            ("history_date", models.DateTimeField(db_index=True)),
            ("history_change_reason", models.CharField(max_length=100, null=True)),
            (
                "history_type",
                models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
            ),
            (
                "cause_by",
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
                "closed_by",
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
                "correct",
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
                "effect",
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
                "lead",
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
                "report",
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
                "reported_by",
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
            (
                "split_from",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="audits.noncompliance",
                ),
            ),
        ],
        options={
            "verbose_name": "historical non-compliance",
            "verbose_name_plural": "historical non-compliances",
            "ordering": ("-history_date", "-history_id"),
            "get_latest_by": ("history_date", "history_id"),
        },
        bases=(simple_history.models.HistoricalChanges, models.Model),
    ),
    migrations.CreateModel(
        name="HistoricalCorrectiveAction",
        fields=[
            ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
            (
                "kind",
                models.CharField(
                    choices=[
                        ("corrective", "Corrective: puts right what happened"),
                        ("preventive", "Preventive: keeps it from happening again"),
                    ],
                    max_length=10,
                    verbose_name="kind",
                ),
            ),
            ("what", models.CharField(max_length=500, verbose_name="what is done")),
            ("set_at", models.DateTimeField()),
            (
                "state",
                models.CharField(
                    choices=[
                        ("planned", "To be done"),
                        ("implemented", "To be verified"),
                        ("verified", "Verified"),
                        ("withdrawn", "Withdrawn"),
                    ],
                    default="planned",
                    max_length=12,
                    verbose_name="state",
                ),
            ),
            ("withdrawn_because", models.CharField(blank=True, max_length=500)),
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
                "owner",
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
                "set_by",
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
                "case",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="audits.noncompliance",
                ),
            ),
        ],
        options={
            "verbose_name": "historical corrective action",
            "verbose_name_plural": "historical corrective actions",
            "ordering": ("-history_date", "-history_id"),
            "get_latest_by": ("history_date", "history_id"),
        },
        bases=(simple_history.models.HistoricalChanges, models.Model),
    ),
    migrations.CreateModel(
        name="Deviation",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("reported_at", models.DateTimeField()),
            (
                "step",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="deviation", to="tickets.checkliststep"
                ),
            ),
            (
                "case",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="deviations", to="audits.noncompliance"
                ),
            ),
        ],
        options={"verbose_name": "deviation from a procedure", "verbose_name_plural": "deviations from procedures"},
    ),
    migrations.CreateModel(
        name="Papers",
        fields=[
            ("id", models.BigIntegerField(primary_key=True, serialize=False)),
            (
                "state",
                models.CharField(choices=[("open", "Open"), ("closed", "Closed")], default="open", max_length=10),
            ),
            ("opened_at", models.DateTimeField()),
            ("closed_at", models.DateTimeField(blank=True, null=True)),
            ("evidence", models.JSONField(blank=True, default=dict)),
            ("compiled_at", models.DateTimeField(blank=True, null=True)),
            ("assessment", models.TextField(blank=True, verbose_name="assessment")),
            ("comment", models.TextField(blank=True, verbose_name="the person's own view")),
            ("commented_at", models.DateTimeField(blank=True, null=True)),
            ("kept_from", models.DateTimeField(blank=True, editable=False, null=True)),
            ("keep_until", models.DateTimeField(blank=True, editable=False, null=True)),
            (
                "contract",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.contract"),
            ),
            (
                "review",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="papers", to="audits.review"
                ),
            ),
        ],
        options={
            "verbose_name": "papers of a review",
            "verbose_name_plural": "papers of reviews",
            "indexes": [
                models.Index(
                    condition=models.Q(("keep_until__isnull", False)), fields=["keep_until"], name="papers_kept_until"
                )
            ],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("closed_at__isnull", True), ("state", "open")),
                        models.Q(("closed_at__isnull", False), ("state", "closed")),
                        _connector="OR",
                    ),
                    name="closed_papers_say_when",
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="Goal",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("text", models.CharField(max_length=300, verbose_name="goal")),
            ("due_on", models.DateField(verbose_name="by")),
            ("set_at", models.DateTimeField()),
            ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
            (
                "outcome",
                models.CharField(
                    blank=True,
                    choices=[
                        ("reached", "Reached"),
                        ("partly", "Reached in part"),
                        ("missed", "Not reached"),
                        ("dropped", "No goal any more"),
                    ],
                    max_length=10,
                    verbose_name="what became of it",
                ),
            ),
            ("outcome_note", models.CharField(blank=True, max_length=300, verbose_name="how that shows")),
            ("judged_at", models.DateTimeField(blank=True, null=True)),
            (
                "papers",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="goals", to="audits.papers"
                ),
            ),
        ],
        options={
            "verbose_name": "goal",
            "verbose_name_plural": "goals",
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("judged_at__isnull", True), ("outcome", "")),
                        models.Q(models.Q(("outcome", ""), _negated=True), ("judged_at__isnull", False)),
                        _connector="OR",
                    ),
                    name="an_outcome_of_a_goal_is_dated",
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="AnotherReviewer",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("text", models.TextField(verbose_name="why")),
            ("asked_at", models.DateTimeField()),
            ("decided_at", models.DateTimeField(blank=True, null=True)),
            ("granted", models.BooleanField(blank=True, null=True)),
            ("answer", models.TextField(blank=True, verbose_name="answer")),
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
                "reviewer",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "papers",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="another", to="audits.papers"
                ),
            ),
        ],
        options={
            "verbose_name": "request for another reviewer",
            "verbose_name_plural": "requests for another reviewer",
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("decided_at__isnull", True), ("decided_by__isnull", True), ("granted__isnull", True)),
                        models.Q(
                            ("decided_at__isnull", False), ("decided_by__isnull", False), ("granted__isnull", False)
                        ),
                        _connector="OR",
                    ),
                    name="another_reviewer_is_decided_by_somebody",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("granted", True), _negated=True), ("reviewer__isnull", False), _connector="OR"
                    ),
                    name="whoever_is_given_is_named",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Population",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("query", models.JSONField()),
            ("members", models.JSONField()),
            ("size", models.PositiveIntegerField()),
            ("digest", models.CharField(max_length=64)),
            ("seed", models.CharField(max_length=64)),
            ("frozen_at", models.DateTimeField()),
            (
                "audit",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="population", to="audits.audit"
                ),
            ),
            (
                "frozen_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
        ],
        options={"verbose_name": "population of an audit", "verbose_name_plural": "populations of audits"},
    ),
    migrations.CreateModel(
        name="Review",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("is_chosen", models.BooleanField(default=False)),
            (
                "state",
                models.CharField(
                    choices=[
                        ("due", "To be held"),
                        ("held", "Held, to be signed"),
                        ("closed", "Closed"),
                        ("not_owed", "Not owed any more"),
                    ],
                    default="due",
                    max_length=10,
                    verbose_name="state",
                ),
            ),
            ("held_at", models.DateTimeField(blank=True, null=True, verbose_name="held")),
            ("closed_at", models.DateTimeField(blank=True, null=True)),
            (
                "closed_how",
                models.CharField(
                    blank=True,
                    choices=[
                        ("both", "Signed by both"),
                        ("unanswered", "Signed by the reviewer; the person did not answer in time"),
                    ],
                    max_length=10,
                ),
            ),
            (
                "after",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="next",
                    to="audits.review",
                ),
            ),
            (
                "contract",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.contract"),
            ),
            (
                "deadline",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="review", to="csp.deadline"
                ),
            ),
            (
                "reviewer",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            ("team", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.team")),
            (
                "user",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="reviews", to=settings.AUTH_USER_MODEL
                ),
            ),
        ],
        options={
            "verbose_name": "review",
            "verbose_name_plural": "reviews",
            "indexes": [
                models.Index(fields=["user", "-id"], name="review_of_user"),
                models.Index(fields=["reviewer", "-id"], name="review_of_reviewer"),
            ],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("state__in", ["due", "held"])),
                    fields=("user", "contract"),
                    name="one_review_to_come",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("reviewer__isnull", True),
                        models.Q(("reviewer", models.F("user")), _negated=True),
                        _connector="OR",
                    ),
                    name="nobody_reviews_themselves",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("closed_at__isnull", True), ("closed_how", ""), ("held_at__isnull", True), ("state", "due")
                        ),
                        models.Q(
                            ("closed_at__isnull", True),
                            ("closed_how", ""),
                            ("held_at__isnull", False),
                            ("state", "held"),
                        ),
                        models.Q(
                            ("closed_at__isnull", False),
                            ("held_at__isnull", False),
                            ("state", "closed"),
                            models.Q(("closed_how", ""), _negated=True),
                        ),
                        models.Q(("closed_at__isnull", False), ("closed_how", ""), ("state", "not_owed")),
                        _connector="OR",
                    ),
                    name="a_review_is_held_before_it_is_closed",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Scorecard",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("number", models.PositiveIntegerField(verbose_name="version")),
            ("because", models.CharField(blank=True, max_length=300, verbose_name="why it was changed")),
            ("published_at", models.DateTimeField()),
            (
                "contract",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="scorecards", to="csp.contract"
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
            "verbose_name": "scorecard",
            "verbose_name_plural": "scorecards",
            "constraints": [models.UniqueConstraint(fields=("contract", "number"), name="one_scorecard_of_a_number")],
        },
    ),
    migrations.CreateModel(
        name="HistoricalAudit",
        fields=[
            ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
            ("title", models.CharField(max_length=120, verbose_name="title")),
            (
                "clauses",
                django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=4), size=None),
            ),
            ("teams", django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
            (
                "channels",
                django.contrib.postgres.fields.ArrayField(
                    base_field=models.CharField(max_length=10), blank=True, default=list, size=None
                ),
            ),
            ("since", models.DateTimeField(verbose_name="closed from")),
            ("until", models.DateTimeField(verbose_name="closed before")),
            ("sample_size", models.PositiveSmallIntegerField(verbose_name="sample size")),
            (
                "strata",
                models.CharField(
                    choices=[
                        ("none", "From all together"),
                        ("team", "By team"),
                        ("channel", "By channel"),
                        ("both", "By team and channel"),
                    ],
                    default="none",
                    max_length=7,
                    verbose_name="sample drawn",
                ),
            ),
            ("twice_percent", models.PositiveSmallIntegerField(default=0, verbose_name="share scored twice")),
            ("begins_at", models.DateTimeField(verbose_name="begins")),
            ("ends_at", models.DateTimeField(verbose_name="to be finished by")),
            ("planned_at", models.DateTimeField()),
            ("requested_at", models.DateTimeField(blank=True, null=True)),
            (
                "state",
                models.CharField(
                    choices=[
                        ("planned", "Planned"),
                        ("running", "Being scored"),
                        ("closed", "Closed"),
                        ("withdrawn", "Withdrawn"),
                    ],
                    default="planned",
                    max_length=9,
                    verbose_name="state",
                ),
            ),
            ("ended_at", models.DateTimeField(blank=True, null=True)),
            ("conclusion", models.TextField(blank=True, verbose_name="conclusion")),
            ("history_id", models.AutoField(primary_key=True, serialize=False)),
            ("history_date", models.DateTimeField(db_index=True)),
            ("history_change_reason", models.CharField(max_length=100, null=True)),
            (
                "history_type",
                models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
            ),
            (
                "access",
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
                "auditor",
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
                "ended_by",
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
                "planned_by",
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
                "requested_by",
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
                "second",
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
                "scorecard",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="audits.scorecard",
                ),
            ),
        ],
        options={
            "verbose_name": "historical quality audit",
            "verbose_name_plural": "historical quality audits",
            "ordering": ("-history_date", "-history_id"),
            "get_latest_by": ("history_date", "history_id"),
        },
        bases=(simple_history.models.HistoricalChanges, models.Model),
    ),
    migrations.CreateModel(
        name="Criterion",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("position", models.PositiveSmallIntegerField()),
            ("clause", models.CharField(max_length=4, verbose_name="clause")),
            ("question", models.CharField(max_length=300, verbose_name="question")),
            ("weight", models.PositiveSmallIntegerField(verbose_name="weight")),
            ("is_critical", models.BooleanField(default=False, verbose_name="critical")),
            ("asks_accuracy", models.BooleanField(default=False, verbose_name="asks whether the answer was accurate")),
            (
                "scorecard",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="criteria", to="audits.scorecard"
                ),
            ),
        ],
        options={
            "verbose_name": "criterion",
            "verbose_name_plural": "criteria",
            "ordering": ["position"],
            "constraints": [
                models.UniqueConstraint(fields=("scorecard", "position"), name="one_criterion_in_a_place"),
                models.CheckConstraint(
                    condition=models.Q(("weight__gte", 1), ("weight__lte", 100)), name="a_weight_is_one_to_a_hundred"
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Scoring",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("is_second", models.BooleanField(default=False, verbose_name="second scoring")),
            ("draft", models.JSONField(blank=True, default=dict)),
            ("saved_at", models.DateTimeField()),
            ("scored_at", models.DateTimeField(blank=True, null=True)),
            ("percent", models.PositiveSmallIntegerField(blank=True, null=True)),
            ("passed", models.BooleanField(blank=True, null=True)),
            ("case_number", models.BigIntegerField(blank=True, null=True)),
            (
                "draw",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="scorings", to="audits.draw"
                ),
            ),
            (
                "scorer",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
        ],
        options={
            "verbose_name": "scoring",
            "verbose_name_plural": "scorings",
            "constraints": [
                models.UniqueConstraint(fields=("draw", "is_second"), name="one_scoring_of_a_kind"),
                models.UniqueConstraint(fields=("draw", "scorer"), name="nobody_scores_twice"),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("passed__isnull", True), ("percent__isnull", True), ("scored_at__isnull", True)),
                        models.Q(("passed__isnull", False), ("percent__isnull", False), ("scored_at__isnull", False)),
                        _connector="OR",
                    ),
                    name="a_signed_card_has_its_score",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Mark",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("answer", models.CharField(choices=[("yes", "Yes"), ("no", "No"), ("na", "N/A")], max_length=3)),
            ("comment", models.TextField(blank=True)),
            ("interaction", models.BigIntegerField(blank=True, null=True)),
            (
                "criterion",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="audits.criterion"),
            ),
            (
                "scoring",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="marks", to="audits.scoring"
                ),
            ),
        ],
        options={
            "verbose_name": "mark",
            "verbose_name_plural": "marks",
            "constraints": [models.UniqueConstraint(fields=("scoring", "criterion"), name="one_mark_for_a_criterion")],
        },
    ),
    migrations.CreateModel(
        name="Signed",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("talk", models.PositiveSmallIntegerField()),
            ("as_person", models.BooleanField()),
            ("agrees", models.BooleanField(blank=True, null=True)),
            ("at", models.DateTimeField()),
            ("proof", models.CharField(max_length=40)),
            ("digest", models.CharField(max_length=64)),
            (
                "by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "review",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="signed", to="audits.review"
                ),
            ),
        ],
        options={
            "verbose_name": "signature under a review",
            "verbose_name_plural": "signatures under reviews",
            "constraints": [
                models.UniqueConstraint(fields=("review", "talk", "as_person"), name="each_signs_a_talk_once"),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("agrees__isnull", False), ("as_person", True)),
                        models.Q(("agrees__isnull", True), ("as_person", False)),
                        _connector="OR",
                    ),
                    name="the_person_says_whether_they_agree",
                ),
                models.CheckConstraint(condition=models.Q(("proof", ""), _negated=True), name="signed_in_again"),
            ],
        },
    ),
    migrations.CreateModel(
        name="Statement",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("month", models.DateField(verbose_name="month")),
            (
                "contract",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="statements", to="csp.contract"
                ),
            ),
            (
                "deadline",
                models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.deadline"),
            ),
        ],
        options={
            "verbose_name": "monthly statement",
            "verbose_name_plural": "monthly statements",
            "constraints": [
                models.UniqueConstraint(fields=("contract", "month"), name="one_statement_of_a_month"),
                models.CheckConstraint(condition=models.Q(("month__day", 1)), name="a_month_begins_on_its_first_day"),
            ],
        },
    ),
    migrations.CreateModel(
        name="StatementVersion",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("number", models.PositiveSmallIntegerField()),
            ("signed_at", models.DateTimeField(verbose_name="frozen and signed")),
            ("document", models.TextField()),
            ("digest", models.CharField(max_length=64)),
            ("comment", models.TextField(blank=True, verbose_name="comment")),
            ("reason", models.TextField(blank=True, verbose_name="why it is corrected")),
            (
                "signed_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "statement",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="versions", to="audits.statement"
                ),
            ),
        ],
        options={
            "verbose_name": "version of a monthly statement",
            "verbose_name_plural": "versions of monthly statements",
            "constraints": [
                models.UniqueConstraint(fields=("statement", "number"), name="one_version_of_a_statement_by_number"),
                models.CheckConstraint(
                    condition=models.Q(("number__gte", 1)), name="versions_of_statements_count_from_one"
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Talk",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("number", models.PositiveSmallIntegerField()),
            ("held_at", models.DateTimeField()),
            ("recorded_at", models.DateTimeField()),
            ("frozen", models.TextField()),
            ("digest", models.CharField(max_length=64)),
            (
                "papers",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="talks", to="audits.papers"
                ),
            ),
            (
                "reviewer",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
        ],
        options={
            "verbose_name": "talk",
            "verbose_name_plural": "talks",
            "constraints": [
                models.UniqueConstraint(fields=("papers", "number"), name="one_talk_per_number"),
                models.CheckConstraint(
                    condition=models.Q(("held_at__lte", models.F("recorded_at"))), name="a_talk_was_held_already"
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Verification",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("accepted", models.BooleanField(verbose_name="accepted")),
            ("note", models.TextField(verbose_name="what was found")),
            ("at", models.DateTimeField()),
            (
                "by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "implementation",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="verification", to="audits.implementation"
                ),
            ),
        ],
        options={"verbose_name": "verification", "verbose_name_plural": "verifications"},
    ),
    migrations.CreateModel(
        name="HistoricalMeasure",
        fields=[
            ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
            (
                "kind",
                models.CharField(
                    choices=[
                        ("retraining", "Retraining"),
                        ("oversight", "Additional oversight"),
                        ("responsibilities", "Revision of responsibilities"),
                    ],
                    max_length=20,
                    verbose_name="measure",
                ),
            ),
            (
                "aim",
                models.CharField(
                    choices=[
                        ("person", "A person"),
                        ("team", "The team"),
                        ("process", "A way of working"),
                        ("party", "A party to the contract"),
                    ],
                    max_length=10,
                    verbose_name="aimed at",
                ),
            ),
            ("reason", models.TextField(blank=True, verbose_name="reason")),
            ("rule", models.CharField(blank=True, max_length=20)),
            ("proposed_at", models.DateTimeField()),
            ("answer_by", models.DateTimeField(blank=True, null=True)),
            ("heard_at", models.DateTimeField(blank=True, null=True)),
            (
                "heard_how",
                models.CharField(
                    blank=True,
                    choices=[
                        ("statement", "Made a statement"),
                        ("refused", "Chose to say nothing"),
                        ("no_answer", "Did not answer in time"),
                    ],
                    max_length=10,
                ),
            ),
            ("statement", models.TextField(blank=True, verbose_name="statement")),
            (
                "state",
                models.CharField(
                    choices=[
                        ("proposed", "Proposed"),
                        ("in_force", "In force"),
                        ("declined", "Not taken"),
                        ("ended", "Ended"),
                    ],
                    default="proposed",
                    max_length=10,
                    verbose_name="state",
                ),
            ),
            ("decided_at", models.DateTimeField(blank=True, null=True)),
            ("decision", models.TextField(blank=True, verbose_name="why")),
            ("course", models.CharField(blank=True, max_length=200, verbose_name="what to be trained in")),
            (
                "restricts",
                django.contrib.postgres.fields.ArrayField(
                    base_field=models.CharField(
                        choices=[
                            ("cosign", "Answers wait for a co-signature"),
                            ("no_complaints", "No complaints"),
                            ("no_new_tickets", "No new tickets"),
                        ],
                        max_length=20,
                    ),
                    blank=True,
                    default=list,
                    size=None,
                    verbose_name="meanwhile",
                ),
            ),
            ("starts_at", models.DateTimeField(blank=True, null=True)),
            ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="ends")),
            ("ended_at", models.DateTimeField(blank=True, null=True)),
            (
                "ended_how",
                models.CharField(
                    blank=True,
                    choices=[
                        ("time", "Its time was over"),
                        ("lifted", "Lifted early"),
                        ("done", "Retrained"),
                        ("appeal", "Ended on appeal"),
                    ],
                    max_length=10,
                ),
            ),
            ("ending_note", models.TextField(blank=True)),
            ("history_id", models.AutoField(primary_key=True, serialize=False)),
            ("history_date", models.DateTimeField(db_index=True)),
            ("history_change_reason", models.CharField(max_length=100, null=True)),
            (
                "history_type",
                models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
            ),
            (
                "because_breach",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="csp.breach",
                ),
            ),
            (
                "because_deadline",
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
                "because_effect",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="audits.effectcheck",
                ),
            ),
            (
                "cosigner",
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
                "ended_by",
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
                "person",
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
                "proposed_by",
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
                "case",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="audits.noncompliance",
                ),
            ),
            (
                "because_verification",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="audits.verification",
                ),
            ),
        ],
        options={
            "verbose_name": "historical measure",
            "verbose_name_plural": "historical measures",
            "ordering": ("-history_date", "-history_id"),
            "get_latest_by": ("history_date", "history_id"),
        },
        bases=(simple_history.models.HistoricalChanges, models.Model),
    ),
]


class Migration(migrations.Migration):
    replaces = [("audits", "0001_first"), ("audits", "0005_reviews"), ("audits", "0007_quality_audits")]

    initial = True

    dependencies = [("csp", "0001_initial"), ("tickets", "0001_initial")]

    operations = [CreateModels(MODELS)]
