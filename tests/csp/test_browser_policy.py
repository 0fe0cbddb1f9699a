"""What browsers are told about every answer, good or bad (DESIGN 12)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.test import Client

from csp.statics import HashedStorage

pytestmark = pytest.mark.urls("tests.csp.styleguide")
PAGES = [("/styleguide/", 200), ("/public/", 200), ("/nothing/", 404), ("/forbidden/", 403), ("/broken/", 500)]


@pytest.mark.parametrize(("path", "status"), PAGES)
def test_every_answer_carries_the_policy(path: str, status: int) -> None:
    response = Client(raise_request_exception=False).get(path)
    assert response.status_code == status
    policy = dict(part.split(" ", 1) for part in response["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["frame-src"] == "'self'"
    assert "unsafe" not in response["Content-Security-Policy"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in response["Permissions-Policy"]


@pytest.mark.parametrize(("path", "_status"), PAGES)
def test_no_page_needs_more_than_the_policy_allows(path: str, _status: int) -> None:
    html = Client(raise_request_exception=False).get(path).content.decode()
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|hx-on", html)
    assert not re.search(r"<script(?![^>]*\ssrc=)", html)
    assert not re.search(r'(?:src|href)="https?:', html)


@pytest.mark.parametrize(("path", "status"), [case for case in PAGES if case[1] >= 400])
def test_error_pages_say_what_to_do(path: str, status: int) -> None:
    html = Client(raise_request_exception=False).get(path).content.decode()
    assert "<h1>" in html
    assert "To the start page" in html
    assert "RuntimeError" not in html


@pytest.mark.django_db  # closing a file ends a request, which looks after the connections of earlier tests
def test_pages_of_a_signed_in_person_stay_out_of_caches_and_files_do_not() -> None:
    client = Client()
    assert "Cache-Control" not in client.get("/styleguide/")
    client.cookies[settings.SESSION_COOKIE_NAME] = "anything"
    assert client.get("/stranger/")["Cache-Control"] == "no-store"
    file = client.get("/static/csp/css/tokens.css")
    assert file.status_code == 200
    assert "no-store" not in file["Cache-Control"]
    assert "Content-Security-Policy" in file
    file.close()


def test_a_strangers_html_may_do_nothing_but_be_looked_at_in_our_frame() -> None:
    response = Client().get("/stranger/")
    assert "sandbox" in response["Content-Security-Policy"]
    assert "script-src" not in response["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in response["Content-Security-Policy"]
    assert response["X-Frame-Options"] == "SAMEORIGIN"


def test_hashed_modules_import_hashed_modules(tmp_path: Path) -> None:
    source = StaticFilesStorage(location=settings.BASE_DIR / "static", base_url="/static/")
    storage = HashedStorage(location=tmp_path, base_url="/static/")
    names = [f"csp/js/{name}" for name in source.listdir("csp/js")[1]]
    for name in names:
        with source.open(name) as file:
            storage._save(name, file)
    for _name, _hashed, processed in storage.post_process({name: (storage, name) for name in names}):
        if isinstance(processed, Exception):
            raise processed
    app = tmp_path / storage.stored_name("csp/js/app.js")
    imported = re.findall(r'"\./([^"]+)"', app.read_text())
    assert imported
    for name in imported:
        assert re.fullmatch(r"\w+\.[0-9a-f]{12}\.js", name)
        assert (tmp_path / "csp/js" / name).exists()
