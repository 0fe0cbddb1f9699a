"""What the database itself refuses: changing evidence, dating a breach otherwise, gaps in the trail.

Evidence may be blanked (declared personal columns only) in a transaction that names an approved request in
`csp.erasure`, and removed in one that names a certificate in `csp.disposal`. Everything else is refused for everybody,
the owner of the tables included.
"""

from django.db import migrations

FUNCTIONS = """
create function csp_refuse_change() returns trigger language plpgsql as $$
-- arguments: the columns that an erasure may blank
declare before jsonb; after jsonb; name text;
begin
  if tg_op = 'DELETE' then
    if coalesce(current_setting('csp.disposal', true), '') <> '' then return old; end if;
    raise exception '% is evidence and is kept; it is removed by disposal only', tg_table_name
      using errcode = 'restrict_violation';
  end if;
  if coalesce(current_setting('csp.erasure', true), '') <> '' then
    before := to_jsonb(old) - 'search'; after := to_jsonb(new) - 'search';
    foreach name in array tg_argv loop
      before := before - name; after := after - name;
    end loop;
    if before = after then return new; end if;
  end if;
  raise exception '% is evidence and does not change; write a new row instead', tg_table_name
    using errcode = 'restrict_violation';
end $$;

create function csp_refuse_delete() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and coalesce(current_setting('csp.disposal', true), '') <> '' then return old; end if;
  raise exception '% is kept; it is removed by disposal only', tg_table_name using errcode = 'restrict_violation';
end $$;

create function csp_refuse_rewrite() returns trigger language plpgsql as $$
begin
  raise exception '% %: a fact on record does not change', tg_table_name, tg_argv[0]
    using errcode = 'restrict_violation';
end $$;

create function csp_part(value bytea) returns bytea language sql immutable strict as
$$ select int4send(length(value)) || value $$;

create function csp_trail_leaf(entry csp_trailentry) returns bytea language sql stable as $$
  -- RFC 9162 style: a zero byte before a leaf; each part with its length before it, so that nothing is ambiguous
  select sha256('\\x00'::bytea
    || csp_part(int8send(entry.id))
    || csp_part(int8send((extract(epoch from entry.recorded_at) * 1000000)::bigint))
    || csp_part(int8send((extract(epoch from entry.at) * 1000000)::bigint))
    || csp_part(convert_to(entry.actor, 'UTF8'))
    || csp_part(convert_to(entry.act, 'UTF8'))
    || csp_part(convert_to(entry.subject, 'UTF8'))
    || csp_part(int4send(entry.version))
    || csp_part(convert_to(entry.context, 'UTF8'))
    || csp_part(convert_to(entry.source, 'UTF8'))
    || csp_part(convert_to(entry.facts, 'UTF8'))
    || csp_part(entry.commitment))
$$;

create function csp_trail_write() returns trigger language plpgsql as $$
begin
  new.recorded_at := clock_timestamp();
  select coalesce(max(version), 0) + 1 into new.version from csp_trailentry where subject = new.subject;
  new.leaf := csp_trail_leaf(new);
  return new;
end $$;

create trigger trail_write before insert on csp_trailentry for each row execute function csp_trail_write();
"""

FUNCTIONS_BACK = """
drop trigger trail_write on csp_trailentry;
drop function csp_trail_write();
drop function csp_trail_leaf(csp_trailentry);
drop function csp_part(bytea);
drop function csp_refuse_rewrite();
drop function csp_refuse_delete();
drop function csp_refuse_change();
"""


def immutable(table: str, *personal: str) -> migrations.RunSQL:
    """Rows that never change, but for the blanking of these columns."""
    arguments = ", ".join(f"'{name}'" for name in personal)
    return migrations.RunSQL(
        f"create trigger evidence_kept before update or delete on {table} for each row "
        f"execute function csp_refuse_change({arguments});"
        f"create trigger evidence_whole before truncate on {table} for each statement "
        f"execute function csp_refuse_delete();",
        f"drop trigger evidence_kept on {table}; drop trigger evidence_whole on {table};",
    )


def kept(table: str, condition: str = "", what: str = "") -> migrations.RunSQL:
    """Rows that change, but are not removed, and in which `condition` (over old and new) must never hold."""
    forward = (
        f"create trigger evidence_kept before delete on {table} for each row execute function csp_refuse_delete();"
        f"create trigger evidence_whole before truncate on {table} for each statement "
        f"execute function csp_refuse_delete();"
    )
    back = f"drop trigger evidence_kept on {table}; drop trigger evidence_whole on {table};"
    if condition:
        forward += (
            f"create trigger facts_stay before update on {table} for each row when ({condition}) "
            f"execute function csp_refuse_rewrite('{what}');"
        )
        back += f"drop trigger facts_stay on {table};"
    return migrations.RunSQL(forward, back)


def differs(*columns: str) -> str:
    return " or ".join(f"old.{column} is distinct from new.{column}" for column in columns)


def set_once(*columns: str) -> str:
    return " or ".join(f"(old.{c} is not null and old.{c} is distinct from new.{c})" for c in columns)


class Migration(migrations.Migration):
    dependencies = [("csp", "0001_initial")]

    operations = [
        migrations.RunSQL(FUNCTIONS, FUNCTIONS_BACK),
        immutable("csp_trailentry", "personal", "salt"),
        immutable("csp_trailseal"),
        immutable("csp_breach"),
        immutable("csp_signature", "name"),
        migrations.RunSQL(
            "alter table csp_breach add constraint a_breach_is_dated_when_due "
            "foreign key (deadline_id, breached_at) references csp_deadline (id, due_at)",
            "alter table csp_breach drop constraint a_breach_is_dated_when_due",
        ),
        kept(
            "csp_deadline",
            differs(
                "contract_id", "version_id", "clause", "obligation", "is_policy", "subject_ref", "starts_at", "due_at",
                "reopens_id",
            )
            + " or "
            + set_once("met_at", "voided_at")
            + " or (old.state in ('breached', 'met_late') and new.state in ('open', 'met', 'void'))",
            "terms and outcome",
        ),
        kept("csp_assessment", set_once("decided_at", "agreed") + " or " + differs("verdict", "proposed_by_id"),
             "verdict and decision"),
        kept("csp_version", "old.in_force_from is not null and (" + differs("text", "terms", "number", "title") + ")",
             "text and terms in force"),
        kept("csp_outboundmessage", set_once("accepted_at") + " or " + differs("dedupe_key", "message_id", "kind"),
             "identity and acceptance"),
        kept("csp_blob", differs("sha256", "size"), "digest"),
        kept("csp_user"),
        kept("csp_rolegrant", set_once("ends_at") + " or " + differs("user_id", "role", "team_id", "starts_at"),
             "what was granted"),
        kept("csp_appointment", set_once("ends_at") + " or " + differs("user_id", "office", "starts_at"),
             "who was appointed"),
        kept("csp_customer"),
        kept("csp_contract"),
        kept("csp_reading", differs("key", "value"), "reading"),
    ]  # fmt: skip
