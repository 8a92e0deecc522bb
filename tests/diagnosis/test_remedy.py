"""Changes that are tried never repeat."""

from ganlab import diagnosis
from ganlab.config.settings import keep_networks

ALIKE = {"pairwise_ratio": 0.05}


def test_next_changes_never_repeat(make_log):
    (finding,) = diagnosis.diagnose(make_log(ALIKE))
    recipe = make_log().settings
    tried = []
    while (change := diagnosis.next_change(finding, recipe, tried)) is not None:
        assert change not in tried
        assert keep_networks(change)
        tried.append(change)
        assert len(tried) < 10
    # without R1: D has batch normalisation
    assert {"loss": "relativistic", "beta_1": 0.0} in tried
    assert tried[-1]["generator_learning_rate"] == 2.5e-4
