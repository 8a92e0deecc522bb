"""A benchmark's jobs, each a process of one thread, one a core."""

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from tqdm import tqdm

from ganlab.safety.limits import usable_cores

ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
CORES = usable_cores()


def run_python(arguments: Sequence[object]) -> str:
    """Runs Python with one thread, and returns what it printed.

    Raises:
        RuntimeError: with the end of what it said, if it failed.
    """
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        env=os.environ | ONE_THREAD | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{arguments} failed:\n{done.stderr[-3000:]}")
    return done.stdout


def run_all(jobs: Sequence[Sequence[object]], title: str | None = None) -> None:
    """Runs Python once for each list of arguments, as many at once as there are cores.

    Raises:
        RuntimeError: of the first that failed, when the others have ended.
    """
    with ThreadPoolExecutor(CORES) as pool:
        futures = [pool.submit(run_python, job) for job in jobs]
        for future in tqdm(as_completed(futures), title, len(jobs), unit=" runs"):
            future.result()
