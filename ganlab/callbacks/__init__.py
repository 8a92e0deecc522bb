"""What happens beside training: metrics, probe, scores, pictures, checkpoints."""

from ganlab.callbacks.checkpoints import Checkpoints
from ganlab.callbacks.decision_surface import DecisionSurface
from ganlab.callbacks.evaluate import Evaluate
from ganlab.callbacks.failure_policy import FailurePolicy
from ganlab.callbacks.health_probe import HealthProbe
from ganlab.callbacks.mlflow import MLflow
from ganlab.callbacks.monitor import Monitor
from ganlab.callbacks.progress import ProgressBar, StageBars, decoding_bar
from ganlab.callbacks.run_log import RunLog
from ganlab.callbacks.sample_grids import SampleGrids
from ganlab.callbacks.training_metrics import TrainingMetrics

__all__ = [
    "Checkpoints",
    "DecisionSurface",
    "Evaluate",
    "FailurePolicy",
    "HealthProbe",
    "MLflow",
    "Monitor",
    "ProgressBar",
    "RunLog",
    "SampleGrids",
    "StageBars",
    "TrainingMetrics",
    "decoding_bar",
]
