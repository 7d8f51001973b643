"""What does a reader want to know before anything else? The section at the head of a report."""
