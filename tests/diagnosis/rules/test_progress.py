"""Rules of progress."""

from ganlab import diagnosis
from ganlab.config.command import train_command


def test_undertrained_is_a_note_and_doubles_the_steps(make_log):
    log = make_log(distances=[10, 9, 8, 7, 6, 5, 4, 3])
    (finding,) = diagnosis.diagnose(log)
    assert (finding.name, finding.severity) == ("undertrained", "note")
    assert finding.changes == {"steps": 12_000}
    command = train_command(log.settings, finding.changes, log.source)
    assert command == "ganlab train --out run --resume --steps 12000"


def test_a_run_that_collapsed_late_is_not_undertrained(make_log):
    log = make_log(distances=[10, 8, 6, 5, 5, 9, 9, 9])
    (finding,) = diagnosis.diagnose(log)
    assert (finding.name, finding.severity) == ("late_collapse", "critical")
