"""The audit log: who did, or tried to do, what, for which company, in a chain that its owner can verify offline.

entries   what an act leaves, and whose log it belongs to
refusals  refused commands, recorded after their rollback
chain     the worker that numbers and hashes each owner's entries
files     an owner's log as a file, and its verification without us
routes    a company reads its own log
"""
