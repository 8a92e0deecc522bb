"""Labs: named experiments that make one failure happen, and cure it."""

from ganlab.labs.catalogue import LABS, get_lab
from ganlab.labs.lab import Lab

__all__ = ["LABS", "Lab", "get_lab"]
