from django.db import migrations, models
from django.db.models import Q

WHY = """
update csp_deadline set void_why = case
    when void_reason = 'Outbound first: nothing was asked yet.' then 'outbound'
    when void_reason = 'Imported: received before the cut-over.' then 'imported'
    when void_reason = 'Practice: an exercise, nothing is owed.' then 'practice'
    when voided_by_id is not null then 'waived'
    else 'lapsed' end
where voided_at is not null
"""
# As the trail has named it until now: by the path.
CONTEXT = """
update csp_deadline set context = case when path ~ '^/[^/]+/.+/$'
    then regexp_replace(split_part(path, '/', 2), 's$', '') || ':' || rtrim(substr(path, length(split_part(path, '/', 2)) + 3), '/')
    else 'deadline:' || id end
"""


class Migration(migrations.Migration):
    dependencies = [("csp", "0041_terms_of_privacy")]

    operations = [
        migrations.AddField("deadline", "context", models.CharField(blank=True, default="", max_length=60), preserve_default=False),
        migrations.AddField(
            "deadline", "void_why",
            models.CharField(
                blank=True, default="", max_length=10,
                choices=[
                    ("waived", "Waived by a person"), ("lapsed", "Nobody owes it any more"),
                    ("outbound", "We wrote first: nothing was asked yet"),
                    ("imported", "Imported: received before the cut-over"),
                    ("practice", "Practice: an exercise, nothing is owed"),
                ],
            ),
            preserve_default=False,
        ),
        migrations.RemoveConstraint("deadline", "void_needs_a_reason"),
        migrations.RunSQL([WHY, CONTEXT, "set constraints all immediate"], migrations.RunSQL.noop),
        migrations.AddConstraint(
            "deadline",
            models.CheckConstraint(
                condition=Q(voided_at__isnull=True, void_why="") | (Q(voided_at__isnull=False) & ~Q(void_why="")),
                name="void_says_why",
            ),
        ),
        migrations.AddConstraint(
            "deadline",
            models.CheckConstraint(
                condition=~Q(void_why__in=["waived", "lapsed"]) | ~Q(void_reason=""), name="void_needs_a_reason"
            ),
        ),
    ]  # fmt: skip
