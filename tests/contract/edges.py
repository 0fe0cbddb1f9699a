"""Mondays, week-ends, changes of the clock and ends of months: where an hour too few or many would show."""

import datetime as dt

UTC = dt.UTC

# (name, receipt). Berlin and London change their clocks on 30 March and 26 October 2025.
RECEIPTS = [
    ("a Monday morning", dt.datetime(2025, 3, 3, 9, tzinfo=UTC)),
    ("over a week-end", dt.datetime(2025, 3, 7, 17, 30, tzinfo=UTC)),
    ("over the hour that is left out", dt.datetime(2025, 3, 29, 12, tzinfo=UTC)),
    ("over the hour that comes twice", dt.datetime(2025, 10, 25, 12, tzinfo=UTC)),
    ("over the end of a month", dt.datetime(2025, 2, 28, 23, 59, 59, tzinfo=UTC)),
    ("over a leap day", dt.datetime(2024, 2, 28, 12, tzinfo=UTC)),
    ("over New Year", dt.datetime(2024, 12, 31, 18, tzinfo=UTC)),
]
NAMES = [name for name, _receipt in RECEIPTS]
INSTANTS = [receipt for _name, receipt in RECEIPTS]
