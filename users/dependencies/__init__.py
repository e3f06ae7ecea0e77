"""What the routes depend on: who calls, what they may, what they sent."""
