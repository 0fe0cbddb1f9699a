"""What has to be in place before the first request: the system checks, and who listens to allauth."""

from django.apps import AppConfig


class CspConfig(AppConfig):
    name = "csp"
    verbose_name = "CSP"

    def ready(self) -> None:
        from csp import adapters, checks  # noqa: F401  both register themselves; models must be loaded first
