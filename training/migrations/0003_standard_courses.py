"""Every contract has the courses that clauses 5.1 and 5.2 name, published and ready to be taken."""

import datetime as dt
import json
from pathlib import Path

from django.db import migrations

COURSES = Path(__file__).with_name("standard_courses.json")


def make(apps, schema_editor):
    now = dt.datetime.now(dt.UTC)  # noqa: TID251  a migration is a door
    course, version, question = (apps.get_model("training", name) for name in ("Course", "CourseVersion", "Question"))
    for contract in apps.get_model("csp", "Contract").objects.order_by("pk"):
        for given in json.loads(COURSES.read_text()):
            row = course.objects.create(
                contract=contract, code=given["code"], title=given["title"], clause=given["clause"],
                roles=given["roles"], repeats=given["repeats"], created_at=now,
            )  # fmt: skip
            first = version.objects.create(
                course=row, number=1, material=given["material"], minutes=given["minutes"], written_at=now
            )
            question.objects.bulk_create(
                question(version=first, number=number, **asked)
                for number, asked in enumerate(given["questions"], start=1)
            )
            version.objects.filter(pk=first.pk).update(published_at=now)  # with that its questions are fixed


class Migration(migrations.Migration):
    dependencies = [("training", "0002_guards"), ("csp", "0003_standard_terms")]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
