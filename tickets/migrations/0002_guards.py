"""What the database refuses about tickets: evidence does not change, tickets are not removed."""

import importlib

from django.db import migrations

_guards = importlib.import_module("csp.migrations.0002_guards")
immutable, kept, differs, set_once = _guards.immutable, _guards.kept, _guards.differs, _guards.set_once


class Migration(migrations.Migration):
    dependencies = [("tickets", "0001_initial"), ("csp", "0002_guards")]

    operations = [
        # A row's last change by the database's own clock: what live updates ask for, whatever `at=` a verb was given.
        migrations.RunSQL(
            "create function tickets_changed() returns trigger language plpgsql as "
            "$$ begin new.changed_at := clock_timestamp(); return new; end $$;"
            "create trigger changed before insert or update on tickets_ticket for each row "
            "execute function tickets_changed();",
            "drop trigger changed on tickets_ticket; drop function tickets_changed();",
        ),
        immutable(
            "tickets_interaction", "sender_name", "sender_address", "to", "cc", "subject", "body", "html", "message_id"
        ),
        immutable("tickets_attachment", "name"),
        immutable("tickets_escalationcause"),
        kept("tickets_ticket", differs("contract_id", "received_at", "opened_at", "channel", "origin"), "receipt"),
        kept("tickets_escalation", set_once("accepted_at", "closed_at") + " or " + differs("ticket_id", "raised_at"),
             "when raised, accepted and closed"),
        kept("tickets_delivery", set_once("settled_at", "bounced_at"), "settlement"),
        kept("tickets_inboundmessage", differs("blob_id", "sha256", "size", "landed_at", "received_at", "door"),
             "source and receipt"),
        kept("tickets_ruling", set_once("undone_at", "reviewed_at") + " or " + differs("verdict", "ruled_by_id"),
             "ruling"),
    ]  # fmt: skip
