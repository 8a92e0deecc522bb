"""Tests of the reference of findings."""

from ganlab.diagnosis.failures import FAILURES
from ganlab.diagnosis.reference import findings_sections, findings_table


def test_the_table_links_every_finding_to_its_section():
    table, sections = findings_table(), findings_sections()
    for name in FAILURES:
        assert f"[`{name}`](#{name})" in table
        assert f"({name})=\n" in sections


def test_thresholds_are_those_of_the_rules():
    (row,) = (
        line
        for line in findings_table().splitlines()
        if line.startswith("| [`dying_relu`]")
    )
    assert row.endswith("| `g_dead_share` or `d_dead_share` > 0.25 |")


def test_a_section_names_settings_and_source():
    section = findings_sections().split("(mode_collapse)=")[1].split(")=")[0]
    assert section.startswith("\n## Mode collapse\n")
    assert "`loss=relativistic`" in section
    assert "<https://arxiv.org/abs/2501.05441>" in section
