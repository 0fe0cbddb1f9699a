"""No message is ever delivered for an exercise: the database refuses the row that would tie one to it (clause 5.2)."""

from django.db import migrations

STAYS = """
create function tickets_exercise_stays() returns trigger language plpgsql as $$
begin
  if exists (select 1 from tickets_interaction i join tickets_ticket t on t.id = i.ticket_id
      where i.id = new.interaction_id and t.origin = 'practice') then
    raise exception 'interaction % is of an exercise, of which no mail leaves the house', new.interaction_id
      using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger exercise_stays before insert on tickets_delivery
  for each row execute function tickets_exercise_stays();
"""
BACK = "drop trigger exercise_stays on tickets_delivery; drop function tickets_exercise_stays();"


class Migration(migrations.Migration):
    dependencies = [("tickets", "0021_finishes")]

    operations = [migrations.RunSQL(STAYS, BACK)]
