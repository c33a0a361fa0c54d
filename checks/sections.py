"""CFG: sections and keys that must be there, and values of the type that is meant."""
