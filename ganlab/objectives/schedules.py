"""Settings that change over a run.

A learning rate, a penalty's weight and the instance noise take any schedule of
`keras.optimizers.schedules`; Adam's betas take one here.
"""

from typing import Any

import keras
from keras import ops

from ganlab.errors import UserError, as_count
from ganlab.objectives.arguments import is_number


@keras.saving.register_keras_serializable(package="ganlab")
class ScheduledAdam(keras.optimizers.Adam):
    """Adam whose betas may follow a schedule, as its learning rate may.

    Bias is corrected with the present betas.

    Args:
        learning_rate: Float or schedule.
        beta_1: Float or schedule from `keras.optimizers.schedules`.
        beta_2: Likewise.
        **options: See `keras.optimizers.Adam`.

    Reference:
        [Kingma & Ba, 2014](https://arxiv.org/abs/1412.6980), algorithm 1;
        [Huang et al., 2024 (R3GAN)](https://arxiv.org/abs/2501.05441), appendix
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, **options)

    @property
    def beta_1(self) -> Any:
        """The present beta_1."""
        return self._now(self._betas[0])

    @beta_1.setter
    def beta_1(self, value: Any) -> None:
        self._betas = (value, None)

    @property
    def beta_2(self) -> Any:
        """The present beta_2."""
        return self._now(self._betas[1])

    @beta_2.setter
    def beta_2(self, value: Any) -> None:
        self._betas = (self._betas[0], value)

    def _now(self, beta: Any) -> Any:
        return beta(self.iterations) if callable(beta) else beta

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        for name, beta in zip(("beta_1", "beta_2"), self._betas, strict=True):
            if callable(beta):
                beta = keras.saving.serialize_keras_object(beta)
            config[name] = beta
        return config

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> "ScheduledAdam":
        config = dict(config)
        for name in ("beta_1", "beta_2"):
            if isinstance(config[name], dict):
                config[name] = keras.saving.deserialize_keras_object(config[name])
        return super().from_config(config, custom_objects)


@keras.saving.register_keras_serializable(package="ganlab")
class WarmUp:
    """A weight that rises from 0 along a line, once or in cycles.

        w(t) = weight min(1, (t mod cycle) / steps)

    As the weight of a VAE's rate it lets codes carry something before they cost.

    Args:
        weight: Float, 0 or more: where the line ends.
        steps: Integer, 1 or more: the length of the line.
        cycle: Integer of `steps` or more: after how many steps it begins anew. `None`:
            never.

    Reference:
        [Bowman et al., 2015](https://arxiv.org/abs/1511.06349), section 3.1;
        [Fu et al., 2019](https://arxiv.org/abs/1903.10145), equation 6
    """

    def __init__(
        self, weight: float = 1.0, steps: int = 1000, cycle: int | None = None
    ) -> None:
        self.steps = as_count("steps of a warm-up", steps)
        if not is_number(weight) or weight < 0.0:
            raise UserError(f"Expected a weight of 0 or more. Received: {weight!r}")
        self.weight = float(weight)
        self.cycle = None
        if cycle is not None:
            self.cycle = as_count("a cycle, no shorter than its warm-up,", cycle, steps)

    def __call__(self, step: Any) -> Any:
        """The weight at a step, a float32 scalar."""
        if self.cycle is not None:
            step = step % self.cycle
        rising = ops.cast(step, "float32") / self.steps
        return self.weight * ops.minimum(rising, 1.0)

    def get_config(self) -> dict[str, Any]:
        return {"weight": self.weight, "steps": self.steps, "cycle": self.cycle}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "WarmUp":
        return cls(**config)


def anneal(start: float, end: float | None, steps: int) -> Any:
    """A half cosine from `start` to `end` over `steps`, and `end` after them.

    Returns:
        `start` where nothing changes, or else a schedule.

    Reference:
        [Loshchilov & Hutter, 2016](https://arxiv.org/abs/1608.03983), equation 5
    """
    if end is None or end == start or not start:
        return start
    return keras.optimizers.schedules.CosineDecay(start, steps, alpha=end / start)


def fade(start: float, steps: int) -> Any:
    """A line from `start` to 0 over `steps`."""
    if not start:
        return 0.0
    return keras.optimizers.schedules.PolynomialDecay(start, steps, 0.0)
