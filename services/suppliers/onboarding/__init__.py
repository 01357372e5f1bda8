"""The supplier: its record, what it is qualified for, and until when."""
