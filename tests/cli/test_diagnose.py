"""`ganlab diagnose`: which subjects it takes."""

import pytest

from ganlab.cli.main import main


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a", "b", "c"], "one or two runs or files to diagnose. Received: 3"),
        (["a", "b", "--remedy-trials"], "one run for --remedy-trials. Received: 2"),
        (["a", "--remedy-trials", "--trial-seeds", "1"], "Expected 2 seeds or more"),
        (["a", "--columns", "critic"], "Expected --columns as NAME=COLUMN"),
        (["nowhere"], "Expected a run folder or a log of another"),
    ],
)
def test_a_mistake_in_diagnose_is_one_line(capsys, arguments, message):
    assert main(["diagnose", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_foreign_folder_keeps_its_own_report(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "theirs"
    folder.mkdir()
    rows = [f'{{"iter": {i * 50}, "critic": 0.01, "gen": 6.0}}' for i in range(60)]
    (folder / "metrics.jsonl").write_text("\n".join(rows))
    (folder / "report.md").write_text("my own notes")
    assert main(["diagnose", "theirs"]) == 0
    assert capsys.readouterr().out.startswith("Not judged: no losses found among")
    columns = ["--columns", "d_loss=critic,g_loss=gen"]
    assert main(["diagnose", "theirs", *columns]) == 0
    assert "the discriminator dominates" in capsys.readouterr().out
    assert (folder / "report.md").read_text() == "my own notes"
    assert {path.name for path in folder.iterdir()} == {"metrics.jsonl", "report.md"}
    assert (tmp_path / "theirs-report" / "report.md").is_file()
