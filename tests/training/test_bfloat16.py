"""bfloat16 is offered where the machine has it, and warned of where it has not."""

import keras
import pytest

from ganlab.training import bfloat16


@pytest.fixture
def machine(monkeypatch):
    """A function that sets what the machine's CPU can do."""

    def set_flags(flags):
        monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
        monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
        devices = bfloat16.tf.config.list_physical_devices
        monkeypatch.setattr(
            bfloat16.tf.config,
            "list_physical_devices",
            lambda kind=None: [] if kind == "GPU" else devices(kind),
        )
        monkeypatch.setattr(bfloat16.Path, "read_text", lambda *_, **__: flags)

    return set_flags


def test_an_old_cpu_emulates_it(machine):
    machine("flags : avx2 fma avx512f")
    assert bfloat16.is_emulated()


@pytest.mark.parametrize(
    ("name", "value", "emulated"),
    [
        ("TF_ENABLE_ONEDNN_OPTS", "0", True),
        ("TF_ENABLE_ONEDNN_OPTS", "1", False),
        ("ONEDNN_MAX_CPU_ISA", "avx2", True),
        ("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_BF16", False),
    ],
)
def test_the_library_may_be_held_back(machine, monkeypatch, name, value, emulated):
    machine("flags : avx2 avx512_bf16")
    monkeypatch.setenv(name, value)
    assert bfloat16.is_emulated() == emulated


@pytest.mark.e2e
def test_it_is_no_help_to_penalties(recipe, make_gan, machine):
    machine("flags : amx_bf16")
    assert bfloat16.would_help(make_gan(), recipe)
    assert not bfloat16.would_help(make_gan(regularizers="r1"), recipe)
    assert not bfloat16.would_help(make_gan(), recipe.replace(network="mlp"))
    half = recipe.replace(dtype_policy="mixed_bfloat16")
    assert not bfloat16.would_help(make_gan(), half)
    machine("flags : avx2")
    assert not bfloat16.would_help(make_gan(), recipe)


def test_the_slowdown_is_said_in_one_line(recipe, machine, monkeypatch, caplog):
    machine("flags : avx2")
    monkeypatch.setattr(bfloat16, "slowdown", lambda: 3.04)
    half = recipe.replace(dtype_policy="mixed_bfloat16")
    bfloat16.advise(None, half)
    (record,) = caplog.records
    assert "3.0 times as long" in record.message
    assert "leave out --dtype-policy" in record.message


def test_the_slowdown_is_measured():
    keras.config.set_dtype_policy("mixed_bfloat16")  # or skipped, where it may not run
    bfloat16.slowdown.cache_clear()
    assert 0.05 < bfloat16.slowdown() < 2000.0
