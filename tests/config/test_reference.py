"""The reference of settings."""

from ganlab.config.reference import settings_table
from ganlab.config.settings import SETTINGS
from ganlab.config.table import GROUPS


def test_every_setting_stands_in_the_reference_once():
    table = settings_table()
    assert [line[3:] for line in table.splitlines() if line.startswith("## ")] == list(
        GROUPS
    )
    for name in SETTINGS:
        assert table.count(f"\n| `{name}`") == 1
    assert "`--batch-size` | int | `64` | 1 or more | real images" in table
    rows = [line for line in table.splitlines() if line.startswith("|")]
    assert {row.replace(r"\|", "").count("|") for row in rows} == {6, 7}
