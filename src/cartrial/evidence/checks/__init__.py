"""Can these numbers be true, alone and together? The arithmetic of what is printed, and a verdict in one line."""
