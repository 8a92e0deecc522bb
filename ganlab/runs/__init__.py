"""Run folders: every path, setting, log and checkpoint of a run."""

from ganlab.runs.folder import RunFolder
from ganlab.runs.run import Run, load_run

__all__ = ["Run", "RunFolder", "load_run"]
