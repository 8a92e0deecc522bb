"""The page: captions, changed options, nothing from outside."""

import dataclasses

import pytest

from ganlab.diagnosis import html, report


def test_a_caption_names_the_picture_it_stands_under(run_folder):
    examined = report.examine(run_folder)
    examined = dataclasses.replace(
        examined, best={"step": 971, "fid": 5.0, "path": None}
    )
    captions = html.captions(examined, [0, 500, 1000, 2000])
    assert captions == [
        (0, "step 0, nearest to 50: mode collapse, the discriminator dominates"),
        (1000, "step 1,000: halfway; nearest to 971: best"),
        (2000, "step 2,000: last"),
    ]


def test_changed_options_are_bold():
    command = "ganlab train --loss hinge --no-conditional --set beta_1=0.0 --out 'a b'"
    bold = html.emphasized(command, {"beta_1": 0.0, "conditional": False})
    assert bold == (
        "ganlab train --loss hinge <b>--no-conditional</b> <b>--set beta_1=0.0</b> "
        "--out &#x27;a b&#x27;"
    )


@pytest.mark.e2e
def test_the_command_on_the_page_is_the_reports(run_folder):
    examined = report.examine(run_folder)
    page = html.draw(examined)
    assert "<b>--regularizer r1</b>" in page
    plain = page.replace("<b>", "").replace("</b>", "")
    assert f"<pre>{examined.command}</pre>" in plain
    for watching in ("probe_every", "evaluate_every", "log_every"):
        assert watching not in examined.command
