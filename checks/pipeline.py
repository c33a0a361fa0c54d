"""CFG: the transforms of one split, followed from the bytes of a file to the batch."""
