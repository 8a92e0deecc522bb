"""A lab: one claim of the theory, as an experiment."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganlab.config.settings import Monitoring, Recipe

LAB_MONITORING = Monitoring(
    log_every=25,
    sample_every=250,
    checkpoint_every=500,
    evaluate_every=50,
    evaluate_share=0.25,
    evaluate_images=500,
    probe_every=25,
    probe_share=0.1,
)


@dataclass(frozen=True)
class Lab:
    """A recipe that fails and a remedy that cures it; all else stays equal.

    Args:
        name: What `ganlab lab run` takes.
        claim: One sentence that the pictures show.
        theory: Why it is so, in a few sentences.
        recipe: The `Recipe` that fails.
        remedy: Settings that cure it.
        finding: Name of the finding that must fire on the recipe alone.
        log_keys: Log keys that are plotted, the most telling first.
        source: Address of a paper.
        make_data: Function from a folder to a data SPEC, for data that the lab
            makes, or `None`.
        monitoring: The `Monitoring` of both runs.
    """

    name: str
    claim: str
    theory: str
    recipe: Recipe
    remedy: dict[str, Any]
    finding: str
    log_keys: tuple[str, ...]
    source: str
    make_data: Callable[[Path], str] | None = field(default=None, repr=False)
    monitoring: Monitoring = LAB_MONITORING

    @property
    def cured(self) -> Recipe:
        """The recipe with the remedy."""
        return self.recipe.replace(**self.remedy)
