from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("csp", "0046_ends_of_contracts")]

    operations = [
        migrations.CreateModel(
            name="PasswordRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address", models.CharField(max_length=320)),
                ("asked_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "request for a new password",
                "verbose_name_plural": "requests for new passwords",
            },
        ),
    ]
