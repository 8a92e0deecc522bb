"""Named experiments that make one failure happen, and cure it."""

from ganlab.labs.catalogue import LABS, Lab, get_lab

__all__ = ["LABS", "Lab", "get_lab"]
