"""Who does not get a message although others do."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("csp", "0012_holders")]

    operations = [migrations.AddField("outboundmessage", "lost", models.JSONField(blank=True, default=dict))]
