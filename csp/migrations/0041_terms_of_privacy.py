"""Data-subject requests and personal-data breaches get a term, as tickets have one, and so do remarks (feedback 0005)."""

import importlib

from django.db import migrations, models

_disposal = importlib.import_module("csp.migrations.0028_disposal_guards")

FUNCTIONS = """
create or replace function csp_keep_term() returns trigger language plpgsql as $$
-- arguments: the kind of a hold on such a row; the states in which it has ended, or "@" and the column that says when;
-- the column of the person it is about, and the kind of a hold on such a person
declare judged timestamptz; row jsonb := to_jsonb(old); has_ended boolean;
begin
  select judged_at into judged from csp_disposal where id = current_setting('csp.disposal')::bigint;
  if tg_argv[1] like '@%' then
    has_ended := row ->> substr(tg_argv[1], 2) is not null;
  else
    has_ended := row ->> 'state' = any(string_to_array(tg_argv[1], ','));
  end if;
  if not has_ended then
    raise exception '% % has not ended and is kept', tg_argv[0], old.id using errcode = 'restrict_violation';
  end if;
  if old.keep_until is null or old.keep_until >= least(judged, clock_timestamp()) then
    raise exception '% % is kept until %', tg_argv[0], old.id, coalesce(old.keep_until::text, 'its term is set')
      using errcode = 'restrict_violation';
  end if;
  if exists (select 1 from csp_hold where lifted_at is null and ((kind = tg_argv[0] and number = old.id)
      or (kind = coalesce(tg_argv[3], 'customer') and number = (row ->> tg_argv[2])::bigint))) then
    raise exception '% % is held', tg_argv[0], old.id using errcode = 'restrict_violation';
  end if;
  return old;
end $$;

create or replace function csp_refuse_change() returns trigger language plpgsql as $$
-- arguments: the columns that an erasure may blank
declare before jsonb; after jsonb; name text;
begin
  if tg_op = 'DELETE' then
    if csp_disposing(tg_table_name, null) then return old; end if;
    raise exception '% is evidence and is kept; it is removed by disposal only', tg_table_name
      using errcode = 'restrict_violation';
  end if;
  before := to_jsonb(old) - 'search'; after := to_jsonb(new) - 'search';
  -- how long a row is kept is no part of what it says
  if after ? 'keep_until' and before - 'kept_from' - 'keep_until' = after - 'kept_from' - 'keep_until'
    and before <> after then
    return new;
  end if;
  if csp_erasing() or (tg_table_name = 'csp_trailentry'
      and coalesce(current_setting('csp.disposal', true), '') <> '') then
    foreach name in array tg_argv loop
      if before -> name is distinct from after -> name and not csp_is_nothing(after -> name) then
        raise exception '% is evidence and does not change: % may be blanked, not rewritten', tg_table_name, name
          using errcode = 'restrict_violation';
      end if;
      before := before - name; after := after - name;
    end loop;
    if before = after then return new; end if;
  end if;
  raise exception '% is evidence and does not change; write a new row instead', tg_table_name
    using errcode = 'restrict_violation';
end $$;
"""


class Migration(migrations.Migration):
    dependencies = [("csp", "0040_next_of_person")]

    operations = [
        *(
            migrations.AddField(
                model_name=model, name=name, field=models.DateTimeField(blank=True, editable=False, null=True)
            )
            for model in ("databreach", "datarequest")
            for name in ("keep_until", "kept_from")
        ),
        migrations.AddIndex(
            model_name="databreach",
            index=models.Index(
                condition=models.Q(("keep_until__isnull", False)), fields=["keep_until"], name="data_breach_kept_until"
            ),
        ),
        migrations.AddIndex(
            model_name="datarequest",
            index=models.Index(
                condition=models.Q(("keep_until__isnull", False)), fields=["keep_until"], name="data_request_kept_until"
            ),
        ),
        migrations.AlterField(
            model_name="hold",
            name="kind",
            field=models.CharField(
                choices=[
                    ("ticket", "One ticket"),
                    ("customer", "All tickets of one customer"),
                    ("noncompliance", "One case of non-compliance, with the tickets in it"),
                    ("papers", "What was said in one review"),
                    ("remark", "One remark of the feedback log, with who said it"),
                    ("data-request", "One data-subject request"),
                    ("data-breach", "One personal-data breach"),
                ],
                max_length=20,
                verbose_name="what is held",
            ),
        ),
        migrations.RunSQL(FUNCTIONS, migrations.RunSQL.noop),
        _disposal.keep_term("csp_datarequest", "data-request", "answered,refused,forwarded,withdrawn", "customer_id"),
        _disposal.keep_term("csp_databreach", "data-breach", "@closed_at"),
    ]
