"""From an enterprise's material codes to variants: read, matched, reviewed by a second person, published."""
