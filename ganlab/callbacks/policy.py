"""What is done when a run is failing?"""

from ganlab import diagnosis
from ganlab.callbacks.periodic import Budgeted
from ganlab.runs import RunFolder

ACTIONS = ("none", "warn", "stop", "rollback")
GRACE = 1000  # steps before which early training looks like failure
BUDGET = 0.01


class FailurePolicy(Budgeted):
    """Diagnoses the run as it goes, and acts on critical findings.

    - `warn` writes a finding to the log when it is first made.
    - `stop` ends training too, at a critical one: only scores of quality or
      diversity make a finding critical.
    - `rollback` ends this attempt, so that the caller can go back to the best
      checkpoint with a change: see `ganlab.training.rollback`.

    Every act is an event of the run log.

    Args:
        directory: The run's folder.
        run_log: A `RunLog`.
        action: One of `ACTIONS`.
        every: Integer: steps between diagnoses, at least; they are held to 1 % of
            the time, for a long log takes a while to read.
        grace: Integer: steps before the first one.
        stream: Text stream for one line a finding, or `None`.
    """

    def __init__(
        self, directory, run_log, action="warn", *, every=500, grace=GRACE, stream=None
    ):
        super().__init__(every, BUDGET)
        self.folder = RunFolder(directory)
        self.run_log = run_log
        self.action = action
        self.grace = grace
        self.stream = stream
        self.finding = None
        self._told = set()

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self.finding = None
        self._first = self._acted

    def run(self, step):
        if self.action == "none" or step - self._first < self.grace:
            return
        for finding in diagnosis.diagnose(diagnosis.read(self.folder.path)):
            if finding.severity == "note":
                continue
            self._tell(step, finding)
            if finding.severity == "critical" and self.action in ("stop", "rollback"):
                self.finding = finding
                self.model.stop_training = True
                self.run_log.event(
                    step, "stopped", finding=finding.name, action=self.action
                )
                return

    def _tell(self, step, finding):
        key = finding.name, finding.severity
        if key in self._told:
            return
        self._told.add(key)
        self.run_log.event(
            step, "finding", finding=finding.name, severity=finding.severity
        )
        if self.stream is not None:
            says = finding.evidence[0]["says"]
            self.stream.write(
                f"\n{finding.severity}: {finding.failure.title} since step "
                f"{finding.since_step:,}: {says}; ganlab diagnose {self.folder}\n"
            )
