import django.contrib.postgres.fields
import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

from csp.migrations._tables import CreateModels

MODELS = [
    migrations.CreateModel(
        name="Attempt",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("number", models.PositiveSmallIntegerField()),
            ("seed", models.BigIntegerField()),
            ("started_at", models.DateTimeField()),
            ("finished_at", models.DateTimeField(blank=True, null=True)),
            ("answers", models.JSONField(blank=True, null=True)),
            ("right", models.PositiveSmallIntegerField(blank=True, null=True)),
            ("out_of", models.PositiveSmallIntegerField(blank=True, null=True)),
            ("passed", models.BooleanField(blank=True, null=True)),
            (
                "user",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="attempts", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "version",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="taken", to="training.courseversion"
                ),
            ),
        ],
        options={
            "verbose_name": "attempt at a test",
            "verbose_name_plural": "attempts at tests",
            "constraints": [
                models.UniqueConstraint(fields=("user", "version", "number"), name="one_attempt_per_number"),
                models.UniqueConstraint(
                    condition=models.Q(("finished_at__isnull", True)),
                    fields=("user", "version"),
                    name="one_open_attempt",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("finished_at__isnull", True),
                            ("out_of__isnull", True),
                            ("passed__isnull", True),
                            ("right__isnull", True),
                        ),
                        models.Q(
                            ("finished_at__isnull", False),
                            ("out_of__isnull", False),
                            ("passed__isnull", False),
                            ("right__isnull", False),
                        ),
                        _connector="OR",
                    ),
                    name="a_finished_attempt_is_graded",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Course",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("code", models.SlugField(max_length=60)),
            ("title", models.CharField(max_length=120, verbose_name="title")),
            (
                "clause",
                models.CharField(
                    choices=[("5.1", "§5.1"), ("5.2", "§5.2"), ("5.3", "§5.3"), ("6.1", "§6.1")],
                    max_length=4,
                    verbose_name="clause",
                ),
            ),
            (
                "roles",
                django.contrib.postgres.fields.ArrayField(
                    base_field=models.CharField(
                        choices=[
                            ("representative", "Representative"),
                            ("supervisor", "Supervisor"),
                            ("analyst", "Feedback analyst"),
                            ("auditor", "Auditor"),
                            ("administrator", "Administrator"),
                        ],
                        max_length=20,
                    ),
                    blank=True,
                    default=list,
                    size=None,
                    verbose_name="required of",
                ),
            ),
            ("repeats", models.BooleanField(default=True, verbose_name="repeated")),
            ("created_at", models.DateTimeField()),
            ("retired_at", models.DateTimeField(blank=True, null=True)),
            (
                "contract",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="courses", to="csp.contract"
                ),
            ),
        ],
        options={
            "verbose_name": "course",
            "verbose_name_plural": "courses",
            "constraints": [models.UniqueConstraint(fields=("contract", "code"), name="one_course_per_code")],
        },
    ),
    migrations.CreateModel(
        name="CourseVersion",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("number", models.PositiveIntegerField()),
            ("because", models.CharField(blank=True, max_length=60)),
            ("changes", models.TextField(blank=True, verbose_name="what is new")),
            ("material", models.TextField(blank=True, verbose_name="material")),
            ("minutes", models.PositiveSmallIntegerField(default=15, verbose_name="minutes it takes")),
            ("pass_percent", models.PositiveSmallIntegerField(default=80, verbose_name="pass mark, per cent")),
            ("attempts", models.PositiveSmallIntegerField(default=3, verbose_name="attempts")),
            ("renew_by", models.DateTimeField(blank=True, null=True, verbose_name="to be passed anew by")),
            ("written_at", models.DateTimeField()),
            ("published_at", models.DateTimeField(blank=True, null=True)),
            (
                "course",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="versions", to="training.course"
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
            (
                "written_by",
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
            "verbose_name": "version of a course",
            "verbose_name_plural": "versions of courses",
            "constraints": [
                models.UniqueConstraint(fields=("course", "number"), name="one_course_version_per_number"),
                models.UniqueConstraint(
                    condition=models.Q(("because", ""), ("published_at__isnull", True)),
                    fields=("course",),
                    name="one_draft_per_course",
                ),
                models.UniqueConstraint(
                    condition=models.Q(("because", ""), _negated=True),
                    fields=("because",),
                    name="one_update_course_for_a_thing",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("published_by__isnull", True), ("published_at__isnull", False), _connector="OR"
                    ),
                    name="published_says_when",
                ),
                models.CheckConstraint(
                    condition=models.Q(("attempts__gte", 1), ("pass_percent__gte", 1), ("pass_percent__lte", 100)),
                    name="a_test_can_be_passed",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("renew_by__isnull", True),
                        ("published_at__isnull", True),
                        ("renew_by__gt", models.F("published_at")),
                        _connector="OR",
                    ),
                    name="renewed_after_it_is_published",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="CourseFile",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("name", models.CharField(max_length=255)),
            ("content_type", models.CharField(max_length=120)),
            ("size", models.PositiveBigIntegerField()),
            ("blob", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.blob")),
            (
                "version",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="files", to="training.courseversion"
                ),
            ),
        ],
        options={"verbose_name": "file of a course", "verbose_name_plural": "files of courses"},
    ),
    migrations.CreateModel(
        name="Completion",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "how",
                models.CharField(
                    choices=[("test", "Test passed"), ("evidence", "Attended, with evidence")],
                    max_length=10,
                    verbose_name="how",
                ),
            ),
            ("passed_at", models.DateTimeField(verbose_name="passed")),
            ("recorded_at", models.DateTimeField()),
            ("note", models.TextField(blank=True, verbose_name="where, with whom, and how that shows")),
            ("code", models.CharField(max_length=24, unique=True, verbose_name="code of the certificate")),
            (
                "attempt",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="completion",
                    to="training.attempt",
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
                "user",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="completions", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "version",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="completions", to="training.courseversion"
                ),
            ),
        ],
        options={
            "verbose_name": "training passed",
            "verbose_name_plural": "training passed",
            "indexes": [models.Index(fields=["user", "version", "-passed_at"], name="completion_of_user")],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("attempt__isnull", False), ("how", "test"), ("recorded_by__isnull", True)),
                        models.Q(("attempt__isnull", True), ("how", "evidence"), ("recorded_by__isnull", False)),
                        _connector="OR",
                    ),
                    name="passed_by_a_test_or_by_evidence",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("recorded_by__isnull", True),
                        models.Q(("recorded_by", models.F("user")), _negated=True),
                        _connector="OR",
                    ),
                    name="nobody_records_own_attendance",
                ),
                models.CheckConstraint(
                    condition=models.Q(("passed_at__lte", models.F("recorded_at"))), name="passed_before_it_is_recorded"
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="AnswersOpened",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("at", models.DateTimeField()),
            (
                "user",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "version",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="opened_by", to="training.courseversion"
                ),
            ),
        ],
        options={
            "verbose_name": "answers opened",
            "verbose_name_plural": "answers opened",
            "constraints": [models.UniqueConstraint(fields=("version", "user"), name="answers_opened_once")],
        },
    ),
    migrations.CreateModel(
        name="Gate",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("number", models.PositiveIntegerField()),
            ("text", models.TextField(verbose_name="the rule in words")),
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
                    size=None,
                    verbose_name="until it is passed",
                ),
            ),
            (
                "days_present",
                models.PositiveSmallIntegerField(default=14, verbose_name="days for those who work here already"),
            ),
            ("published_at", models.DateTimeField()),
            ("ended_at", models.DateTimeField(blank=True, null=True)),
            (
                "contract",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="gates", to="csp.contract"),
            ),
            (
                "published_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
        ],
        options={
            "verbose_name": "rule that work waits for training",
            "verbose_name_plural": "rules that work waits for training",
            "constraints": [
                models.UniqueConstraint(fields=("contract", "number"), name="one_gate_per_number"),
                models.UniqueConstraint(
                    condition=models.Q(("ended_at__isnull", True)), fields=("contract",), name="one_gate_in_force"
                ),
                models.CheckConstraint(condition=models.Q(("restricts__len__gte", 1)), name="a_gate_limits_something"),
            ],
        },
    ),
    migrations.CreateModel(
        name="Assignment",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "why",
                models.CharField(
                    choices=[
                        ("initial", "For the role"),
                        ("update", "Something is new"),
                        ("refresher", "To be refreshed"),
                    ],
                    max_length=10,
                ),
            ),
            ("starts_at", models.DateTimeField()),
            ("restricted_at", models.DateTimeField(blank=True, null=True)),
            ("ended_at", models.DateTimeField(blank=True, null=True)),
            (
                "ended_how",
                models.CharField(
                    blank=True, choices=[("passed", "Passed"), ("not_owed", "Not owed any more")], max_length=10
                ),
            ),
            (
                "contract",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.contract"),
            ),
            (
                "deadline",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="training",
                    to="csp.deadline",
                ),
            ),
            (
                "user",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="training_owed",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "after",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="refreshers",
                    to="training.completion",
                ),
            ),
            (
                "completion",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="settled",
                    to="training.completion",
                ),
            ),
            (
                "course",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="assignments", to="training.course"
                ),
            ),
            (
                "version",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="training.courseversion",
                ),
            ),
            (
                "gate",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="training.gate",
                ),
            ),
        ],
        options={
            "verbose_name": "training owed",
            "verbose_name_plural": "training owed",
            "indexes": [
                models.Index(
                    condition=models.Q(("ended_at__isnull", True)), fields=["user", "course"], name="training_owed"
                ),
                models.Index(
                    condition=models.Q(("ended_at__isnull", True), ("restricted_at__isnull", True)),
                    fields=["deadline"],
                    name="training_unlimited",
                ),
            ],
            "constraints": [
                models.UniqueConstraint(
                    condition=models.Q(("ended_at__isnull", True), ("why", "initial")),
                    fields=("user", "course"),
                    name="one_initial_training_owed",
                ),
                models.UniqueConstraint(
                    condition=models.Q(("ended_at__isnull", True), ("why", "update")),
                    fields=("user", "version"),
                    name="one_update_owed_per_version",
                ),
                models.UniqueConstraint(
                    condition=models.Q(("ended_at__isnull", True)),
                    fields=("after",),
                    name="one_refresher_owed_after_a_completion",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("after__isnull", True), ("why", "initial")),
                        models.Q(
                            ("after__isnull", True),
                            ("deadline__isnull", False),
                            ("version__isnull", False),
                            ("why", "update"),
                        ),
                        models.Q(("after__isnull", False), ("deadline__isnull", False), ("why", "refresher")),
                        _connector="OR",
                    ),
                    name="training_is_owed_for_one_reason",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("completion__isnull", True), ("ended_at__isnull", True), ("ended_how", "")),
                        models.Q(("completion__isnull", False), ("ended_at__isnull", False), ("ended_how", "passed")),
                        models.Q(("completion__isnull", True), ("ended_at__isnull", False), ("ended_how", "not_owed")),
                        _connector="OR",
                    ),
                    name="training_owed_ends_in_one_way",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="HistoricalCourse",
        fields=[
            ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
            ("code", models.SlugField(max_length=60)),
            ("title", models.CharField(max_length=120, verbose_name="title")),
            (
                "clause",
                models.CharField(
                    choices=[("5.1", "§5.1"), ("5.2", "§5.2"), ("5.3", "§5.3"), ("6.1", "§6.1")],
                    max_length=4,
                    verbose_name="clause",
                ),
            ),
            (
                "roles",
                django.contrib.postgres.fields.ArrayField(
                    base_field=models.CharField(
                        choices=[
                            ("representative", "Representative"),
                            ("supervisor", "Supervisor"),
                            ("analyst", "Feedback analyst"),
                            ("auditor", "Auditor"),
                            ("administrator", "Administrator"),
                        ],
                        max_length=20,
                    ),
                    blank=True,
                    default=list,
                    size=None,
                    verbose_name="required of",
                ),
            ),
            ("repeats", models.BooleanField(default=True, verbose_name="repeated")),
            ("created_at", models.DateTimeField()),
            ("retired_at", models.DateTimeField(blank=True, null=True)),
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
            "verbose_name": "historical course",
            "verbose_name_plural": "historical courses",
            "ordering": ("-history_date", "-history_id"),
            "get_latest_by": ("history_date", "history_id"),
        },
        bases=(simple_history.models.HistoricalChanges, models.Model),
    ),
    migrations.CreateModel(
        name="MoreAttempts",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("at", models.DateTimeField()),
            ("reason", models.CharField(max_length=500)),
            (
                "by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "user",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "version",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to="training.courseversion"
                ),
            ),
        ],
        options={
            "verbose_name": "further attempts",
            "verbose_name_plural": "further attempts",
            "indexes": [models.Index(fields=["user", "version"], name="more_attempts_of_user")],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(("by", models.F("user")), _negated=True),
                    name="nobody_gives_themselves_more_attempts",
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="Policy",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("number", models.PositiveIntegerField()),
            ("title", models.CharField(max_length=200, verbose_name="title")),
            ("text", models.TextField(verbose_name="text")),
            ("published_at", models.DateTimeField()),
            (
                "contract",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="policies", to="csp.contract"
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
            "verbose_name": "privacy policy",
            "verbose_name_plural": "privacy policies",
            "constraints": [models.UniqueConstraint(fields=("contract", "number"), name="one_policy_per_number")],
        },
    ),
    migrations.CreateModel(
        name="Acknowledgement",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("at", models.DateTimeField()),
            ("digest", models.CharField(max_length=64)),
            (
                "user",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="acknowledgements",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "version",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="csp.version",
                ),
            ),
            (
                "policy",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="training.policy",
                ),
            ),
        ],
        options={
            "verbose_name": "acknowledgement",
            "verbose_name_plural": "acknowledgements",
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(("version__isnull", True), ("policy__isnull", True), _connector="XOR"),
                    name="one_text_is_acknowledged",
                ),
                models.UniqueConstraint(fields=("user", "version"), name="one_acknowledgement_per_version"),
                models.UniqueConstraint(fields=("user", "policy"), name="one_acknowledgement_per_policy"),
            ],
        },
    ),
    migrations.CreateModel(
        name="PracticeAttempt",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("number", models.PositiveSmallIntegerField(verbose_name="attempt")),
            ("started_at", models.DateTimeField()),
            ("finished_at", models.DateTimeField(blank=True, null=True)),
            ("results", models.JSONField(blank=True, default=list)),
            ("passed", models.BooleanField(blank=True, null=True)),
            (
                "follow_up",
                models.OneToOneField(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="tickets.interaction",
                ),
            ),
            (
                "ticket",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="practice", to="tickets.ticket"
                ),
            ),
            (
                "user",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="practice_attempts",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            (
                "version",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="practice_attempts",
                    to="training.courseversion",
                ),
            ),
        ],
        options={
            "verbose_name": "attempt at an exercise",
            "verbose_name_plural": "attempts at exercises",
            "indexes": [
                models.Index(
                    condition=models.Q(("finished_at__isnull", True), ("follow_up__isnull", True)),
                    fields=["version"],
                    name="exercise_to_follow_up",
                )
            ],
            "constraints": [
                models.UniqueConstraint(fields=("user", "version", "number"), name="one_exercise_per_number"),
                models.UniqueConstraint(
                    condition=models.Q(("finished_at__isnull", True)),
                    fields=("user", "version"),
                    name="one_exercise_at_a_time",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("finished_at__isnull", True), ("passed__isnull", True)),
                        models.Q(("finished_at__isnull", False), ("passed__isnull", False)),
                        _connector="OR",
                    ),
                    name="a_finished_exercise_is_graded",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="PracticeScript",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("sender", models.CharField(max_length=100, verbose_name="customer")),
            ("subject", models.CharField(max_length=200, verbose_name="subject")),
            ("message", models.TextField(verbose_name="what the customer writes")),
            ("follow_up", models.TextField(blank=True, verbose_name="what the customer writes next")),
            (
                "complex_because",
                models.CharField(blank=True, max_length=300, verbose_name="has to be escalated because"),
            ),
            (
                "must_log",
                django.contrib.postgres.fields.ArrayField(
                    base_field=models.CharField(max_length=60),
                    blank=True,
                    default=list,
                    size=None,
                    verbose_name="must be logged",
                ),
            ),
            (
                "kind",
                models.CharField(
                    blank=True,
                    choices=[
                        ("untyped", "Not yet typed"),
                        ("inquiry", "Inquiry"),
                        ("complaint", "Complaint"),
                        ("request", "Request"),
                        ("feedback", "Feedback"),
                    ],
                    max_length=10,
                    verbose_name="is",
                ),
            ),
            (
                "version",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="practice", to="training.courseversion"
                ),
            ),
        ],
        options={
            "verbose_name": "script of an exercise",
            "verbose_name_plural": "scripts of exercises",
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("message", ""), _negated=True), models.Q(("subject", ""), _negated=True)
                    ),
                    name="an_exercise_begins_with_a_message",
                )
            ],
        },
    ),
    migrations.CreateModel(
        name="Proof",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("name", models.CharField(max_length=255)),
            ("content_type", models.CharField(max_length=120)),
            ("size", models.PositiveBigIntegerField()),
            ("blob", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.blob")),
            (
                "completion",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="files", to="training.completion"
                ),
            ),
        ],
        options={"verbose_name": "proof of attendance", "verbose_name_plural": "proofs of attendance"},
    ),
    migrations.CreateModel(
        name="Question",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("number", models.PositiveSmallIntegerField()),
            ("text", models.CharField(max_length=500, verbose_name="question")),
            (
                "choices",
                django.contrib.postgres.fields.ArrayField(
                    base_field=models.CharField(max_length=300), size=None, verbose_name="choices"
                ),
            ),
            (
                "right",
                django.contrib.postgres.fields.ArrayField(
                    base_field=models.PositiveSmallIntegerField(), size=None, verbose_name="right ones"
                ),
            ),
            (
                "version",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="questions", to="training.courseversion"
                ),
            ),
        ],
        options={
            "verbose_name": "question",
            "verbose_name_plural": "questions",
            "constraints": [
                models.UniqueConstraint(fields=("version", "number"), name="one_question_per_number"),
                models.CheckConstraint(
                    condition=models.Q(("choices__len__gte", 2), ("right__len__gte", 1)),
                    name="a_question_has_choices_and_an_answer",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Round",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("number", models.PositiveIntegerField()),
            ("conducted_at", models.DateTimeField(blank=True, null=True)),
            ("changed", models.BooleanField(blank=True, null=True, verbose_name="something changed")),
            ("summary", models.TextField(blank=True, verbose_name="what was gone through")),
            (
                "conducted_by",
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
                    on_delete=django.db.models.deletion.PROTECT, related_name="rounds", to="csp.contract"
                ),
            ),
            (
                "deadline",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="round", to="csp.deadline"
                ),
            ),
        ],
        options={
            "verbose_name": "round for everyone",
            "verbose_name_plural": "rounds for everyone",
            "constraints": [
                models.UniqueConstraint(fields=("contract", "number"), name="one_round_per_number"),
                models.UniqueConstraint(
                    condition=models.Q(("conducted_at__isnull", True)), fields=("contract",), name="one_round_to_come"
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(
                            ("changed__isnull", True), ("conducted_at__isnull", True), ("conducted_by__isnull", True)
                        ),
                        models.Q(
                            ("changed__isnull", False), ("conducted_at__isnull", False), ("conducted_by__isnull", False)
                        ),
                        _connector="OR",
                    ),
                    name="a_round_is_conducted_by_somebody",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        name="Attendance",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("recorded_at", models.DateTimeField()),
            (
                "recorded_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "user",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            (
                "round",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="attendances", to="training.round"
                ),
            ),
        ],
        options={
            "verbose_name": "attendance",
            "verbose_name_plural": "attendances",
            "constraints": [
                models.UniqueConstraint(fields=("round", "user"), name="one_attendance_per_round"),
                models.CheckConstraint(
                    condition=models.Q(("recorded_by", models.F("user")), _negated=True),
                    name="nobody_records_own_presence",
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
                "assignment",
                models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="appeal", to="training.assignment"
                ),
            ),
        ],
        options={
            "verbose_name": "appeal against waiting for training",
            "verbose_name_plural": "appeals against waiting for training",
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("decided_at__isnull", True), ("decided_by__isnull", True), ("upheld__isnull", True)),
                        models.Q(
                            ("decided_at__isnull", False), ("decided_by__isnull", False), ("upheld__isnull", False)
                        ),
                        _connector="OR",
                    ),
                    name="a_training_appeal_is_decided_by_somebody",
                )
            ],
        },
    ),
]


class Migration(migrations.Migration):
    replaces = [("training", "0001_first"), ("training", "0004_exercises")]

    initial = True

    dependencies = [("csp", "0001_initial"), ("tickets", "0001_initial")]

    operations = [CreateModels(MODELS)]
