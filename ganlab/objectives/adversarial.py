"""What every adversarial loss has: two losses, and where it is undecided."""

from typing import Any

from ganlab.networks.precision import as_float32

Tensor = Any


class AdversarialLoss:
    """Base class: a pair of losses over the discriminator's logits.

    Logits have any shape, and one shape on both sides.
    """

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """Returns the scalar that the discriminator minimises."""
        raise NotImplementedError

    def generator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """Returns the scalar that the generator minimises."""
        raise NotImplementedError

    def margins(
        self, real_logits: Tensor, fake_logits: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Logits measured from where the loss is undecided.

        Returns:
            `(real, fake)` of the logits' shape, both positive where the
            discriminator says real. By default the logits themselves.
        """
        return as_float32(real_logits), as_float32(fake_logits)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "AdversarialLoss":
        """Returns the loss that `get_config` described."""
        return cls(**config)
