"""The addresses of the settings that know of mail and tickets."""

from django.urls import path

from tickets.views import limits, mailboxes, procedures, texts

urlpatterns = [
    path("mailboxes/", mailboxes.index, name="mailboxes"),
    path("mailboxes/add/", mailboxes.add, name="mailbox_add"),
    path("mailboxes/<int:pk>/", mailboxes.mailbox, name="mailbox"),
    path("mailboxes/<int:pk>/test/", mailboxes.test, name="mailbox_test"),
    path("categories/", texts.categories, name="categories"),
    path("categories/<int:pk>/", texts.category, name="category"),
    path("limits/", limits.index, name="limits"),
    path("procedures/", procedures.index, name="procedures"),
    path("procedures/<int:pk>/", procedures.draft, name="procedure"),
    path("procedures/for/<int:pk>/", procedures.begin, name="procedure_begin"),
    path("procedures/versions/<int:pk>/", procedures.version, name="procedure_version"),
    path("procedures/versions/<int:pk>/publish/", procedures.publish, name="procedure_publish"),
    path("texts/", texts.mail_texts, name="texts"),
    path("texts/add/", texts.mail_text, name="text_add"),
    path("texts/<int:pk>/", texts.mail_text, name="text"),
    path("replies/", texts.replies, name="canned_replies"),
    path("replies/add/", texts.reply, name="canned_reply_add"),
    path("replies/<int:pk>/", texts.reply, name="canned_reply"),
    path("replies/<int:pk>/approve/", texts.approve, name="canned_reply_approve"),
    path("replies/<int:pk>/retire/", texts.retire, name="canned_reply_retire"),
]
