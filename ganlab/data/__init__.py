"""Sources, decoded images and their batches, toy 2-D mixtures, the embedded set."""
