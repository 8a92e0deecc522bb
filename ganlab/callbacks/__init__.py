"""What happens beside training: watching, sample grids, checkpoints."""

from ganlab.callbacks.checkpoints import Checkpoints
from ganlab.callbacks.grids import SampleGrids
from ganlab.callbacks.plane import PlanePictures
from ganlab.callbacks.progress import ProgressBar, decoding_bar
from ganlab.callbacks.run_log import RunLog
from ganlab.callbacks.watch import Watch

__all__ = [
    "Checkpoints",
    "PlanePictures",
    "ProgressBar",
    "RunLog",
    "SampleGrids",
    "Watch",
    "decoding_bar",
]
