"""Which Python the environment is made from."""

import math
import subprocess
import sys

from deploy.interpreter import fastest, spent_s


def test_what_is_no_python_is_never_taken() -> None:
    assert spent_s("/bin/false") == math.inf
    assert spent_s("/nowhere/python3") == math.inf


def test_the_chosen_one_has_the_version_of_the_one_that_asked() -> None:
    chosen = fastest(sys.executable)
    said = subprocess.run([chosen, "--version"], capture_output=True, text=True, check=True)
    assert said.stdout.startswith(f"Python {sys.version_info[0]}.{sys.version_info[1]}.")
