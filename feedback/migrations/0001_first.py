import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.core.validators
import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("csp", "0018_feedback"),
        ("csp", "__first__"),
        ("tickets", "0011_survey_texts"),
    ]

    operations = [
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
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="remarks", to="csp.team"
                    ),
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
            options={
                "verbose_name": "customer without surveys",
                "verbose_name_plural": "customers without surveys",
            },
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
            options={
                "verbose_name": "survey rule",
                "verbose_name_plural": "survey rules",
            },
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
                "indexes": [
                    models.Index(condition=models.Q(("who__isnull", False)), fields=["who"], name="identity_of")
                ],
            },
        ),
    ]
