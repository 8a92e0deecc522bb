"""Every logged number: its TensorBoard tag, and what a reader should look for."""

from typing import NamedTuple


class Scalar(NamedTuple):
    """A number of the run log.

    Args:
        tag: Where TensorBoard shows it. Custom scalars draw nothing for a tag with
            parentheses.
        description: What a reader should look for, as Markdown.
    """

    tag: str
    description: str


SCALARS = {
    "d_loss": Scalar(
        "loss/discriminator",
        "What the discriminator minimises. For cross-entropy 1.386 (2 ln 2) is "
        "a discriminator that cannot tell; near 0 it has won.",
    ),
    "g_loss": Scalar(
        "loss/generator",
        "What the generator minimises. It is no measure of image quality: it "
        "rises whenever the discriminator improves.",
    ),
    "d_penalty": Scalar(
        "loss/penalty",
        "Sum of the weighted regularizers, which the discriminator minimises too.",
    ),
    "d_regularization": Scalar(
        "loss/discriminator_regularization",
        "What regularizers and `add_loss` of the discriminator's layers add to its "
        "loss.",
    ),
    "g_regularization": Scalar(
        "loss/generator_regularization",
        "What regularizers and `add_loss` of the generator's layers add to its loss.",
    ),
    "g_reconstruction": Scalar("loss/reconstruction", "Mean |image - translation|."),
    "g_cycle": Scalar("loss/cycle", "Mean |difference| after there and back, summed."),
    "g_identity": Scalar("loss/identity", "How far images are changed that need none."),
    "g_contrast": Scalar("loss/contrast", "Patches' cross-entropy: 5.5 is chance."),
    "loss": Scalar(
        "loss/sum",
        "All that both networks minimise, for Keras's callbacks: not a number as soon "
        "as either is. Nothing minimises the sum, and it measures no quality.",
    ),
    "d_class_loss": Scalar(
        "loss/class_discriminator",
        "Cross-entropy of the auxiliary classifier on real images plus that on fake "
        "ones.",
    ),
    "g_class_loss": Scalar(
        "loss/class_generator",
        "Cross-entropy of the auxiliary classifier on fake images: low if the "
        "generator follows its labels.",
    ),
    "augment_probability": Scalar(
        "augmentation/probability",
        "Adaptive augmentation's p. It rises while the discriminator overfits; past "
        "0.8 augmentations leak into generated images.",
    ),
    "d_real": Scalar(
        "belief/D_x",
        "D(x): mean sigmoid of the logits of real images, from where the loss is "
        "undecided.",
    ),
    "d_fake": Scalar(
        "belief/D_G_z",
        "D(G(z)): mean sigmoid of the logits of fake images. Healthy runs keep it well "
        "above 0, and below D(x).",
    ),
    "d_accuracy_real": Scalar(
        "accuracy/real", "Fraction of real images classified as real."
    ),
    "d_accuracy_fake": Scalar(
        "accuracy/fake", "Fraction of fake images classified as fake."
    ),
    "d_gradient_norm": Scalar(
        "gradient_norm/discriminator",
        "Norm of the discriminator's gradient over all its weights.",
    ),
    "g_gradient_norm": Scalar(
        "gradient_norm/generator",
        "Norm of the generator's gradient. Near 0 it learns nothing.",
    ),
    "d_update_ratio": Scalar(
        "update_ratio/discriminator",
        "Norm of one step's change of the weights over the norm of the weights. "
        "About 0.001 is usual.",
    ),
    "g_update_ratio": Scalar("update_ratio/generator", "Likewise, of the generator."),
    "d_drift": Scalar(
        "update_ratio/discriminator_drift",
        "Change of the weights since the last log over the norm that they had, a step.",
    ),
    "g_drift": Scalar("update_ratio/generator_drift", "Likewise, of the generator."),
    "d_learning_rate": Scalar("learning_rate/discriminator", ""),
    "g_learning_rate": Scalar("learning_rate/generator", ""),
    "d_crossed_share": Scalar(
        "update_ratio/discriminator_crossed",
        "Fraction of the discriminator's weights that the generator's optimizer moves "
        "too; 0 is meant.",
    ),
    "g_crossed_share": Scalar("update_ratio/generator_crossed", "The reverse."),
    "fid": Scalar(
        "quality/fid",
        "FID: Fréchet distance of generated from real features; lower is better. The "
        "run's best checkpoint has the smallest.",
    ),
    "fid_error": Scalar(
        "quality/fid_error",
        "Standard error of the FID, by bootstrap.",
    ),
    "fid_infinity": Scalar(
        "quality/fid_infinity",
        "FID extrapolated to infinitely many images; 0 is perfect.",
    ),
    "kid": Scalar(
        "quality/kid",
        "KID: unbiased kernel distance; 0 is perfect.",
    ),
    "precision": Scalar(
        "manifold/precision",
        "Fraction of generated images among real ones, in feature space.",
    ),
    "recall": Scalar(
        "manifold/recall",
        "Fraction of real images among generated ones, in feature space.",
    ),
    "density": Scalar(
        "manifold/density", "Real neighbourhoods hit, over k; 1 is perfect."
    ),
    "coverage": Scalar(
        "manifold/coverage",
        "Fraction of real images with a generated one nearby; 0.97 is perfect.",
    ),
    "ndb": Scalar(
        "diversity/ndb",
        "NDB: fraction of bins where real and generated images differ in number; 0.05 "
        "is chance.",
    ),
    "duplicate_share": Scalar(
        "diversity/duplicate_share",
        "Fraction of generated images that repeat another; real images: 0.01.",
    ),
    "copied_share": Scalar(
        "diversity/copied_share",
        "Fraction of generated images that copy a training image; chance: 0.01.",
    ),
    "class_diversity": Scalar(
        "diversity/class_diversity",
        "Spread within a class over that of real images; 1 is perfect.",
    ),
    "inception_score": Scalar(
        "classes/inception_score",
        "Inception score, with this extractor's classes.",
    ),
    "label_accuracy": Scalar(
        "classes/label_accuracy",
        "Label accuracy: fraction of generated images classified as their label.",
    ),
    "modes_hit": Scalar(
        "quality/modes_hit", "Modes with a sample within 3 deviations."
    ),
    "high_quality_share": Scalar(
        "quality/high_quality_share",
        "Fraction of samples within 3 deviations of a mode; 0.989 is perfect.",
    ),
    "kl": Scalar(
        "quality/kl", "KL divergence from real to fake samples on a grid, in nats."
    ),
    "js": Scalar("quality/js", "Jensen-Shannon divergence on a grid, 0 to 0.693 nats."),
    "least_class_share": Scalar(
        "diversity/least_class_share",
        "Smallest ratio of a class's fraction of generated to that of real images; 1 "
        "is perfect.",
    ),
    "pairwise_ratio": Scalar(
        "diversity/pairwise_ratio",
        "Mean distance of two fakes over that of two real images; far under 1 is mode "
        "collapse.",
    ),
    "class_pairwise_ratio": Scalar(
        "diversity/class_pairwise_ratio",
        "Mean distance of two fakes of one class over that of two real images of it.",
    ),
    "nearest_ratio": Scalar(
        "diversity/nearest_ratio",
        "Distance of a fake to its nearest fake, over that of real images.",
    ),
    "logit_real": Scalar(
        "logits/real_mean", "Mean logit of real images of a fixed probe."
    ),
    "logit_fake": Scalar("logits/fake_mean", "Mean logit of as many fake images."),
    "logit_held_out": Scalar(
        "logits/held_out_mean",
        "Mean logit of real images that are not trained on. Below logits/real_mean "
        "the discriminator knows its training images by heart.",
    ),
    "logit_spread": Scalar(
        "logits/spread", "Standard deviation of real and fake logits."
    ),
    "logit_lowest": Scalar("logits/lowest", "Smallest logit of real and fake images."),
    "logit_highest": Scalar("logits/highest", "Largest of them."),
    "logit_separation": Scalar(
        "logits/separation",
        "How often a real logit is over a fake one: 1 never meet, 0.5 are alike.",
    ),
    "logit_slope": Scalar(
        "logits/slope",
        "Difference of two samples' logits over their distance, 95th percentile of all "
        "pairs; D's Lipschitz constant is no smaller.",
    ),
    "logit_distance": Scalar(
        "logits/distance",
        "Distance of real and fake mean logits in standard deviations of one side.",
    ),
    "d_noise_share": Scalar(
        "logits/noise",
        "Fraction of the logits' variance that comes of the discriminator's dropout "
        "and noise.",
    ),
    "d_dropout_rate": Scalar(
        "units/discriminator_dropout", "Largest rate of dropout of a layer."
    ),
    "g_uneven_kernels": Scalar(
        "spectrum/uneven_kernels",
        "Transposed convolutions whose kernel is no multiple of their stride.",
    ),
    "real_sign": Scalar(
        "overfitting/real_sign",
        "ADA's r_t: mean sign of the logits of trained images; past 0.6 D overfits.",
    ),
    "overfit_gap": Scalar(
        "overfitting/gap",
        "ADA's r_v: how far held-out images have moved from trained ones (0) to fakes "
        "(1).",
    ),
    "g_logit_gradient": Scalar(
        "gradient/at_the_logit",
        "Sum over the batch of |dL_G / dlogit|; cross-entropy: 0 to 1.",
    ),
    "gradient_thrown_away": Scalar(
        "gradient/thrown_away_by_minimax",
        "Fraction of the non-saturating gradient that the saturating loss has not.",
    ),
    "g_gradient_ratio": Scalar(
        "gradient/generator_first_over_last",
        "Gradient of the first kernel over the last one's, root mean squares.",
    ),
    "d_gradient_ratio": Scalar("gradient/discriminator_first_over_last", "Likewise."),
    "g_zero_gradient_share": Scalar(
        "gradient/generator_zero",
        "Fraction of the generator's gradient that is exactly 0.",
    ),
    "d_zero_gradient_share": Scalar("gradient/discriminator_zero", "Likewise."),
    "g_gradient_error": Scalar(
        "float16/generator_gradient_error",
        "How far the generator's gradient in half precision is from that in float32, "
        "over its size.",
    ),
    "d_gradient_error": Scalar("float16/discriminator_gradient_error", "Likewise."),
    "g_dead_share": Scalar(
        "units/generator_dead",
        "Fraction of ReLU units that are above 0 on under 1 % of the probe, worst "
        "layer.",
    ),
    "d_dead_share": Scalar("units/discriminator_dead", "Likewise."),
    "g_saturated_share": Scalar(
        "units/generator_saturated",
        "Fraction of hidden tanh or sigmoid outputs within 1 % of their ends, worst "
        "layer.",
    ),
    "d_saturated_share": Scalar("units/discriminator_saturated", "Likewise."),
    "g_activation_gradient": Scalar(
        "units/generator_slope",
        "Product of the mean slopes of hidden tanh and sigmoid layers: the fraction of "
        "the gradient that they let pass.",
    ),
    "d_activation_gradient": Scalar("units/discriminator_slope", "Likewise."),
    "output_saturated_gap": Scalar(
        "units/output_saturated_gap",
        "Fraction of generated pixels within 1 % of black or white, less that of real "
        "pixels.",
    ),
    "real_low": Scalar("range/real_low", "1st percentile of real pixels."),
    "real_high": Scalar("range/real_high", "99th percentile of real pixels."),
    "fake_low": Scalar("range/fake_low", "1st percentile of fake pixels."),
    "fake_high": Scalar("range/fake_high", "99th percentile of fake pixels."),
    "output_low": Scalar("range/output_low", "The least that the generator can draw."),
    "output_high": Scalar("range/output_high", "The most that it can draw."),
    "real_nonfinite_share": Scalar(
        "data/nonfinite", "Fraction of real values that are NaN or infinite."
    ),
    "real_distinct_share": Scalar(
        "data/distinct", "Distinct real samples over all that were looked at."
    ),
    "real_constant_share": Scalar(
        "data/constant", "Fraction of real pictures whose pixels are all equal."
    ),
    "label_information": Scalar(
        "data/label_information",
        "How much more often than by chance a real sample's nearest has its label, in "
        "standard errors; under 3 the labels say nothing that pixels show.",
    ),
    "d_gain": Scalar(
        "logits/gain",
        "How much further D puts real images over today's fakes than it did at the "
        "last probe, in standard deviations.",
    ),
    "g_step_gain": Scalar(
        "gradient/step_gain",
        "How far G's last step moved the logits of fakes to the side of real ones, in "
        "standard errors; under 0 all along, it learns the reverse.",
    ),
    "latent_effect": Scalar(
        "inputs/latents",
        "Mean change of an image by other latents, over the range of the data; under "
        "0.002 8-bit images are the same.",
    ),
    "label_effect": Scalar("inputs/labels", "Likewise, by another label."),
    "label_lead": Scalar(
        "inputs/label_lead",
        "How much higher a real sample's logit is under its label than under another, "
        "in standard errors.",
    ),
    "g_logit_direction": Scalar(
        "gradient/generator_direction",
        "1 where every step of the generator raises its logits, -1 where it lowers "
        "them.",
    ),
    "d_logit_direction": Scalar(
        "gradient/discriminator_direction",
        "1 where every step of the discriminator raises real and lowers fake logits, "
        "-1 where it does the reverse.",
    ),
    "d_singular_value": Scalar(
        "singular_value/largest",
        "Largest singular value of the discriminator's kernels; a sudden rise comes "
        "before a collapse.",
    ),
    "nyquist_excess": Scalar(
        "spectrum/nyquist_excess",
        "Peak at the highest frequencies, fakes less real images, in decades: a "
        "checkerboard.",
    ),
    "checkerboard_share": Scalar(
        "spectrum/checkerboard",
        "Fraction of the edges that is one pattern of period 2, fakes less real "
        "images.",
    ),
    "spectrum_gap": Scalar(
        "spectrum/gap",
        "Difference of fake and real spectra over the upper half of the frequencies, "
        "in decades.",
    ),
    "ema_distance": Scalar(
        "stability/ema_distance",
        "Distance of the generator from its average, over the size of its weights.",
    ),
    "batch_norm_gap": Scalar(
        "stability/batch_norm_gap",
        "Mean difference, of 2, between images by batch and by moving statistics.",
    ),
    "g_loss_scale": Scalar(
        "float16/generator_loss_scale", "Factor on the generator's loss."
    ),
    "d_loss_scale": Scalar(
        "float16/discriminator_loss_scale", "Factor on the discriminator's loss."
    ),
    "g_skipped_share": Scalar(
        "float16/generator_skipped",
        "Fraction of steps that were skipped for a gradient that was not finite.",
    ),
    "d_skipped_share": Scalar("float16/discriminator_skipped", "Likewise."),
    "skipped_share": Scalar(
        "stability/skipped",
        "Fraction of steps that were left out, for they were not finite.",
    ),
    "images_per_second": Scalar(
        "speed/images_per_second",
        "Real images trained on in a second, everything included.",
    ),
    "data_wait_share": Scalar(
        "speed/data_wait_share",
        "Fraction of the time spent waiting for the next batch.",
    ),
}
