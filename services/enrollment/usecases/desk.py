"""What the use cases work with."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from services.common.kit.db import Database
from services.enrollment.store.vault import Vault


@dataclass(frozen=True, slots=True)
class Desk:
    database: Database
    vault: Vault
    # The schemes that can be joined, each with the units that one member may hold.
    schemes: Mapping[str, int]
    rosters_dir: Path
    # Set once a roster has been taken in, for a worker in the same process.
    roster_arrived: asyncio.Event = field(default_factory=asyncio.Event)
