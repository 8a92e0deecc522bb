"""What does each logged number mean, and where does TensorBoard show it?"""

# Log key -> TensorBoard tag, and what a reader should look for. Custom scalars draw
# nothing for a tag with parentheses.
SCALARS = {
    "d_loss": (
        "loss/discriminator",
        "What the discriminator minimises. For cross-entropy 1.386 (2 ln 2) is "
        "a discriminator that cannot tell; near 0 it has won.",
    ),
    "g_loss": (
        "loss/generator",
        "What the generator minimises. It is no measure of image quality: it "
        "rises whenever the discriminator improves.",
    ),
    "d_penalty": (
        "loss/penalty",
        "Sum of the weighted regularizers, which the discriminator minimises too.",
    ),
    "d_class_loss": (
        "loss/class_real",
        "Cross-entropy of the auxiliary classifier on real images.",
    ),
    "g_class_loss": (
        "loss/class_fake",
        "The same on fake images: low if they are drawn as asked.",
    ),
    "augment_probability": (
        "augmentation/probability",
        "Adaptive augmentation's p. It rises while the discriminator overfits; past "
        "0.8 augmentations leak into what is drawn.",
    ),
    "d_real": (
        "belief/D_x",
        "D(x): mean sigmoid of the logits of real images, from where the loss is "
        "undecided.",
    ),
    "d_fake": (
        "belief/D_G_z",
        "D(G(z)): the same of fake images. Healthy runs keep it well above 0, and "
        "below D(x).",
    ),
    "d_accuracy_real": ("accuracy/real", "Share of real images taken for real."),
    "d_accuracy_fake": ("accuracy/fake", "Share of fake images taken for fake."),
    "d_gradient_norm": (
        "gradient_norm/discriminator",
        "Norm of the discriminator's gradient over all its weights.",
    ),
    "g_gradient_norm": (
        "gradient_norm/generator",
        "Norm of the generator's gradient. Near 0 it learns nothing.",
    ),
    "d_update_ratio": (
        "update_ratio/discriminator",
        "Norm of one step's change of the weights over the norm of the weights. "
        "About 0.001 is usual.",
    ),
    "g_update_ratio": ("update_ratio/generator", "The same for the generator."),
    "d_learning_rate": ("learning_rate/discriminator", ""),
    "g_learning_rate": ("learning_rate/generator", ""),
    "fid": (
        "quality/fid",
        "Distance of generated features from real ones; lower is better. The run's "
        "best checkpoint is the one where it is smallest.",
    ),
    "fid_error": (
        "quality/fid_error",
        "Standard error of the Fréchet distance, by bootstrap.",
    ),
    "fid_infinity": (
        "quality/fid_infinity",
        "The same, extrapolated to infinitely many images; 0 is perfect.",
    ),
    "kid": (
        "quality/kid",
        "Unbiased kernel distance (KID); 0 is perfect.",
    ),
    "precision": ("manifold/precision", "Share of generated images that look real."),
    "recall": ("manifold/recall", "Share of real images that it can draw."),
    "density": ("manifold/density", "Real neighbourhoods hit, over k; 1 is perfect."),
    "coverage": (
        "manifold/coverage",
        "Share of real images with a generated one nearby; 0.97 is perfect.",
    ),
    "ndb": (
        "diversity/ndb",
        "Share of regions where real and generated images differ in number; 0.05 is "
        "chance.",
    ),
    "duplicate_share": (
        "diversity/duplicate_share",
        "Share of generated images that repeat another; real images: 0.01.",
    ),
    "copied_share": (
        "diversity/copied_share",
        "Share of generated images that copy a training image; chance: 0.01.",
    ),
    "class_diversity": (
        "diversity/class_diversity",
        "Spread within a class over that of real images; 1 is perfect.",
    ),
    "inception_score": (
        "classes/inception_score",
        "Inception score, of these features' classes.",
    ),
    "label_accuracy": ("classes/label_accuracy", "Share of images drawn as asked."),
    "modes_hit": ("quality/modes_hit", "Modes with a point within 3 deviations."),
    "high_quality_share": (
        "quality/high_quality_share",
        "Share of points within 3 deviations of a mode; 0.989 is perfect.",
    ),
    "kl": ("quality/kl", "KL divergence from real to fake points on a grid, in nats."),
    "js": ("quality/js", "Jensen-Shannon divergence on a grid, 0 to 0.693 nats."),
    "least_class_share": (
        "diversity/least_class_share",
        "How often the rarest class is drawn, over how often it is real; 1 is perfect.",
    ),
    "pairwise_ratio": (
        "diversity/pairwise_ratio",
        "Mean distance of two fakes over that of two real images; far under 1 is mode "
        "collapse.",
    ),
    "class_pairwise_ratio": (
        "diversity/class_pairwise_ratio",
        "The same of two images of one class.",
    ),
    "nearest_ratio": (
        "diversity/nearest_ratio",
        "Distance of a fake to its nearest fake, over that of real images.",
    ),
    "logit_real": ("logits/real_mean", "Mean logit of real images of a fixed probe."),
    "logit_fake": ("logits/fake_mean", "Mean logit of as many fake ones."),
    "logit_held_out": (
        "logits/held_out_mean",
        "Mean logit of real images that are not trained on. Below logits/real_mean "
        "the discriminator knows its training images by heart.",
    ),
    "logit_spread": ("logits/spread", "Standard deviation of real and fake logits."),
    "real_sign": (
        "overfitting/real_sign",
        "ADA's r_t: mean sign of the logits of trained images; past 0.6 D overfits.",
    ),
    "overfit_gap": (
        "overfitting/gap",
        "ADA's r_v: how far held-out images have moved from trained ones (0) to fakes "
        "(1).",
    ),
    "g_logit_gradient": (
        "gradient/at_the_logit",
        "Sum over the batch of |dL_G / dlogit|; cross-entropy: 0 to 1.",
    ),
    "gradient_thrown_away": (
        "gradient/thrown_away_by_minimax",
        "Share of the non-saturating gradient that the saturating loss has not.",
    ),
    "g_gradient_ratio": (
        "gradient/generator_first_over_last",
        "Gradient of the first kernel over the last one's, root mean squares.",
    ),
    "d_gradient_ratio": ("gradient/discriminator_first_over_last", "Likewise."),
    "g_zero_gradient_share": (
        "gradient/generator_zero",
        "Share of the generator's gradient that is exactly 0.",
    ),
    "d_zero_gradient_share": ("gradient/discriminator_zero", "Likewise."),
    "g_gradient_error": (
        "float16/generator_gradient_error",
        "How far the generator's gradient in half precision is from that in float32, "
        "over its size.",
    ),
    "d_gradient_error": ("float16/discriminator_gradient_error", "Likewise."),
    "g_dead_share": (
        "units/generator_dead",
        "Share of ReLU units that are above 0 on under 1 % of the probe, worst layer.",
    ),
    "d_dead_share": ("units/discriminator_dead", "Likewise."),
    "g_saturated_share": (
        "units/generator_saturated",
        "Share of hidden tanh or sigmoid outputs within 1 % of their ends, worst "
        "layer.",
    ),
    "d_saturated_share": ("units/discriminator_saturated", "Likewise."),
    "g_activation_gradient": (
        "units/generator_slope",
        "Product of the mean slopes of hidden tanh and sigmoid layers: the share of "
        "the gradient that they let pass.",
    ),
    "d_activation_gradient": ("units/discriminator_slope", "Likewise."),
    "output_saturated_gap": (
        "units/output_saturated_gap",
        "Share of generated pixels within 1 % of black or white, less that of real "
        "ones.",
    ),
    "real_low": ("range/real_low", "1st percentile of real pixels."),
    "real_high": ("range/real_high", "99th percentile of real pixels."),
    "fake_low": ("range/fake_low", "1st percentile of fake pixels."),
    "fake_high": ("range/fake_high", "99th percentile of fake pixels."),
    "d_singular_value": (
        "singular_value/largest",
        "Largest singular value of the discriminator's kernels; a sudden rise comes "
        "before a collapse.",
    ),
    "nyquist_excess": (
        "spectrum/nyquist_excess",
        "Peak at the highest frequencies, fakes less real images, in decades: a "
        "checkerboard.",
    ),
    "checkerboard_share": (
        "spectrum/checkerboard",
        "Share of the edges that is one pattern of period 2, fakes less real images.",
    ),
    "spectrum_gap": (
        "spectrum/gap",
        "Difference of fake and real spectra over the upper half of the frequencies, "
        "in decades.",
    ),
    "ema_distance": (
        "stability/ema_distance",
        "Distance of the generator from its average, over the size of its weights.",
    ),
    "batch_norm_gap": (
        "stability/batch_norm_gap",
        "Mean difference, of 2, between images by batch and by moving statistics.",
    ),
    "g_loss_scale": ("float16/generator_loss_scale", "Factor on G's loss."),
    "d_loss_scale": ("float16/discriminator_loss_scale", "Factor on D's loss."),
    "g_skipped_share": (
        "float16/generator_skipped",
        "Share of steps that were skipped for a gradient that was not finite.",
    ),
    "d_skipped_share": ("float16/discriminator_skipped", "Likewise."),
    "images_per_second": (
        "speed/images_per_second",
        "Real images trained on a second, everything included.",
    ),
    "data_wait_share": (
        "speed/data_wait_share",
        "Share of the time spent waiting for the next batch.",
    ),
}

CHARTS = {
    "Losses": ("d_loss", "g_loss"),
    "D(x) and D(G(z))": ("d_real", "d_fake"),
    "Discriminator accuracy": ("d_accuracy_real", "d_accuracy_fake"),
    "Gradient norms": ("d_gradient_norm", "g_gradient_norm"),
    "Update ratios": ("d_update_ratio", "g_update_ratio"),
    "Quality": ("fid", "fid_infinity"),
    "Logits of a probe": ("logit_real", "logit_held_out", "logit_fake"),
    "Looks real, and varied": ("precision", "recall", "density", "coverage"),
}
