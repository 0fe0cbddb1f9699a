"""The addresses of assurance: the board and its lists, cases, corrective actions, measures."""

from django.urls import path

from audits.views import actions, board, cases, contract, lists, measures, steps

urlpatterns = [
    path("contract/", contract.show, name="contract"),
    path("compliance/", board.show, name="compliance"),
    path("compliance/<slug:code>/", lists.show, name="assurance_list"),
    path("compliance/<slug:code>/export/", lists.export, name="assurance_export"),
    path("noncompliance/", cases.index, name="noncompliances"),
    path("noncompliance/report/", cases.report, name="report_noncompliance"),
    path("noncompliance/of/<int:deadline>/", cases.of_deadline, name="noncompliance_of"),
    path("noncompliance/<int:pk>/", cases.show, name="noncompliance"),
    path("noncompliance/<int:pk>/lead/", steps.lead, name="case_lead"),
    path("noncompliance/<int:pk>/cause/", steps.cause, name="case_cause"),
    path("noncompliance/<int:pk>/effect/", steps.plan_effect, name="case_effect"),
    path("noncompliance/<int:pk>/effect/check/", steps.check_effect, name="case_check"),
    path("noncompliance/<int:pk>/split/", steps.split, name="case_split"),
    path("noncompliance/<int:pk>/dismiss/", steps.dismiss, name="case_dismiss"),
    path("noncompliance/<int:pk>/actions/add/", steps.add_action, name="action_add"),
    path("noncompliance/<int:pk>/measures/propose/", steps.propose, name="measure_propose"),
    path("corrective-actions/", actions.index, name="corrective_actions"),
    path("corrective-actions/<int:pk>/", actions.show, name="corrective_action"),
    path("corrective-actions/<int:pk>/implement/", actions.implement, name="action_implement"),
    path("corrective-actions/<int:pk>/verify/", actions.verify, name="action_verify"),
    path("corrective-actions/<int:pk>/withdraw/", actions.withdraw, name="action_withdraw"),
    path("evidence/<int:pk>/", actions.evidence, name="action_evidence"),
    path("measures/", measures.index, name="measures"),
    path("measures/<int:pk>/", measures.show, name="measure"),
    path("measures/<int:pk>/hear/", measures.hear, name="measure_hear"),
    path("measures/<int:pk>/decide/", measures.decide, name="measure_decide"),
    path("measures/<int:pk>/end/", measures.end, name="measure_end"),
    path("measures/<int:pk>/appeal/", measures.appeal, name="measure_appeal"),
    path("measures/<int:pk>/appeal/decide/", measures.decide_appeal, name="appeal_decide"),
]
