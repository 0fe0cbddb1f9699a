"""The key of stored bytes ends in one way, and the earlier versions of a row stay as they were (csp.marking)."""

import importlib

from django.db import migrations

_guards = importlib.import_module("csp.migrations.0002_guards")

PAST = """
create function csp_refuse_past() returns trigger language plpgsql as $$
-- An earlier version is blanked by an erasure and removed by a disposal or an erasure; nobody else touches it.
begin
  if coalesce(current_setting('csp.erasure', true), '') <> '' then return coalesce(new, old); end if;
  if tg_op = 'DELETE' and coalesce(current_setting('csp.disposal', true), '') <> '' then return old; end if;
  raise exception '% holds what was: it does not change', tg_table_name using errcode = 'restrict_violation';
end $$;
"""


class Migration(migrations.Migration):
    dependencies = [("csp", "0043_files_of_those_who_left")]

    operations = [
        migrations.RunSQL(PAST, "drop function csp_refuse_past() cascade"),
        migrations.RunSQL(
            "create trigger facts_stay before update on csp_blobkey for each row when ("
            "(old.wrapped is distinct from new.wrapped and (length(new.wrapped) > 0 or new.destroyed_at is null)) or "
            + _guards.set_once("destroyed_at")
            + ") execute function csp_refuse_rewrite('key')",
            "drop trigger facts_stay on csp_blobkey",
        ),
    ]
