"""Peak memory of a benchmark's process."""

import re
from pathlib import Path


def peak() -> float:
    """Most memory that this process has held, in GB; its parent's does not count."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) / 1e6
