"""Do a generator and a discriminator fit each other?"""

from ganlab.errors import UserError


def check_players(generator, discriminator, num_classes, packing):
    """Raises `UserError` unless both players can play together.

    Args:
        generator: A `keras.Model` from latents, or from `[latents, labels]`.
        discriminator: A `keras.Model` of images, or of `[images, labels]`, or
            with an auxiliary classifier of images to `[logits, classes]`.
        num_classes: Integer, or `None` for noise alone.
        packing: Integer: samples that the discriminator judges at once.
    """
    for role, player in (("generator", generator), ("discriminator", discriminator)):
        if not getattr(player, "inputs", None):
            raise UserError(
                f"Expected a functional or built Sequential {role}. Received: "
                f"{player.name!r}, a {type(player).__name__} without inputs; wrap it "
                "as keras.Model(inputs, player(inputs))"
            )
        num_inputs = len(player.inputs)
        expected = 1 if num_classes is None else 2
        if role == "discriminator" and len(player.outputs) == 2:
            expected = 1
        if num_inputs != expected:
            raise UserError(
                f"Expected a {role} of {expected} input(s) for "
                f"num_classes={num_classes}. Received: {num_inputs}; build both "
                "players and the GAN with the same num_classes"
            )
    if num_classes is not None and packing > 1:
        raise UserError(
            "Expected no packing with classes, for the samples of a pack would need "
            f"one class. Received: packing={packing}; train without classes"
        )
    classes = [tensor.shape[-1] for tensor in discriminator.outputs[1:]]
    if classes and classes != [num_classes]:
        raise UserError(
            f"Expected an auxiliary classifier of num_classes={num_classes}. "
            f"Received: one of {classes[0]}; build all with the same num_classes"
        )
    drawn = tuple(generator.outputs[0].shape[1:])
    packed = (*drawn[:-1], drawn[-1] * packing)
    judged = tuple(discriminator.inputs[0].shape[1:])
    if packed != judged:
        raise UserError(
            "Expected the discriminator to take what the generator draws, "
            f"{packed} for packing={packing}. Received: a discriminator of {judged}"
        )


def check_labels(labels):
    """Raises `UserError` if a conditional GAN got no labels."""
    if labels is None:
        raise UserError(
            "Expected batches of (images, labels) for a conditional GAN. "
            "Received: images alone; pass labels as `y` or in the data set"
        )
