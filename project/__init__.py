"""The project that mounts `di` and `users`."""
