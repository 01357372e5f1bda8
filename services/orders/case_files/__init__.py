"""Case files: the one way by which operator staff see a contract price, opened before the owner's eyes."""
