"""CFG: epochs, learning rate, metrics, checkpoints: what the training does over time."""
