import importlib

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

_guards = importlib.import_module("csp.migrations.0002_guards")
_disposal = importlib.import_module("csp.migrations.0028_disposal_guards")


class Migration(migrations.Migration):
    dependencies = [
        ("training", "0005_exercise_guards"),
        ("csp", "0043_files_of_those_who_left"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="TrainingFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Back at work"), ("closed", "Left")], default="closed", max_length=10
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("kept_from", models.DateTimeField(blank=True, editable=False, null=True)),
                ("keep_until", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "contract",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.contract"),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "training of somebody who has left",
                "verbose_name_plural": "training of people who have left",
                "abstract": False,
                "indexes": [
                    models.Index(
                        condition=models.Q(("keep_until__isnull", False)),
                        fields=["keep_until"],
                        name="trainingfile_kept_until",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("user", "contract"), name="one_trainingfile_of_a_person"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", True), ("state", "open")),
                            models.Q(("closed_at__isnull", False), ("state", "closed")),
                            _connector="OR",
                        ),
                        name="closed_trainingfile_says_when",
                    ),
                ],
            },
        ),
        _guards.kept("training_trainingfile", _guards.differs("contract_id", "user_id", "opened_at"), "whose it is"),
        _disposal.keep_term("training_trainingfile", "training-file", "closed", "user_id", "user"),
    ]
