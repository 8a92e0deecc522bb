"""Networks that come with the package, trained by `scripts/train_classifier.py`."""
