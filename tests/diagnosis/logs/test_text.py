"""CSV files are read in any encoding, with any separator, and appended to."""

import pytest

from ganlab.diagnosis import read
from ganlab.diagnosis.logs import text
from ganlab.errors import UserError

PLAIN = "step,d_loss,g_loss\n10,0.5,1.5\n20,0.6,\n"


def values_of(table):
    return {name: column.values.tolist() for name, column in table.columns.items()}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|", " "])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_form_does_not_matter(make_csv, encoding, separator, line_end):
    content = "step,d_loss,g_loss\n10,0.5,1.5\n20,0.6,2.5\n"
    content = content.replace(",", separator).replace("\n", line_end)
    table = text.read_csv(make_csv(content.encode(encoding)))
    assert values_of(table) == {
        "step": [10, 20],
        "d_loss": [0.5, 0.6],
        "g_loss": [1.5, 2.5],
    }
    assert (table.length, table.broken, table.problems) == (2, 0, [])


def test_an_empty_cell_has_no_number(make_csv):
    table = text.read_csv(make_csv(PLAIN))
    assert table.columns["g_loss"].rows.tolist() == [0]
    assert table.length == 2


def test_a_header_within_names_the_columns_from_there(make_csv):
    again = PLAIN + "step,g_loss,d_loss,fid\n30,7,8,9\n"
    table = text.read_csv(make_csv(again))
    assert table.columns["d_loss"].values.tolist() == [0.5, 0.6, 8]
    assert table.columns["g_loss"].values.tolist() == [1.5, 7]
    assert table.columns["fid"].rows.tolist() == [2]


def test_tensors_without_quotes_part_no_cells(make_csv):
    row = "tensor(0.5, device='cuda:0'),tensor(1.5, grad_fn=<MeanBackward0>)"
    table = text.read_csv(make_csv(f"d_loss,g_loss\n{row}\n"))
    assert values_of(table) == {"d_loss": [0.5], "g_loss": [1.5]}


def test_rows_with_too_many_cells_are_broken(make_csv):
    table = text.read_csv(make_csv(PLAIN + "30,1,2,3\n40,1,2,\n"))
    assert (table.length, table.broken) == (4, 1)
    assert table.columns["step"].values.tolist() == [10, 20, 40]


def test_without_a_header_columns_are_numbered(make_csv):
    table = text.read_csv(make_csv("10,0.5\n20,0.6\n"))
    assert values_of(table) == {"1": [10, 20], "2": [0.5, 0.6]}
    hashed = text.read_csv(make_csv("# step d_loss\n10 0.5\n", "b.txt"))
    assert values_of(hashed) == {"step": [10], "d_loss": [0.5]}


def test_a_row_without_an_end_breaks_the_file_off(tmp_path):
    path = tmp_path / "log.csv"
    whole = "step,d_loss\n" + "1,2\n" * 50
    path.write_text(whole + '3,"4\n' + "5,6\n" * 300_000)
    table = text.read_csv(path)
    assert len(table.columns["d_loss"].values) == 50
    assert table.problems == [
        "the file breaks off (a row of more than 1,048,576 characters)"
    ]


def test_a_header_without_an_end_is_a_problem(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text('step,"d_loss\n' + "x" * 2_000_000)
    assert text.read_csv(path).length == 0
    path.write_text(",".join(f"c{number}" for number in range(10_001)) + "\n1")
    with pytest.raises(UserError, match="under 10,000 names"):
        text.read_csv(path)


def test_a_log_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / "log.csv"
    path.write_text("step,d_loss\n1,2\n")
    monkeypatch.setattr(text, "MAX_LOG_BYTES", 10)
    with pytest.raises(UserError, match="a log of 10 bytes at most.*log.csv with more"):
        text.read_csv(path)


def test_a_header_of_many_names_is_refused_at_once(make_csv):
    header = ",".join(f"c{column}" for column in range(100_000))
    with pytest.raises(UserError, match="10,000 names at most"):
        read(make_csv(f"{header}\n1\n"))


def test_of_a_repeated_name_the_first_column_counts(make_csv):
    log = read(make_csv("step,d_loss,g_loss, d_loss\n1,2,3,4\n2,2,3,4\n"))
    assert log.get("d_loss").values.tolist() == [2.0, 2.0]
