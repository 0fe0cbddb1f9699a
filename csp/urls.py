"""Every address of the product, joined from the apps."""

from django.urls import URLPattern, URLResolver, include, path

from csp.views import account, accounts, health, home

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("", include(accounts.urlpatterns)),
    path("account/", account.profile, name="account"),
    path("account/theme/", account.theme, name="theme"),
    path("account/sessions/end/", account.end_sessions, name="sessions_end"),
    path("", include("tickets.urls")),
    path("health/live", health.live, name="health_live"),
    path("health/ready", health.ready, name="health_ready"),
]
