"""What things cost, as ratios: run each by ``python -m tests.benchmarks.<name>``."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.benchmarks.settings")
