"""WTS: the weights that the config or the command line names."""
