"""Users in a database, behind a token."""
