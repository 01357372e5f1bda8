"""Whose deliveries are stopped: what the blacklists of `suppliers` say at their strictest level."""
