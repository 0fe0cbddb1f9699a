"""The one place that vouches for markup written in Python: what goes in is ours, or was escaped by who calls."""

from django.utils.safestring import SafeString


def vouched(markup: str) -> SafeString:
    """Markup that is safe to show: every value in it that is not our own literal has been through `escape`."""
    return SafeString(markup)  # nosec B703
