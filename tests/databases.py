"""Tests that commit for real (`transaction=True`, `transactional_db`, `live_server`) leave a database as they found it.

Django empties every table after such a test, which evidence refuses, and which would take the first contract along. So
the test database is thrown away instead and made again from the migrated template. A pytest plugin.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.db import connections
from django.test import TransactionTestCase


def _made_again(case: TransactionTestCase) -> None:
    wrapper = connections["default"]
    name = wrapper.settings_dict["NAME"]
    wrapper.close()
    with wrapper._nodb_cursor() as cursor:  # type: ignore[attr-defined]  # what Django's own test runner uses
        quote = wrapper.ops.quote_name
        cursor.execute(f"DROP DATABASE {quote(name)} WITH (FORCE)")
        # Copying files is three times as fast here as writing the log of them, which nobody reads.
        template = quote(os.environ["CSP_TEST_TEMPLATE"])
        cursor.execute(f"CREATE DATABASE {quote(name)} TEMPLATE {template} STRATEGY FILE_COPY")


@pytest.fixture(autouse=True, scope="session")
def _evidence_is_never_truncated() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", _made_again)
        yield
