"""What the database itself refuses."""

import pytest
from django.db import DatabaseError, connection, transaction


@transaction.atomic
def _run(statements: tuple[str, ...]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def refused(*statements: str, saying: str) -> None:
    """The database refuses these, with such words; nothing of it stays."""
    with pytest.raises(DatabaseError, match=saying):
        _run(statements)
