import importlib

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

_guards = importlib.import_module("csp.migrations.0002_guards")
_disposal = importlib.import_module("csp.migrations.0028_disposal_guards")


class Migration(migrations.Migration):
    dependencies = [("csp", "0042_deadline_says_why")]

    operations = [
        *(
            migrations.AddField(model_name=model, name="erased_at", field=models.DateTimeField(blank=True, null=True))
            for model in ("historicaluser", "user")
        ),
        migrations.AlterField(
            model_name="hold",
            name="kind",
            field=models.CharField(
                choices=[
                    ("ticket", "One ticket"),
                    ("customer", "All tickets of one customer"),
                    ("noncompliance", "One case of non-compliance, with the tickets in it"),
                    ("papers", "What was said in one review"),
                    ("remark", "One remark of the feedback log, with who said it"),
                    ("data-request", "One data-subject request"),
                    ("data-breach", "One personal-data breach"),
                    ("user", "One person of ours: account and training"),
                ],
                max_length=20,
                verbose_name="what is held",
            ),
        ),
        migrations.CreateModel(
            name="StaffFile",
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
                "verbose_name": "account of somebody who has left",
                "verbose_name_plural": "accounts of people who have left",
                "abstract": False,
                "indexes": [
                    models.Index(
                        condition=models.Q(("keep_until__isnull", False)),
                        fields=["keep_until"],
                        name="stafffile_kept_until",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("user", "contract"), name="one_stafffile_of_a_person"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", True), ("state", "open")),
                            models.Q(("closed_at__isnull", False), ("state", "closed")),
                            _connector="OR",
                        ),
                        name="closed_stafffile_says_when",
                    ),
                ],
            },
        ),
        _guards.kept("csp_stafffile", _guards.differs("contract_id", "user_id", "opened_at"), "whose it is"),
        _disposal.keep_term("csp_stafffile", "staff", "closed", "user_id", "user"),
    ]
