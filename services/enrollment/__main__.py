"""Which process to be."""

from services.common.kit.process import main
from services.enrollment.main import run
from services.enrollment.settings import Settings

if __name__ == "__main__":
    main("services.enrollment", settings=Settings, run=run)
