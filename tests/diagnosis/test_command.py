"""`ganlab diagnose`: reports, one document, comparison, and mistakes."""

import json
import subprocess
import sys

import pytest
from PIL import Image

from ganlab import diagnosis
from ganlab.cli.main import main
from ganlab.diagnosis import report
from ganlab.errors import UserError


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no losses"),
        ("step,d_loss,g_loss\n", "no losses"),
        ("step,d_loss,g_loss\n1,nan,nan\n2,nan,nan\n", "no number that is finite"),
        ("step,d_loss,g_loss\n1,0.5,0.5\n2,0.", None),
        ("step,d_loss,g_loss\n1,0.5,0.5\nx,0.5,0.5\n", "1 rows without a whole step"),
        (b"step,d_loss,g_loss\n1,0.5,\xff\xfe\x00\n", "g_loss holds no number"),
    ],
)
def test_a_broken_log_gives_a_report_that_says_so(make_csv, tmp_path, text, problem):
    path = make_csv(text)
    assert main(["diagnose", str(path), "--out", str(tmp_path / "out")]) == 0
    if problem:
        examined = report.examine(path)
        assert problem in " ".join([examined.verdict, *examined.log.problems])
        assert problem in (tmp_path / "out" / "report.md").read_text()


def test_what_is_no_log_is_one_line(make_csv, tmp_path, capsys):
    for path in (tmp_path / "none", tmp_path, make_csv("x", "a.png")):
        assert main(["diagnose", str(path)]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert "Expected" in error
    with pytest.raises(UserError, match="it has step, loss"):
        diagnosis.read(make_csv("step,loss\n1,2\n"), {"d_loss": "critic"})


@pytest.mark.e2e
def test_the_page_holds_all_and_needs_no_network(run_folder, capsys):
    (run_folder / "samples").mkdir()
    Image.new("L", (300, 300)).save(run_folder / "samples" / "step-0000500.png")
    (run_folder / "samples" / "step-0001000.png").write_bytes(b"broken off")
    assert main(["diagnose", str(run_folder)]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Failing: the discriminator dominates")
    page = (run_folder / "report.html").read_text()
    assert page.index("Failing") < page.index("What to change") < page.index("Findings")
    for outside in ("<script", 'src="http', "<link", "@import", "url(http"):
        assert outside not in page
    assert "data:image/png;base64" in page
    assert page.count("<svg") >= 4
    text = (run_folder / "report.md").read_text()
    assert "## mode collapse (critical)" in text
    assert "| 900 | finding" in text
    kept = json.loads((run_folder / "report.json").read_text())
    assert {"verdict", "findings", "best_checkpoint"} <= set(kept)
    finding = kept["findings"][0]
    assert {
        "name",
        "severity",
        "since_step",
        "evidence",
        "remedy",
        "confidence",
    } <= set(finding)


def test_json_is_one_document(run_folder, capsys):
    assert main(["diagnose", str(run_folder), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["findings"][0]["name"] == "discriminator_domination"


@pytest.mark.e2e
def test_a_file_is_reported_here_and_without_tensorflow(collapsing_csv, tmp_path):
    here = tmp_path / "here"
    here.mkdir()
    program = (
        "import sys; from ganlab.cli.main import main; code = main(sys.argv[1:]); "
        "assert 'tensorflow' not in sys.modules; sys.exit(code)"
    )
    command = [sys.executable, "-c", program, "diagnose", str(collapsing_csv)]
    done = subprocess.run(
        [*command, "--json"], cwd=here, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["findings"][1]["name"] == "late_collapse"
    assert list(here.iterdir()) == []
    subprocess.run(command, cwd=here, capture_output=True, check=True)
    assert (here / "log-report" / "report.html").exists()


def test_two_runs_are_compared(make_log, run_folder, tmp_path, capsys):
    other = tmp_path / "other"
    other.mkdir()
    about = {"recipe": make_log(recipe={"loss": "hinge"}).settings, "monitoring": {}}
    (other / "config.json").write_text(json.dumps(about))
    out = tmp_path / "compared"
    both = [str(run_folder), str(other)]
    assert main(["diagnose", *both, "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "| `loss` | `non_saturating` | `hinge` |" in printed
    assert "mode collapse" in printed
    assert "<svg" in (out / "comparison.html").read_text()
    assert main(["diagnose", *both, str(other)]) == 2
