"""MDL: the network against its input, its data and its place of use."""
