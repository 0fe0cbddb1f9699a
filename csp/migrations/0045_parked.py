from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("csp", "0044_past_and_keys_stay")]

    operations = [
        migrations.CreateModel(
            name="Parked",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("loop", models.CharField(max_length=120, verbose_name="step")),
                ("item", models.CharField(max_length=80, verbose_name="record")),
                ("error", models.CharField(max_length=200, verbose_name="fault")),
                ("since", models.DateTimeField(verbose_name="since")),
                ("last_at", models.DateTimeField(verbose_name="last tried")),
            ],
            options={
                "verbose_name": "record that cannot be worked on",
                "verbose_name_plural": "records that cannot be worked on",
                "indexes": [models.Index(fields=["last_at"], name="parked_last_at")],
                "constraints": [models.UniqueConstraint(fields=("loop", "item"), name="parked_once")],
            },
        ),
    ]
