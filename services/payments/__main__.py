"""Which process to be."""

from services.common.kit.process import main
from services.payments.main import run
from services.payments.settings import Settings

if __name__ == "__main__":
    main("services.payments", settings=Settings, run=run, apart=("redrive",))
