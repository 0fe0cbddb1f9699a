"""The text of the survey, in English and German; administrators and supervisors may change it."""

import datetime as dt

from django.db import migrations

TEXTS = {
    "en": (
        "How did we do? {reference}",
        """Hello {name},

your request {reference} is resolved. Are you happy with the result? Three questions, about one minute:

{link}

Your answers are kept apart from your name. If something is still open, simply reply to our last mail.

{team}
{privacy}

No more questions like this: {stop}""",
    ),
    "de": (
        "Wie waren wir? {reference}",
        """Guten Tag {name},

Ihre Anfrage {reference} ist gelöst. Sind Sie mit dem Ergebnis zufrieden? Drei Fragen, etwa eine Minute:

{link}

Ihre Antworten werden von Ihrem Namen getrennt aufbewahrt. Ist noch etwas offen, antworten Sie einfach auf unsere letzte
E-Mail.

{team}
{privacy}

Keine solchen Fragen mehr: {stop}""",
    ),
}


def make(apps, schema_editor):
    text = apps.get_model("tickets", "MailText")
    now = dt.datetime.now(dt.UTC)  # noqa: TID251  a migration is a door
    for language, (subject, body) in TEXTS.items():
        text.objects.get_or_create(
            kind="survey", language=language, defaults={"subject": subject, "body": body, "changed_at": now}
        )


class Migration(migrations.Migration):
    dependencies = [("tickets", "0010_resolutions")]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
