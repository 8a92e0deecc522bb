"""Failures of a GAN: what each is, why it matters, and its remedy.

One entry for each failure that ganlab names: two sentences of theory, the
remedy in words and, where the settings of a run can hold it, as settings.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Failure:
    """A failure, whatever run it is found in.

    Args:
        title: Its name in a sentence.
        why: Two sentences of theory.
        remedy: The remedy in words.
        changes: Settings of `ganlab train` that do it; `None` where none do.
        source: A paper.
    """

    title: str
    why: str
    remedy: str
    changes: dict[str, Any] | None
    source: str


FAILURES = {
    "non_finite_data": Failure(
        "the data holds numbers that are not finite",
        "One NaN or infinity in a batch makes the loss NaN, and with it every weight "
        "after the next step. Whatever fails later starts here.",
        "Find the samples with `np.isfinite`, and drop or repair them; a division by "
        "a standard deviation of 0 is the usual source.",
        None,
        "https://arxiv.org/abs/1710.03740",
    ),
    "degenerate_data": Failure(
        "the real samples are few, constant or repeated",
        "A generator that copies such data perfectly is as poor as the data, and its "
        "scores look like a collapse. Nothing in the training can add what the data "
        "has not.",
        "Look at what is fed to `fit`: a loader that repeats one file, a scale that "
        "rounds everything to one value, a filter that leaves too little.",
        None,
        "https://arxiv.org/abs/2006.06676",
    ),
    "uninformative_labels": Failure(
        "labels say nothing of the images",
        "Samples of one label are no more alike than samples of two, and the "
        "discriminator judges them alike under any label. So no network can learn "
        "what a class looks like.",
        "Check that images and labels are shuffled together and sorted alike.",
        None,
        "https://arxiv.org/abs/1411.1784",
    ),
    "frozen_network": Failure(
        "a network does not move",
        "Its steps, added up over the run, are next to nothing beside its weights. A "
        "learning rate of 0, frozen layers, a gradient that is cut off or a step that "
        "is never called leave it where it began.",
        "Check the learning rate, `trainable`, and that the loss reaches the weights.",
        None,
        "https://arxiv.org/abs/1406.2661",
    ),
    "ignored_latents": Failure(
        "the generator ignores its latents",
        "Other noise never gave another image, from the first step on, so the "
        "generator is a constant. That is a fault of its wiring, not a collapse, and "
        "no loss can cure it.",
        "Follow the latents through the generator: an input that is not used, a "
        "factor of 0, an activation that is shut from the start.",
        None,
        "https://arxiv.org/abs/1406.2661",
    ),
    "inverted_objective": Failure(
        "an objective has its sign or its labels swapped",
        "The discriminator is taught to take fakes for real, or the generator to be "
        "found out. Each then gets surely better at the wrong thing.",
        "Check the signs of both losses and which side has the label 1.",
        None,
        "https://arxiv.org/abs/1406.2661",
    ),
    "crossed_steps": Failure(
        "a network is moved by the other's steps",
        "What one network wins the other loses, so a step that moves both undoes in "
        "the one what it does for the other. A discriminator that the generator's step "
        "moves too learns to like its images.",
        "Give each optimizer the trainable variables of its own network alone.",
        None,
        "https://arxiv.org/abs/1406.2661",
    ),
    "undivided_objective": Failure(
        "the discriminator's loss does not part real from fake",
        "Its loss is smaller than any that has one target for real and another for "
        "fake answers. It has the same target for both, or leaves a side out, so one "
        "answer to all images minimises it.",
        "Give real and fake images different labels, and add the losses of both.",
        None,
        "https://arxiv.org/abs/1406.2661",
    ),
    "double_sigmoid": Failure(
        "answers with a bound are taken for logits",
        "The discriminator ends on a sigmoid or tanh, and its loss wants answers "
        "without a bound: a cross-entropy of logits applies another sigmoid, a hinge "
        "or Wasserstein loss is flat where the answers are. The slope is small "
        "everywhere.",
        "End the discriminator on Dense(1) without an activation, or use a loss of "
        "probabilities (from_logits=False).",
        None,
        "https://arxiv.org/abs/1406.2661",
    ),
    "missing_sigmoid": Failure(
        "logits are taken for probabilities",
        "The loss takes the logarithm of the discriminator's answers as they are, "
        "after cutting them to [0, 1]. Beyond that interval no gradient is left.",
        "Tell the loss that it is given logits (from_logits=True), or end the "
        "discriminator on a sigmoid.",
        None,
        "https://arxiv.org/abs/1406.2661",
    ),
    "overlong_steps": Failure(
        "steps are far too long",
        "A network's weights changed by as much as they are in a few steps, so what "
        "it had learned, and the scale it began with, are gone. Adam's steps are as "
        "long as the rate, whatever the gradient is.",
        "Divide both learning rates by ten or more; 0.0002 to 0.001 is usual for Adam. "
        "Look for a schedule that raises them.",
        None,
        "https://arxiv.org/abs/1206.5533",
    ),
    "unconstrained_critic": Failure(
        "nothing holds the critic's slope",
        "The Wasserstein distance is that of critics of slope 1. Without a penalty or "
        "clipping the loss falls for ever by steeper slopes, and the generator's "
        "gradient grows with them.",
        "Add the gradient penalty (weight 10), spectral normalisation, or weight "
        "clipping.",
        {"regularizer": "gradient_penalty", "discriminator_normalization": "none"},
        "https://arxiv.org/abs/1704.00028",
    ),
    "non_finite": Failure(
        "numbers that are not finite",
        "A loss or a weight became infinite or NaN, and every later step is made of "
        "it. It starts where a step is too long for the curvature that it meets, or "
        "where float16 ends at 65,504.",
        "Lower both learning rates, clip the gradient, and train in float32 to see "
        "whether precision is the cause.",
        {"gradient_clip": 1.0},
        "https://arxiv.org/abs/1710.03740",
    ),
    "discriminator_domination": Failure(
        "the discriminator dominates",
        "It tells nearly every image apart, so its logits are far from 0 and flat "
        "around the generator's images. What the generator learns from them points "
        "nowhere in particular, and with a saturating loss it is nothing at all.",
        "Hold the discriminator: a gradient penalty (R1), a lower rate for it, as many "
        "steps for it as for the generator, a non-saturating loss.",
        {"regularizer": "r1", "discriminator_normalization": "none"},
        "https://arxiv.org/abs/1701.04862",
    ),
    "generator_domination": Failure(
        "the discriminator tells nothing",
        "It answers alike on real and fake images though they differ, so the generator "
        "is taught by noise. Balance alone is no proof of quality: a blind "
        "discriminator is in balance with any generator.",
        "Strengthen the discriminator: raise its rate or width, or give it more steps.",
        {"discriminator_steps": 2},
        "https://arxiv.org/abs/1406.2661",
    ),
    "vanishing_generator_gradient": Failure(
        "the generator's gradient vanishes",
        "The saturating loss log(1 - D(G(z))) is flat where the discriminator is sure: "
        "its gradient in the logit is sigmoid(l), about e^l for a logit of l. So the "
        "generator learns least just where it is worst.",
        "Use the non-saturating loss, which has the same fixed point, or a Wasserstein "
        "critic, whose slope does not vanish.",
        {"loss": "non_saturating"},
        "https://arxiv.org/abs/1406.2661",
    ),
    "exploding_gradient": Failure(
        "the gradient explodes",
        "The gradient's norm has grown by orders of magnitude since the run's start. "
        "Steps overshoot, and Adam's memory of the old scale makes the first of them "
        "the longest.",
        "Clip the gradient's norm, lower the learning rate, or hold the "
        "discriminator's slope with a penalty.",
        {"gradient_clip": 1.0},
        "https://arxiv.org/abs/1211.5063",
    ),
    "dying_relu": Failure(
        "ReLU units are dead",
        "A ReLU whose input is negative for every sample puts out 0 and has no "
        "gradient, so nothing can bring it back. One step that is too long kills many "
        "at once.",
        "Use LeakyReLU with slope 0.2, normalise, and lower the learning rate.",
        {
            "generator_activation": "leaky_relu",
            "discriminator_activation": "leaky_relu",
            "generator_normalization": "batch",
        },
        "https://arxiv.org/abs/1502.01852",
    ),
    "activation_saturation": Failure(
        "sigmoid or tanh units block the gradient",
        "The slope of a sigmoid is a quarter at most, and about 0 at its ends; each "
        "such layer shrinks the gradient on its way back. The first layers learn many "
        "times slower than the last one, or not at all.",
        "Use ReLU in the generator and LeakyReLU in the discriminator, normalise the "
        "generator, and keep sigmoid and tanh for the output.",
        {
            "generator_activation": "relu",
            "discriminator_activation": "leaky_relu",
            "generator_normalization": "batch",
        },
        "https://proceedings.mlr.press/v9/glorot10a.html",
    ),
    "output_saturation": Failure(
        "pixels are stuck at black or white",
        "The output's tanh is driven to its ends far more often than real images are "
        "there. Its slope there is about 0, so those pixels no longer learn.",
        "Lower the generator's rate, start from smaller weights, and check the range "
        "of the data.",
        {"regularizer": "r1", "discriminator_normalization": "none"},
        "https://arxiv.org/abs/1511.06434",
    ),
    "mode_collapse": Failure(
        "mode collapse",
        "Different noise gives nearly the same image: the generator has found what "
        "the discriminator likes and generates only that. The discriminator sees "
        "images one by one, and so never learns that they are all alike.",
        "Pair real with fake (relativistic loss) with R1 and R2, whose loss has no "
        "basin at collapse, and take Adam's momentum away (beta_1 = 0); or let the "
        "discriminator see several samples at once (packing, minibatch standard "
        "deviation).",
        {
            "loss": "relativistic",
            "regularizer": "r1+r2",
            "discriminator_normalization": "none",
            "beta_1": 0.0,
        },
        "https://arxiv.org/abs/2501.05441",
    ),
    "mode_dropping": Failure(
        "modes are missing",
        "What is generated looks real, yet some kinds of real images never appear. The "
        "generator loses little by leaving out what is rare or hard.",
        "Relativistic loss with R1, R2 and beta_1 = 0, packing, or train on classes "
        "and balance them.",
        {
            "loss": "relativistic",
            "regularizer": "r1+r2",
            "discriminator_normalization": "none",
            "beta_1": 0.0,
        },
        "https://arxiv.org/abs/1712.04086",
    ),
    "class_imbalance": Failure(
        "classes are unbalanced",
        "Some classes have ten times the images of others. What is rare weighs little "
        "in either loss, so it is generated last, worst or not at all.",
        "Add images of rare classes, or show rare ones more often.",
        {},
        "https://arxiv.org/abs/1803.09655",
    ),
    "ignored_labels": Failure(
        "classes are ignored",
        "Images are not of the class that was asked for. Nothing in the discriminator "
        "punishes it, or the class is lost among the noise.",
        "Condition the discriminator by projection and the generator by batch "
        "normalisation, and balance the classes.",
        {"discriminator_conditioning": "projection"},
        "https://arxiv.org/abs/1802.05637",
    ),
    "drowned_discriminator": Failure(
        "the discriminator's own noise drowns its images",
        "Dropout leaves out nearly all units, or noise is far stronger than the "
        "images, so the same image has another logit each time. What the generator "
        "learns from it is noise.",
        "Lower the rates of dropout to 0.5 or less, and the noise to a fraction of the "
        "images' own deviation.",
        None,
        "https://jmlr.org/papers/v15/srivastava14a.html",
    ),
    "discriminator_overfitting": Failure(
        "the discriminator learns its images by heart",
        "It is surer of the images that it is trained on than of real ones that it has "
        "not seen. So it no longer measures whether an image is real, and what the "
        "generator learns from it drifts.",
        "Augment what the discriminator sees (DiffAugment, or ADA with its cap), or "
        "add images.",
        {"augmentation": "diffaugment"},
        "https://arxiv.org/abs/2006.06676",
    ),
    "memorisation": Failure(
        "training images are copied",
        "Far more generated images are as near to a training image as only copies are. "
        "The generator then says nothing new, and may give away its training images.",
        "Add images, augment, and stop earlier.",
        {"augmentation": "diffaugment"},
        "https://arxiv.org/abs/1706.08224",
    ),
    "checkerboard": Failure(
        "a checkerboard in the images",
        "A transposed convolution whose kernel is no multiple of its stride covers "
        "neighbouring pixels unequally often. The pattern has the highest frequency "
        "and shows as a peak of the spectrum that real images do not have.",
        "Resize and convolve, or use a kernel of 4 with a stride of 2; the last "
        "upsampling matters most.",
        {"upsampling": "nearest", "kernel_size": 4},
        "https://distill.pub/2016/deconv-checkerboard",
    ),
    "oscillation": Failure(
        "both networks chase each other in circles",
        "Losses and images swing instead of settling: the game's rotation is stronger "
        "than its damping. The last step is then as good or bad as chance has it.",
        "Damp the game with R1, lower beta_1 and both rates, and use the averaged "
        "generator.",
        {
            "regularizer": "r1",
            "discriminator_normalization": "none",
            "beta_1": 0.0,
        },
        "https://arxiv.org/abs/1801.04406",
    ),
    "late_collapse": Failure(
        "late collapse",
        "The images were better before, and three evaluations in a row lie past 1.5 "
        "times the best. Runs that did so hardly ever came back.",
        "Go back to the best checkpoint and go on with a change: hold the "
        "discriminator, lower the rates, or augment.",
        {"regularizer": "r1", "discriminator_normalization": "none"},
        "https://arxiv.org/abs/1809.11096",
    ),
    "float16_overflow": Failure(
        "gradients overflow in float16",
        "Scaled gradients pass 65,504, so loss scaling skips the step and halves the "
        "scale. Now and then is how it finds its scale; often means that many steps "
        "are lost.",
        "Keep penalties and last layers in float32, lower the rate, or train in "
        "bfloat16.",
        {"dtype_policy": "mixed_bfloat16"},
        "https://arxiv.org/abs/1710.03740",
    ),
    "float16_underflow": Failure(
        "gradients vanish in float16",
        "float16 has no number between 0 and 6e-8, so small gradients become 0 unless "
        "the loss is scaled first. Keras scales it for one optimizer alone, and a GAN "
        "has two.",
        "Scale both losses, which ganlab does by itself, or train in bfloat16.",
        {"loss_scaling": True},
        "https://arxiv.org/abs/1710.03740",
    ),
    "batch_norm_gap": Failure(
        "batch and moving statistics disagree",
        "In training, batch normalisation uses the batch's mean and variance; "
        "exported, the moving ones. Where the two differ, the images that are shipped "
        "are not those that were trained.",
        "Use larger batches, or normalise each sample by itself (layer).",
        {"generator_normalization": "layer"},
        "https://arxiv.org/abs/1502.03167",
    ),
    "data_range_mismatch": Failure(
        "generated and real images have different ranges",
        "Where the output cannot reach an end of the data, any discriminator tells "
        "them apart by brightness alone. The generator cannot win, whatever it learns.",
        "End the generator on tanh for data in [-1, 1], on sigmoid for data in [0, 1], "
        "and bring other data to one of these ranges.",
        {"output_activation": "tanh"},
        "https://arxiv.org/abs/1511.06434",
    ),
    "starved_input": Failure(
        "training waits for its data",
        "The step is idle until the next batch arrives, so the machine is paid for and "
        "not used.",
        "Decode once and keep the images in memory, or on a faster disk.",
        {"cache": "memory"},
        "https://www.tensorflow.org/guide/data_performance",
    ),
    "undertrained": Failure(
        "not trained through",
        "The images were still getting better when the run ended. That is no failure, "
        "but the end is not what these settings can do.",
        "Train on.",
        {},
        "https://arxiv.org/abs/1706.08500",
    ),
}
