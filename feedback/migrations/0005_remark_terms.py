import importlib

from django.db import migrations, models

_disposal = importlib.import_module("csp.migrations.0028_disposal_guards")


class Migration(migrations.Migration):
    dependencies = [("feedback", "0004_improvements"), ("csp", "0041_terms_of_privacy")]

    operations = [
        *(
            migrations.AddField(
                model_name="remark", name=name, field=models.DateTimeField(blank=True, editable=False, null=True)
            )
            for name in ("keep_until", "kept_from")
        ),
        migrations.AddIndex(
            model_name="remark",
            index=models.Index(
                condition=models.Q(("keep_until__isnull", False)), fields=["keep_until"], name="remark_kept_until"
            ),
        ),
        _disposal.keep_term("feedback_remark", "remark", "@received_at"),
    ]
