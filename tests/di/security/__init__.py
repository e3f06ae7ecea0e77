"""Tests of `di.security`."""
