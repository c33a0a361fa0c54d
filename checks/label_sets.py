"""LAB: the label lists against each other: numbering, balance, repeats."""
