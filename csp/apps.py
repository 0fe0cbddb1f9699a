"""What has to be in place before the first request: the system checks, and who listens to allauth."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CspConfig(AppConfig):
    name = "csp"
    verbose_name = "CSP"

    def ready(self) -> None:
        from csp import adapters, checks, marking  # noqa: F401  two register themselves; models must be loaded first

        post_migrate.connect(marking.install, sender=self, dispatch_uid="csp.marking")
