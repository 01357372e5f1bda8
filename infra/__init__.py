"""How the product is run: the embedded server, starting everything, the seed world, the command line."""
