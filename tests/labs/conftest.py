"""Reports of two runs as a lab leaves them."""

import numpy as np
import pytest
from PIL import Image

from ganlab import diagnosis
from ganlab.diagnosis.report import Report
from ganlab.runs import RunFolder


@pytest.fixture
def make_reports(tmp_path):
    """A function of the findings and values of each arm to the arms' reports."""

    def make(failing, cured):
        reports = {}
        for arm, (names, values) in {"failing": failing, "cured": cured}.items():
            folder = RunFolder(tmp_path / arm)
            folder.samples.mkdir(parents=True)
            Image.new("RGB", (600, 600)).save(folder.picture(10))
            steps = np.arange(len(values))
            series = {"d_fake": diagnosis.Series(steps, np.array(values))}
            findings = [
                diagnosis.Finding(name, "critical", 0, [], 0.9) for name in names
            ]
            reports[arm] = Report(
                diagnosis.Log(folder.path, series), findings, best=None
            )
        return reports

    return make
