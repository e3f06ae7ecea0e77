"""The two examples of FastAPI's reference, of `Depends` and of `Security`."""
