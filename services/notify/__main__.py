"""Which process to be."""

from services.common.kit.process import main
from services.notify.main import run
from services.notify.settings import Settings

if __name__ == "__main__":
    main("services.notify", settings=Settings, run=run, apart=("redrive",))
