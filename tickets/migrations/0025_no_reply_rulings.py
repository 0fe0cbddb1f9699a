import importlib

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

_guards = importlib.import_module("csp.migrations.0002_guards")


class Migration(migrations.Migration):
    dependencies = [
        ("csp", "0047_requests_for_passwords"),
        ("tickets", "0024_every_recipient"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="NoReplyRuling",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reason", models.TextField()),
                ("ruled_at", models.DateTimeField()),
                ("is_sampled", models.BooleanField(default=False)),
                ("reviewed_at", models.DateTimeField(blank=True, null=True)),
                ("review_agrees", models.BooleanField(blank=True, null=True)),
                (
                    "deadline",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="csp.deadline"
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
                    "ticket",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="no_replies", to="tickets.ticket"
                    ),
                ),
            ],
            options={
                "verbose_name": "ruling that no reply is needed",
                "verbose_name_plural": "rulings that no reply is needed",
                "indexes": [
                    models.Index(
                        condition=models.Q(("is_sampled", True), ("reviewed_at__isnull", True)),
                        fields=["ticket"],
                        name="no_reply_to_check",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("review_agrees__isnull", True),
                                ("reviewed_at__isnull", True),
                                ("reviewed_by__isnull", True),
                            ),
                            models.Q(
                                ("review_agrees__isnull", False),
                                ("reviewed_at__isnull", False),
                                ("reviewed_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="a_second_look_has_all_its_parts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("reviewed_by__isnull", True),
                            models.Q(("reviewed_by", models.F("ruled_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="nobody_reviews_an_own_no_reply",
                    ),
                ],
            },
        ),
        _guards.kept(
            "tickets_noreplyruling",
            _guards.set_once("reviewed_at", "reviewed_by_id", "review_agrees")
            + " or "
            + _guards.differs("ticket_id", "deadline_id", "ruled_by_id", "ruled_at"),
            "what was ruled, and checked",
        ),
    ]
