import importlib

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

_guards = importlib.import_module("csp.migrations.0002_guards")


class Migration(migrations.Migration):
    dependencies = [
        ("csp", "0045_parked"),
    ]

    operations = [
        migrations.AddField(
            model_name="export",
            name="is_whole",
            field=models.BooleanField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="ContractEnd",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("ended_at", models.DateTimeField(verbose_name="the contract ended")),
                (
                    "choice",
                    models.CharField(
                        choices=[("returned", "Returned to the controller, then deleted"), ("deleted", "Deleted")],
                        max_length=10,
                        verbose_name="the controller chose",
                    ),
                ),
                ("said", models.TextField(verbose_name="how the controller said so")),
                ("recorded_at", models.DateTimeField()),
                ("received_at", models.DateTimeField(blank=True, null=True, verbose_name="received")),
                ("received_how", models.TextField(blank=True, verbose_name="how the controller confirmed it")),
                ("approved_at", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
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
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.contract"),
                ),
                (
                    "export",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="csp.export",
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "withdrawn_by",
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
                "verbose_name": "end of a contract's data",
                "verbose_name_plural": "ends of contracts' data",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("withdrawn_at__isnull", True)),
                        fields=("contract",),
                        name="a_contract_ends_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("approved_at__isnull", True), ("approved_by__isnull", True)),
                            models.Q(
                                ("approved_at__isnull", False),
                                ("approved_by__isnull", False),
                                ("withdrawn_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="an_end_is_approved_by_somebody_or_withdrawn",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("approved_by__isnull", True),
                            models.Q(("approved_by", models.F("recorded_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="a_second_person_approves_the_end",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("approved_at__isnull", True),
                            models.Q(("choice", "returned"), _negated=True),
                            ("received_at__isnull", False),
                            _connector="OR",
                        ),
                        name="what_is_returned_is_received_before_it_is_deleted",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("finished_at__isnull", True),
                            models.Q(("approved_at__isnull", False), models.Q(("certificate", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="an_end_that_is_carried_out_has_its_certificate",
                    ),
                ],
            },
        ),
        _guards.kept(
            "csp_contractend",
            _guards.differs("contract_id", "ended_at", "choice", "recorded_by_id", "recorded_at")
            + " or "
            + _guards.set_once("received_at", "approved_at", "approved_by_id", "withdrawn_at", "finished_at"),
            "what was chosen",
        ),
    ]
