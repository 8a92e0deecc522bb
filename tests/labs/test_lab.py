"""The lab: a recipe and its cure."""

from ganlab.config.settings import Recipe
from ganlab.labs import Lab


def test_the_cure_is_the_recipe_with_the_remedy():
    lab = Lab(
        name="strong",
        claim="Balance helps.",
        theory="",
        recipe=Recipe(discriminator_steps=3, seed=4),
        remedy={"discriminator_steps": 1},
        finding="discriminator_domination",
        log_keys=("d_fake",),
        source="https://arxiv.org/abs/1701.04862",
    )
    assert lab.cured == Recipe(discriminator_steps=1, seed=4)
