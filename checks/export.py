"""EXP: the exported model, and what will load it."""
