"""What is kept is let go of in an approved, unfinished disposal only: the database asks for the row, not for a word.

A ticket or a case moreover not before its term is over, by the database's own clock and by the instant at which the
disposal judged, and never while a hold stands. Erasing and disposing may blank personal columns, not rewrite them.
"""

import importlib

from django.db import migrations

_guards = importlib.import_module("csp.migrations.0002_guards")

FUNCTIONS = """
create function csp_disposing(relation text, ticket bigint) returns boolean language plpgsql stable as $$
declare named text := current_setting('csp.disposal', true); d csp_disposal;
begin
  if coalesce(named, '') !~ '^[0-9]{1,18}$' then return false; end if;
  select * into d from csp_disposal where id = named::bigint and finished_at is null;
  if not found then return false; end if;
  if d.is_routine then  -- only what has no minimum: mail that no ticket stands on
    return relation in ('tickets_inboundmessage', 'tickets_ruling', 'csp_blob') and ticket is null;
  end if;
  return d.approved_at is not null;
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
  if coalesce(current_setting('csp.erasure', true), '') <> '' or (tg_table_name = 'csp_trailentry'
      and coalesce(current_setting('csp.disposal', true), '') <> '') then
    before := to_jsonb(old) - 'search'; after := to_jsonb(new) - 'search';
    foreach name in array tg_argv loop
      if before -> name is distinct from after -> name
        and coalesce(after ->> name, '') not in ('', '[]', '{}', '\\x') then
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

create or replace function csp_refuse_delete() returns trigger language plpgsql as $$
declare ticket bigint;
begin
  if tg_op = 'DELETE' then
    if tg_table_name = 'tickets_inboundmessage' then ticket := (to_jsonb(old) ->> 'ticket_id')::bigint; end if;
    if csp_disposing(tg_table_name, ticket) then return old; end if;
  end if;
  raise exception '% is kept; it is removed by disposal only', tg_table_name using errcode = 'restrict_violation';
end $$;

create function csp_keep_term() returns trigger language plpgsql as $$
-- arguments: the kind of a hold on such a row, the states in which it has ended, the column of its customer
declare judged timestamptz; row jsonb := to_jsonb(old);
begin
  select judged_at into judged from csp_disposal where id = current_setting('csp.disposal')::bigint;
  if not (row ->> 'state' = any(string_to_array(tg_argv[1], ','))) then
    raise exception '% % has not ended and is kept', tg_argv[0], old.id using errcode = 'restrict_violation';
  end if;
  if old.keep_until is null or old.keep_until >= least(judged, clock_timestamp()) then
    raise exception '% % is kept until %', tg_argv[0], old.id, coalesce(old.keep_until::text, 'its term is set')
      using errcode = 'restrict_violation';
  end if;
  if exists (select 1 from csp_hold where lifted_at is null and ((kind = tg_argv[0] and number = old.id)
      or (kind = 'customer' and number = (row ->> tg_argv[2])::bigint))) then
    raise exception '% % is held', tg_argv[0], old.id using errcode = 'restrict_violation';
  end if;
  return old;
end $$;
"""

FUNCTIONS_BACK = "drop function csp_keep_term(); drop function csp_disposing(text, bigint);"


def keep_term(table: str, kind: str, ended: str, customer: str = "", held_by: str = "customer") -> migrations.RunSQL:
    """Rows with a term: never removed before it is over, nor while held; the term may only grow."""
    return migrations.RunSQL(
        f"create trigger term_kept before delete on {table} for each row "
        f"execute function csp_keep_term('{kind}', '{ended}', '{customer}', '{held_by}');"
        f"create trigger term_grows before update on {table} for each row "
        "when (old.keep_until is not null and (new.keep_until is null or new.keep_until < old.keep_until)) "
        "execute function csp_refuse_rewrite('keep until');",
        f"drop trigger term_kept on {table}; drop trigger term_grows on {table};",
    )


class Migration(migrations.Migration):
    dependencies = [("csp", "0026_kept_from")]

    operations = [
        migrations.RunSQL(FUNCTIONS, FUNCTIONS_BACK),
        _guards.kept(
            "csp_hold",
            _guards.differs("contract_id", "kind", "number", "placed_by_id", "placed_at")
            + " or " + _guards.set_once("lifted_at", "lifted_by_id"),
            "what was held",
        ),
        _guards.kept(
            "csp_disposal",
            _guards.differs("contract_id", "is_routine", "judged_at", "listed", "proposed_by_id", "proposed_at")
            + " or " + _guards.set_once("approved_at", "approved_by_id", "declined_by_id", "finished_at"),
            "what was proposed and approved",
        ),
        _guards.kept(
            "csp_disposalitem",
            _guards.differs("disposal_id", "kind", "number", "kept_from", "keep_until")
            + " or " + _guards.set_once("ended_at"),
            "what was listed",
        ),
    ]  # fmt: skip
