import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.core.validators
import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

from csp.migrations._tables import CreateModels

MODELS = [
    migrations.CreateModel(
        name="Remark",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "source",
                models.CharField(
                    choices=[
                        ("survey", "Survey"),
                        ("form", "Feedback form"),
                        ("phone", "Telephone"),
                        ("paper", "On paper"),
                        ("review", "Public review"),
                        ("import", "Imported"),
                    ],
                    max_length=8,
                    verbose_name="source",
                ),
            ),
            (
                "level",
                models.CharField(
                    choices=[("confidential", "Confidential"), ("anonymous", "Anonymous")],
                    max_length=12,
                    verbose_name="confidentiality",
                ),
            ),
            ("received_at", models.DateTimeField(verbose_name="received")),
            ("recorded_at", models.DateTimeField()),
            ("score", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="score")),
            (
                "soon",
                models.CharField(
                    blank=True,
                    choices=[("yes", "Soon enough"), ("slow", "It was slow"), ("no", "Too late")],
                    max_length=4,
                    verbose_name="answered soon enough",
                ),
            ),
            ("words", models.TextField(blank=True, verbose_name="words")),
            ("wants_answer", models.BooleanField(default=False, verbose_name="expects an answer")),
            ("once", models.CharField(blank=True, editable=False, max_length=64, null=True, unique=True)),
            (
                "search",
                models.GeneratedField(
                    db_persist=True,
                    expression=django.contrib.postgres.search.SearchVector("words", config="simple"),
                    output_field=django.contrib.postgres.search.SearchVectorField(),
                ),
            ),
            (
                "contract",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.contract"),
            ),
            (
                "inbox",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="csp.deadline",
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
                "team",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="remarks", to="csp.team"),
            ),
        ],
        options={
            "verbose_name": "remark",
            "verbose_name_plural": "remarks",
            "indexes": [
                models.Index(fields=["contract", "-id"], name="remark_of_contract"),
                models.Index(fields=["team", "-id"], name="remark_of_team"),
                django.contrib.postgres.indexes.GinIndex(fields=["search"], name="remark_search"),
            ],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        ("score__isnull", True), models.Q(("score__gte", 1), ("score__lte", 5)), _connector="OR"
                    ),
                    name="a_score_is_one_to_five",
                ),
                models.CheckConstraint(
                    condition=models.Q(("level", "confidential"), ("wants_answer", False), _connector="OR"),
                    name="nobody_answers_the_anonymous",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="ActionItem",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("what", models.CharField(max_length=500, verbose_name="what is done")),
            ("agreed_at", models.DateTimeField()),
            (
                "state",
                models.CharField(
                    choices=[
                        ("planned", "To be done"),
                        ("done", "To be verified"),
                        ("verified", "Verified"),
                        ("withdrawn", "Withdrawn"),
                    ],
                    default="planned",
                    max_length=9,
                    verbose_name="state",
                ),
            ),
            ("withdrawn_because", models.CharField(blank=True, max_length=500)),
            (
                "measure",
                models.CharField(
                    choices=[
                        ("rate", "Remarks of the theme per 100 tickets"),
                        ("late", "Share of answers that were late"),
                        ("score", "Mean score of surveys"),
                        ("low", "Share of low scores"),
                    ],
                    max_length=5,
                    verbose_name="figure",
                ),
            ),
            (
                "window_days",
                models.PositiveSmallIntegerField(
                    default=28,
                    validators=[
                        django.core.validators.MinValueValidator(7),
                        django.core.validators.MaxValueValidator(182),
                    ],
                    verbose_name="days before and after",
                ),
            ),
            ("before", models.JSONField()),
            (
                "agreed_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "deadline",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="action_item", to="csp.deadline"
                ),
            ),
            (
                "owner",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "finding",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="items", to="feedback.finding"
                ),
            ),
        ],
        options={
            "verbose_name": "action item",
            "verbose_name_plural": "action items",
            "indexes": [
                models.Index(condition=models.Q(("state", "planned")), fields=["owner"], name="action_item_to_do"),
                models.Index(fields=["finding", "id"], name="action_item_of_finding"),
            ],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("state", "withdrawn"), _negated=True),
                        models.Q(("withdrawn_because", ""), _negated=True),
                        _connector="OR",
                    ),
                    name="withdrawing_an_item_needs_a_reason",
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="Effect",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("after", models.JSONField()),
            ("at", models.DateTimeField()),
            (
                "item",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="effect", to="feedback.actionitem"
                ),
            ),
        ],
        options={"verbose_name": "effect of an action item", "verbose_name_plural": "effects of action items"},
    ),
    migrations.CreateModel(
        name="Finding",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("clause", models.CharField(blank=True, max_length=4, verbose_name="clause")),
            ("title", models.CharField(max_length=200, verbose_name="in a sentence")),
            ("text", models.TextField(verbose_name="what was found")),
            ("recommendation", models.TextField(verbose_name="what should be done")),
            ("evidence", models.JSONField()),
            ("written_at", models.DateTimeField()),
            (
                "state",
                models.CharField(
                    choices=[("open", "To be decided"), ("acted", "Acted on"), ("refused", "Not acted on")],
                    default="open",
                    max_length=8,
                    verbose_name="state",
                ),
            ),
            (
                "act",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="finding", to="csp.deadline"
                ),
            ),
            (
                "contract",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="findings", to="csp.contract"
                ),
            ),
            (
                "team",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="findings", to="csp.team"),
            ),
            (
                "written_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "theme",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="findings",
                    to="feedback.theme",
                ),
            ),
        ],
        options={
            "verbose_name": "finding",
            "verbose_name_plural": "findings",
            "indexes": [
                models.Index(fields=["contract", "-id"], name="finding_of_contract"),
                models.Index(fields=["theme"], name="finding_of_theme"),
            ],
        },
    ),
    migrations.CreateModel(
        name="FindingRefusal",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("reason", models.TextField(verbose_name="reason")),
            ("at", models.DateTimeField()),
            (
                "by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "finding",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="refusal", to="feedback.finding"
                ),
            ),
        ],
        options={"verbose_name": "finding not acted on", "verbose_name_plural": "findings not acted on"},
    ),
    migrations.CreateModel(
        name="Group",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("opened_at", models.DateTimeField()),
            ("dismissed_at", models.DateTimeField(blank=True, null=True)),
            (
                "contract",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.contract"),
            ),
            (
                "dismissed_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "theme",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="groups",
                    to="feedback.theme",
                ),
            ),
        ],
        options={
            "verbose_name": "texts that are alike",
            "verbose_name_plural": "texts that are alike",
            "indexes": [models.Index(fields=["contract", "-id"], name="group_of_contract")],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("dismissed_at__isnull", True), ("dismissed_by__isnull", True)),
                        models.Q(("dismissed_at__isnull", False), ("dismissed_by__isnull", False)),
                        _connector="OR",
                    ),
                    name="a_group_is_dismissed_by_somebody",
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="HistoricalActionItem",
        fields=[
            ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
            ("what", models.CharField(max_length=500, verbose_name="what is done")),
            ("agreed_at", models.DateTimeField()),
            (
                "state",
                models.CharField(
                    choices=[
                        ("planned", "To be done"),
                        ("done", "To be verified"),
                        ("verified", "Verified"),
                        ("withdrawn", "Withdrawn"),
                    ],
                    default="planned",
                    max_length=9,
                    verbose_name="state",
                ),
            ),
            ("withdrawn_because", models.CharField(blank=True, max_length=500)),
            (
                "measure",
                models.CharField(
                    choices=[
                        ("rate", "Remarks of the theme per 100 tickets"),
                        ("late", "Share of answers that were late"),
                        ("score", "Mean score of surveys"),
                        ("low", "Share of low scores"),
                    ],
                    max_length=5,
                    verbose_name="figure",
                ),
            ),
            (
                "window_days",
                models.PositiveSmallIntegerField(
                    default=28,
                    validators=[
                        django.core.validators.MinValueValidator(7),
                        django.core.validators.MaxValueValidator(182),
                    ],
                    verbose_name="days before and after",
                ),
            ),
            ("before", models.JSONField()),
            ("history_id", models.AutoField(primary_key=True, serialize=False)),
            ("history_date", models.DateTimeField(db_index=True)),
            ("history_change_reason", models.CharField(max_length=100, null=True)),
            (
                "history_type",
                models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
            ),
            (
                "agreed_by",
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
                "deadline",
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
                "finding",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="feedback.finding",
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
        ],
        options={
            "verbose_name": "historical action item",
            "verbose_name_plural": "historical action items",
            "ordering": ("-history_date", "-history_id"),
            "get_latest_by": ("history_date", "history_id"),
        },
        bases=(simple_history.models.HistoricalChanges, models.Model),
    ),
    migrations.CreateModel(
        name="HistoricalSurveyRule",
        fields=[
            ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
            ("is_on", models.BooleanField(default=True, verbose_name="ask after a matter is resolved")),
            (
                "wait_hours",
                models.PositiveSmallIntegerField(
                    default=1,
                    validators=[django.core.validators.MaxValueValidator(168)],
                    verbose_name="hours after the resolution",
                ),
            ),
            (
                "cap_days",
                models.PositiveSmallIntegerField(
                    default=30,
                    validators=[django.core.validators.MaxValueValidator(365)],
                    verbose_name="days between two surveys to one customer",
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
            "verbose_name": "historical survey rule",
            "verbose_name_plural": "historical survey rules",
            "ordering": ("-history_date", "-history_id"),
            "get_latest_by": ("history_date", "history_id"),
        },
        bases=(simple_history.models.HistoricalChanges, models.Model),
    ),
    migrations.CreateModel(
        name="HistoricalThemeRule",
        fields=[
            ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
            (
                "recurs_texts",
                models.PositiveSmallIntegerField(
                    default=5,
                    validators=[
                        django.core.validators.MinValueValidator(2),
                        django.core.validators.MaxValueValidator(1000),
                    ],
                    verbose_name="texts that are alike",
                ),
            ),
            (
                "recurs_days",
                models.PositiveSmallIntegerField(
                    default=28,
                    validators=[
                        django.core.validators.MinValueValidator(1),
                        django.core.validators.MaxValueValidator(365),
                    ],
                    verbose_name="within days",
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
            "verbose_name": "historical rule for recurring issues",
            "verbose_name_plural": "historical rules for recurring issues",
            "ordering": ("-history_date", "-history_id"),
            "get_latest_by": ("history_date", "history_id"),
        },
        bases=(simple_history.models.HistoricalChanges, models.Model),
    ),
    migrations.CreateModel(
        name="Identity",
        fields=[
            (
                "remark",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT,
                    primary_key=True,
                    related_name="identity",
                    serialize=False,
                    to="feedback.remark",
                ),
            ),
            ("who", models.BinaryField(blank=True, max_length=32, null=True)),
            (
                "blob",
                models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.blob"),
            ),
        ],
        options={
            "verbose_name": "identity behind a remark",
            "verbose_name_plural": "identities behind remarks",
            "indexes": [models.Index(condition=models.Q(("who__isnull", False)), fields=["who"], name="identity_of")],
        },
    ),
    migrations.CreateModel(
        name="Outcome",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "kind",
                models.CharField(
                    choices=[
                        ("called_back", "Called back"),
                        ("complaint", "Complaint opened"),
                        ("answered", "Answered as a ticket"),
                        ("coached", "Coached"),
                        ("thanked", "Thanked"),
                        ("no_action", "No action"),
                    ],
                    max_length=12,
                    verbose_name="what was done",
                ),
            ),
            ("reason", models.TextField(blank=True, verbose_name="reason")),
            ("at", models.DateTimeField()),
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
                "remark",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="outcome", to="feedback.remark"
                ),
            ),
            (
                "ticket",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="tickets.ticket",
                ),
            ),
        ],
        options={
            "verbose_name": "outcome of a remark",
            "verbose_name_plural": "outcomes of remarks",
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("kind__in", ["complaint", "answered"]), _negated=True),
                        ("ticket__isnull", False),
                        _connector="OR",
                    ),
                    name="what_became_a_ticket_names_it",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("kind", "no_action"), _negated=True),
                        models.Q(("reason", ""), _negated=True),
                        _connector="OR",
                    ),
                    name="no_action_has_a_reason",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="ProcedureChange",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("at", models.DateTimeField()),
            (
                "by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "finding",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="procedure_changes", to="feedback.finding"
                ),
            ),
            (
                "version",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="because_of",
                    to="tickets.procedureversion",
                ),
            ),
        ],
        options={
            "verbose_name": "procedure changed by a finding",
            "verbose_name_plural": "procedures changed by findings",
            "constraints": [
                models.UniqueConstraint(fields=("finding", "version"), name="a_finding_changes_a_version_once")
            ],
        },
    ),
    migrations.CreateModel(
        name="StoppedSurveys",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("at", models.DateTimeField()),
            (
                "customer",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="stopped_surveys", to="csp.customer"
                ),
            ),
        ],
        options={"verbose_name": "customer without surveys", "verbose_name_plural": "customers without surveys"},
    ),
    migrations.CreateModel(
        name="Survey",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "decision",
                models.CharField(
                    choices=[
                        ("sent", "Sent"),
                        ("stopped", "The customer does not want surveys"),
                        ("capped", "Asked not long ago"),
                        ("no_address", "No e-mail address is known"),
                    ],
                    max_length=10,
                ),
            ),
            ("decided_at", models.DateTimeField()),
            ("used_at", models.DateTimeField(blank=True, null=True)),
            (
                "customer",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="surveys", to="csp.customer"
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
            (
                "ticket",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="survey", to="tickets.ticket"
                ),
            ),
        ],
        options={
            "verbose_name": "survey",
            "verbose_name_plural": "surveys",
            "indexes": [
                models.Index(
                    condition=models.Q(("decision", "sent")),
                    fields=["customer", "-decided_at"],
                    name="survey_of_customer",
                )
            ],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("decision", "sent"), ("message__isnull", False)),
                        models.Q(models.Q(("decision", "sent"), _negated=True), ("message__isnull", True)),
                        _connector="OR",
                    ),
                    name="a_survey_that_was_sent_has_its_mail",
                ),
                models.CheckConstraint(
                    condition=models.Q(("used_at__isnull", True), ("decision", "sent"), _connector="OR"),
                    name="only_what_was_sent_is_answered",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="SurveyRule",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("is_on", models.BooleanField(default=True, verbose_name="ask after a matter is resolved")),
            (
                "wait_hours",
                models.PositiveSmallIntegerField(
                    default=1,
                    validators=[django.core.validators.MaxValueValidator(168)],
                    verbose_name="hours after the resolution",
                ),
            ),
            (
                "cap_days",
                models.PositiveSmallIntegerField(
                    default=30,
                    validators=[django.core.validators.MaxValueValidator(365)],
                    verbose_name="days between two surveys to one customer",
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
                    on_delete=django.db.models.deletion.PROTECT, related_name="survey_rule", to="csp.contract"
                ),
            ),
        ],
        options={"verbose_name": "survey rule", "verbose_name_plural": "survey rules"},
    ),
    migrations.CreateModel(
        name="Text",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("at", models.DateTimeField()),
            ("is_first", models.BooleanField(default=False)),
            ("closeness", models.FloatField(blank=True, null=True)),
            ("is_whole", models.BooleanField(default=True)),
            (
                "contract",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.contract"),
            ),
            (
                "group",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="texts", to="feedback.group"
                ),
            ),
            (
                "remark",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="place",
                    to="feedback.remark",
                ),
            ),
            ("team", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.team")),
            (
                "ticket",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="place",
                    to="tickets.ticket",
                ),
            ),
        ],
        options={
            "verbose_name": "place of a text",
            "verbose_name_plural": "places of texts",
            "indexes": [
                models.Index(fields=["group", "at"], name="text_of_group"),
                models.Index(fields=["contract", "at"], name="text_of_contract"),
                models.Index(condition=models.Q(("is_whole", False)), fields=["ticket"], name="text_to_read_again"),
            ],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("remark__isnull", False), ("ticket__isnull", True)),
                        models.Q(("remark__isnull", True), ("ticket__isnull", False)),
                        _connector="OR",
                    ),
                    name="a_text_is_a_remark_or_a_ticket",
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="Theme",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("name", models.CharField(max_length=120, verbose_name="name")),
            ("clause", models.CharField(blank=True, max_length=4, verbose_name="clause")),
            ("made_at", models.DateTimeField()),
            ("dismissed_at", models.DateTimeField(blank=True, null=True)),
            (
                "contract",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="themes", to="csp.contract"
                ),
            ),
            (
                "made_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "merged_into",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="merged",
                    to="feedback.theme",
                ),
            ),
            (
                "split_from",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="split_off",
                    to="feedback.theme",
                ),
            ),
            (
                "team",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="themes",
                    to="csp.team",
                ),
            ),
        ],
        options={
            "verbose_name": "theme",
            "verbose_name_plural": "themes",
            "indexes": [models.Index(fields=["contract", "-id"], name="theme_of_contract")],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(("merged_into__isnull", True), ("dismissed_at__isnull", True), _connector="OR"),
                    name="a_theme_is_merged_or_dismissed",
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="Recurrence",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("since", models.DateTimeField()),
            ("at", models.DateTimeField()),
            ("remarks", models.PositiveIntegerField()),
            ("tickets", models.PositiveIntegerField()),
            ("recurs_texts", models.PositiveSmallIntegerField()),
            ("recurs_days", models.PositiveSmallIntegerField()),
            (
                "contract",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.contract"),
            ),
            (
                "group",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="recurrence",
                    to="feedback.group",
                ),
            ),
            (
                "theme",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="recurrence",
                    to="feedback.theme",
                ),
            ),
        ],
        options={
            "verbose_name": "recurring issue",
            "verbose_name_plural": "recurring issues",
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("group__isnull", True), ("theme__isnull", False)),
                        models.Q(("group__isnull", False), ("theme__isnull", True)),
                        _connector="OR",
                    ),
                    name="a_theme_or_a_group_recurs",
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="HistoricalTheme",
        fields=[
            ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
            ("name", models.CharField(max_length=120, verbose_name="name")),
            ("clause", models.CharField(blank=True, max_length=4, verbose_name="clause")),
            ("made_at", models.DateTimeField()),
            ("dismissed_at", models.DateTimeField(blank=True, null=True)),
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
            (
                "made_by",
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
                "merged_into",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="feedback.theme",
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
                    to="feedback.theme",
                ),
            ),
        ],
        options={
            "verbose_name": "historical theme",
            "verbose_name_plural": "historical themes",
            "ordering": ("-history_date", "-history_id"),
            "get_latest_by": ("history_date", "history_id"),
        },
        bases=(simple_history.models.HistoricalChanges, models.Model),
    ),
    migrations.CreateModel(
        name="HistoricalFinding",
        fields=[
            ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
            ("clause", models.CharField(blank=True, max_length=4, verbose_name="clause")),
            ("title", models.CharField(max_length=200, verbose_name="in a sentence")),
            ("text", models.TextField(verbose_name="what was found")),
            ("recommendation", models.TextField(verbose_name="what should be done")),
            ("evidence", models.JSONField()),
            ("written_at", models.DateTimeField()),
            (
                "state",
                models.CharField(
                    choices=[("open", "To be decided"), ("acted", "Acted on"), ("refused", "Not acted on")],
                    default="open",
                    max_length=8,
                    verbose_name="state",
                ),
            ),
            ("history_id", models.AutoField(primary_key=True, serialize=False)),
            ("history_date", models.DateTimeField(db_index=True)),
            ("history_change_reason", models.CharField(max_length=100, null=True)),
            (
                "history_type",
                models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
            ),
            (
                "act",
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
            (
                "theme",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="feedback.theme",
                ),
            ),
        ],
        options={
            "verbose_name": "historical finding",
            "verbose_name_plural": "historical findings",
            "ordering": ("-history_date", "-history_id"),
            "get_latest_by": ("history_date", "history_id"),
        },
        bases=(simple_history.models.HistoricalChanges, models.Model),
    ),
    migrations.CreateModel(
        name="ThemeRule",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "recurs_texts",
                models.PositiveSmallIntegerField(
                    default=5,
                    validators=[
                        django.core.validators.MinValueValidator(2),
                        django.core.validators.MaxValueValidator(1000),
                    ],
                    verbose_name="texts that are alike",
                ),
            ),
            (
                "recurs_days",
                models.PositiveSmallIntegerField(
                    default=28,
                    validators=[
                        django.core.validators.MinValueValidator(1),
                        django.core.validators.MaxValueValidator(365),
                    ],
                    verbose_name="within days",
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
                    on_delete=django.db.models.deletion.PROTECT, related_name="theme_rule", to="csp.contract"
                ),
            ),
        ],
        options={"verbose_name": "rule for recurring issues", "verbose_name_plural": "rules for recurring issues"},
    ),
    migrations.CreateModel(
        name="ThemeText",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("added_at", models.DateTimeField()),
            ("removed_at", models.DateTimeField(blank=True, null=True)),
            (
                "added_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "remark",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="in_themes", to="feedback.remark"
                ),
            ),
            (
                "removed_by",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "theme",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="texts", to="feedback.theme"
                ),
            ),
        ],
        options={
            "verbose_name": "remark in a theme",
            "verbose_name_plural": "remarks in themes",
            "indexes": [
                models.Index(
                    condition=models.Q(("removed_at__isnull", True)), fields=["remark"], name="themes_of_remark"
                )
            ],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("removed_at__isnull", True)),
                    fields=("theme", "remark"),
                    name="a_remark_is_once_in_a_theme",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("removed_at__isnull", True), ("removed_by__isnull", True)),
                        models.Q(("removed_at__isnull", False), ("removed_by__isnull", False)),
                        _connector="OR",
                    ),
                    name="a_remark_is_taken_out_by_somebody",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Work",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("text", models.TextField(verbose_name="what was done, and how that shows")),
            ("at", models.DateTimeField()),
            (
                "by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "item",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="works", to="feedback.actionitem"
                ),
            ),
            (
                "verify",
                models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.deadline"),
            ),
        ],
        options={
            "verbose_name": "work on an action item",
            "verbose_name_plural": "work on action items",
            "indexes": [models.Index(fields=["item", "id"], name="work_of_item")],
        },
    ),
    migrations.CreateModel(
        name="WorkCheck",
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
                "work",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="check_made", to="feedback.work"
                ),
            ),
        ],
        options={
            "verbose_name": "verification of an action item",
            "verbose_name_plural": "verifications of action items",
        },
    ),
    migrations.CreateModel(
        name="WorkFile",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("name", models.CharField(max_length=255)),
            ("content_type", models.CharField(max_length=120)),
            ("size", models.PositiveBigIntegerField()),
            ("blob", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.blob")),
            (
                "work",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="files", to="feedback.work"
                ),
            ),
        ],
        options={"verbose_name": "file of an action item", "verbose_name_plural": "files of action items"},
    ),
]


class Migration(migrations.Migration):
    replaces = [("feedback", "0001_first")]

    initial = True

    dependencies = [("csp", "0001_initial"), ("tickets", "0001_initial")]

    operations = [CreateModels(MODELS)]
