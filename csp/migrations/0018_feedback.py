from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("csp", "0017_board_indexes"),
    ]

    operations = [
        migrations.AlterField(
            model_name="notice",
            name="kind",
            field=models.CharField(
                choices=[
                    ("breach", "Promise broken"),
                    ("reminder", "Running out"),
                    ("escalation", "Escalated"),
                    ("assigned", "Assigned"),
                    ("returned", "Handed back"),
                    ("reply", "Customer wrote"),
                    ("delivery", "Not delivered"),
                    ("pending", "Reminder"),
                    ("case", "Non-compliance"),
                    ("measure", "Measure"),
                    ("cosign", "Waits for a co-signature"),
                    ("feedback", "Feedback"),
                    ("system", "Needs an administrator"),
                ],
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="outboundmessage",
            name="kind",
            field=models.CharField(
                choices=[
                    ("acknowledgement", "Acknowledgement"),
                    ("answer", "Answer"),
                    ("holding", "Holding message"),
                    ("survey", "Survey"),
                    ("notice", "Notice to staff"),
                    ("account", "Account mail"),
                ],
                max_length=20,
            ),
        ),
    ]
