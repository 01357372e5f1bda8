"""What can be bought: component types, units, codes, carbon factors, variants, and the search over what is offered.

Steps, each resting on those before it: `units`, `classification`, `carbon`, `components`, `search`.
"""
