"""Rules of the data."""

import pytest

from ganlab import diagnosis

CASES = [
    ("starved_input", {"data_wait_share": 0.6}, {}),
]


@pytest.mark.parametrize(("name", "changes", "recipe"), CASES)
def test_each_failure_is_named(make_log, find, name, changes, recipe):
    find(make_log(changes, recipe), name)


@pytest.mark.parametrize(
    ("counts", "drawn", "severity"),
    [
        ([100, 90, 80], 0.1, None),
        ([1000, 90, 80], 0.9, "note"),
        ([1000, 90, 80], 0.1, "warning"),
    ],
)
def test_unbalanced_classes(make_log, counts, drawn, severity):
    log = make_log({"least_class_share": drawn}, facts={"class_counts": counts})
    findings = diagnosis.diagnose(log)
    severities = {finding.name: finding.severity for finding in findings}
    assert severities.get("class_imbalance") == severity


@pytest.mark.parametrize(("fraction", "severity"), [(0.2, "note"), (0.6, "warning")])
def test_a_long_wait_is_a_warning(make_log, find, fraction, severity):
    finding = find(make_log({"data_wait_share": fraction}), "starved_input")
    assert finding.severity == severity


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("non_finite_data", {"real_nonfinite_share": 0.01}),
        ("degenerate_data", {"real_distinct_share": 0.02}),
        ("degenerate_data", {"real_constant_share": 1.0}),
        ("uninformative_labels", {"label_information": 0.5, "label_lead": 0.1}),
    ],
)
def test_faults_of_the_data_are_named(make_log, find, name, changes):
    find(make_log(changes), name)


def test_labels_that_only_the_discriminator_knows_are_informative(make_log, names_of):
    assert names_of(make_log({"label_information": 0.5, "label_lead": 9.0})) == []
