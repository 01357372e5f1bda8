"""What can be bought: component types, units, codes, carbon factors, variants, and the search over what is offered.

Steps, each resting on those before it: `units`, `uploads`, `classification`, `carbon`, `components`, then beside each
other `dictionary` (proposals, review, versions), `references` (dictionaries of others), `ifc` and `search`.
"""
