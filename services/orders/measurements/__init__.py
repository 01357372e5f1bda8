"""What others may know of this service's orders: shares, never amounts."""
