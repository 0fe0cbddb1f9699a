"""The addresses of the desk."""

from django.urls import path

from tickets.views import acts, escalations, files, live, queue, ticket, writing

urlpatterns = [
    path("queue/", queue.first, name="queue"),
    path("queue/bulk/", queue.bulk, name="bulk"),
    path("queue/rail/", queue.rail, name="rail"),
    path("queue/<str:name>/", queue.queue, name="queue_view"),
    path("next/", queue.go_next, name="go_next"),
    path("changes", live.ask, name="changes"),
    path("tickets/<int:number>/", ticket.page, name="ticket"),
    path("tickets/<int:number>/peek/", queue.peek, name="peek"),
    path("tickets/<int:number>/earlier/", ticket.earlier, name="earlier"),
    path("tickets/<int:number>/address/<int:address>/", ticket.show_address, name="show_address"),
    path("tickets/<int:number>/write/", writing.write, name="write"),
    path("tickets/<int:number>/draft/", writing.draft, name="draft"),
    path("tickets/<int:number>/canned/", writing.canned, name="canned"),
    path("tickets/<int:number>/no-reply-needed/", writing.no_reply_needed, name="no_reply_needed"),
    path("tickets/<int:number>/assign/", acts.assign, name="assign"),
    path("tickets/<int:number>/assign/me/", acts.assign_to_me, name="assign_to_me"),
    path("tickets/<int:number>/move/", acts.move, name="move"),
    path("tickets/<int:number>/state/", acts.change_state, name="change_state"),
    path("tickets/<int:number>/edit/", acts.retype, name="retype"),
    path("tickets/<int:number>/remind/", acts.pending, name="pending"),
    path("tickets/<int:number>/escalate/", acts.escalate, name="escalate"),
    path("tickets/<int:number>/complex/", acts.mark_complex, name="mark_complex"),
    path("tickets/<int:number>/within-authority/", acts.within_authority, name="within_authority"),
    path("tickets/<int:number>/merge/", acts.merge, name="merge"),
    path("tickets/<int:number>/unmerge/", acts.unmerge, name="unmerge"),
    path("tickets/<int:number>/link/", acts.link, name="link"),
    path("tickets/<int:number>/join/", acts.join, name="join"),
    path("tickets/<int:number>/deadlines/<int:deadline>/waive/", acts.waive, name="waive"),
    path("tickets/<int:number>/deadlines/<int:deadline>/assess/", acts.assess, name="assess"),
    path(
        "tickets/<int:number>/deadlines/<int:deadline>/assess/decide/", acts.decide_assessment, name="decide_assessment"
    ),
    path("escalations/", escalations.board, name="escalations"),
    path("escalations/<int:number>/accept/", escalations.accept, name="accept_escalation"),
    path("escalations/<int:number>/decide/", escalations.decide, name="decide_escalation"),
    path("escalations/<int:number>/hand-back/", escalations.hand_back, name="hand_back"),
    path("attachments/<int:number>/", files.attachment, name="attachment"),
    path("attachments/<int:number>/picture/", files.picture, name="picture"),
    path("interactions/<int:number>/as-sent/", files.as_sent, name="as_sent"),
    path("interactions/<int:number>/source/", files.source, name="source"),
]
