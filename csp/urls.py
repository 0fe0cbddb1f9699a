"""Every address of the product, joined from the apps."""

from django.urls import URLPattern, URLResolver, include, path, re_path

import audits.admin  # noqa: F401  registers its records
import feedback.admin  # noqa: F401
import tickets.admin  # noqa: F401
import training.admin  # noqa: F401
from csp import admin, api
from csp.demo import pages as demo
from csp.views import (
    account,
    accounts,
    api_docs,
    assessments,
    first_run,
    health,
    home,
    notices,
    people,
    shifts,
    teams,
    tokens,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("", include(accounts.urlpatterns)),
    path("account/", account.profile, name="account"),
    path("account/theme/", account.theme, name="theme"),
    path("account/tokens/", tokens.index, name="tokens"),
    path("account/tokens/<int:token>/revoke/", tokens.revoke, name="token_revoke"),
    path("api/", api_docs.page, name="api_docs"),
    path("api/v1/me/", api.Me.as_view(), name="api_me"),
    path("api/v1/clauses/", api.Clauses.as_view(), name="api_clauses"),
    path("api/v1/schema/", api.schema, name="api_schema"),
    path("account/sessions/end/", account.end_sessions, name="sessions_end"),
    path("", include("tickets.urls")),
    path("", include("audits.urls")),
    path("", include("feedback.urls")),
    path("", include("training.urls")),
    path("health/live", health.live, name="health_live"),
    path("health/ready", health.ready, name="health_ready"),
    path("admin/", admin.site.urls),
    path("notices/", notices.index, name="notices"),
    path("notices/read/", notices.read_all, name="notices_read"),
    path("notices/<int:pk>/open/", notices.open_one, name="notice_open"),
    path("assessments/", assessments.index, name="assessments"),
    path("assessments/<int:pk>/", assessments.decide, name="assessment"),
    path("assessments/files/<int:pk>/", assessments.file, name="assessment_file"),
    path("first-run/", first_run.show, name="first_run"),
    path("settings/people/", people.index, name="people"),
    path("settings/people/add/", people.add, name="person_add"),
    path("settings/people/<int:pk>/", people.person, name="person"),
    path("settings/people/<int:pk>/tokens/<int:token>/revoke/", tokens.revoke_of, name="person_token_revoke"),
    path("settings/people/<int:pk>/roles/", people.grant, name="role_grant"),
    path("settings/people/<int:pk>/roles/<int:grant>/end/", people.end_role, name="role_end"),
    re_path(
        rf"^settings/people/(?P<pk>[0-9]+)/(?P<action>{'|'.join(people.ACTIONS)})/$", people.act, name="person_act"
    ),
    path("settings/offices/", people.offices, name="offices"),
    path("settings/offices/<int:pk>/end/", people.end_office, name="office_end"),
    path("settings/shifts/", shifts.index, name="shifts"),
    path("settings/shifts/<int:pk>/", shifts.plan, name="shift_plan"),
    path("settings/shifts/absences/<int:pk>/end/", shifts.end_absence, name="absence_end"),
    path("settings/teams/", teams.index, name="teams"),
    path("settings/teams/add/", teams.add, name="team_add"),
    path("settings/teams/<int:pk>/", teams.team, name="team"),
    path("settings/contract/", teams.contract, name="contract_settings"),
    path("settings/contract/<int:pk>/", teams.contract, name="contract_settings"),
    path("demo/post/", demo.received, name="demo_post"),  # 404 anywhere but in the demonstration
    path("settings/", include("tickets.settings_urls")),
    path("settings/", home.settings, name="settings_home"),
]
