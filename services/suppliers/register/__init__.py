"""What `catalog` tells of withdrawn standards and restricted goods, kept here to judge offers and orders by."""
