"""A fresh installation has the contract's own values in force, marked unsigned, and a team to take in what comes."""

import datetime as dt

from django.db import migrations

READINGS = {
    "automatic_acknowledgement_counts": "yes",
    "follow_ups_are_inquiries": "yes",
    "live_call_acknowledges": "yes",
    "seven_days": "earlier of elapsed and calendar",
    "five_years_start": "closing",
    "complex": "a person's judgement",
    "zone": "Europe/London",
}


def make(apps, schema_editor):
    now = dt.datetime.now(dt.UTC)  # noqa: TID251  a migration is a door
    contract = apps.get_model("csp", "Contract").objects.create(created_at=now)
    version = apps.get_model("csp", "Version").objects.create(
        contract=contract, number=0, title="Standard terms", in_force_from=now, created_at=now
    )
    reading = apps.get_model("csp", "Reading")
    reading.objects.bulk_create(reading(version=version, key=key, value=value) for key, value in READINGS.items())
    apps.get_model("csp", "Team").objects.create(contract=contract, name="Service desk", created_at=now)


class Migration(migrations.Migration):
    dependencies = [("csp", "0002_guards")]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
