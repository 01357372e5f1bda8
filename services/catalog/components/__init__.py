"""Component types, their properties, and the variants made of a type and its identity properties."""
