"""Logs a training to MLflow: settings, numbers, and the generator as an ONNX model."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from ganlab.callbacks.periodic import Logs
from ganlab.errors import UserError
from ganlab.models.gan import GAN

if TYPE_CHECKING:
    from ganlab.artifacts.exportable import Exportable

PACKAGES = ("mlflow", "pandas", "sqlalchemy", "alembic")
MODEL = "generator"  # what it is called in the run


class MLflow(keras.callbacks.Callback):
    """Logs `fit` as one run of MLflow, in the store that MLflow is set to.

    That is `sqlite:///mlflow.db` in the current folder, or `MLFLOW_TRACKING_URI`.
    At the end of each epoch the logs are metrics, at the model's step. After the last
    the averaged generator is logged as `generator`, by `mlflow.onnx` with its
    signature. A training that fails leaves a run that MLflow ends.

    Args:
        settings: Parameters of the run, such as `recipe.as_dict()`, or `None`.
        experiment: Name of the experiment.
        run_name: Name of the run; MLflow names it otherwise.
        generator: Whether the generator is logged; of a `GAN` alone.

    Raises:
        UserError: if MLflow is not installed; and when training begins, of another
            model than a `GAN` whose generator is to be logged.
    """

    def __init__(
        self,
        settings: Mapping[str, Any] | None = None,
        experiment: str = "ganlab",
        run_name: str | None = None,
        *,
        generator: bool = True,
    ) -> None:
        super().__init__()
        missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
        if missing:
            raise UserError(
                f"Expected the packages of MLflow. Received: no {', '.join(missing)}; "
                "pip install 'ganlab[mlflow]'"
            )
        self.settings = dict(settings or {})
        self.experiment, self.run_name = experiment, run_name
        self.generator = generator
        self.run_id: str | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        import mlflow

        if self.generator and not isinstance(self.model, GAN):
            raise UserError(
                "Expected a GAN, whose generator is logged. Received: "
                f"{type(self.model).__name__}; pass generator=False"
            )
        mlflow.set_experiment(self.experiment)
        run = mlflow.start_run(run_name=self.run_name)
        self.run_id = run.info.run_id
        mlflow.log_params(self.settings)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        import mlflow

        step = getattr(self.model, "step", None)
        numbers = {name: float(value) for name, value in (logs or {}).items()}
        mlflow.log_metrics(numbers, step=epoch if step is None else int(step.numpy()))

    def on_train_end(self, logs: Logs = None) -> None:
        import mlflow
        import mlflow.onnx

        from ganlab.artifacts import onnx_convert
        from ganlab.artifacts.exportable import exportable

        if self.generator:
            exported = exportable(self.model)
            mlflow.onnx.log_model(
                onnx_convert.convert(
                    exported.generate, exported.signature, self.model.num_classes or 0
                ),
                name=MODEL,
                signature=signature_of(exported, self.model.image_shape),
                pip_requirements=["onnxruntime"],
            )
        mlflow.end_run()


def signature_of(exported: Exportable, image_shape: tuple[int, ...]) -> Any:
    """MLflow's signature of an exported generator.

    Args:
        exported: The generator.
        image_shape: Shape of one sample.

    Returns:
        A `mlflow.models.ModelSignature` of tensors by name, whose batch has any size.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    inputs: list[Any] = [
        TensorSpec(np.dtype(spec.dtype.as_numpy_dtype), _shape(spec), spec.name)
        for spec in exported.signature
    ]
    images = TensorSpec(np.dtype(np.float32), (-1, *image_shape), "images")
    return ModelSignature(Schema(inputs), Schema([images]))


def _shape(spec: tf.TensorSpec) -> tuple[int, ...]:
    return (-1, *spec.shape[1:])
