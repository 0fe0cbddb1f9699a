"""The addresses of feedback: the log and the inbox of staff, the pages of customers."""

from django.urls import path

from feedback.views import inbox, log, public, themes

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
    path("feedback/<int:pk>/theme/", themes.put, name="remark_theme"),
    path("feedback/themes/", themes.index, name="themes"),
    path("feedback/themes/new/", themes.begin, name="theme_begin"),
    path("feedback/themes/rule/", themes.rule, name="theme_rule"),
    path("feedback/themes/<int:pk>/", themes.show, name="theme"),
    path("feedback/themes/<int:pk>/change/", themes.change, name="theme_change"),
    path("feedback/themes/<int:pk>/merge/", themes.merge, name="theme_merge"),
    path("feedback/themes/<int:pk>/split/", themes.split, name="theme_split"),
    path("feedback/themes/<int:pk>/take-out/", themes.take_out, name="theme_take_out"),
    path("feedback/themes/<int:pk>/dismiss/", themes.dismiss, name="theme_dismiss"),
    path("feedback/themes/<int:pk>/restore/", themes.restore, name="theme_restore"),
    path("feedback/sort/", themes.sorting, name="theme_sorting"),
    path("feedback/sort/<int:pk>/accept/", themes.accept, name="group_accept"),
    path("feedback/sort/<int:pk>/dismiss/", themes.dismiss_group, name="group_dismiss"),
    path("feedback/sort/<int:pk>/restore/", themes.restore_group, name="group_restore"),
    path("survey/<str:token>/", public.survey, name="survey"),
    path("survey/stop/<str:token>/", public.stop, name="stop_surveys"),
    path("tell-us/", public.tell, name="tell_us"),
]
