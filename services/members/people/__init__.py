"""People, what they may do for which company, and how they prove who they are."""
