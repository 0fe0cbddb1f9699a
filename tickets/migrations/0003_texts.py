"""The acknowledgement in English and German, from the start; administrators and supervisors may change them."""

import datetime as dt

from django.db import migrations

# No text repeats what the sender wrote: whoever forges a sender must not be able to make us carry words to a stranger.
TEXTS = {
    ("acknowledgement", "en"): (
        "We have your message {reference}",
        """Hello {name},

we have your message and gave it the number {reference}. A person will answer you by {promised}.

If you want to add something, reply to this mail.

{team}
{privacy}""",
    ),
    ("acknowledgement_late", "en"): (
        "We have your message {reference}",
        """Hello {name},

we have your message and gave it the number {reference}. This confirmation is later than we promise; we are sorry. A
person will answer you as soon as possible.

If you want to add something, reply to this mail.

{team}
{privacy}""",
    ),
    ("acknowledgements", "en"): (
        "We have your messages {reference}",
        """Hello {name},

we have your messages. A person will answer each of them:

{list}

If you want to add something, reply to this mail.

{team}
{privacy}""",
    ),
    ("acknowledgement", "de"): (
        "Ihre Nachricht {reference} ist da",
        """Guten Tag {name},

Ihre Nachricht ist bei uns und hat die Nummer {reference}. Ein Mensch antwortet Ihnen bis {promised}.

Wenn Sie etwas hinzufügen möchten, antworten Sie auf diese E-Mail.

{team}
{privacy}""",
    ),
    ("acknowledgement_late", "de"): (
        "Ihre Nachricht {reference} ist da",
        """Guten Tag {name},

Ihre Nachricht ist bei uns und hat die Nummer {reference}. Diese Bestätigung kommt später, als wir versprechen; das tut
uns leid. Ein Mensch antwortet Ihnen so bald wie möglich.

Wenn Sie etwas hinzufügen möchten, antworten Sie auf diese E-Mail.

{team}
{privacy}""",
    ),
    ("acknowledgements", "de"): (
        "Ihre Nachrichten {reference} sind da",
        """Guten Tag {name},

Ihre Nachrichten sind bei uns. Ein Mensch beantwortet jede von ihnen:

{list}

Wenn Sie etwas hinzufügen möchten, antworten Sie auf diese E-Mail.

{team}
{privacy}""",
    ),
}


def make(apps, schema_editor):
    text = apps.get_model("tickets", "MailText")
    now = dt.datetime.now(dt.UTC)  # noqa: TID251  a migration is a door
    text.objects.bulk_create(
        text(kind=kind, language=language, subject=subject, body=body, changed_at=now)
        for (kind, language), (subject, body) in TEXTS.items()
    )


class Migration(migrations.Migration):
    dependencies = [("tickets", "0002_guards")]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
