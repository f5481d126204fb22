"""Which event wakes which use case."""

from typing import Final

from services.notify.usecases import telling

GROUP: Final = "notify"
CONSUMED: Final = telling.CONSUMED
