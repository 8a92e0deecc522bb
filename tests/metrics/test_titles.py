"""Every score has a displayed name, and KID its unit."""

import pytest

from ganlab import metrics


def test_the_extractor_stands_in_names_that_mean_nothing_without_it():
    names = [metrics.display_name(name, "pixels") for name in metrics.TITLES]
    assert [name for name in names if "[pixels]" in name] == [
        "FID[pixels]",
        "FID∞[pixels]",
        "KID[pixels] x 1000",
        "Inception score[pixels]",
    ]
    assert metrics.display_name("inception_score") == "Inception score"


def test_kid_is_displayed_in_thousandths():
    score = metrics.Score(0.002, 0.001, 0.003, 0.0005)
    for given in (score, vars(score)):
        displayed = metrics.display_score("kid", given)
        assert displayed.value == pytest.approx(2.0)
        assert displayed.standard_error == pytest.approx(0.5)
        assert metrics.display_score("fid", given) == score
