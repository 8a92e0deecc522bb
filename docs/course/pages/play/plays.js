// Plays that go well, and plays that fail on purpose.

export const PLAYS = {
  balanced: {
    title: "A balanced game",
    settings: {},
    claim: "D learns twice as fast as G. The fakes spread over all eight modes.",
  },
  strong: {
    title: "Too strong a discriminator",
    settings: { generatorRate: 1e-5, discriminatorRate: 1e-2, discriminatorSteps: 5 },
    claim: "D takes five large steps for each small one of G, and is soon right on every point.",
  },
  saturating: {
    title: "The saturating loss",
    settings: { loss: "minimax", generatorRate: 3e-5, discriminatorRate: 1e-2, discriminatorSteps: 5 },
    claim: "G minimises log(1 − D(G(z))), which is flat where D is sure: G hardly moves.",
  },
  collapse: {
    title: "Mode collapse",
    settings: { generatorRate: 1e-2, discriminatorRate: 5e-4 },
    claim: "G runs to where D believes most, before D can follow: all fakes in one place.",
  },
  dead: {
    title: "Dead ReLU units",
    settings: { activation: "relu", generatorRate: 5e-2 },
    claim: "One large step pushes ReLU units below 0 for every latent. Their slope is 0: they stay there.",
  },
};
