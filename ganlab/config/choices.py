"""Names that settings choose from, those of the registries that import TensorFlow."""

MODELS = ("gan", "translator")
TRAININGS = ("paired", "cycle", "contrastive")
NETWORKS = ("dcgan", "resnet", "r3gan", "projected", "mlp")
FROZEN_FEATURES = ("imagenet", "random")
CACHES = ("memory", "disk", "stream")
DTYPE_POLICIES = ("float32", "mixed_float16", "mixed_bfloat16")
LOSSES = (
    "minimax",
    "non_saturating",
    "least_squares",
    "hinge",
    "wasserstein",
    "relativistic",
    "relativistic_average",
)
REGULARIZERS = (
    "none",
    "gradient_penalty",
    "r1",
    "r2",
    "dragan",
    "lecam",
    "weight_clipping",
)
AUGMENTATIONS = ("none", "diffaugment", "ada")
AUGMENTATION_POLICIES = ("color", "translation", "cutout")
UPDATES = ("simultaneous", "alternating")
ACTIVATIONS = ("relu", "leaky_relu", "tanh", "sigmoid")
NORMALIZATIONS = ("batch", "layer", "none")
UPSAMPLINGS = ("transposed", "nearest", "bilinear")
DOWNSAMPLINGS = ("stride", "average_pool", "max_pool")
GENERATOR_CONDITIONINGS = ("concat", "batch_norm")
DISCRIMINATOR_CONDITIONINGS = ("projection", "auxiliary")
