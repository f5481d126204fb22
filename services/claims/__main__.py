"""Which process to be."""

from services.claims.main import run
from services.claims.settings import Settings
from services.common.kit.process import main

if __name__ == "__main__":
    main(
        "services.claims",
        settings=Settings,
        run=run,
        roles=("api", "worker"),
        apart=("feed", "redrive"),
    )
