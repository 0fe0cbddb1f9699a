"""Many tables at one state of the models, for the first migration of an app."""

from collections.abc import Sequence
from typing import Any

from django.db.migrations.operations import CreateModel
from django.db.migrations.operations.base import Operation, OperationCategory


class CreateModels(Operation):
    """Several CreateModel as one operation: the models are rendered once, not once for each table.

    Django renders a model and all that are joined to it anew at each table that it makes. Where everything is joined to
    the user, as here, that takes a minute of a new installation; at once it takes a second. Foreign keys are added when
    the migration ends, so that tables may name each other in any order.
    """

    reduces_to_sql = True
    reversible = True
    category = OperationCategory.ADDITION

    def __init__(self, models: Sequence[CreateModel]) -> None:
        self.models = models

    def state_forwards(self, app_label: str, state: Any) -> None:
        state.__dict__.pop("apps", None)  # what is rendered of it is rendered anew when all are in
        for model in self.models:
            model.state_forwards(app_label, state)

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        for model in self.models:
            model.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        for model in reversed(self.models):
            model.database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        return f"Create {len(self.models)} models"
