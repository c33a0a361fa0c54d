"""DEP: deploy configs, of Python and of C++, against the machine and the model."""
