import importlib

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

_guards = importlib.import_module("csp.migrations.0002_guards")


class Migration(migrations.Migration):
    dependencies = [("csp", "0035_lock_items")]

    operations = [
        migrations.CreateModel(
            name="Export",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("what", models.CharField(max_length=60, verbose_name="records")),
                ("format", models.CharField(max_length=8, verbose_name="format")),
                ("recipient", models.CharField(blank=True, max_length=200, verbose_name="handed to")),
                ("mail", models.EmailField(blank=True, max_length=254, verbose_name="mail address")),
                ("begun_at", models.DateTimeField(verbose_name="begun")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended")),
                ("rows", models.PositiveBigIntegerField(blank=True, null=True, verbose_name="rows")),
                ("digest", models.CharField(blank=True, max_length=64)),
                (
                    "about",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), blank=True, default=list, size=None
                    ),
                ),
                ("is_listed", models.BooleanField(default=False)),
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
                    "contract",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="csp.contract",
                    ),
                ),
            ],
            options={
                "verbose_name": "export of records",
                "verbose_name_plural": "exports of records",
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(fields=["about"], name="exports_about"),
                    models.Index(
                        fields=["contract", "-id"],
                        condition=models.Q(("recipient", ""), _negated=True),
                        name="exports_handed_on",
                    ),
                    models.Index(
                        fields=["id"], condition=models.Q(("is_listed", False)), name="exports_about_anybody"
                    ),
                ],
            },
        ),
        _guards.kept(
            "csp_export",
            _guards.differs("by_id", "contract_id", "what", "format", "begun_at")
            + " or " + _guards.set_once("ended_at", "rows")
            + " or (old.ended_at is not null and (" + _guards.differs("digest", "about", "is_listed") + "))",
            "what was taken",
        ),
    ]  # fmt: skip
