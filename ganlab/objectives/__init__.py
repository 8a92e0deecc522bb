"""Losses, regularizers, augmentation and schedules."""
