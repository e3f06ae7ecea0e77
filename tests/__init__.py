"""Tests, from outside wherever there is an outside."""
