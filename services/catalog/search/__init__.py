"""From words to what can be had: the index of offers, the search over it, and the matching of material lists."""
