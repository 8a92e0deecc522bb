"""From a recipe to a trained GAN: checks before, fit, and rollback."""
