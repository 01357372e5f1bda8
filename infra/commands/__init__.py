"""The commands of `dougong`, by what they are about."""
