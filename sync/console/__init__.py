"""What IT uses to name people, look at devices and sign orders."""
