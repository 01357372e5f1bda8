"""Purchase orders: placing a basket, the supplier's response, changes, cancellation, history.

placing     routes → placement → reading, reserving, writing (each a group commit) → documents, history
afterwards  routes → actions → queries → tables → rules
"""
