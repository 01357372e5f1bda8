"""What services say to each other: requests, answers and events, typed. Provider and consumer import the same."""
