"""Django Ninja's own tests, run with and without us; see `__main__`."""
