"""Every act that can be recorded in the trail, with its sentence. Pure.

The sentence completes "<somebody> ...". Values are stored for ever and never reused for another meaning.
"""

from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Act(TextChoices):
    # tickets
    TICKET_OPENED = "ticket.opened", _("opened the ticket")
    TICKET_PARKED = "ticket.parked", _("parked a message that could not be read")
    TICKET_ASSIGNED = "ticket.assigned", _("assigned the ticket")
    TICKET_TEAM = "ticket.team", _("moved the ticket to another team")
    TICKET_STATE = "ticket.state", _("changed the state")
    TICKET_TYPED = "ticket.typed", _("changed kind, category, priority or subject")
    TICKET_PENDING = "ticket.pending", _("set a reminder")
    TICKET_MERGED = "ticket.merged", _("merged the ticket")
    TICKET_UNMERGED = "ticket.unmerged", _("undid a merge")
    TICKET_LINKED = "ticket.linked", _("linked the ticket")
    TICKET_JOINED = "ticket.joined", _("joined a linked ticket to this one")
    TICKET_COMPLEX = "ticket.complex", _("marked the ticket complex")
    TICKET_WITHIN_AUTHORITY = "ticket.within_authority", _("decided within own authority")
    TICKET_READ = "ticket.read", _("read the ticket")
    RESOLUTION_WRITTEN = "resolution.written", _("wrote down cause and resolution")
    RESOLUTION_ANSWERED = "resolution.answered", _("recorded whether the customer accepted")
    RESOLUTION_UNDONE = "resolution.undone", _("found that the resolution did not hold")
    RESOLUTION_HELD = "resolution.held", _("found that the resolution holds after all")
    CUSTOMER_SET = "ticket.customer", _("set the customer")
    CUSTOMER_CHANGED = "customer.changed", _("changed the customer's record")
    # interactions
    MESSAGE_RECEIVED = "message.received", _("wrote")
    ANSWER_WRITTEN = "message.answered", _("answered the customer")
    HOLDING_WRITTEN = "message.holding", _("sent a holding message")
    ACKNOWLEDGED = "message.acknowledged", _("sent the acknowledgement")
    NOTE_WRITTEN = "message.noted", _("wrote a note")
    CALL_LOGGED = "message.call", _("logged a call")
    CALL_CONFIRMED = "message.call_confirmed", _("ruled on a call that was written down late")
    CONTACT_LOGGED = "message.contact", _("logged a letter or visit")
    NO_REPLY_NEEDED = "message.no_reply_needed", _("ruled that no reply is needed")
    MESSAGE_ACCEPTED = "message.accepted", _("had a message accepted outside")
    MESSAGE_BOUNCED = "message.bounced", _("had a message returned")
    MESSAGE_FAILED = "message.failed", _("could not deliver a message")
    LINKS_SENT = "links.sent", _("sent a customer the links to their requests")
    LINKS_WITHDRAWN = "links.withdrawn", _("withdrew the customer's links")
    ATTACHMENT_READ = "attachment.read", _("opened an attachment")
    SOURCE_READ = "source.read", _("opened a message source")
    # mail that waits for a person
    MAIL_LANDED = "mail.landed", _("landed a message")
    MAIL_UNSORTED = "mail.unsorted", _("put a message among the unsorted")
    MAIL_GENUINE = "mail.genuine", _("ruled a message genuine")
    MAIL_SPAM = "mail.spam", _("ruled a message spam")
    MAIL_RULING_UNDONE = "mail.ruling_undone", _("took a ruling back")
    MAIL_RULING_REVIEWED = "mail.ruling_reviewed", _("checked a ruling")
    MAIL_IGNORED = "mail.ignored", _("set aside an automatic message")
    SENDER_RULED = "sender.ruled", _("changed a rule for a sender")
    # deadlines
    DEADLINE_MET = "deadline.met", _("kept the promise")
    DEADLINE_MET_LATE = "deadline.met_late", _("kept the promise late")
    DEADLINE_BREACHED = "deadline.breached", _("broke the promise")
    DEADLINE_WAIVED = "deadline.waived", _("waived the deadline")
    DEADLINE_VOIDED = "deadline.voided", _("opened the deadline void")
    DEADLINE_REOPENED = "deadline.reopened", _("opened the duty again")
    DEADLINE_REMINDED = "deadline.reminded", _("reminded those responsible")
    ASSESSMENT_PROPOSED = "assessment.proposed", _("proposed an assessment")
    ASSESSMENT_DECIDED = "assessment.decided", _("decided an assessment")
    # escalations
    ESCALATED = "escalation.raised", _("escalated the ticket")
    ESCALATION_ACCEPTED = "escalation.accepted", _("accepted the escalation")
    ESCALATION_DECIDED = "escalation.decided", _("decided the escalation")
    ESCALATION_RETURNED = "escalation.returned", _("handed the escalation back")
    # answers that wait for a second signature
    COSIGN_ASKED = "cosign.asked", _("wrote an answer that waits for a co-signature")
    COSIGNED = "cosign.signed", _("co-signed an answer")
    COSIGN_RETURNED = "cosign.returned", _("handed an answer back unsigned")
    COSIGN_WITHDRAWN = "cosign.withdrawn", _("took back an answer that waited for a co-signature")
    # non-compliance
    NONCOMPLIANCE_REPORTED = "noncompliance.reported", _("reported a non-compliance")
    NONCOMPLIANCE_JOINED = "noncompliance.joined", _("joined breaches to the case")
    NONCOMPLIANCE_SPLIT = "noncompliance.split", _("split the case")
    NONCOMPLIANCE_LED = "noncompliance.led", _("named who leads the correction")
    NONCOMPLIANCE_DISMISSED = "noncompliance.dismissed", _("dismissed the report")
    NONCOMPLIANCE_READ = "noncompliance.read", _("read a confidential report")
    CAUSE_FOUND = "noncompliance.cause", _("wrote down the cause")
    EFFECT_PLANNED = "noncompliance.effect_planned", _("set how the effect will be checked")
    EFFECT_CHECKED = "noncompliance.effect_checked", _("checked the effect")
    ACTION_SET = "action.set", _("set a corrective action")
    ACTION_WITHDRAWN = "action.withdrawn", _("withdrew a corrective action")
    ACTION_IMPLEMENTED = "action.implemented", _("implemented a corrective action")
    ACTION_VERIFIED = "action.verified", _("verified a corrective action")
    ACTION_REJECTED = "action.rejected", _("rejected an implementation")
    EVIDENCE_READ = "action.evidence_read", _("opened the evidence of a corrective action")
    # measures
    MEASURE_PROPOSED = "measure.proposed", _("proposed a measure")
    MEASURE_HEARD = "measure.heard", _("was heard about a measure")
    MEASURE_DECIDED = "measure.decided", _("decided about a measure")
    MEASURE_ENDED = "measure.ended", _("ended a measure")
    MEASURE_APPEALED = "measure.appealed", _("appealed against a measure")
    APPEAL_DECIDED = "measure.appeal_decided", _("decided an appeal")
    RESTRICTED = "restriction.imposed", _("restricted a person's work")
    RESTRICTION_ENDED = "restriction.ended", _("ended a restriction")
    # feedback
    FEEDBACK_RECORDED = "feedback.recorded", _("recorded feedback")
    FEEDBACK_IMPORTED = "feedback.imported", _("brought in feedback from a file")
    FEEDBACK_OPENED = "feedback.opened", _("opened who gave feedback")
    FEEDBACK_HANDLED = "feedback.handled", _("saw to feedback")
    SURVEY_DECIDED = "survey.decided", _("decided about a survey")
    SURVEYS_STOPPED = "survey.stopped", _("asked for no more surveys")
    # people and settings
    PERSON_ADDED = "person.added", _("added a person")
    PERSON_INVITED = "person.invited", _("sent a link to set a password")
    PERSON_CHANGED = "person.changed", _("changed a person")
    PERSON_DEACTIVATED = "person.deactivated", _("deactivated a person")
    PERSON_REACTIVATED = "person.reactivated", _("reactivated a person")
    ROLE_GRANTED = "role.granted", _("granted a role")
    ROLE_ENDED = "role.ended", _("ended a role")
    APPOINTED = "office.appointed", _("appointed somebody to an office")
    APPOINTMENT_ENDED = "office.ended", _("ended an appointment")
    SIGNED_IN = "session.signed_in", _("signed in")
    SIGNED_OUT = "session.signed_out", _("signed out")
    SIGN_IN_REFUSED = "session.refused", _("was refused at sign-in")
    PASSWORD_CHANGED = "session.password", _("changed a password")
    SECOND_FACTOR = "session.second_factor", _("changed a second factor")
    SETTING_CHANGED = "setting.changed", _("changed a setting")
    RECORD_READ = "record.read", _("read records")
    EXPORTED = "record.exported", _("exported records")
    NAME_SHOWN = "customer.shown", _("opened hidden personal data")
    BROKE_GLASS = "access.broke_glass", _("opened a record outside the own scope")
    BACKUP_MADE = "backup.made", _("made a backup")
    BACKUP_RESTORED = "backup.restored", _("restored a backup")
    # keeping and removing
    ERASED = "record.erased", _("erased personal data")
    DISPOSED = "record.disposed", _("disposed of a record that had its time")
    EVIDENCE_MARKED = "evidence.marked", _("sealed the marks of changed records")
    # clauses
    CONTRACT_CHANGED = "contract.changed", _("changed the contract's record")


def acts() -> list[tuple[str, Any]]:
    """The acts as choices of a field: by reference, so that a new act is no migration."""
    return Act.choices
