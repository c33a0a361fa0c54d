"""DEP: the transforms of training, evaluation, inference and deployment against each other."""
