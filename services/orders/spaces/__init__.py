"""How far contractor groups have opened their categories, and who stands in their circles, as `members` tells."""
