"""A supplier's application for qualification: its identity, what it asks for, and what a reviewer decides."""
