"""The table in which limits of tries are counted (Django's database cache): for all processes, without Redis."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("csp", "0003_standard_terms")]

    operations = [
        migrations.RunSQL(
            "create unlogged table csp_cache (cache_key varchar(255) primary key, value text not null, "
            "expires timestamptz not null); create index csp_cache_expires on csp_cache (expires);",
            "drop table csp_cache;",
        )
    ]
