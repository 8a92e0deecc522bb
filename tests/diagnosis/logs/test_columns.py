"""Names of other trainers are understood; what may be several things is asked."""

import pytest

from ganlab.diagnosis.logs import columns
from ganlab.errors import UserError


@pytest.mark.parametrize(
    ("meaning", "names"),
    [
        (
            "d_loss",
            "d_loss D_loss loss_D lossD LossD errD Loss/D/loss discriminator_loss "
            "train/d_loss Loss_D disc_loss critic_loss train_loss_d loss/discriminator "
            "DLoss D_losses netD_loss discLoss train/lossD epoch_d_loss d_loss_epoch",
        ),
        (
            "g_loss",
            "g_loss loss_G errG gen_loss Generator_Loss Loss/G/loss train/g_loss_step "
            "GLoss generatorLoss loss_g_total",
        ),
        ("fid", "fid FID fid50k_full metrics/fid FID_10k val/fid results/fid50k_full"),
        ("inception_score", "IS inception_score is_mean"),
        ("d_loss_real", "d_loss_real errD_real"),
        ("d_real", "D(x) d_x"),
    ],
)
def test_names_are_understood(meaning, names):
    understood = {name: columns.meaning_of(name) for name in names.split()}
    assert {
        name: found_as and found_as[0] for name, found_as in understood.items()
    } == (dict.fromkeys(names.split(), meaning))
    exported = columns.meaning_of(f"run - {names.split()[0]}")
    assert exported is not None
    assert exported[0] == meaning


@pytest.mark.parametrize(
    "name",
    [
        *("loss", "lr_d", "best_fid", "d_loss__MIN", "run - d_loss__MAX", "fid_error"),
        *("grad_norm/d_loss", "d_accuracy", "r1_loss", "Loss/G/reg", "D", "generator"),
    ],
)
def test_what_is_something_else_is_not_taken(name):
    assert columns.meaning_of(name) is None


def test_the_nearest_name_is_taken_and_equals_are_asked():
    names = ["val/d_loss", "train/d_loss", "d_loss_epoch", "a/g_loss", "b/g_loss"]
    taken, problems = columns.assign(names, {})
    assert taken == {"d_loss": "train/d_loss"}
    (problem,) = problems
    assert 'a/g_loss, b/g_loss may each be g_loss; choose with --columns "g' in problem
    taken, problems = columns.assign(names, {"g_loss": "b/g_loss"})
    assert (taken["g_loss"], problems) == ("b/g_loss", [])


def test_steps_and_seconds_have_an_order():
    names = ["Epoch", "Step", "Wall time"]
    assert columns.step_column(names)[0] == ("Step", "steps")
    assert columns.seconds_column(names) == "Wall time"
    assert columns.seconds_column(["d_loss"]) is None


def test_columns_of_the_command_line():
    chosen = columns.parse_columns("d_loss=Loss/D, step = iter,")
    assert chosen == {"d_loss": "Loss/D", "step": "iter"}
    for wrong in ("d_loss", "loss=x", "d_loss="):
        with pytest.raises(UserError, match=f"d_real, d_fake. Received: {wrong}"):
            columns.parse_columns(wrong)
    with pytest.raises(UserError, match="Received: critic; it has a, b"):
        columns.check_columns({"d_loss": "critic"}, ["a", "b"])


def test_a_name_of_many_digits_is_understood_at_once():
    assert columns.meaning_of("1" * 5000 + "x") is None
