"""Rules of the generated images themselves."""

import numpy as np
import pytest

CASES = [
    ("output_saturation", {"output_saturated_gap": 0.5}, {}),
    ("checkerboard", {"checkerboard_share": 0.4}, {}),
    ("batch_norm_gap", {"batch_norm_gap": 0.15, "latent_effect": 0.06}, {}),
    ("data_range_mismatch", {"fake_low": 0.0}, {"output_activation": "sigmoid"}),
]


@pytest.mark.parametrize(("name", "changes", "recipe"), CASES)
def test_each_failure_is_named(make_log, find, name, changes, recipe):
    find(make_log(changes, recipe), name)


def test_an_uneven_kernel_is_named_by_a_fainter_pattern(make_log, find, names_of):
    faint = {"checkerboard_share": 0.1}
    assert names_of(make_log(faint | {"g_uneven_kernels": 0.0})) == []
    finding = find(make_log(faint | {"g_uneven_kernels": 2.0}), "checkerboard")
    assert "kernels of 2" in finding.evidence[0]["says"]
    assert names_of(make_log({"g_uneven_kernels": 2.0})) == []


def test_the_range_is_that_of_the_data(make_log, find, names_of):
    finding = find(make_log({"fake_low": 0.0}), "data_range_mismatch")
    assert finding.evidence[0]["threshold"] == pytest.approx(-0.4)
    once = np.where(np.arange(40) == 3, -1.0, 0.0)
    assert names_of(make_log({"fake_low": once})) == []


@pytest.mark.parametrize(
    ("changes", "reached"),
    [
        ({"output_low": 0.0, "output_high": 1.0}, "no further than 0.00"),
        ({"real_high": 255.0, "fake_high": 1.0}, "never got past 1.00"),
        ({"real_high": 2.8, "output_low": -1.0, "output_high": 1.0}, "than 1.00"),
    ],
)
def test_either_end_may_be_out_of_reach(make_log, find, changes, reached):
    finding = find(make_log(changes), "data_range_mismatch")
    assert reached in finding.evidence[0]["says"]


def test_an_output_may_go_beyond_the_data(make_log, names_of):
    wide = {"output_low": -2.0, "output_high": 2.0, "fake_high": 1.5}
    assert names_of(make_log(wide)) == []


@pytest.mark.parametrize(("end", "named"), [(1.0, False), (20.0, True)])
def test_fakes_that_could_reach_the_data_are_of_no_other_range(
    make_log, names_of, end, named
):
    changes = {"fake_low": 0.5, "output_low": -1.0, "output_high": end}
    assert ("data_range_mismatch" in names_of(make_log(changes))) == named


@pytest.mark.parametrize(
    "changes",
    [
        {"batch_norm_gap": 0.15, "latent_effect": 0.2},  # dark pictures differ little
        {"batch_norm_gap": 0.02, "latent_effect": 0.005},  # collapsed
    ],
)
def test_statistics_differ_by_less_than_images_do(make_log, names_of, changes):
    assert "batch_norm_gap" not in names_of(make_log(changes))


def test_moving_statistics_explain_bad_images(make_log, names_of):
    gap = {"batch_norm_gap": 0.4, "latent_effect": 0.2}
    bad = {"d_real": 0.5, "d_fake": 0.5, "nearest_ratio": 0.1}
    assert names_of(make_log(gap | bad))[0] == "batch_norm_gap"


def test_data_that_fills_next_to_nothing_of_the_output_is_of_another_scale(
    make_log, find
):
    scaled = {"real_low": 0.0, "real_high": 0.004, "fake_low": 0.0, "fake_high": 0.01}
    output = {"output_low": 0.0, "output_high": 1.0}
    finding = find(make_log(scaled | output), "data_range_mismatch")
    assert "scaled twice" in finding.evidence[0]["says"]
