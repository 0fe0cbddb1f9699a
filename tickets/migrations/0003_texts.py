"""The acknowledgement in English and German, from the start; administrators and supervisors may change them."""

import datetime as dt

from django.db import migrations

TEXTS = {
    "en": (
        "We have your message {reference}: {subject}",
        """Hello {name},

we have your message and gave it the number {reference}. A person will answer you by {promised}.

If you want to add something, reply to this mail.

{team}
{privacy}""",
    ),
    "de": (
        "Ihre Nachricht {reference} ist da: {subject}",
        """Guten Tag {name},

Ihre Nachricht ist bei uns und hat die Nummer {reference}. Ein Mensch antwortet Ihnen bis {promised}.

Wenn Sie etwas hinzufügen möchten, antworten Sie auf diese E-Mail.

{team}
{privacy}""",
    ),
}


def make(apps, schema_editor):
    text = apps.get_model("tickets", "MailText")
    now = dt.datetime.now(dt.UTC)  # noqa: TID251  a migration is a door
    text.objects.bulk_create(
        text(kind="acknowledgement", language=language, subject=subject, body=body, changed_at=now)
        for language, (subject, body) in TEXTS.items()
    )


class Migration(migrations.Migration):
    dependencies = [("tickets", "0002_guards")]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
