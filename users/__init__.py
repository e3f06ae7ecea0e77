"""Users, their access tokens, and the API to both."""
