"""The register of standards: editions, when they take effect, and when they are withdrawn."""
