"""The pages of customers: the survey, the way out of surveys, and the form for anybody (clause 7.1).

Looking at a page changes nothing. Of who sends the open form nothing is kept that was not typed in: no address of the
network, and no log names it.
"""

from __future__ import annotations

import secrets
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from csp import clock, trail
from csp.access import Refused, open_to_all
from csp.middleware import address_of
from feedback import floods, log, surveys
from feedback.forms import SurveyForm, TellForm
from feedback.models import Remark
from tickets.intake.facts import team_for
from tickets.views.public import in_their_language, languages


def _shown(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    response = render(request, template, {"languages": languages(request), **context}, status=status)
    response["Referrer-Policy"] = "no-referrer"  # the address holds the link's secret
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    return response


def _gone(request: HttpRequest) -> HttpResponse:
    return _shown(request, "public/survey_gone.html", {}, status=404)


@open_to_all
@csrf_exempt  # nobody is signed in: the link's secret is what lets somebody answer, and cookies may be off
@require_http_methods(["GET", "POST"])
@in_their_language
def survey(request: HttpRequest, token: str) -> HttpResponse:
    """The three questions; recorded once, when the form is sent."""
    at = clock.now()
    try:
        row = surveys.survey_of(token, at)
    except surveys.NotGood:
        return _gone(request)
    if row.used_at is not None:
        return _shown(request, "public/thanks.html", {"again": True})
    form = SurveyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with trail.source("survey"):
                _remark, is_new = surveys.answer(row, at=at, **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            answered = is_new and form.cleaned_data["wants_answer"]
            return _shown(request, "public/thanks.html", {"again": not is_new, "answered": answered})
    context = {
        "form": form, "reference": row.ticket.reference, "subject": row.ticket.subject, "contract": row.ticket.contract
    }  # fmt: skip
    return _shown(request, "public/survey.html", context, status=422 if form.errors else 200)


@open_to_all
@csrf_exempt  # as above
@require_http_methods(["GET", "POST"])
@in_their_language
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """Ask to be asked no more: a button, so that opening the link does nothing yet."""
    try:
        customer = surveys.customer_of(token)
    except surveys.NotGood:
        return _gone(request)
    if request.method == "POST":
        surveys.stop(customer, at=clock.now())
    return _shown(request, "public/stop_surveys.html", {"done": request.method == "POST"})


@open_to_all
@require_http_methods(["GET", "POST"])
@in_their_language
def tell(request: HttpRequest) -> HttpResponse:
    """Feedback from anybody."""
    at = clock.now()
    form = TellForm(request.POST or None, initial={"nonce": secrets.token_urlsafe(16)})
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        if typed["website"]:
            return _shown(request, "public/thanks.html", {})  # a machine learns nothing from the answer
        team, address = team_for(None), typed["address"].strip().lower()
        if floods.is_shut(address_of(request)):
            form.add_error(None, _("Very many forms came from your network. Wait an hour, or write us a mail."))
        else:
            answers = typed["wants_answer"] and not floods.waits(team.contract, address, at=at)
            try:
                with trail.source("feedback form"):
                    log.record(
                        team=team,
                        source=Remark.Source.FORM,
                        received_at=at,
                        at=at,
                        score=typed["score"],
                        words=typed["words"],
                        wants_answer=answers,
                        who=log.Who(name=typed["name"].strip(), address=address),
                        once=log.digest("form", typed["nonce"]) if typed["nonce"] else None,
                    )
            except Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                return _shown(request, "public/thanks.html", {"answered": typed["wants_answer"]})
    context = {"form": form, "contract": team_for(None).contract}
    return _shown(request, "public/tell_us.html", context, status=422 if form.errors else 200)
