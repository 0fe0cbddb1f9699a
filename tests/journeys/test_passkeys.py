"""Passkeys, with an authenticator that Chromium plays: added, refused, used without a password."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from csp.events import Act
from csp.models import TrailEntry
from tests.cast import Cast
from tests.journeys.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PASSWORD = "a sentence that is long enough"


def test_a_passkey_signs_in_without_a_password(cast: Cast, visit: Visit) -> None:
    cast.rita.set_password(PASSWORD)
    cast.rita.save()
    page = visit()
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
               "isUserVerified": True, "automaticPresenceSimulation": True}  # fmt: skip
    device = devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]
    page.goto("/sign-in/")
    page.get_by_label("E-mail").fill(cast.rita.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.goto("/account/")
    page.get_by_role("link", name="Passkeys").click()
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Password").fill(PASSWORD)  # it changes how one signs in
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("What you call it").fill("My telephone")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()  # in case the telephone is lost
    assert TrailEntry.objects.filter(act=Act.SECOND_FACTOR, subject=f"user:{cast.rita.pk}").count() == 2

    page.context.clear_cookies()
    page.goto("/queue/team/")  # asks to sign in
    devices.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("No passkey was used.")).to_be_visible()
    devices.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": True})
    before = TrailEntry.objects.filter(act=Act.SIGNED_IN).count()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Team")
    assert TrailEntry.objects.filter(act=Act.SIGNED_IN).count() == before + 1

    page.goto("/account/passkeys/")
    expect(page.get_by_role("link", name="Remove My telephone")).to_be_visible()
