"""What only type checkers read: every ignored error must be one, and no other may be."""
