"""What happens beside training: watching, scores, sample grids, checkpoints."""

from ganlab.callbacks.checkpoints import Checkpoints
from ganlab.callbacks.decision_surface import PlanePictures
from ganlab.callbacks.evaluate import Evaluate
from ganlab.callbacks.grids import SampleGrids
from ganlab.callbacks.health_probe import Signals
from ganlab.callbacks.policy import Policy
from ganlab.callbacks.progress import ProgressBar, StageBars, decoding_bar
from ganlab.callbacks.run_log import RunLog
from ganlab.callbacks.training_metrics import Watch

__all__ = [
    "Checkpoints",
    "Evaluate",
    "PlanePictures",
    "Policy",
    "ProgressBar",
    "RunLog",
    "SampleGrids",
    "Signals",
    "StageBars",
    "Watch",
    "decoding_bar",
]
