"""Every purpose, step and substep has a seed of its own."""

import itertools

import tensorflow as tf

from ganlab.models import seeds


def test_seeds_are_distinct_and_repeat():
    def all_seeds():
        purposes = (seeds.LATENTS, seeds.AUGMENTATION, seeds.NOISE, seeds.PENALTY)
        made = {}
        for key in itertools.product((0, 1), (0, 1), (0, 1), purposes, (0, 1)):
            seed, step, substep, purpose, index = key
            if purpose == seeds.LATENTS and index:
                continue  # which there is one of
            value = seeds.step_seed(seed, step, substep, 2, purpose, index)
            made[key] = tuple(value.numpy().tolist())
        return made

    first = all_seeds()
    assert len(set(first.values())) == len(first)
    assert first == all_seeds()


def test_replicas_have_seeds_of_their_own(strategy):
    seed = tf.constant(0, tf.int64)
    result = strategy.run(lambda: seeds.step_seed(seed, 0, 0, 1, seeds.LATENTS))
    one, other = strategy.experimental_local_results(result)
    assert one.numpy().tolist() != other.numpy().tolist()
