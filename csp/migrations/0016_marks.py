"""Every change of a row of evidence leaves a mark, and sealing puts the marks into the chain.

The triggers that write marks are made by csp.marking after each migration, for every table that refuses deletion: a new
table of evidence is covered without anybody naming it here.
"""

import importlib

from django.db import migrations

_seals = importlib.import_module("csp.migrations.0007_seals")

MARKS = """
create function csp_marks_stay() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and to_jsonb(old) - 'entry_id' - 'salt' = to_jsonb(new) - 'entry_id' - 'salt'
    and (old.entry_id is null or old.entry_id is not distinct from new.entry_id)
    and (old.salt = new.salt or (length(new.salt) = 0 and coalesce(
      nullif(current_setting('csp.erasure', true), ''), nullif(current_setting('csp.disposal', true), '')) is not null))
  then return new; end if;
  raise exception 'a mark of evidence does not change' using errcode = 'restrict_violation';
end $$;
create trigger marks_kept before update or delete on csp_evidencemark for each row execute function csp_marks_stay();
create trigger marks_whole before truncate on csp_evidencemark for each statement execute function csp_marks_stay();

create function csp_mark_leaf(mark csp_evidencemark) returns bytea language sql stable as $$
  select sha256('\\x02'::bytea || int8send(mark.id) || int8send(mark.shape_id::bigint) || int8send("mark"."row")
    || int8send((extract(epoch from mark.recorded_at) * 1000000)::bigint) || csp_part(mark.plain)
    || csp_part(mark.personal))
$$;

create function csp_marks_seal(most int) returns void language plpgsql as $$
-- one entry of the trail for a batch of marks; called by the sealer, which runs once at a time
declare ids bigint[]; digest bytea; entry bigint;
begin
  select array_agg(id order by id), sha256(string_agg(csp_mark_leaf(m), ''::bytea order by id)) into ids, digest
    from (select * from csp_evidencemark where entry_id is null order by id limit most) m;
  if ids is null then return; end if;
  insert into csp_trailentry (recorded_at, at, actor, act, subject, version, context, source, facts, personal, salt,
      address, address_salt, commitment, leaf)
    values (now(), clock_timestamp(), 'system:seal', 'evidence.marked', 'evidence:marks', 0, 'evidence:marks', 'seal',
      format('{"digest":"%s","first":%s,"last":%s,"rows":%s}', encode(digest, 'hex'), ids[1],
        ids[cardinality(ids)], cardinality(ids)),
      '', '', '', '', sha256(''::bytea), '')
    returning id into entry;
  update csp_evidencemark set entry_id = entry where id = any(ids);
end $$;
"""

MARKS_BACK = """
drop function csp_marks_seal(int);
drop function csp_mark_leaf(csp_evidencemark);
drop trigger marks_whole on csp_evidencemark;
drop trigger marks_kept on csp_evidencemark;
drop function csp_marks_stay();
"""

_SEAL = "create function csp_trail_seal" + _seals.SEALING.split("create function csp_trail_seal")[1].split("end $$;")[0]
_LOCK = "perform pg_advisory_xact_lock(7262001);  -- one sealer at a time, any number running"
_WITH_MARKS = _SEAL.replace(_LOCK, _LOCK + "\n  perform csp_marks_seal(greatest(most, 1) * 5);") + "end $$;"
_REPLACE = ("create function csp_trail_seal", "create or replace function csp_trail_seal")

BLANKS = "create trigger evidence_kept before update or delete on csp_trailentry for each row execute function "


class Migration(migrations.Migration):
    dependencies = [("csp", "0012_holders")]

    operations = [
        migrations.RunSQL(
            "drop trigger evidence_kept on csp_trailentry;"
            + BLANKS
            + "csp_refuse_change('personal', 'salt', 'address', 'address_salt')",
            "drop trigger evidence_kept on csp_trailentry;" + BLANKS + "csp_refuse_change('personal', 'salt')",
        ),
        migrations.RunSQL(MARKS, MARKS_BACK),
        migrations.RunSQL(_WITH_MARKS.replace(*_REPLACE), (_SEAL + "end $$;").replace(*_REPLACE)),
    ]
