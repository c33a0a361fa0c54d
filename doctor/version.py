"""The version, in a module of its own so that `--version` loads nothing else."""

VERSION = "0.1.0"
