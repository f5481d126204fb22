"""Lets PostgreSQL have its shared buffers in huge pages: half its time goes into looks at random.

Nothing is reserved beforehand. The kernel is allowed to make huge pages when the server asks for
them (`vm.nr_overcommit_hugepages`) and takes them back when it ends, however it ends; only the
permission stays, and it holds no memory. Pages reserved by `vm.nr_hugepages` go first.
"""

from pathlib import Path
from typing import Final

LIMIT: Final = Path("/proc/sys/vm/nr_overcommit_hugepages")
MEMINFO: Final = Path("/proc/meminfo")
# What is in huge pages cannot be taken for anything else, so as much again must be left.
_LEFT: Final = 2


def allow(pages: int, limit: Path = LIMIT, meminfo: Path = MEMINFO) -> str:
    """Allow so many more; give "" or, in one line, why there are none to be had."""
    try:
        has = _fields(meminfo)
        if pages <= has["HugePages_Free"] - has["HugePages_Rsvd"]:
            return ""
        wanted_kb, free_kb = pages * has["Hugepagesize"], has["MemAvailable"]
        if wanted_kb * _LEFT > free_kb:
            return f"no huge pages: {wanted_kb >> 10} MB of them asked for, {free_kb >> 10} MB free"
        allowed = has["HugePages_Surp"] + pages
        if int(limit.read_text()) < allowed:
            limit.write_text(str(allowed))
    except (OSError, KeyError) as failure:
        return f"no huge pages: this machine does not give them ({failure})"
    return ""


def _fields(meminfo: Path) -> dict[str, int]:
    """Read sizes in kB and counts of pages by their names."""
    lines = (line.split() for line in meminfo.read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) for words in lines if len(words) > 1}
