"""Tests of the project: settings, middleware, the command `up`."""
