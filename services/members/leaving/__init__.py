"""A company leaves: nothing open, two persons or a notice period; then its data stays for its admin to fetch."""
