"""The examples as FastAPI and SQLAlchemy run them."""
