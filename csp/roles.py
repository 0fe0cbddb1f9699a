"""Who may do what: roles, permissions, and the one table that joins them. Pure; asked through csp.access."""

from __future__ import annotations

import enum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    """What a person is under the contract (clauses 2.1 to 2.3) and in the company."""

    REPRESENTATIVE = "representative", _("Representative")
    SUPERVISOR = "supervisor", _("Supervisor")
    ANALYST = "analyst", _("Feedback analyst")
    AUDITOR = "auditor", _("Auditor")
    ADMINISTRATOR = "administrator", _("Administrator")


# Grants of these roles name a team; the others reach over whole contracts, or the installation.
TEAM_ROLES = frozenset({Role.REPRESENTATIVE, Role.SUPERVISOR})


class Office(TextChoices):
    """A dated appointment, one person and a deputy, that the contract's duties are told to."""

    COMPANY_REPRESENTATIVE = "company_representative", _("Company's representative")
    PARTY_REPRESENTATIVE = "party_representative", _("Party's representative")
    COMPLIANCE_OWNER = "compliance_owner", _("Compliance owner")
    PRIVACY_OWNER = "privacy_owner", _("Privacy owner")
    FEEDBACK_LEAD = "feedback_lead", _("Feedback lead")


class Permission(enum.StrEnum):
    """One thing a person may be allowed to do. The value is also Django's permission string."""

    # the desk
    SEE_TICKETS = "tickets.see"
    WORK_TICKETS = "tickets.work"
    OPEN_TICKETS = "tickets.open"
    ASSIGN_OTHERS = "tickets.assign_others"
    MERGE_TICKETS = "tickets.merge"
    SORT_MAIL = "tickets.sort"
    REVIEW_SORTING = "tickets.review_sorting"
    DECIDE_ESCALATIONS = "escalations.decide"
    SEE_ESCALATIONS = "escalations.see"
    SEE_CUSTOMER_NAMES = "customers.see_names"
    SEE_SOURCES = "tickets.see_sources"
    BULK_WORK = "tickets.bulk"
    CONFIRM_CALLS = "calls.confirm"
    DECIDE_COMPLAINTS = "complaints.decide"
    PUBLISH_PROCEDURES = "procedures.publish"
    # the clock
    SEE_DEADLINES = "deadlines.see"
    WAIVE = "deadlines.waive"
    PROPOSE_ASSESSMENT = "assessments.propose"
    DECIDE_ASSESSMENT = "assessments.decide"
    # assurance
    LEAD_CORRECTION = "noncompliance.lead"
    VERIFY_CORRECTION = "noncompliance.verify"
    DECIDE_MEASURES = "measures.decide"
    COSIGN = "tickets.cosign"
    # quality audits
    AUDIT = "audits.audit"
    GIVE_AUDIT_ACCESS = "audits.give_access"
    ANSWER_AUDITS = "audits.answer"
    OPEN_MASKED = "audits.open_masked"
    # feedback
    SEE_FEEDBACK = "feedback.see"
    SEE_FEEDBACK_GROUPS = "feedback.see_groups"
    ENTER_FEEDBACK = "feedback.enter"
    IMPORT_FEEDBACK = "feedback.import"
    HANDLE_FEEDBACK = "feedback.handle"
    OPEN_IDENTITIES = "feedback.open_identities"
    MANAGE_SURVEYS = "surveys.manage"
    EXPORT_FEEDBACK = "feedback.export"
    SORT_THEMES = "themes.sort"
    WRITE_FINDINGS = "findings.write"
    DECIDE_FINDINGS = "findings.decide"
    SEE_TRAINING = "training.see"
    MANAGE_TRAINING = "training.manage"
    # figures
    SEE_METRICS = "metrics.see"
    SEE_METRICS_BY_PART = "metrics.see_by_part"
    SEE_METRICS_BY_PERSON = "metrics.see_by_person"
    SIGN_STATEMENTS = "statements.sign"
    # settings
    MANAGE_PEOPLE = "people.manage"
    MANAGE_TEAMS = "teams.manage"
    MANAGE_SHIFTS = "shifts.manage"
    MANAGE_MAILBOXES = "mailboxes.manage"
    MANAGE_TEXTS = "texts.manage"
    SET_LIMITS = "limits.set"
    APPROVE_CANNED = "canned.approve"
    # evidence
    SEE_CONTRACT = "contract.see"
    SEE_TRAIL = "trail.see"
    SEE_EVIDENCE = "evidence.see"
    USE_ADMIN = "admin.use"
    # keeping and removing
    SEE_RETENTION = "retention.see"
    PLACE_HOLDS = "holds.place"
    PROPOSE_DISPOSAL = "disposal.propose"
    APPROVE_DISPOSAL = "disposal.approve"


_P, _R = Permission, Role
_EVERYONE = frozenset(Role)
_DESK = frozenset({_R.REPRESENTATIVE, _R.SUPERVISOR})
_LEAD = frozenset({_R.SUPERVISOR})
_WATCH = frozenset({_R.SUPERVISOR, _R.AUDITOR})
_ADMIN = frozenset({_R.ADMINISTRATOR})

# The table. What is not listed is refused. Scope (own teams, own contracts) is the business of visible_to() querysets.
TABLE: dict[Permission, frozenset[Role]] = {
    _P.SEE_TICKETS: _DESK | {_R.AUDITOR},
    _P.WORK_TICKETS: _DESK,
    _P.OPEN_TICKETS: _DESK,
    _P.ASSIGN_OTHERS: _LEAD,
    _P.MERGE_TICKETS: _DESK,
    _P.SORT_MAIL: _DESK,
    _P.REVIEW_SORTING: _LEAD,
    _P.DECIDE_ESCALATIONS: _LEAD,
    _P.SEE_ESCALATIONS: _WATCH,
    _P.SEE_CUSTOMER_NAMES: _DESK,
    _P.SEE_SOURCES: _DESK,
    _P.BULK_WORK: _DESK,
    _P.CONFIRM_CALLS: _LEAD,
    _P.DECIDE_COMPLAINTS: _LEAD,
    _P.PUBLISH_PROCEDURES: _LEAD,
    _P.SEE_DEADLINES: _DESK | {_R.AUDITOR},
    _P.WAIVE: _LEAD,
    _P.PROPOSE_ASSESSMENT: _DESK,
    _P.DECIDE_ASSESSMENT: _LEAD,
    _P.LEAD_CORRECTION: _LEAD,
    _P.VERIFY_CORRECTION: _LEAD,
    _P.DECIDE_MEASURES: _LEAD,
    _P.COSIGN: _LEAD,
    _P.AUDIT: frozenset({_R.AUDITOR}),
    _P.GIVE_AUDIT_ACCESS: _ADMIN,
    _P.ANSWER_AUDITS: _LEAD,
    _P.OPEN_MASKED: frozenset({_R.AUDITOR}),
    _P.SEE_FEEDBACK: frozenset({_R.ANALYST, _R.SUPERVISOR, _R.AUDITOR}),
    _P.SEE_FEEDBACK_GROUPS: _DESK | {_R.ANALYST, _R.AUDITOR},
    _P.ENTER_FEEDBACK: _DESK | {_R.ANALYST},
    _P.IMPORT_FEEDBACK: frozenset({_R.ANALYST}),
    _P.HANDLE_FEEDBACK: _LEAD,
    _P.OPEN_IDENTITIES: _LEAD,
    _P.MANAGE_SURVEYS: frozenset({_R.ANALYST}),
    _P.EXPORT_FEEDBACK: frozenset({_R.ANALYST, _R.AUDITOR}),
    _P.SORT_THEMES: frozenset({_R.ANALYST}),
    _P.WRITE_FINDINGS: frozenset({_R.ANALYST, _R.SUPERVISOR}),
    _P.DECIDE_FINDINGS: _LEAD,
    _P.SEE_TRAINING: _WATCH | _ADMIN,
    _P.MANAGE_TRAINING: _LEAD | _ADMIN,
    _P.SEE_METRICS: _EVERYONE,
    _P.SEE_METRICS_BY_PART: _WATCH | _ADMIN | {_R.ANALYST},
    _P.SEE_METRICS_BY_PERSON: _WATCH,
    _P.SIGN_STATEMENTS: _LEAD,
    _P.MANAGE_PEOPLE: _ADMIN,
    _P.MANAGE_TEAMS: _ADMIN,
    _P.MANAGE_SHIFTS: _ADMIN | _LEAD,
    _P.MANAGE_MAILBOXES: _ADMIN,
    _P.MANAGE_TEXTS: _ADMIN | _LEAD,
    _P.SET_LIMITS: _ADMIN | _LEAD,
    _P.APPROVE_CANNED: _LEAD,
    _P.SEE_CONTRACT: _EVERYONE,
    _P.SEE_TRAIL: frozenset({_R.AUDITOR}),
    _P.SEE_EVIDENCE: _WATCH,
    _P.USE_ADMIN: frozenset({_R.AUDITOR, _R.ADMINISTRATOR}),
    _P.SEE_RETENTION: _WATCH | _ADMIN,
    _P.PLACE_HOLDS: _LEAD,
    _P.PROPOSE_DISPOSAL: _ADMIN,
    _P.APPROVE_DISPOSAL: _ADMIN | _LEAD,
}
