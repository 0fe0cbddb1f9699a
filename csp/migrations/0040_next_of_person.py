from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("csp", "0039_exports"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="deadline",
            index=models.Index(
                condition=models.Q(("met_at__isnull", True), ("voided_at__isnull", True)),
                fields=["responsible", "obligation", "due_at"],
                name="deadline_of_person",
            ),
        ),
    ]
