"""The addresses of feedback: the log and the inbox of staff, the pages of customers."""

from django.urls import path

from feedback.views import inbox, log, public

urlpatterns = [
    path("feedback/", log.index, name="feedback"),
    path("feedback/groups/", log.groups_page, name="feedback_groups"),
    path("feedback/inbox/", inbox.index, name="feedback_inbox"),
    path("feedback/add/", log.add, name="feedback_add"),
    path("feedback/import/", log.bring_in, name="feedback_import"),
    path("feedback/surveys/", log.survey_rule, name="survey_rule"),
    path("feedback/<int:pk>/", log.show, name="remark"),
    path("feedback/<int:pk>/handle/", inbox.handle, name="remark_handle"),
    path("feedback/<int:pk>/who/", log.who, name="remark_who"),
    path("survey/<str:token>/", public.survey, name="survey"),
    path("survey/stop/<str:token>/", public.stop, name="stop_surveys"),
    path("tell-us/", public.tell, name="tell_us"),
]
