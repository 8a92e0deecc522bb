// Names what is wrong with a play, by the thresholds of ganlab's own rules.

export const BOUNDS = {
  warmupSteps: 200,
  accuracy: 0.97, // above: D is right on nearly all
  beliefInFakes: 0.03, // below: D believes in no fake
  logitGradient: 0.1, // below: the minimax loss hands G next to nothing
  deadUnits: 0.25, // above
  modes: 0.5, // at most this fraction of the modes has a sample
};
const KEPT = 0.97; // of the past in the running means, some 30 steps

const percent = (share) => `${(100 * share).toFixed(0)} %`;

const RULES = [
  {
    name: "vanishing_generator_gradient",
    title: "The generator's gradient vanishes",
    holds: (means, scores, settings) =>
      settings.loss === "minimax" && means.g_logit_gradient < BOUNDS.logitGradient,
    evidence: (means) =>
      `the loss's slope at the fakes' logits is ${means.g_logit_gradient.toFixed(3)}, of 1 at most`,
    remedy: "Let G minimise −log D(G(z)): the non-saturating loss is steep where D is sure.",
  },
  {
    name: "dying_relu",
    title: "ReLU units died",
    holds: (means) => means.g_dead_share > BOUNDS.deadUnits,
    evidence: (means) => `${percent(means.g_dead_share)} of G's hidden units answer no latent at all`,
    remedy: "A lower rate, or leaky ReLU, whose slope is never 0.",
  },
  {
    name: "discriminator_domination",
    title: "The discriminator dominates",
    holds: (means) => means.d_accuracy > BOUNDS.accuracy && means.d_fake < BOUNDS.beliefInFakes,
    evidence: (means) =>
      `D is right on ${percent(means.d_accuracy)} of the points, and gives fakes a probability of ${means.d_fake.toFixed(3)}`,
    remedy: "A lower rate for D, and as many steps for it as for G.",
  },
  {
    name: "mode_collapse",
    title: "Mode collapse",
    holds: (means, scores) => scores.modes_hit <= BOUNDS.modes * scores.counts.length,
    evidence: (means, scores) =>
      `samples lie at ${scores.modes_hit} of ${scores.counts.length} modes`,
    remedy: "A faster D: two to four times G's rate.",
  },
];

// Running means of a play's numbers, from which findings are read.
export class Diagnosis {
  constructor(settings) {
    this.settings = settings;
    this.means = null;
  }

  add(numbers) {
    this.means ??= { ...numbers };
    for (const [key, value] of Object.entries(numbers)) {
      this.means[key] += (1 - KEPT) * (value - this.means[key]);
    }
    this.step = numbers.step;
  }

  // Findings, causes before symptoms; `null` while it is too early to say.
  findings(scores) {
    if (!this.means || this.step < BOUNDS.warmupSteps) return null;
    return RULES.filter(({ holds }) => holds(this.means, scores, this.settings)).map(
      ({ name, title, evidence, remedy }) => ({
        name,
        title,
        remedy,
        evidence: evidence(this.means, scores),
      }),
    );
  }
}
