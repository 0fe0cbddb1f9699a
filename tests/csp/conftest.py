"""What several tests of the platform ask for."""

import pytest
from django.http import HttpRequest, HttpResponse

import csp.urls


@pytest.fixture
def plain_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refusals without our page around them, which is most of their cost and is tested once, elsewhere."""
    for status in (403, 404):
        monkeypatch.setattr(csp.urls, f"handler{status}", _Plain(status), raising=False)


class _Plain:
    def __init__(self, status: int) -> None:
        self.status = status

    def __call__(self, request: HttpRequest, exception: Exception) -> HttpResponse:
        return HttpResponse(status=self.status)
