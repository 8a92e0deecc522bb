"""What Keras is told of ganlab: its classes by name, and the backend that it needs.

Nothing here imports Keras.
"""

import importlib
import json
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

from ganlab.errors import UserError

CLASSES = {  # where -> the classes that are registered with Keras
    "models.gan": ("GAN",),
    "models.translator": ("Translator",),
    "models.vae": ("VAE",),
    "networks.convolution": (
        "BatchNormalization",
        "Conv2D",
        "Conv2DTranspose",
        "NearestConv2D",
    ),
    "networks.langevin": ("Langevin",),
    "networks.layers": (
        "Basis",
        "ChosenClass",
        "GroupedConv2D",
        "MinibatchStdDev",
        "SelfAttention",
        "SpectralNormalization",
    ),
    "networks.projection": ("ProjectedFeatures",),
    "networks.slicing": ("SlicingNormalization",),
    "objectives.augmentation.adaptive": ("AdaptiveAugment",),
    "objectives.augmentation.diffaugment": ("DiffAugment",),
    "objectives.keras_losses": ("FunctionLoss", "KerasLoss"),
    "objectives.likelihoods": ("Bernoulli", "ContinuousBernoulli", "Gaussian"),
    "objectives.losses": (
        "Hinge",
        "LeastSquares",
        "Minimax",
        "NonSaturating",
        "Relativistic",
        "RelativisticAverage",
        "Wasserstein",
    ),
    "objectives.objective": ("Objective",),
    "objectives.regularizers": (
        "DRAGAN",
        "GradientPenalty",
        "LeCam",
        "R1",
        "R2",
        "WeightClipping",
    ),
    "objectives.schedules": ("ScheduledAdam", "WarmUp"),
}


class Deferred:
    """Stands for a class in Keras's registry until a file asks for it.

    Importing the module replaces it there, for the class registers itself.

    Args:
        module: Name of the module within ganlab.
        name: Name of the class.
    """

    def __init__(self, module: str, name: str) -> None:
        self.module = module
        self.name = name

    def from_config(self, config: dict[str, Any]) -> Any:
        """Makes the object that a config describes.

        Raises:
            UserError: if Keras computes with another backend than TensorFlow.
        """
        require_tensorflow()
        module = importlib.import_module(f"ganlab.{self.module}")
        return getattr(module, self.name).from_config(config)


class KerasFinder:
    """Finds Keras as Python does, and registers ganlab's classes once it is loaded.

    It stands in `sys.meta_path` where ganlab is imported before Keras.
    """

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """The spec of Keras, or `None` for other modules."""
        spec = PathFinder.find_spec(name) if name == "keras" else None
        if spec is None or spec.loader is None:
            return None
        load = spec.loader.exec_module

        def load_and_register(module: Any) -> None:
            load(module)
            _register()

        spec.loader.exec_module = load_and_register  # type: ignore[method-assign]
        return spec


def register_with_keras() -> None:
    """Makes files of ganlab loadable by `keras.saving.load_model`.

    Classes are registered now where Keras is imported, or as soon as it is.
    """
    if hasattr(sys.modules.get("keras"), "saving"):
        _register()
    elif KerasFinder not in sys.meta_path:
        sys.meta_path.insert(0, KerasFinder)


def _register() -> None:
    registered = sys.modules["keras"].saving.get_custom_objects()
    for module, names in CLASSES.items():
        for name in names:
            registered.setdefault(f"ganlab>{name}", Deferred(module, name))


def require_tensorflow() -> None:
    """Checks that Keras computes with TensorFlow, or will once it is imported.

    Raises:
        UserError: if it is set to another backend.
    """
    backend, source = _backend()
    if backend != "tensorflow":
        raise UserError(
            f"Expected Keras on TensorFlow, which ganlab trains with. Received: the "
            f"{backend} backend, from {source}; set KERAS_BACKEND=tensorflow before "
            "Keras is imported"
        )


def _backend() -> tuple[str, str]:
    """The name of Keras's backend, and where it is set."""
    if hasattr(sys.modules.get("keras"), "config"):
        return sys.modules["keras"].config.backend(), "Keras, which is imported already"
    if os.environ.get("KERAS_BACKEND"):
        return os.environ["KERAS_BACKEND"], "KERAS_BACKEND"
    home = os.environ.get("KERAS_HOME") or "~/.keras"
    file = Path(home, "keras.json").expanduser()
    try:
        settings = json.loads(file.read_text())
    except (OSError, ValueError):  # where Keras takes its defaults too
        settings = {}
    return settings.get("backend", "tensorflow"), str(file)
