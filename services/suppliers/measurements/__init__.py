"""What the gates of stage changes ask of suppliers, and what a step would open to whom."""
