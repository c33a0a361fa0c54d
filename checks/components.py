"""CFG: the names of architectures, losses, optimizers, schedules, metrics, samplers, datasets and transforms, and their parameters."""
