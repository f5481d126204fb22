"""Why a scheme cannot be worked out."""

from datetime import date

from services.common.errors import Conflict


class SchemeCannotRun(Conflict):
    """The scheme cannot be worked out on that day."""

    code = "SCHEME_CANNOT_RUN"


class SchemeUnknown(SchemeCannotRun):
    """There is no such scheme."""

    code = "SCHEME_UNKNOWN"


class SchemeFigureMissing(SchemeCannotRun):
    """A figure of the scheme is missing for that day."""

    code = "SCHEME_FIGURE_MISSING"

    def __init__(self, scheme_id: str, figure: str, day: date) -> None:
        super().__init__(f"{scheme_id} has no {figure} on {day}")
        self.scheme_id = scheme_id
        self.figure = figure
        self.day = day
