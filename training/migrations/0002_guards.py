"""What the database refuses about training: changing what was published, passed or owed, and removing any of it."""

import importlib

from django.db import migrations

_guards = importlib.import_module("csp.migrations.0002_guards")
immutable, kept, differs, set_once = _guards.immutable, _guards.kept, _guards.differs, _guards.set_once

# Parts of a version change with the draft, and with it become fixed.
PARTS = """
create function training_refuse_published() returns trigger language plpgsql as $$
declare its_version bigint;
begin
  foreach its_version in array array[
    case when tg_op <> 'INSERT' then old.version_id end, case when tg_op <> 'DELETE' then new.version_id end]
  loop
    if exists (select 1 from training_courseversion v where v.id = its_version and v.published_at is not null)
      and not (tg_op = 'DELETE' and coalesce(current_setting('csp.disposal', true), '') <> '') then
      raise exception '% belongs to a published version of a course and does not change', tg_table_name
        using errcode = 'restrict_violation';
    end if;
  end loop;
  return case when tg_op = 'DELETE' then old else new end;
end $$;
create trigger published_stays before insert or update or delete on training_question
  for each row execute function training_refuse_published();
create trigger published_stays before insert or update or delete on training_coursefile
  for each row execute function training_refuse_published();
"""
PARTS_BACK = """
drop trigger published_stays on training_coursefile;
drop trigger published_stays on training_question;
drop function training_refuse_published();
"""


class Migration(migrations.Migration):
    dependencies = [("training", "0001_initial"), ("csp", "0016_marks")]

    operations = [
        migrations.RunSQL(PARTS, PARTS_BACK),
        kept("training_course", differs("contract_id", "code"), "its code"),
        kept(
            "training_courseversion",
            "old.published_at is not null and ("
            + differs(
                "course_id", "number", "because", "changes", "material", "minutes", "pass_percent", "attempts",
                "renew_by", "written_by_id", "written_at", "published_by_id", "published_at",
            )
            + ")",
            "what was published",
        ),
        kept(
            "training_attempt",
            differs("user_id", "version_id", "number", "seed", "started_at")
            + " or "
            + set_once("finished_at", "passed", '"right"', "out_of")
            + " or (old.answers is not null and new.answers is not null and old.answers <> new.answers)",
            "attempt and mark",
        ),
        immutable("training_moreattempts", "reason"),
        immutable("training_answersopened"),
        immutable("training_completion", "note"),
        immutable("training_proof", "name"),
        kept(
            "training_gate",
            differs("contract_id", "number", "text", "restricts", "days_present", "published_by_id", "published_at")
            + " or " + set_once("ended_at"),
            "what was published",
        ),
        kept(
            "training_assignment",
            differs("contract_id", "user_id", "course_id", "why", "version_id", "after_id", "gate_id", "starts_at")
            + " or " + set_once("deadline_id", "restricted_at", "ended_at"),
            "what was owed",
        ),
        kept("training_appeal", differs("assignment_id", "filed_at") + " or " + set_once("decided_at"), "appeal"),
        kept(
            "training_round",
            differs("contract_id", "number", "deadline_id") + " or " + set_once("conducted_at", "conducted_by_id",
                                                                                "changed"),
            "round",
        ),
        immutable("training_attendance"),
        immutable("training_policy"),
        immutable("training_acknowledgement"),
    ]  # fmt: skip
