"""What each outgoing interaction speaks to, and what the author of a waiting answer had on screen, ticket by ticket."""

import importlib

import django.db.models.deletion
from django.db import migrations, models

_guards = importlib.import_module("csp.migrations.0002_guards")


def _kept_facts(column: str) -> str:
    condition = (
        _guards.set_once("decided_at", "interaction_id")
        + " or "
        + _guards.differs("ticket_id", "author_id", "restriction_id", column, "written_at")
        + " or (old.body is distinct from new.body and new.body <> '')"
    )
    return (
        f"create trigger facts_stay before update on tickets_cosignature for each row when ({condition}) "
        "execute function csp_refuse_rewrite('what was written and decided');"
    )


class Migration(migrations.Migration):
    dependencies = [("tickets", "0008_calls")]

    operations = [
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
                    models.UniqueConstraint(
                        fields=("interaction", "ticket"), name="an_interaction_speaks_to_a_ticket_once"
                    )
                ],
            },
        ),
        _guards.immutable("tickets_spokento"),
        migrations.AddField("cosignature", "seen", models.JSONField(default=list)),
        migrations.RunSQL("drop trigger facts_stay on tickets_cosignature", _kept_facts("seen_through")),
        migrations.RunSQL(
            "update tickets_cosignature set seen = jsonb_build_array(jsonb_build_array(ticket_id, seen_through))",
            migrations.RunSQL.noop,
        ),
        migrations.RemoveField("cosignature", "seen_through"),
        migrations.RunSQL(_kept_facts("seen"), "drop trigger facts_stay on tickets_cosignature"),
    ]
